// From the text of a fleet file and its includes to the fleet, or to everything that is wrong with
// them. It refuses to look at the images, directories and kernels that the files name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/yaml/diagnostic.hpp"
#include "config/yaml/files.hpp"

namespace bramble::yaml {

// Includes inside of includes, and files in all: what a fleet of one file per board needs, and no
// more.
inline constexpr std::size_t include_depth_max = 8;
inline constexpr std::size_t files_max = 10'000;

struct LoadResult {
    std::optional<fleet::Fleet> fleet;    // there is one when no diagnostic is an error
    std::vector<Diagnostic> diagnostics;  // errors and warnings, in the order of the files
};

// Reads `file`, relative to the reader's current directory, and what it includes. Never throws, for
// any bytes. Relative paths inside become absolute, each from the file that names it.
LoadResult load(const std::filesystem::path& file, FileReader& files);

// A JSON Schema (draft 2020-12) of the fleet file, generated from what the parser itself reads by.
std::string json_schema();

}  // namespace bramble::yaml
