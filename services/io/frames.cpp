#include "services/io/frames.hpp"

#include <algorithm>
#include <array>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::io {
namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_arp = 0x0806;
constexpr std::uint16_t arp_request = 1;
constexpr std::uint16_t arp_reply = 2;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t time_to_live = 64;
constexpr std::uint16_t dont_fragment = 0x4000;
constexpr MacAddress broadcast_mac(std::array<std::uint8_t, 6>{255, 255, 255, 255, 255, 255});

std::uint32_t add_words(std::uint32_t sum, std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        sum +=
            static_cast<std::uint32_t>(bytes[i]) << 8U | static_cast<std::uint32_t>(bytes[i + 1]);
    }
    if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8U;
    return sum;
}

std::uint16_t fold(std::uint32_t sum) {
    while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
}

// RFC 768: the sum also covers a pseudo header of addresses, protocol and length.
std::uint16_t udp_checksum(
    const UdpEndpoint& from, const UdpEndpoint& to, std::span<const std::byte> datagram
) {
    std::array<std::byte, 12> pseudo_bytes{};
    ByteWriter pseudo(pseudo_bytes);
    pseudo.u32(from.address.value());
    pseudo.u32(to.address.value());
    pseudo.u16(protocol_udp);
    pseudo.u16(static_cast<std::uint16_t>(datagram.size()));
    const std::uint16_t sum = fold(add_words(add_words(0, pseudo_bytes), datagram));
    return sum == 0 ? std::uint16_t{0xffff} : sum;
}

void put_u16(std::span<std::byte> out, std::size_t at, std::uint16_t value) {
    ByteWriter(out.subspan(at, 2)).u16(value);
}

}  // namespace

std::uint16_t internet_checksum(std::span<const std::byte> bytes) {
    return fold(add_words(0, bytes));
}

std::size_t write_udp_frame(
    std::span<std::byte> out,
    const UdpEndpoint& from,
    const UdpEndpoint& to,
    std::span<const std::byte> payload
) {
    const std::size_t udp_bytes = udp_header_bytes + payload.size();
    const std::size_t total = ethernet_header_bytes + ipv4_header_bytes + udp_bytes;
    if (payload.size() > udp_payload_max || out.size() < total) return 0;

    ByteWriter frame(out.first(total));
    frame.octets(to.mac.octets());
    frame.octets(from.mac.octets());
    frame.u16(ethertype_ipv4);

    frame.u8(0x45);  // version 4, header of five words
    frame.u8(0);
    frame.u16(static_cast<std::uint16_t>(ipv4_header_bytes + udp_bytes));
    frame.u16(0);
    frame.u16(dont_fragment);
    frame.u8(time_to_live);
    frame.u8(protocol_udp);
    frame.u16(0);  // checksum, below
    frame.u32(from.address.value());
    frame.u32(to.address.value());

    frame.u16(from.port);
    frame.u16(to.port);
    frame.u16(static_cast<std::uint16_t>(udp_bytes));
    frame.u16(0);  // checksum, below
    frame.bytes(payload);

    const auto ip_header = out.subspan(ethernet_header_bytes, ipv4_header_bytes);
    put_u16(ip_header, 10, internet_checksum(ip_header));
    const auto datagram = out.subspan(ethernet_header_bytes + ipv4_header_bytes, udp_bytes);
    put_u16(datagram, 6, udp_checksum(from, to, datagram));
    return total;
}

std::size_t write_arp_probe(std::span<std::byte> out, MacAddress sender, Ipv4Address target) {
    if (out.size() < arp_frame_bytes) return 0;
    ByteWriter frame(out.first(arp_frame_bytes));
    frame.octets(broadcast_mac.octets());
    frame.octets(sender.octets());
    frame.u16(ethertype_arp);
    frame.u16(1);  // Ethernet
    frame.u16(ethertype_ipv4);
    frame.u8(6);
    frame.u8(4);
    frame.u16(arp_request);
    frame.octets(sender.octets());
    frame.u32(0);
    frame.zeros(6);
    frame.u32(target.value());
    return frame.size();
}

std::optional<ArpSighting> parse_arp(std::span<const std::byte> bytes) {
    ByteReader frame(bytes);
    if (!frame.take(12) || frame.u16() != ethertype_arp) return std::nullopt;
    if (frame.u16() != 1 || frame.u16() != ethertype_ipv4) return std::nullopt;
    if (frame.u8() != 6 || frame.u8() != 4) return std::nullopt;
    const auto operation = frame.u16();
    if (operation != arp_request && operation != arp_reply) return std::nullopt;
    const auto mac = frame.octets<6>();
    const auto address = frame.octets<4>();
    if (!mac || !address) return std::nullopt;
    const Ipv4Address claimed(*address);
    if (!claimed.is_set()) return std::nullopt;
    return ArpSighting{MacAddress(*mac), claimed};
}

}  // namespace bramble::io
