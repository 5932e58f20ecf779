#include "provisioning/plan/line_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace bramble::plan {
namespace {

using Lines = std::vector<std::string_view>;

Lines split(std::string_view text, char separator) {
    Lines lines;
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0 || separator == '\n') lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

}  // namespace

std::vector<std::string> line_difference(
    std::string_view before, std::string_view after, char separator
) {
    const Lines a = split(before, separator);
    const Lines b = split(after, separator);
    if (std::max(a.size(), b.size()) > lines_max) {
        return {fmt::format("-{} lines", a.size()), fmt::format("+{} lines", b.size())};
    }
    // Length of the longest common subsequence of a[i..] and b[j..]: texts of boards are short.
    const std::size_t width = b.size() + 1;
    std::vector<std::uint16_t> common((a.size() + 1) * width, 0);
    for (std::size_t i = a.size(); i-- > 0;) {
        for (std::size_t j = b.size(); j-- > 0;) {
            common[i * width + j] =
                a[i] == b[j] ? static_cast<std::uint16_t>(common[(i + 1) * width + j + 1] + 1)
                             : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
        }
    }
    std::vector<std::string> lines;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
        if (i < a.size() && j < b.size() && a[i] == b[j]) {
            ++i;
            ++j;
        } else if (j == b.size() || (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
            lines.push_back(fmt::format("-{}", a[i++]));
        } else {
            lines.push_back(fmt::format("+{}", b[j++]));
        }
    }
    return lines;
}

}  // namespace bramble::plan
