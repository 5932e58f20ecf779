// How the store's directories are read: the names of boards' trees, and directories that may not be
// there yet. It refuses to know what lies in a tree.
#pragma once

#include <string_view>
#include <vector>

#include "provisioning/host/host.hpp"

namespace bramble::store {

// boards/<board>/root.<base> and, beside it, root.<base>.identity
inline constexpr std::string_view root_prefix = "root.";
inline constexpr std::string_view stamp_suffix = ".identity";
// roots/<base>.initramfs
inline constexpr std::string_view initramfs_suffix = ".initramfs";

// boards/<board>/overlay.<base>, with upper/ and work/: of a root that is an overlay.
inline constexpr std::string_view overlay_prefix = "overlay.";

// Where a board's next root is made and its last one is taken apart: in the board's own directory,
// so that a rename begins or ends it.
inline constexpr std::string_view staged_root_name = ".root-in-the-making";
inline constexpr std::string_view leaving_root_name = ".root-on-its-way-out";

// Where a base on btrfs is made and any base is taken apart: beside the bases, whose place may be a
// mount, which no rename crosses. No base's own name begins so.
inline constexpr char aside_prefix = '.';

inline Result<std::vector<host::DirectoryEntry>> list_if_there(
    host::Host& host, const host::Path& directory
) {
    const auto there = host.status(directory);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return std::vector<host::DirectoryEntry>{};
    return host.list(directory);
}

}  // namespace bramble::store
