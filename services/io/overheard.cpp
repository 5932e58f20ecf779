#include "services/io/overheard.hpp"

#include <array>

#include "services/io/frames.hpp"

namespace bramble::io {
namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint16_t fragment_mask = 0x3fff;  // more-fragments and the offset
constexpr std::size_t tcp_header_bytes = 20;
constexpr std::uint8_t syn = 0x02;
constexpr std::uint8_t ack = 0x10;

using Bytes = std::span<const std::byte>;

std::uint8_t octet(Bytes bytes, std::size_t at) {
    return std::to_integer<std::uint8_t>(bytes[at]);
}

std::uint16_t u16(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(octet(bytes, at) << 8U | octet(bytes, at + 1));
}

std::uint32_t u32(Bytes bytes, std::size_t at) {
    return static_cast<std::uint32_t>(u16(bytes, at)) << 16U | u16(bytes, at + 2);
}

bool read_udp(Bytes datagram, Overheard& out) {
    if (datagram.size() < udp_header_bytes) return false;
    const std::size_t length = u16(datagram, 4);
    if (length < udp_header_bytes || length > datagram.size()) return false;
    out.payload = datagram.first(length).subspan(udp_header_bytes);
    return true;
}

bool read_tcp(Bytes segment, Overheard& out) {
    if (segment.size() < tcp_header_bytes) return false;
    if ((octet(segment, 13) & (syn | ack)) != syn) return false;
    out.is_tcp = true;
    out.sequence = u32(segment, 4);
    return true;
}

}  // namespace

std::optional<Overheard> parse_overheard(Bytes frame) {
    if (frame.size() < ethernet_header_bytes + ipv4_header_bytes) return std::nullopt;
    if (u16(frame, 12) != ethertype_ipv4) return std::nullopt;
    const Bytes packet = frame.subspan(ethernet_header_bytes);
    const std::size_t header = (octet(packet, 0) & 0x0fU) * 4U;
    const std::size_t total = u16(packet, 2);
    const bool sound = octet(packet, 0) >> 4U == 4 && header >= ipv4_header_bytes &&
                       total <= packet.size() && total >= header + 4 &&
                       (u16(packet, 6) & fragment_mask) == 0;
    if (!sound) return std::nullopt;
    const Bytes inside = packet.first(total).subspan(header);
    Overheard out;
    std::array<std::uint8_t, MacAddress::size> mac{};
    for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = octet(frame, 6 + i);
    out.mac = MacAddress(mac);
    out.source = Ipv4Address(u32(packet, 12));
    out.destination = Ipv4Address(u32(packet, 16));
    out.source_port = u16(inside, 0);
    out.port = u16(inside, 2);
    const std::uint8_t protocol = octet(packet, 9);
    const bool whole = protocol == protocol_udp   ? read_udp(inside, out)
                       : protocol == protocol_tcp ? read_tcp(inside, out)
                                                  : false;
    return whole ? std::optional(out) : std::nullopt;
}

}  // namespace bramble::io
