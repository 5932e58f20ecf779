// What words that move (a branch, the newest package, a file behind a URL) meant when somebody
// looked, by kernel and by image; kept as JSON beside the fleet file. It refuses to look itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"

namespace bramble::kernel {

inline constexpr std::uint64_t pins_bytes_max = 1U << 20U;

struct Pin {
    std::string asked;  // "git https://… branch rpi-6.1.y": another wish makes the pin void
    std::string means;  // a commit, PACKAGE=VERSION, a SHA-256

    friend bool operator==(const Pin&, const Pin&) = default;
};

using Pins = std::map<std::string, Pin, std::less<>>;  // by the kernel's or the image's name

// All of fleet.lock.
struct LockFile {
    Pins kernels;
    Pins images;

    friend bool operator==(const LockFile&, const LockFile&) = default;
};

// fleet.yaml -> fleet.lock, in the same directory; empty for a fleet that came from no file.
std::filesystem::path pins_path(const fleet::Fleet& fleet);

// Errors: not what write_lock_file writes. One that an older version wrote has no images.
[[nodiscard]] Result<LockFile> parse_lock_file(std::string_view json);
std::string write_lock_file(const LockFile& file);

// What of this kernel's source moves; none for one that stands still (a path, a file, a whole
// commit, a sum).
std::optional<std::string> moving_wish(const fleet::Kernel& kernel);

// What the wish means; none when it is not pinned, or something else was.
std::optional<std::string> meaning(const fleet::Kernel& kernel, const Pins& pins);

bool is_whole_commit(std::string_view text);  // 40 hex digits

}  // namespace bramble::kernel
