#include "services/io/udp_socket.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/sock_diag.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace bramble::io {
namespace {

std::string describe_bind_failure(const UdpSocketOptions& options, int error) {
    const std::string where = fmt::format("{}:{}", options.address.to_string(), options.port);
    switch (error) {
        case EADDRINUSE:
            return fmt::format(
                "UDP {} is taken by another program: `ss -ulpn 'sport = :{}'` names it; stop it, "
                "or "
                "set what it does to off here",
                where,
                options.port
            );
        case EACCES:
        case EPERM:
            return fmt::format(
                "UDP {} needs root or CAP_NET_BIND_SERVICE: start the service by its systemd unit, "
                "or as root with --user",
                where
            );
        case EADDRNOTAVAIL:
            return fmt::format(
                "{} is not an address of this machine: give it to the interface (`ip address add "
                "…`) or correct appliance.address",
                options.address.to_string()
            );
        default:
            return fmt::format("cannot bind UDP {}: {}", where, std::strerror(error));
    }
}

bool set_int(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The forced forms pass the machine's ceiling and need CAP_NET_ADMIN; without it the ceiling rules.
void set_buffer(int fd, int forced, int plain, int bytes) {
    if (bytes == 0) return;
    if (!set_int(fd, SOL_SOCKET, forced, bytes)) set_int(fd, SOL_SOCKET, plain, bytes);
}

}  // namespace

sockaddr_in to_sockaddr(Ipv4Address address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(address.value());
    return out;
}

Result<FileDescriptor> open_udp_socket(const UdpSocketOptions& options) {
    FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) {
        return fail(fmt::format("cannot make a UDP socket: {}", std::strerror(errno)));
    }
    if (!options.interface.empty() && ::setsockopt(
                                          fd.get(),
                                          SOL_SOCKET,
                                          SO_BINDTODEVICE,
                                          options.interface.c_str(),
                                          static_cast<socklen_t>(options.interface.size())
                                      ) != 0) {
        return fail(fmt::format(
            "cannot bind to interface '{}': {} (needs root or CAP_NET_RAW)",
            options.interface,
            std::strerror(errno)
        ));
    }
    if (options.broadcast) set_int(fd.get(), SOL_SOCKET, SO_BROADCAST, 1);
    if (options.packet_info) set_int(fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
    set_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer_bytes);
    set_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer_bytes);

    const sockaddr_in address = to_sockaddr(options.address, options.port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(describe_bind_failure(options, errno));
    }
    return fd;
}

std::uint16_t local_port(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
    return ntohs(address.sin_port);
}

std::uint64_t overflowed_datagrams(int fd) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
    socklen_t length = sizeof figures;
    if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures.data(), &length) != 0) return 0;
    return figures[SK_MEMINFO_DROPS];
}

ReceiveBatch::ReceiveBatch(std::size_t datagrams, std::size_t bytes_each)
    : bytes_each_(bytes_each),
      storage_(datagrams * bytes_each),
      control_(datagrams * control_bytes),
      sources_(datagrams),
      iovecs_(datagrams),
      messages_(datagrams) {
    for (std::size_t i = 0; i < datagrams; ++i) {
        iovecs_[i] = {storage_.data() + i * bytes_each_, bytes_each_};
    }
}

std::size_t ReceiveBatch::receive(int fd) {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        msghdr& header = messages_[i].msg_hdr;
        header = {};
        header.msg_name = &sources_[i];
        header.msg_namelen = sizeof sources_[i];
        header.msg_iov = &iovecs_[i];
        header.msg_iovlen = 1;
        header.msg_control = control_.data() + i * control_bytes;
        header.msg_controllen = control_bytes;
    }
    const int count = ::recvmmsg(
        fd, messages_.data(), static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr
    );
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

ReceivedDatagram ReceiveBatch::at(std::size_t index) const {
    const mmsghdr& message = messages_[index];
    ReceivedDatagram out;
    out.source = Ipv4Address(ntohl(sources_[index].sin_addr.s_addr));
    out.source_port = ntohs(sources_[index].sin_port);
    out.truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    out.bytes = {storage_.data() + index * bytes_each_, message.msg_len};
    msghdr header = message.msg_hdr;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(c), sizeof info);
        out.destination = Ipv4Address(ntohl(info.ipi_addr.s_addr));
        out.interface_index = info.ipi_ifindex;
    }
    return out;
}

SendBatch::SendBatch(std::size_t datagrams, Ipv4Address source)
    : control_(datagrams * control_bytes),
      addresses_(datagrams),
      iovecs_(datagrams),
      messages_(datagrams) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = to_sockaddr(source, 0).sin_addr.s_addr;
    for (std::size_t i = 0; i < datagrams; ++i) {
        msghdr& header = messages_[i].msg_hdr;
        header.msg_name = &addresses_[i];
        header.msg_namelen = sizeof addresses_[i];
        header.msg_iov = &iovecs_[i];
        header.msg_iovlen = 1;
        header.msg_control = control_.data() + i * control_bytes;
        header.msg_controllen = control_bytes;
        cmsghdr* control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = IPPROTO_IP;
        control->cmsg_type = IP_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof info);
        std::memcpy(CMSG_DATA(control), &info, sizeof info);
    }
}

void SendBatch::add(std::span<const std::byte> bytes, Ipv4Address to, std::uint16_t port) {
    addresses_[count_] = to_sockaddr(to, port);
    iovecs_[count_] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    ++count_;
}

std::size_t SendBatch::flush(int fd) {
    std::size_t sent = 0;
    for (std::size_t next = 0; next < count_;) {
        const int done =
            ::sendmmsg(fd, &messages_[next], static_cast<unsigned>(count_ - next), MSG_DONTWAIT);
        // An error is the first one's: it is passed over.
        next += done > 0 ? static_cast<std::size_t>(done) : 1;
        sent += done > 0 ? static_cast<std::size_t>(done) : 0;
    }
    count_ = 0;
    return sent;
}

SendFailure classify_send_error(int error) {
    switch (error) {
        case EAGAIN:
            return SendFailure::again;
        case ENOBUFS:
        case ENOMEM:
            return SendFailure::congestion;
        case EIO:
            return SendFailure::offload;
        case EFAULT:
            return SendFailure::damaged;
        default:
            return SendFailure::refused;
    }
}

}  // namespace bramble::io
