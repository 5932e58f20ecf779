#include "services/wire_board/wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::wire_board {

namespace {

using virtual_board::UdpIn;
using virtual_board::UdpOut;

constexpr std::size_t ip_header_bytes = 20;
constexpr std::size_t udp_header_bytes = 8;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint16_t dhcp_client_port = 68;

// RFC 1071.
std::uint32_t sum_of(std::span<const std::byte> bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
    }
    return sum;
}

std::uint16_t checksum(std::uint32_t sum) {
    while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
}

std::vector<std::byte> ip_packet(const UdpOut& out) {
    const auto udp_bytes = static_cast<std::uint16_t>(udp_header_bytes + out.bytes.size());
    std::vector<std::byte> buffer(ip_header_bytes + udp_bytes);
    const auto write = [&](std::uint16_t ip_sum, std::uint16_t udp_sum) {
        ByteWriter writer(buffer);
        writer.u16(0x4500);
        writer.u16(static_cast<std::uint16_t>(ip_header_bytes + udp_bytes));
        writer.u32(0);  // never in fragments
        writer.u8(64);
        writer.u8(protocol_udp);
        writer.u16(ip_sum);
        writer.u32(out.source.value());
        writer.u32(out.destination.value());
        writer.u16(out.source_port);
        writer.u16(out.destination_port);
        writer.u16(udp_bytes);
        writer.u16(udp_sum);
        writer.bytes(out.bytes);
    };
    write(0, 0);
    const std::span<const std::byte> all(buffer);
    const std::uint32_t pseudo = sum_of(all.subspan(12, 8), protocol_udp + udp_bytes);
    const std::uint16_t ip_sum = checksum(sum_of(all.first(ip_header_bytes)));
    write(ip_sum, checksum(sum_of(all.subspan(ip_header_bytes), pseudo)));
    return buffer;
}

// `check_sum` is false while the sender's kernel has left the sum to hardware that a veth lacks.
std::optional<UdpIn> parse_ip(std::span<const std::byte> packet, bool check_sum) {
    ByteReader reader(packet);
    const auto first = reader.u8();
    if (!first || *first != 0x45) return std::nullopt;
    reader.u8();
    const auto total = reader.u16();
    const auto rest = reader.take(8);  // identification, fragment, ttl, protocol, sum
    const auto source = reader.u32();
    const auto destination = reader.u32();
    if (!destination || (*rest)[5] != std::byte{protocol_udp} || *total > packet.size()) {
        return std::nullopt;
    }
    const auto source_port = reader.u16();
    const auto destination_port = reader.u16();
    const auto udp_bytes = reader.u16();
    const auto udp_sum = reader.u16();
    if (!udp_sum || *udp_bytes < udp_header_bytes || ip_header_bytes + *udp_bytes > *total) {
        return std::nullopt;
    }
    if (check_sum && *udp_sum != 0) {  // fact sheet 2.2: the firmware drops and counts these
        const auto udp = packet.subspan(ip_header_bytes, *udp_bytes);
        const std::uint32_t pseudo = sum_of(packet.subspan(12, 8), protocol_udp + *udp_bytes);
        if (checksum(sum_of(udp, pseudo)) != 0) return std::nullopt;
    }
    return UdpIn{
        Ipv4Address(*source),
        *source_port,
        Ipv4Address(*destination),
        *destination_port,
        *reader.take(*udp_bytes - udp_header_bytes)};
}

