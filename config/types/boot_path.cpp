#include "config/types/boot_path.hpp"

#include <algorithm>

namespace bramble {

bool is_boot_path(std::string_view path) {
    constexpr std::size_t path_max = 255;
    if (path.empty() || path.size() > path_max) return false;
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

}  // namespace bramble
