// The roots of a fleet as the text that an NFS server reads: Ganesha's configuration, exports(5) of
// the kernel's server. It refuses to know files, processes and which server runs.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "provisioning/nfs/exports.hpp"

namespace bramble::nfs {

// Ports that never move, so that a board needs no portmapper and a firewall needs three rules.
constexpr std::uint16_t nfs_port = 2049;
constexpr std::uint16_t mount_port = 20048;

// Export numbers by path. A file handle holds the number, so a path keeps its own for as long as it
// is exported, over restarts as well: else every board that runs would see "stale file handle".
class ExportIds {
public:
    static constexpr std::uint16_t id_max = 65535;

    // What `to_text` wrote. Errors: anything else.
    [[nodiscard]] static Result<ExportIds> parse(std::string_view text);

    // Numbers for exactly these roots: those it has, and fresh ones, none of a path just dropped.
    // Errors: more than `id_max` paths.
    [[nodiscard]] Result<ExportIds> with(std::span<const ExportedRoot> roots) const;

    std::uint16_t of(const host::Path& path) const { return ids_.at(path.string()); }

    std::string to_text() const;

    friend bool operator==(const ExportIds&, const ExportIds&) = default;

private:
    std::map<std::string, std::uint16_t> ids_;
    std::uint16_t next_ = 1;  // 0 is Ganesha's own pseudo root
};

struct GaneshaSettings {
    Ipv4Network boards;   // the appliance's address in the boards' network
    bool nfs_v3 = true;   // also version 3; Ganesha then needs an rpcbind
    host::Path recovery;  // a directory for NFSv4 state, kept over restarts
};

// The whole configuration: protocols, fixed ports, one EXPORT per path. A path is open to its
// boards' addresses alone, and to this machine's own address for reading, from a privileged port,
// so that it can be verified (lab facts, section 2). Errors: a path that the format cannot hold.
[[nodiscard]] Result<std::string> ganesha_configuration(
    const GaneshaSettings& settings, std::span<const ExportedRoot> roots, const ExportIds& ids
);

// Whether that configuration asks for version 3.
bool wants_rpcbind(std::string_view ganesha_configuration);

// The roots that such a configuration exports, each by version 3 where it may be.
std::vector<ExportedRoot> exported_roots(std::string_view ganesha_configuration);

// exports(5), one line per path with the same rules. Errors: as above.
[[nodiscard]] Result<std::string> kernel_exports(
    const Ipv4Network& boards, std::span<const ExportedRoot> roots
);

}  // namespace bramble::nfs
