// A kernel's early root filesystem as one compressed "newc" archive, the same bytes for the same
// content. It refuses to know what the files are for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::root {

struct CpioEntry {
    enum class Kind { directory, file, symlink, character_device };

    Kind kind = Kind::file;
    std::string path;           // relative, without "./"
    std::uint32_t mode = 0644;  // permission bits; what stands here for a link is ignored
    std::string content;        // a file's bytes, a link's target
    std::uint32_t major = 0;    // of a device
    std::uint32_t minor = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

// gzip over cpio newc (kernel documentation, buffer-format.rst); entries sorted by path, times
// 0. Errors: libarchive's.
[[nodiscard]] Result<std::string> write_cpio_gzip(std::vector<CpioEntry> entries);

// The archive read back, for verification and tests. Errors: not such an archive, more than
// `bytes_max` of content.
[[nodiscard]] Result<std::vector<CpioEntry>> read_cpio(
    std::span<const char> archive, std::size_t bytes_max = 256U << 20U
);

// The plain bytes of a file that may be compressed by gzip, xz or zstd (kernel modules, kernels);
// other bytes come back as they are. Errors: damaged data, more than `bytes_max`.
[[nodiscard]] Result<std::string> decompress(
    std::string_view bytes, std::size_t bytes_max = 256U << 20U
);

}  // namespace bramble::root
