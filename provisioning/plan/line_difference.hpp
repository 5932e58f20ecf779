// The lines in which two texts differ, in order. It refuses to know what the texts are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bramble::plan {

// "-line" for one that only `before` has, "+line" for one that only `after` has, where they stand;
// lines that both have are left out. Texts of more than `lines_max` lines are told apart by their
// lines' number alone.
std::vector<std::string> line_difference(
    std::string_view before, std::string_view after, char separator = '\n'
);

inline constexpr std::size_t lines_max = 1000;

}  // namespace bramble::plan
