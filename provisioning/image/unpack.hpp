// Unpacks tar archives of any compression that libarchive reads, and refuses hostile ones. It
// refuses to know what the tree is for.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

inline constexpr std::uint64_t unpacked_bytes_max = 64ULL << 30U;
inline constexpr std::uint64_t unpacked_entries_max = 4'000'000;

struct Unpacking {
    host::Path archive;
    host::Path directory;                            // exists and is empty
    std::function<void(std::string_view)> progress;  // about every two seconds; may be empty
    std::stop_token stop;
};

// Owners, modes, times, links, hard links, devices, extended attributes arrive as the archive has
// them. Errors: not a tar archive; a damaged one; a path or a hard link that is absolute or holds
// "..", an entry that would be written through a link; more than the limits. Symbolic links may
// point anywhere, as in any root: nobody follows them out of the tree. Several may be unpacked at
// once; `progress` is called by a thread other than the caller's, which waits meanwhile.
[[nodiscard]] Result<void> unpack_tar(const Unpacking& unpacking);

}  // namespace bramble::image
