// The names in a board's boot tree of what a shared root is started with. It refuses to know how
// either is made.
#pragma once

#include <string_view>

namespace bramble::boot {

// Bramble's initramfs, of the profile's boards together, and the archive that the initramfs unpacks
// over the shared root, each board's own.
inline constexpr std::string_view shared_initramfs = "bramble-initramfs.gz";
inline constexpr std::string_view shared_identity = "bramble-identity.cpio.gz";

}  // namespace bramble::boot
