// Host names as clients send them (option 12), made safe to store and to show. It refuses to know
// whose name it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bramble::dhcp {

inline constexpr std::size_t host_name_max = 63;  // one label, RFC 1035 §2.3.4

// The first label of `text` with letters, digits and inner hyphens only (RFC 1123 §2.1),
// lower-case; other octets are left out. Empty when nothing remains.
inline std::string sanitize_host_name(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, text.find('.'))) {
        const bool digit = c >= '0' && c <= '9';
        const bool lower = c >= 'a' && c <= 'z';
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper) {
            out.push_back(static_cast<char>(c - 'A' + 'a'));
        } else if (digit || lower || (c == '-' && !out.empty())) {
            out.push_back(c);
        }
        if (out.size() == host_name_max) break;
    }
    while (!out.empty() && out.back() == '-') out.pop_back();
    return out;
}

}  // namespace bramble::dhcp
