#include "tests/bench/tftp/packet_port.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::bench {
namespace {

constexpr std::uint16_t arp_request = 1;
constexpr std::uint16_t arp_reply = 2;
constexpr int receive_buffer_bytes = 64 << 20;

int open_packet_socket(const std::string& interface, std::uint16_t protocol) {
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(protocol));
    if (fd < 0) return -1;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(protocol);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    const int yes = 1;
    ::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    ::setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    ::setsockopt(
        fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes
    );
    ::setsockopt(
        fd, SOL_SOCKET, SO_SNDBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes
    );
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return -1;
    }
    return fd;
}

std::uint16_t ip_checksum(std::span<const std::byte> header) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
        sum +=
            static_cast<std::uint32_t>(header[i]) << 8U | static_cast<std::uint32_t>(header[i + 1]);
    }
    sum = (sum & 0xffffU) + (sum >> 16U);
    sum += sum >> 16U;
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

Result<PacketPort> PacketPort::open(
    const std::string& interface, Ipv4Address base, std::size_t stations, std::size_t frames
) {
    const int ip = open_packet_socket(interface, ETH_P_IP);
    const int arp = open_packet_socket(interface, ETH_P_ARP);
    if (ip < 0 || arp < 0)
        return fail(fmt::format("cannot open {}: {}", interface, std::strerror(errno)));
    const Ring ring = map_ring(ip, frames);
    if (ring.octets == nullptr)
        return fail(fmt::format("no packet ring on {}: {}", interface, std::strerror(errno)));
    return PacketPort(ip, arp, ring, base, stations);
}

PacketPort::PacketPort(
    int ip_socket, int arp_socket, Ring ring, Ipv4Address base, std::size_t stations
)
    : ip_socket_(ip_socket),
      arp_socket_(arp_socket),
      ring_(ring),
      base_(base),
      stations_(stations),
      out_(batch_max),
      out_bytes_(batch_max) {}

PacketPort::PacketPort(PacketPort&& other) noexcept
    : ip_socket_(std::exchange(other.ip_socket_, -1)),
      arp_socket_(std::exchange(other.arp_socket_, -1)),
      ring_(std::exchange(other.ring_, {})),
      ring_next_(other.ring_next_),
      base_(other.base_),
      stations_(other.stations_),
      server_mac_(other.server_mac_),
      out_(std::move(other.out_)),
      out_bytes_(std::move(other.out_bytes_)),
      out_count_(other.out_count_) {}

PacketPort::~PacketPort() {
    if (ring_.octets != nullptr) ::munmap(ring_.octets, ring_.bytes());
    if (ip_socket_ >= 0) ::close(ip_socket_);
    if (arp_socket_ >= 0) ::close(arp_socket_);
}

Station PacketPort::station(std::size_t index) const {
    const auto low = static_cast<std::uint32_t>(index);
    return {
        MacAddress(
            {0x02,
             0xb7,
             0x00,
             0x00,
             static_cast<std::uint8_t>(low >> 8U),
             static_cast<std::uint8_t>(low)}
        ),
        Ipv4Address(base_.value() + low)};
}

Result<MacAddress> PacketPort::resolve(Ipv4Address server) {
    for (int attempt = 0; attempt < 50; ++attempt) {
        send_arp(arp_request, station(0), server, MacAddress(), true);
        pollfd wait{arp_socket_, POLLIN, 0};
        ::poll(&wait, 1, 100);
        std::array<std::byte, 128> frame{};
        const ssize_t got = ::recv(arp_socket_, frame.data(), frame.size(), 0);
        if (got < 42) continue;
        ByteReader reader{std::span(frame).subspan(20)};
        const auto operation = reader.u16();
        const auto mac = reader.octets<6>();
        const auto ip = reader.octets<4>();
        if (operation == arp_reply && Ipv4Address(*ip) == server) {
            server_mac_ = MacAddress(*mac);
            return server_mac_;
        }
    }
    return fail(fmt::format("{} does not answer ARP", server.to_string()));
}

