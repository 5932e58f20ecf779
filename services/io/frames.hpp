// Ethernet frames byte by byte: UDP in IPv4 for clients that have no address yet, and the probes
// that ask whether an address is taken. It refuses to know sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"

namespace bramble::io {

inline constexpr std::size_t ethernet_header_bytes = 14;
inline constexpr std::size_t ipv4_header_bytes = 20;
inline constexpr std::size_t udp_header_bytes = 8;
inline constexpr std::size_t arp_frame_bytes = 42;

// A client on a 1500-byte link reassembles nothing (fact sheet 1.7): more payload is refused.
inline constexpr std::size_t udp_payload_max = 1500 - ipv4_header_bytes - udp_header_bytes;

struct UdpEndpoint {
    MacAddress mac;
    Ipv4Address address;
    std::uint16_t port = 0;
};

// RFC 1071: the ones' complement sum over 16-bit words; an odd last byte is padded with zero.
std::uint16_t internet_checksum(std::span<const std::byte> bytes);

// Writes a whole frame into `out`; its length, or 0 when the payload is too long or does not fit.
// IP id 0, DF set, TTL 64; the UDP checksum is always there, because firmware checks it
// (fact sheet 2.2), and 0 is sent as ffff (RFC 768).
std::size_t write_udp_frame(
    std::span<std::byte> out,
    const UdpEndpoint& from,
    const UdpEndpoint& to,
    std::span<const std::byte> payload
);

// "Who has `target`? Tell 0.0.0.0": the ARP probe of RFC 5227 §2.1.1, which fills nobody's cache.
std::size_t write_arp_probe(std::span<std::byte> out, MacAddress sender, Ipv4Address target);

struct ArpSighting {
    MacAddress mac;
    Ipv4Address address;

    friend bool operator==(const ArpSighting&, const ArpSighting&) = default;
};

// Who claims which address in an ARP frame: the sender fields of a request or a reply over Ethernet
// and IPv4. Nothing for other frames, and for a probe, whose sender claims no address.
std::optional<ArpSighting> parse_arp(std::span<const std::byte> frame);

}  // namespace bramble::io
