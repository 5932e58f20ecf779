// Where in a partition a FAT filesystem has what, from its boot sector. It refuses to know
// directories and files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble::image {

inline constexpr std::size_t fat_entry_bytes = 32;  // of a directory
inline constexpr std::uint64_t fat_first_cluster = 2;

// Places are bytes from the partition's first.
struct FatGeometry {
    unsigned bits = 0;  // of an entry of the FAT: 12, 16 or 32
    std::uint64_t cluster_bytes = 0;
    std::uint64_t fat_at = 0, fat_bytes = 0;
    std::uint64_t root_at = 0, root_bytes = 0;  // FAT12 and FAT16
    std::uint64_t root_cluster = 0;             // FAT32
    std::uint64_t data_at = 0;
    std::uint64_t clusters = 0;

    // One that no file goes on after.
    bool is_last(std::uint64_t cluster) const {
        return cluster >= (bits == 32 ? 0x0FFFFFF8U : (1U << bits) - 8);
    }

    bool has(std::uint64_t cluster) const {
        return cluster >= fat_first_cluster && cluster - fat_first_cluster < clusters;
    }
};

// `boot` is the first sector, 512 bytes of it. Source: Microsoft FAT specification (2005), "Boot
// Sector and BPB" and "FAT Type Determination". Errors: a boot sector that lies, and one that Linux
// and mtools would not read alike.
[[nodiscard]] Result<FatGeometry> fat_geometry_of(
    std::string_view boot, std::uint64_t partition_bytes
);

// What is wrong, with the remedy.
tl::unexpected<Error> fat_is_damaged(std::string_view what);

}  // namespace bramble::image
