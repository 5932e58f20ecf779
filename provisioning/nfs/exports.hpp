// The roots of a fleet as an NFS server's configuration, for the kernel's server and for Ganesha.
// It refuses to know how the roots came to be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::nfs {

// One directory for one client. A board may have several: the root it runs from and the one it will
// boot from next.
struct ExportedRoot {
    std::string board;
    host::Path path;                    // on this machine
    std::optional<Ipv4Address> client;  // unset: every address of the boards' network
    std::string nfs_version = "3";
    bool read_only = false;

    friend bool operator==(const ExportedRoot&, const ExportedRoot&) = default;
};

// Writes the configuration below the store's nfs/ for the server that `appliance.nfs` names, and
// has a running server take it over. Unchanged files are left alone. Answers with warnings.
[[nodiscard]] Result<std::vector<std::string>> publish_exports(
    host::Host& host,
    const layout::StorePaths& store,
    const fleet::Appliance& appliance,
    std::span<const ExportedRoot> roots
);

}  // namespace bramble::nfs
