// A generated text together with what is wrong with it. It refuses to know files and boards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bramble::boot {

// One rule that a generated text or a boot tree breaks: what a board would make of it, and the way
// out.
struct Finding {
    bool fatal = true;    // false: it will boot, or may; true: nothing is published
    std::string rule;     // a short name, "config-line-length"
    std::string message;  // what is wrong
    std::string remedy;   // what to do

    friend bool operator==(const Finding&, const Finding&) = default;
};

struct Text {
    std::string text;
    std::vector<Finding> findings;

    friend bool operator==(const Text&, const Text&) = default;
};

constexpr bool is_printable_ascii(std::string_view text) {
    for (const char c : text) {
        if (c < ' ' || c > '~') return false;
    }
    return true;
}

}  // namespace bramble::boot
