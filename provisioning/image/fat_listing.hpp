// The directories of a FAT12, FAT16 or FAT32 filesystem, read before a program copies its files: no
// image gets there that would copy more than it holds, or without an end. It refuses to know what
// the files say and where they go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/image/boot_files.hpp"
#include "provisioning/image/partition_table.hpp"

namespace bramble::image {

inline constexpr std::size_t fat_entries_max = boot_files_max;  // files and directories
inline constexpr int fat_depth_max = boot_depth_max;
inline constexpr std::uint64_t fat_directory_bytes_max = 2U << 20U;  // 65,536 entries, as Linux has

struct FatEntry {
    std::string path;  // from the top: UTF-8; of a short name what is not ASCII is "?"
    bool directory = false;
    std::uint64_t size = 0;  // bytes; of a directory 0

    friend bool operator==(const FatEntry&, const FatEntry&) = default;
};

// In the order of the directories, each before what is in it; without labels, "." and "..". The
// sizes together are at most the partition's. Source: Microsoft FAT specification (2005).
// Errors, which name the file and a remedy: a boot sector that lies or that
// Linux and mtools would not read alike, a cluster outside the
// filesystem, one that two files or a file and a directory have, a directory that leads back, a
// file that ends before its size, a name that leads out of its directory, the limits above.
[[nodiscard]] Result<std::vector<FatEntry>> list_fat(const Disk& disk, const Partition& partition);

}  // namespace bramble::image
