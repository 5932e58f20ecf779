// Console datagrams and first packets of connections, taken from frames only when every length
// agrees; and who is connected to a port of this machine.
#include "services/io/overheard.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "services/io/file_descriptor.hpp"
#include "services/io/frames.hpp"
#include "services/io/tcp_peers.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

constexpr std::size_t ip_at = 14;
constexpr std::size_t tcp_at = 34;

const UdpEndpoint server{
    *MacAddress::parse("02:00:00:00:00:01"), *Ipv4Address::parse("172.16.1.1"), console_port};
const UdpEndpoint board{
    *MacAddress::parse("dc:a6:32:01:02:03"), *Ipv4Address::parse("169.254.1.1"), 6665};

std::vector<std::byte> console_frame(std::string_view text) {
    std::vector<std::byte> out(1600);
    out.resize(write_udp_frame(out, board, server, std::as_bytes(std::span(text))));
    return out;
}

// 172.16.1.3:1000 -> 172.16.1.1:2049, SYN, sequence 0x01020304.
std::vector<std::byte> syn_frame() {
    static constexpr std::string_view octets(
        "\x02\x00\x00\x00\x00\x01\xdc\xa6\x32\x01\x02\x03\x08\x00"
        "\x45\x00\x00\x28\x00\x00\x40\x00\x40\x06\x00\x00\xac\x10\x01\x03\xac\x10\x01\x01"
        "\x03\xe8\x08\x01\x01\x02\x03\x04\x00\x00\x00\x00\x50\x02\xff\xff\x00\x00\x00\x00",
        54
    );
    std::vector<std::byte> out;
    for (const char octet : octets) out.push_back(static_cast<std::byte>(octet));
    return out;
}

std::vector<std::byte> changed(std::vector<std::byte> frame, std::size_t at, int octet) {
    frame.at(at) = static_cast<std::byte>(octet);
    return frame;
}

TEST(OverheardTest, AConsolesDatagram) {
    const auto frame = console_frame("Stopping network\n");
    const auto heard = parse_overheard(frame);
    ASSERT_TRUE(heard);
    EXPECT_FALSE(heard->is_tcp);
    EXPECT_EQ(heard->mac, board.mac);
    EXPECT_EQ(heard->source, board.address);
    EXPECT_EQ(heard->port, console_port);
    EXPECT_EQ(heard->payload.size(), 17U);
}

TEST(OverheardTest, TheFirstPacketOfAConnection) {
    const auto frame = syn_frame();
    const auto heard = parse_overheard(frame);
    ASSERT_TRUE(heard);
    EXPECT_TRUE(heard->is_tcp);
    EXPECT_EQ(heard->source.to_string(), "172.16.1.3");
    EXPECT_EQ(heard->destination.to_string(), "172.16.1.1");
    EXPECT_EQ(heard->source_port, 1000U);
    EXPECT_EQ(heard->port, 2049U);
    EXPECT_EQ(heard->sequence, 0x01020304U);
}

TEST(OverheardTest, EveryOtherFrameIsRefused) {
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), tcp_at + 13, 0x12))) << "SYN and ACK";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), tcp_at + 13, 0x10))) << "ACK";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), 12, 0x86))) << "not IPv4";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), ip_at, 0x65))) << "version 6";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), ip_at, 0x44))) << "a short header";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), ip_at + 6, 0x20))) << "a first fragment";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), ip_at + 9, 1))) << "ICMP";
    EXPECT_FALSE(parse_overheard(changed(syn_frame(), ip_at + 3, 0xff))) << "longer than it is";
    EXPECT_FALSE(parse_overheard(changed(console_frame("x"), ip_at + 20 + 5, 0xff)))
        << "UDP length";
}

TEST(OverheardTest, AFrameThatIsCutShortIsRefusedAtEveryLength) {
    for (const auto& whole : {syn_frame(), console_frame("abc\n")}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_FALSE(parse_overheard(std::span(whole).first(size))) << size;
        }
    }
}

TEST(TcpPeersTest, WhoIsConnectedIsToldAndWhoListensIsNot) {
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in here = to_sockaddr(*Ipv4Address::parse("127.0.0.1"), 0);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    const std::uint16_t port = local_port(listener.get());
    ASSERT_TRUE(tcp_peers_of(port)) << tcp_peers_of(port).error().message;
    EXPECT_TRUE(tcp_peers_of(port)->empty());

    FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    here = to_sockaddr(*Ipv4Address::parse("127.0.0.1"), port);
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    const auto peers = tcp_peers_of(port);
    ASSERT_TRUE(peers);
    ASSERT_EQ(peers->size(), 1U);
    EXPECT_EQ(peers->begin()->address.to_string(), "127.0.0.1");
    EXPECT_EQ(peers->begin()->port, local_port(client.get()));

    client = FileDescriptor();
    EXPECT_TRUE(tcp_peers_of(port)->empty());
}

// As NFS servers do, which listen on "::" and have IPv4 clients there.
TEST(TcpPeersTest, AnIpv4ClientOfAnIpv6SocketIsOne) {
    const FileDescriptor listener(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    if (!listener.is_open() ||
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) {
        GTEST_SKIP() << "this machine has no IPv6";
    }
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    socklen_t size = sizeof any;
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size), 0);
    const std::uint16_t port = ntohs(any.sin6_port);
    const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in there = to_sockaddr(*Ipv4Address::parse("127.0.0.1"), port);
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
    const auto peers = tcp_peers_of(port);
    ASSERT_TRUE(peers);
    ASSERT_EQ(peers->size(), 1U);
    EXPECT_EQ(peers->begin()->address.to_string(), "127.0.0.1");
}

}  // namespace
}  // namespace bramble::io
