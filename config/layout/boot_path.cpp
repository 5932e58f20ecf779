#include <algorithm>

#include "config/layout/manifest.hpp"

namespace bramble::layout {

bool is_boot_path(std::string_view path) {
    constexpr std::size_t path_max = 255;  // fact sheet 2.3: the firmware's own limit
    if (path.empty() || path.size() > path_max) return false;
    // Control characters have no place in a file name that travels through logs and JSON; a
    // backslash is a separator to some clients (attack class T9).
    const auto refused = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
    };
    if (std::ranges::any_of(path, refused)) return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") return false;
        begin = end + 1;
    }
    return true;
}

}  // namespace bramble::layout
