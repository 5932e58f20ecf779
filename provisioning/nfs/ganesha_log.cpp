#include <algorithm>
#include <array>

#include "provisioning/nfs/ganesha.hpp"

namespace bramble::nfs {

namespace {

// Said at CRIT or WARN by every Ganesha that has no D-Bus, Kerberos, statd or RADOS, and
// (NFSACL) for each ACL that a client of version 3 sets, which works nevertheless. Of btrfs it
// warns whatever it finds there; boards' subvolumes are mounts of their own, which it serves.
constexpr auto harmless = std::to_array<std::string_view>({
    "DBUS",
    "dbus",
    "krb5",
    "Cannot acquire credentials for principal nfs",
    "RADOS",
    "NFSACL_SETACL",
    "Configuration file does not specify default realm",
    "may have unsupported subvols",
});

}  // namespace

// "22/11/2026 11:55:17 : epoch 6b02d825 : host : nfs-ganesha-9577[main] function :COMPONENT :LEVEL
// :message"
std::optional<std::string> worth_telling(std::string_view line) {
    if (line.find("nfs-ganesha-") == std::string_view::npos) {  // rpcbind's or our own words
        if (line.empty()) return std::nullopt;
        return std::string(line);
    }
    for (const std::string_view level : {":CRIT :", ":MAJ :", ":FATAL :", ":WARN :", ":ERROR :"}) {
        const std::size_t at = line.find(level);
        if (at == std::string_view::npos) continue;
        if (std::any_of(harmless.begin(), harmless.end(), [&](std::string_view words) {
                return line.find(words) != std::string_view::npos;
            }))
            return std::nullopt;
        return std::string(line.substr(at + level.size()));
    }
    return std::nullopt;
}

}  // namespace bramble::nfs
