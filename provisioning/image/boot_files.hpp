// The boot files in a directory: which of its entries a board may be served. It refuses to know
// what they are for.
#pragma once

#include <map>
#include <string>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

inline constexpr std::size_t boot_files_max = 10'000;
inline constexpr int boot_depth_max = 16;

// Path in the board's tree -> file. Regular files, and links that lead to one of them; other links
// and odd names are errors that name them. Links to directories are left out.
[[nodiscard]] Result<std::map<std::string, host::Path>> list_boot_files(
    host::Host& host, const host::Path& directory
);

}  // namespace bramble::image
