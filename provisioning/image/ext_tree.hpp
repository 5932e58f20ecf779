// The tree of an ext2, ext3 or ext4 filesystem copied into a directory, straight from the file that
// holds it: no mount, no kernel support. It refuses to know partition tables and what the tree is.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

inline constexpr std::uint64_t ext_entries_max = 4'000'000;
inline constexpr std::size_t ext_depth_max = 200;  // one open directory each

struct ExtCopy {
    host::Path file;
    std::uint64_t begin = 0;                         // bytes into the file
    std::uint64_t size = 0;                          // bytes that the filesystem may have
    host::Path directory;                            // exists and is empty
    std::function<void(std::string_view)> progress;  // about every two seconds; may be empty
    std::stop_token stop;
};

// Owners, modes, times to the nanosecond, links, hard links, devices, fifos, sockets, holes,
// extended attributes with capabilities and ACLs arrive as they are; names are bytes. Errors: no
// such filesystem, one that was not unmounted, encrypted or damaged files, names that lead out of
// the tree, a directory in two places, more data than the filesystem has room for, the limits.
[[nodiscard]] Result<void> copy_ext_tree(const ExtCopy& copy);

}  // namespace bramble::image
