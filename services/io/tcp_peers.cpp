#include "services/io/tcp_peers.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "services/io/file_descriptor.hpp"

namespace bramble::io {
namespace {

constexpr std::uint32_t established = 1U << 1U;  // TCP_ESTABLISHED of the kernel's tcp_states.h
constexpr std::size_t answer_bytes = 32 * 1024;
constexpr timeval patience{1, 0};

struct Question {
    nlmsghdr header;
    inet_diag_req_v2 request;
};

Result<void> ask(int fd, std::uint8_t family, std::uint16_t local_port) {
    Question question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.request.sdiag_family = family;
    question.request.sdiag_protocol = IPPROTO_TCP;
    question.request.idiag_states = established;
    question.request.id.idiag_sport = htons(local_port);
    if (::send(fd, &question, sizeof question, 0) != sizeof question) {
        return fail(fmt::format("asking the kernel for connections: {}", std::strerror(errno)));
    }
    return {};
}

// A server that listens on "::" has IPv4 clients as ::ffff:172.16.1.3.
std::optional<Ipv4Address> ipv4_of(const inet_diag_msg& socket) {
    const auto& words = socket.id.idiag_dst;
    if (socket.idiag_family == AF_INET) return Ipv4Address(ntohl(words[0]));
    const bool mapped = words[0] == 0 && words[1] == 0 && words[2] == htonl(0xffff);
    return mapped ? std::optional(Ipv4Address(ntohl(words[3]))) : std::nullopt;
}

// True: there is more to come.
Result<bool> take(
    std::span<const std::byte> answer, std::uint16_t local_port, std::set<TcpPeer>& peers
) {
    while (answer.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, answer.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > answer.size()) break;
        if (header.nlmsg_type == NLMSG_DONE) return false;
        if (header.nlmsg_type == NLMSG_ERROR) {
            return fail("this kernel does not tell of connections (CONFIG_INET_TCP_DIAG)");
        }
        if (header.nlmsg_len >= NLMSG_HDRLEN + sizeof(inet_diag_msg)) {
            inet_diag_msg socket{};
            std::memcpy(&socket, answer.data() + NLMSG_HDRLEN, sizeof socket);
            const auto address = ipv4_of(socket);
            const bool ours = ntohs(socket.id.idiag_sport) == local_port;
            if (ours && address && peers.size() < tcp_peers_max) {
                peers.insert({*address, ntohs(socket.id.idiag_dport)});
            }
        }
        const std::size_t whole = NLMSG_ALIGN(header.nlmsg_len);
        answer = answer.subspan(std::min<std::size_t>(whole, answer.size()));
    }
    return true;
}

}  // namespace

Result<std::set<TcpPeer>> tcp_peers_of(std::uint16_t local_port) {
    FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!fd.is_open()) return fail(fmt::format("netlink: {}", std::strerror(errno)));
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::set<TcpPeer> peers;
    std::vector<std::byte> buffer(answer_bytes);
    for (const std::uint8_t family : std::array<std::uint8_t, 2>{AF_INET, AF_INET6}) {
        if (auto asked = ask(fd.get(), family, local_port); !asked) {
            return tl::unexpected(asked.error());
        }
        while (true) {
            const ssize_t count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
            if (count <= 0) return fail(fmt::format("netlink: {}", std::strerror(errno)));
            const auto more =
                take(std::span(buffer).first(static_cast<std::size_t>(count)), local_port, peers);
            if (!more) return tl::unexpected(more.error());
            if (!*more) break;
        }
    }
    return peers;
}

}  // namespace bramble::io
