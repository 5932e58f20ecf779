// What differs between two manifests, in words. It refuses to know which of them should win.
#pragma once

#include <string>
#include <vector>

#include "config/layout/manifest.hpp"

namespace bramble::plan {

// "pi-03: cmdline.txt changed", "profile lab: start4.elf added": one line a board or profile; empty
// when boards would be served the same. Number, time and the fleet file's own text do not count.
std::vector<std::string> differences(const layout::Manifest& before, const layout::Manifest& after);

// All of a few reasons in one line, or the first and how many more there are.
std::string summary(const std::vector<std::string>& reasons);

}  // namespace bramble::plan
