// The roots of a fleet as an NFS server's configuration, for the kernel's server and for Ganesha.
// It refuses to know how the roots came to be.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

enum class Server { kernel, ganesha, external };

// Which NFS server `appliance.nfs` means on this machine. `auto`: the kernel's where it has one and
// exportfs is installed, else Ganesha. Errors: the one asked for, or any, is missing; with the
// packages that bring it.
[[nodiscard]] Result<Server> choose_server(host::Host& host, const fleet::NfsBackend& backend);

// Where Ganesha's configuration, its process number and its NFSv4 state lie in the store.
host::Path ganesha_configuration_file(const layout::StorePaths& store);
host::Path ganesha_pid_file(const layout::StorePaths& store);
host::Path ganesha_recovery(const layout::StorePaths& store);
// What exportfs reads.
inline constexpr std::string_view kernel_exports_file = "/etc/exports.d/bramble.exports";

// Looks whether the server at `address` exports `roots`; `mount_port` 0 asks the portmapper.
using Verifier = std::function<Result<void>(
    Ipv4Address address,
    std::span<const ExportedRoot> roots,
    std::uint16_t mount_port,
    std::chrono::milliseconds patience
)>;

// Writes the configuration for the server that `appliance.nfs` names, has a running server take it
// over, and then looks at every export through `verify` (unset: verify_exports). Unchanged files
// are left alone. Answers with warnings, such as that no server runs. Errors: no server to be had,
// a path that cannot be exported, an export that is not there afterwards.
[[nodiscard]] Result<std::vector<std::string>> publish_exports(
    host::Host& host,
    const layout::StorePaths& store,
    const fleet::Appliance& appliance,
    std::span<const ExportedRoot> roots,
    const Verifier& verify = {}
);

}  // namespace bramble::nfs
