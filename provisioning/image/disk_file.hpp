// A disk image taken out of its compression, into a sparse file. It refuses to know what is on the
// disk.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

inline constexpr std::uint64_t disk_bytes_max = 256ULL << 30U;
// What is written may be this much more than what is read, once it is over `ratio_counts_from`:
// more is a bomb. Zeros are not written and count for disk_bytes_max alone.
inline constexpr std::uint64_t written_per_read_max = 200;
inline constexpr std::uint64_t ratio_counts_from = 1ULL << 30U;
inline constexpr std::uint64_t free_bytes_min = 256ULL << 20U;  // left to others

struct Expansion {
    host::Path from;
    host::Path to;                                   // must not exist
    std::function<void(std::string_view)> progress;  // about every two seconds; may be empty
    std::stop_token stop;
};

// Errors: a damaged or truncated stream, a zip with no or several images, a bomb, a full disk.
[[nodiscard]] Result<void> expand_disk(const Expansion& expansion);

}  // namespace bramble::image
