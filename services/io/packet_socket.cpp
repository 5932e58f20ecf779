#include "services/io/packet_socket.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace bramble::io {

Result<PacketSocket> PacketSocket::open(const NetworkInterface& interface) {
    FileDescriptor fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP))
    );
    if (!fd.is_open()) {
        return fail(fmt::format(
            "cannot make a packet socket: {}: answering boards that have no address yet needs root "
            "or CAP_NET_RAW",
            std::strerror(errno)
        ));
    }
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ARP);
    address.sll_ifindex = interface.index;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(fmt::format(
            "cannot bind a packet socket to '{}': {}", interface.name, std::strerror(errno)
        ));
    }
    return PacketSocket(std::move(fd));
}

bool PacketSocket::send(std::span<const std::byte> frame) {
    return ::send(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT) ==
           static_cast<ssize_t>(frame.size());
}

std::span<const std::byte> PacketSocket::receive(std::span<std::byte> buffer) {
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count > 0 ? buffer.first(static_cast<std::size_t>(count)) : buffer.first(0);
}

}  // namespace bramble::io
