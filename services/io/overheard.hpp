// What is said beside our DHCP and TFTP, taken from frames: consoles' datagrams, boards' first
// packets to what serves their roots, other DHCP servers' answers. It refuses to know sockets and
// which board it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"

namespace bramble::io {

// The boot loader's NETCONSOLE and the kernel's netconsole send there unless told otherwise.
inline constexpr std::uint16_t console_port = 6666;
inline constexpr std::uint16_t portmapper_port = 111;

struct Overheard {
    MacAddress mac;
    Ipv4Address source;
    Ipv4Address destination;
    std::uint16_t source_port = 0;
    std::uint16_t port = 0;              // where it goes
    bool is_tcp = false;                 // it asks for a connection
    std::uint32_t sequence = 0;          // of that request: a repetition has the same
    std::span<const std::byte> payload;  // of a datagram
};

// A TCP segment with SYN and without ACK, or a whole UDP datagram, in IPv4 over Ethernet. Nothing
// for any other frame, for fragments, and where lengths do not agree.
std::optional<Overheard> parse_overheard(std::span<const std::byte> frame);

}  // namespace bramble::io
