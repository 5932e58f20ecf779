// A board's root, looked at over NFS as its kernel and its init would. It refuses to know which
// board that is.
#pragma once

#include <memory>
#include <string>

#include "config/types/result.hpp"
#include "services/virtual_board/board.hpp"

namespace bramble::virtual_fleet {

struct RootSeen {
    std::string hostname;
    std::string up_url;  // where the root's own unit reports; empty: it has none
    std::uint64_t bytes = 0;
    std::shared_ptr<void> mount;  // shared by nobody: it is mounted for as long as this is here
};

// Mounts with the version, sizes and ports of nfsroot=, reads /sbin/init and /etc/fstab whole,
// /etc/hostname, and the script of the report. Errors: the mount is refused, /sbin/init or
// /etc/fstab cannot be read.
[[nodiscard]] Result<RootSeen> read_root(const virtual_board::MountRoot& mount);

// HTTP PUT of two of the report's lines (hostname, cmdline: no kernel runs) to `url`; whether the
// answer is a 2xx. Errors: not http://ADDRESS[:PORT]/…, no connection, another answer.
[[nodiscard]] Result<void> report_up(
    const std::string& url, const std::string& hostname, const std::string& cmdline
);

}  // namespace bramble::virtual_fleet
