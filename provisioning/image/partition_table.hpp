// The partitions of a disk, read from its MBR or GPT in sectors of 512 bytes, and what filesystem
// one begins with. It refuses to know files: bytes come from a function that it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::image {

inline constexpr std::size_t partitions_max = 256;
inline constexpr std::uint64_t sector_bytes = 512;

struct Partition {
    unsigned number = 0;      // as Linux counts: sda1, sda5
    std::uint64_t begin = 0;  // bytes from the disk's first
    std::uint64_t size = 0;   // bytes, never 0

    friend bool operator==(const Partition&, const Partition&) = default;
};

struct Disk {
    std::uint64_t size = 0;  // bytes
    // Exactly `count` bytes from `offset`, which lie within `size`.
    std::function<Result<std::string>(std::uint64_t offset, std::size_t count)> read;
};

// In order of their place. Errors: no table, and every table that lies: a partition past the end,
// of no size or over another one, a chain of extended partitions that turns back, a GPT whose sums
// are wrong. Not one of the partitions of such a disk is trusted.
[[nodiscard]] Result<std::vector<Partition>> read_partitions(const Disk& disk);

enum class Filesystem { unknown, fat, ext, squashfs, erofs };

[[nodiscard]] Result<Filesystem> filesystem_of(const Disk& disk, const Partition& partition);

}  // namespace bramble::image
