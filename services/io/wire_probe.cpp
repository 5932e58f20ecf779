#include "services/io/wire_probe.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "services/io/clock.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/frames.hpp"

namespace bramble::io {
namespace {

constexpr std::size_t frame_bytes_max = 2048;
constexpr int poll_ms = 100;

std::uint8_t octet(std::span<const std::byte> bytes, std::size_t at) {
    return std::to_integer<std::uint8_t>(bytes[at]);
}

std::uint16_t u16(std::span<const std::byte> bytes, std::size_t at) {
    return static_cast<std::uint16_t>(octet(bytes, at) << 8U | octet(bytes, at + 1));
}

Result<FileDescriptor> open_listener(const NetworkInterface& interface) {
    FileDescriptor fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL))
    );
    if (!fd.is_open()) {
        return fail(fmt::format("listening to frames needs root: {}", std::strerror(errno)));
    }
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = interface.index;
    packet_mreq everything{};
    everything.mr_ifindex = interface.index;
    everything.mr_type = PACKET_MR_ALLMULTI;  // bridges speak to a multicast address
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::setsockopt(fd.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof everything) !=
            0) {
        return fail(fmt::format("cannot listen on '{}': {}", interface.name, std::strerror(errno)));
    }
    return fd;
}

}  // namespace

Result<void> probe_wire(const NetworkInterface& interface, const WireProbe& probe) {
    auto socket = open_listener(interface);
    if (!socket) return tl::unexpected(socket.error());
    const int fd = socket->get();
    const Clock clock;
    const auto send = [&] {
        if (probe.frame.empty()) return true;
        return ::send(fd, probe.frame.data(), probe.frame.size(), 0) ==
               static_cast<ssize_t>(probe.frame.size());
    };
    if (!send()) {
        return fail(fmt::format("cannot send on '{}': {}", interface.name, std::strerror(errno)));
    }
    const TimePoint begun = clock.now();
    const TimePoint until = begun + probe.listen;
    bool repeated = false;
    std::vector<std::byte> buffer(frame_bytes_max);
    for (std::size_t frames = 0; frames < WireProbe::frames_max && clock.now() < until;) {
        if (!repeated && clock.now() >= begun + probe.listen / 2) {
            repeated = true;
            send();
        }
        pollfd wait{fd, POLLIN, 0};
        if (::poll(&wait, 1, poll_ms) <= 0) continue;
        sockaddr_ll from{};
        socklen_t from_size = sizeof from;
        const ssize_t count = ::recvfrom(
            fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_size
        );
        if (count <= 0) continue;
        ++frames;
        if (from.sll_pkttype == PACKET_OUTGOING) continue;  // our own
        probe.on_frame(std::span(buffer).first(static_cast<std::size_t>(count)));
    }
    return {};
}

std::optional<HeardDatagram> udp_to_port(std::span<const std::byte> frame, std::uint16_t port) {
    constexpr std::uint16_t ethertype_ipv4 = 0x0800;
    constexpr std::uint8_t protocol_udp = 17;
    constexpr std::uint16_t fragment_mask = 0x3fff;  // more-fragments and the offset
    if (frame.size() < ethernet_header_bytes + ipv4_header_bytes + udp_header_bytes) {
        return std::nullopt;
    }
    if (u16(frame, 12) != ethertype_ipv4) return std::nullopt;
    const auto packet = frame.subspan(ethernet_header_bytes);
    const std::size_t header = (octet(packet, 0) & 0x0fU) * 4U;
    const std::size_t total = u16(packet, 2);
    if (octet(packet, 0) >> 4U != 4 || header < ipv4_header_bytes) return std::nullopt;
    if (octet(packet, 9) != protocol_udp || (u16(packet, 6) & fragment_mask) != 0)
        return std::nullopt;
    if (total > packet.size() || total < header + udp_header_bytes) return std::nullopt;
    const auto datagram = packet.first(total).subspan(header);
    const std::size_t length = u16(datagram, 4);
    if (u16(datagram, 2) != port || length < udp_header_bytes || length > datagram.size()) {
        return std::nullopt;
    }
    HeardDatagram out;
    std::array<std::uint8_t, MacAddress::size> mac{};
    for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = octet(frame, 6 + i);
    out.mac = MacAddress(mac);
    out.source = Ipv4Address(
        static_cast<std::uint32_t>(u16(packet, 12)) << 16U |
        static_cast<std::uint32_t>(u16(packet, 14))
    );
    out.payload = datagram.first(length).subspan(udp_header_bytes);
    return out;
}

}  // namespace bramble::io
