// The kernel's command line taken apart as lib/cmdline.c and init/main.c do, and what is wrong with
// its words. It refuses to know the root and whose words they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "provisioning/boot/text.hpp"

namespace bramble::boot {

// Words at blanks outside of double quotes; a line's end parts them too.
std::vector<std::string> words_of(std::string_view text);

// "console" of "console=tty1", of "\"dyndbg=file a.c +p\"" dyndbg.
std::string_view key_of(std::string_view word);

// Whether a quote in it would take in what follows.
bool leaves_a_quote_open(std::string_view word);

// What stands behind "--" is init's and not the kernel's.
struct SplitWords {
    std::vector<std::string> kernel;
    std::vector<std::string> init;  // without the "--"
};

SplitWords split_words(std::vector<std::string> words);

// Of the kernel's words: what repeats, contradicts or does nothing. None is fatal.
std::vector<Finding> lint_words(const std::vector<std::string>& words);

}  // namespace bramble::boot
