// The moment between fork and exec of an NFS server: namespaces, a private /run, its rpcbind. It
// refuses to know supervision and logs; its own words go to the error pipe.
#pragma once

#include <sys/types.h>

#include <string>

#include "config/types/result.hpp"
#include "provisioning/nfs/ganesha.hpp"

namespace bramble::nfs {

struct GaneshaChild {
    pid_t pid = -1;
    int pid_handle = -1;  // pidfd: readable when it ended
    int output = -1;      // its stdout and stderr
};

// Forks. Errors: the system's; what goes wrong later is said through `output`.
[[nodiscard]] Result<GaneshaChild> spawn_ganesha(
    const Ganesha::Settings& settings, bool own_rpcbind
);

}  // namespace bramble::nfs
