#include "services/io/board_watch.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "services/dhcp/message.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

// In the words of the classic BPF machine. Offsets count from the Ethernet header; X holds the
// length of the IPv4 header.
constexpr std::uint32_t at_fragment = 20;
constexpr std::uint32_t at_protocol = 23;
constexpr std::uint32_t at_ip = 14;
constexpr std::uint32_t at_port = at_ip + 2;    // + X
constexpr std::uint32_t at_flags = at_ip + 13;  // + X

sock_filter load_byte(std::uint32_t at) {
    return BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at);
}

sock_filter jump_if(std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
}

// UDP to the console's, the portmapper's and the DHCP clients' port (our own answers do not come
// back to a socket of one protocol); TCP with SYN and no ACK to what serves roots.
// The rest, every ACK of TFTP among it, is dropped before it is copied.
std::array<sock_filter, 20> filter_for(std::uint16_t nfs_port, std::uint16_t mount_port) {
    constexpr std::uint8_t drop = 19;
    constexpr std::uint8_t take = 18;
    const auto to = [](std::uint8_t from, std::uint8_t where) {
        return static_cast<std::uint8_t>(where - from - 1);
    };
    return {{
        /* 0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at_fragment),
        /* 1 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, to(1, drop), 0),
        /* 2 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, at_ip),
        /* 3 */ load_byte(at_protocol),
        /* 4 */ jump_if(IPPROTO_TCP, to(4, 10), 0),
        /* 5 */ jump_if(IPPROTO_UDP, 0, to(5, drop)),
        /* 6 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, at_port),
        /* 7 */ jump_if(console_port, to(7, take), 0),
        /* 8 */ jump_if(dhcp::client_port, to(8, take), 0),
        /* 9 */ jump_if(portmapper_port, to(9, take), to(9, drop)),
        /* 10 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, at_flags),
        /* 11 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        /* 12 */ jump_if(0x02, 0, to(12, drop)),
        /* 13 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, at_port),
        /* 14 */ jump_if(nfs_port, to(14, take), 0),
        /* 15 */ jump_if(mount_port, to(15, take), 0),
        /* 16 */ jump_if(portmapper_port, to(16, take), to(16, drop)),
        /* 17 */ BPF_STMT(BPF_RET | BPF_K, 0),
        /* 18 */ BPF_STMT(BPF_RET | BPF_K, 0xffff),
        /* 19 */ BPF_STMT(BPF_RET | BPF_K, 0),
    }};
}

Result<FileDescriptor> open_packets(const BoardWatch::Options& options) {
    // No protocol until the filter is there: nothing is queued that would not pass it.
    FileDescriptor fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) {
        return fail(fmt::format(
            "cannot make a packet socket: {}: hearing boards' consoles needs root or CAP_NET_RAW",
            std::strerror(errno)
        ));
    }
    auto code = filter_for(options.nfs_port, options.mount_port);
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = options.interface.index;
    const bool ready =
        ::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!ready) {
        return fail(
            fmt::format("cannot listen on '{}': {}", options.interface.name, std::strerror(errno))
        );
    }
    return fd;
}

// Takes the port and drops what comes to it: the packet socket has it already.
Result<FileDescriptor> open_port(const BoardWatch::Options& options) {
    UdpSocketOptions socket;
    socket.port = console_port;
    socket.interface = options.interface.name;
    auto fd = open_udp_socket(socket);
    if (!fd) return fd;
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{1, &nothing};
    if (::setsockopt(fd->get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
        return fail(fmt::format("UDP port {}: {}", console_port, std::strerror(errno)));
    }
    return fd;
}

}  // namespace

BoardWatch::BoardWatch(Options options, FileDescriptor packets, FileDescriptor port)
    : options_(std::move(options)),
      packets_(std::move(packets)),
      port_(std::move(port)),
      buffer_(frame_bytes_max) {}

Result<std::unique_ptr<BoardWatch>> BoardWatch::open(const Options& options) {
    auto packets = open_packets(options);
    if (!packets) return tl::unexpected(packets.error());
    auto port = open_port(options);
    if (!port) return tl::unexpected(port.error());
    return std::unique_ptr<BoardWatch>(
        new BoardWatch(options, std::move(*packets), std::move(*port))
    );
}

void BoardWatch::start(Loop& loop, OnOverheard on_overheard) {
    on_overheard_ = std::move(on_overheard);
    watch_ = loop.watch_readable(packets_.get(), [this] { on_readable(); });
}

// Connections count where they come to us; a console may be sent to anybody, as its MAC says; of
// DHCP, another server's answers.
bool BoardWatch::is_wanted(const Overheard& heard) const {
    if (!heard.is_tcp && heard.port == console_port) return true;
    if (!heard.is_tcp && heard.port == dhcp::client_port) {
        return heard.source_port == dhcp::server_port && heard.source != options_.address;
    }
    return heard.destination == options_.address;
}

void BoardWatch::on_readable() {
    for (std::size_t turn = 0; turn < frames_per_turn; ++turn) {
        const ssize_t count = ::recv(packets_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (count <= 0) return;
        const auto frame = std::span(buffer_).first(static_cast<std::size_t>(count));
        const auto heard = parse_overheard(frame);
        if (heard && is_wanted(*heard)) on_overheard_(*heard);
    }
}

}  // namespace bramble::io
