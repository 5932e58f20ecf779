// The tree of a squashfs or erofs partition copied by the kernel, which reads these where no
// library reads all of them. It refuses to know partition tables and what the tree is.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/image/disk_file.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/image/partition_table.hpp"

namespace bramble::image {

inline constexpr std::uint64_t mounted_entries_max = 4'000'000;
inline constexpr std::uint64_t mounted_free_bytes_min = free_bytes_min;  // left to others

struct MountedCopy {
    Path file;
    Partition partition;
    std::string_view filesystem;  // as the kernel calls it
    Path directory;               // exists and is empty; below the workshop's staging
};

// What a tree would take: a file with several names once, holes as if they were written.
struct TreeSize {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

// A few kilobytes of these filesystems may stand for terabytes: the same blocks in any number of
// files. Errors: more than the limit above, more than
// `free_bytes` without what is left to others.
[[nodiscard]] Result<void> check_tree_size(const TreeSize& size, std::uint64_t free_bytes);

// In a mount namespace that is gone with the copy, and the loop device with it; first once to see
// how large the tree is, then to copy it. Errors: no rights, no such filesystem in the kernel, a
// tree for which the store has no room, what `mount` and `cp` say.
[[nodiscard]] Result<void> copy_mounted_tree(const MountedCopy& copy, const Workshop& workshop);

}  // namespace bramble::image
