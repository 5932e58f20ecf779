// Looks whether every export that was configured is really there: servers log a bad one and serve
// the others. It refuses to know how the server was configured.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "provisioning/nfs/client.hpp"
#include "provisioning/nfs/exports.hpp"

namespace bramble::nfs {

// Mounts each root once by every version that its boards use and lists its top directory, from this
// machine's own address. A root that is not there yet is tried again until `patience` is over, as
// servers take a moment to re-read. Errors: every export that is missing or empty, one a line.
[[nodiscard]] Result<void> verify_exports(
    Ipv4Address server,
    std::span<const ExportedRoot> roots,
    std::uint16_t mount_port,  // 0: ask the portmapper
    std::chrono::milliseconds patience
);

}  // namespace bramble::nfs
