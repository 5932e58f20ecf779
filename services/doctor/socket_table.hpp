// The kernel's table of bound sockets (proc(5), /proc/net/udp and tcp), to see who holds a port. It
// refuses to read files and to know which ports matter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"

namespace bramble::doctor {

enum class Transport { udp, tcp };

struct BoundSocket {
    Transport transport = Transport::udp;
    Ipv4Address address;  // 0.0.0.0: any
    std::uint16_t port = 0;
    std::uint64_t inode = 0;
    std::string program;  // "dnsmasq[812]"; empty: not known, the machine lets only root look

    friend bool operator==(const BoundSocket&, const BoundSocket&) = default;
};

// Sockets that receive from anybody: of TCP those that listen. Lines that do not read are left out;
// at most `sockets_max` are given.
inline constexpr std::size_t sockets_max = 65'536;
std::vector<BoundSocket> parse_socket_table(std::string_view table, Transport transport);

}  // namespace bramble::doctor
