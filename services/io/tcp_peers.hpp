// Who is connected to a TCP port of this machine, as its kernel tells anybody who asks. It refuses
// to know what is said there.
#pragma once

#include <cstdint>
#include <set>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"

namespace bramble::io {

struct TcpPeer {
    Ipv4Address address;
    std::uint16_t port = 0;

    friend auto operator<=>(const TcpPeer&, const TcpPeer&) = default;
};

inline constexpr std::size_t tcp_peers_max = 65'536;

// Established connections in this network namespace, also those of the kernel's own NFS server.
// Through netlink (sock_diag), which takes no privilege. Errors: the kernel has no inet_diag.
[[nodiscard]] Result<std::set<TcpPeer>> tcp_peers_of(std::uint16_t local_port);

}  // namespace bramble::io
