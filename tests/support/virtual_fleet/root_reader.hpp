// A board's root, looked at over NFS as its kernel and its init would. It refuses to know which
// board that is.
#pragma once

#include "config/types/result.hpp"
#include "services/virtual_board/board.hpp"
#include "services/wire_board/board_thread.hpp"

namespace bramble::virtual_fleet {

using wire_board::RootSeen;

// Mounts with the version, sizes and ports of nfsroot=, reads /sbin/init and /etc/fstab whole,
// /etc/hostname, and the script of the report. Errors: the mount is refused, /sbin/init or
// /etc/fstab cannot be read.
[[nodiscard]] Result<RootSeen> read_root(const virtual_board::MountRoot& mount);

}  // namespace bramble::virtual_fleet