void PacketPort::send_arp(
    std::uint16_t operation, const Station& from, Ipv4Address to, MacAddress to_mac, bool broadcast
) {
    std::array<std::byte, 42> frame{};
    ByteWriter writer(frame);
    if (broadcast) writer.octets(std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    if (!broadcast) writer.octets(to_mac.octets());
    writer.octets(from.mac.octets());
    writer.u16(ETH_P_ARP);
    writer.u16(1);
    writer.u16(ETH_P_IP);
    writer.u8(6);
    writer.u8(4);
    writer.u16(operation);
    writer.octets(from.mac.octets());
    writer.octets(from.ip.octets());
    writer.octets(to_mac.octets());
    writer.octets(to.octets());
    static_cast<void>(::send(arp_socket_, frame.data(), frame.size(), 0));
}

void PacketPort::answer_arp() {
    std::array<std::byte, 128> frame{};
    for (std::size_t i = 0; i < batch_max; ++i) {
        const ssize_t got = ::recv(arp_socket_, frame.data(), frame.size(), 0);
        if (got < 42) return;
        ByteReader reader{std::span(frame).subspan(20)};
        const auto operation = reader.u16();
        const MacAddress asker(*reader.octets<6>());
        const Ipv4Address asker_ip(*reader.octets<4>());
        reader.take(6);
        const Ipv4Address wanted(*reader.octets<4>());
        const std::uint32_t index = wanted.value() - base_.value();
        if (operation == arp_request && index < stations_)
            send_arp(arp_reply, station(index), asker_ip, asker, false);
    }
}

PacketPort::Ring PacketPort::map_ring(int ip_socket, std::size_t frames) {
    Ring ring;
    ring.frames = std::bit_ceil(std::max(frames, ring_block_bytes / ring_frame_bytes));
    const int version = TPACKET_V2;
    if (::setsockopt(ip_socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0)
        return {};
    tpacket_req request{};
    request.tp_block_size = ring_block_bytes;
    request.tp_block_nr = static_cast<unsigned>(ring.bytes() / ring_block_bytes);
    request.tp_frame_size = ring_frame_bytes;
    request.tp_frame_nr = static_cast<unsigned>(ring.frames);
    if (::setsockopt(ip_socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
        return {};
    void* at = ::mmap(nullptr, ring.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, ip_socket, 0);
    if (at == MAP_FAILED) return {};
    ring.octets = static_cast<std::byte*>(at);
    return ring;
}

bool PacketPort::frame_waits() const {
    auto* header = reinterpret_cast<tpacket2_hdr*>(ring_.octets + ring_next_ * ring_frame_bytes);
    return (std::atomic_ref(header->tp_status).load(std::memory_order_acquire) & TP_STATUS_USER) !=
           0;
}

void PacketPort::wait_for_frames(int timeout_ms) {
    const bool ready = frame_waits();
    if (ready && ++since_arp_ < arp_every) return;
    since_arp_ = 0;
    std::array<pollfd, 2> wait = {{{ip_socket_, POLLIN, 0}, {arp_socket_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), ready ? 0 : timeout_ms);
    if ((wait[1].revents & POLLIN) != 0) answer_arp();
}

void PacketPort::receive(int timeout_ms, const std::function<void(const UdpIn&)>& on_datagram) {
    wait_for_frames(timeout_ms);
    for (std::size_t i = 0; i < batch_max && frame_waits(); ++i) {
        std::byte* at = ring_.octets + ring_next_ * ring_frame_bytes;
        auto* header = reinterpret_cast<tpacket2_hdr*>(at);
        const std::span<const std::byte> frame(at + header->tp_mac, header->tp_snaplen);
        if (frame.size() >= 46 && frame[23] == std::byte{IPPROTO_UDP} &&
            frame[14] == std::byte{0x45}) {
            ByteReader reader(frame.subspan(26));
            UdpIn in;
            in.source = Ipv4Address(*reader.octets<4>());
            in.destination = Ipv4Address(*reader.octets<4>());
            in.source_port = *reader.u16();
            in.destination_port = *reader.u16();
            const std::uint16_t length = *reader.u16();
            if (length >= 12 && header->tp_len >= 34U + length) {
                in.payload_bytes = length - 8U;
                in.payload = frame.subspan(42, std::min(in.payload_bytes, frame.size() - 42));
                on_datagram(in);
            }
        }
        std::atomic_ref(header->tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
        ring_next_ = (ring_next_ + 1) % ring_.frames;
    }
}

void PacketPort::send(
    const Station& from,
    std::uint16_t from_port,
    Ipv4Address to,
    std::uint16_t to_port,
    std::span<const std::byte> payload
) {
    if (out_count_ == batch_max) flush();
    ByteWriter writer(out_[out_count_]);
    writer.octets(server_mac_.octets());
    writer.octets(from.mac.octets());
    writer.u16(ETH_P_IP);
    std::array<std::byte, 20> header{};
    ByteWriter ip(header);
    ip.u16(0x4500);
    ip.u16(static_cast<std::uint16_t>(28 + payload.size()));
    ip.u32(0x00004000);  // identification 0, do not fragment
    ip.u16(0x4011);      // TTL 64, UDP
    ip.u16(0);
    ip.octets(from.ip.octets());
    ip.octets(to.octets());
    const std::uint16_t checksum = ip_checksum(header);
    header[10] = static_cast<std::byte>(checksum >> 8U);
    header[11] = static_cast<std::byte>(checksum);
    writer.bytes(header);
    writer.u16(from_port);
    writer.u16(to_port);
    writer.u16(static_cast<std::uint16_t>(8 + payload.size()));
    writer.u16(0
    );  // no checksum: legal over IPv4, and the generator's cost is not what is measured
    writer.bytes(payload);
    out_bytes_[out_count_++] = writer.size();
}

void PacketPort::flush() {
    std::array<mmsghdr, batch_max> messages{};
    std::array<iovec, batch_max> slices{};
    for (std::size_t i = 0; i < out_count_; ++i) {
        slices[i] = {out_[i].data(), out_bytes_[i]};
        messages[i].msg_hdr.msg_iov = &slices[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::size_t sent = 0;
    for (int attempt = 0; sent < out_count_ && attempt < 1000; ++attempt) {
        const int count =
            ::sendmmsg(ip_socket_, &messages[sent], static_cast<unsigned>(out_count_ - sent), 0);
        if (count > 0) sent += static_cast<std::size_t>(count);
    }
    out_count_ = 0;
}

}  // namespace bramble::bench