// IPv4, UDP, not a fragment, port 68: the transfers' DATA stays out of the raw socket.
int filter_dhcp(int fd) {
    std::array<sock_filter, 9> program = {{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol_udp, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, dhcp_client_port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

Result<Descriptor> open_packet_socket(unsigned interface) {
    Descriptor fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP)));
    const int on = 1;
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_IP);
    where.sll_ifindex = static_cast<int>(interface);
    if (fd.get() < 0 || filter_dhcp(fd.get()) != 0 ||
        ::setsockopt(fd.get(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        return fail(fmt::format("raw socket: {}", std::strerror(errno)));
    }
    return fd;
}

sockaddr_in socket_address(Ipv4Address address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(address.value());
    return out;
}

bool is_bridge(const std::string& interface) {
    return ::access(fmt::format("/sys/class/net/{}/bridge", interface).c_str(), F_OK) == 0;
}

Result<void> plug_veth(
    const std::string& bridge, const std::string& port, MacAddress mac, const std::string& there
) {
    const std::vector<std::string> add = {
        "ip",
        "link",
        "add",
        port,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "address",
        mac.to_string(),
        "netns",
        there};
    return run_program(add).and_then([&] {
        return run_program({"ip", "link", "set", port, "master", bridge, "up"});
    });
}

// Beside the interface's own address: whoever is on this machine itself does not hear it.
Result<void> plug_macvlan(const std::string& interface, MacAddress mac, const std::string& there) {
    return run_program(
        {"ip",
         "link",
         "add",
         "link",
         interface,
         "name",
         "eth0",
         "netns",
         there,
         "address",
         mac.to_string(),
         "type",
         "macvlan",
         "mode",
         "bridge"}
    );
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> run_program(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
    if (error != 0) return fail(fmt::format("{}: {}", command[0], std::strerror(error)));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(fmt::format("'{}' failed", fmt::join(command, " ")));
}

Result<Wire> Wire::plug(const std::string& on, const std::string& port, MacAddress mac) {
    const Descriptor outside(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (outside.get() < 0 || ::unshare(CLONE_NEWNET) != 0) {
        return fail(fmt::format("network namespace: {}: run as root", std::strerror(errno)));
    }
    const Descriptor inside(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    // The switch's side first, in the namespace where it is.
    if (::setns(outside.get(), CLONE_NEWNET) != 0) return fail("setns: run as root");
    const std::string there = fmt::format("/proc/{}/fd/{}", ::getpid(), inside.get());
    auto plugged = is_bridge(on) ? plug_veth(on, port, mac, there) : plug_macvlan(on, mac, there);
    if (!plugged) return tl::unexpected(plugged.error());
    if (::setns(inside.get(), CLONE_NEWNET) != 0) return fail("setns: run as root");
    for (const char* device : {"lo", "eth0"}) {
        if (auto done = run_program({"ip", "link", "set", device, "up"}); !done) {
            return tl::unexpected(done.error());
        }
    }
    Wire wire;
    wire.interface_ = ::if_nametoindex("eth0");
    auto packet = open_packet_socket(wire.interface_);
    if (!packet) return tl::unexpected(packet.error());
    wire.packet_ = std::move(*packet);
    return wire;
}

Result<void> Wire::use_address(const Ipv4Network& network, std::optional<Ipv4Address> gateway) {
    drop_address();
    if (auto done = run_program({"ip", "address", "add", network.to_string(), "dev", "eth0"});
        !done)
        return done;
    address_ = network.address();
    if (!gateway) return {};
    return run_program({"ip", "route", "add", "default", "via", gateway->to_string()});
}

void Wire::drop_address() {
    sockets_.clear();
    order_.clear();
    if (!address_) return;
    address_.reset();
    static_cast<void>(run_program({"ip", "address", "flush", "dev", "eth0"}));
}

void Wire::send(const UdpOut& out) {
    if (out.destination == Ipv4Address::broadcast()) return send_broadcast(out);
    send_from_socket(out);
}

void Wire::send_broadcast(const UdpOut& out) {
    const auto packet = ip_packet(out);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_IP);
    where.sll_ifindex = static_cast<int>(interface_);
    where.sll_halen = ETH_ALEN;
    std::ranges::fill_n(where.sll_addr, ETH_ALEN, std::uint8_t{0xff});
    ::sendto(
        packet_.get(),
        packet.data(),
        packet.size(),
        0,
        reinterpret_cast<const sockaddr*>(&where),
        sizeof where
    );
}

void Wire::send_from_socket(const UdpOut& out) {
    if (!sockets_.contains(out.source_port)) {
        Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        const sockaddr_in own = socket_address(out.source, out.source_port);
        if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) return;
        sockets_.emplace(out.source_port, std::move(fd));
        order_.push_back(out.source_port);
        if (order_.size() > sockets_max) {
            sockets_.erase(order_.front());
            order_.erase(order_.begin());
        }
    }
    const sockaddr_in there = socket_address(out.destination, out.destination_port);
    ::sendto(
        sockets_.at(out.source_port).get(),
        out.bytes.data(),
        out.bytes.size(),
        0,
        reinterpret_cast<const sockaddr*>(&there),
        sizeof there
    );
}

void Wire::receive(Duration wait, const Take& take) {
    std::vector<pollfd> waiting{{packet_.get(), POLLIN, 0}};
    const std::vector<std::uint16_t> ports = order_;
    for (const std::uint16_t port : ports) waiting.push_back({sockets_.at(port).get(), POLLIN, 0});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
    const timespec time{seconds.count(), (wait - seconds).count()};
    if (::ppoll(waiting.data(), waiting.size(), &time, nullptr) <= 0) return;
    if ((waiting[0].revents & POLLIN) != 0) take_frames(take);
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if ((waiting[i + 1].revents & POLLIN) == 0 || !sockets_.contains(ports[i])) continue;
        take_datagrams(ports[i], waiting[i + 1].fd, take);
    }
}

void Wire::take_frames(const Take& take) {
    std::array<std::byte, 2048> buffer{};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
    iovec data{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(packet_.get(), &message, 0);
    if (size <= 0) return;
    bool check_sum = true;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
        tpacket_auxdata auxiliary{};
        std::copy_n(
            CMSG_DATA(part), sizeof auxiliary, reinterpret_cast<unsigned char*>(&auxiliary)
        );
        check_sum = (auxiliary.tp_status & TP_STATUS_CSUMNOTREADY) == 0;
    }
    const auto datagram =
        parse_ip(std::span(buffer).first(static_cast<std::size_t>(size)), check_sum);
    if (datagram) take(*datagram);
}

void Wire::take_datagrams(std::uint16_t port, int fd, const Take& take) {
    std::array<std::byte, 2048> buffer{};
    sockaddr_in source{};
    socklen_t length = sizeof source;
    const ssize_t size = ::recvfrom(
        fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&source), &length
    );
    if (size < 0 || !address_) return;
    take(
        {Ipv4Address(ntohl(source.sin_addr.s_addr)),
         ntohs(source.sin_port),
         *address_,
         port,
         std::span(buffer).first(static_cast<std::size_t>(size))}
    );
}

}  // namespace bramble::wire_board
