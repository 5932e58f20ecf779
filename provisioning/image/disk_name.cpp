#include "provisioning/image/disk_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace bramble::image {
namespace {

constexpr std::array<std::string_view, 2> plain_ends = {".img", ".raw"};
constexpr std::array<std::string_view, 5> packed_ends = {"", ".xz", ".gz", ".zst", ".bz2"};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return result;
}

}  // namespace

bool is_zip(std::string_view name) {
    return lower(name).ends_with(".zip");
}

bool is_plain_disk_image(std::string_view name) {
    const std::string text = lower(name);
    return std::any_of(plain_ends.begin(), plain_ends.end(), [&](std::string_view end) {
        return text.ends_with(end);
    });
}

bool is_disk_image(std::string_view name) {
    if (is_zip(name)) return true;
    const std::string text = lower(name);
    return std::any_of(packed_ends.begin(), packed_ends.end(), [&](std::string_view end) {
        return text.ends_with(end) && is_plain_disk_image(text.substr(0, text.size() - end.size()));
    });
}

}  // namespace bramble::image
