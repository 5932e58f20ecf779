#include "services/doctor/socket_table.hpp"

#include <gtest/gtest.h>

namespace bramble::doctor {
namespace {

// As the kernel prints them: proc(5), /proc/net/udp.
constexpr std::string_view udp =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops\n"
    "  812: 010110AC:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "41233 2 0000000000000000 0\n"
    "  814: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "41230 2 0000000000000000 0\n";

TEST(SocketTable, AddressesPortsAndInodes) {
    const std::vector<BoundSocket> expected = {
        {Transport::udp, *Ipv4Address::parse("172.16.1.1"), 69, 41233, ""},
        {Transport::udp, Ipv4Address(), 67, 41230, ""}};
    EXPECT_EQ(parse_socket_table(udp, Transport::udp), expected);
}

TEST(SocketTable, OfTcpOnlyThoseThatListen) {
    constexpr std::string_view tcp =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout inode\n"
        "   0: 0100007F:0801 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
        "0 777 1\n"
        "   1: 0100007F:0801 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        "
        "0 778 1\n";
    const auto sockets = parse_socket_table(tcp, Transport::tcp);
    ASSERT_EQ(sockets.size(), 1U);
    EXPECT_EQ(sockets[0].inode, 777U);
    EXPECT_EQ(sockets[0].port, 2049);
}

TEST(SocketTable, LinesThatDoNotReadAreLeftOut) {
    EXPECT_TRUE(parse_socket_table(
                    "garbage\n\n 1: zz:0045 0 0 0 0 0 0 0 1\n 1: 00000000:10045 a 07 b c d e f 1\n",
                    Transport::udp
    )
                    .empty());
    for (std::size_t size = 0; size < udp.size(); ++size) {
        EXPECT_LE(parse_socket_table(udp.substr(0, size), Transport::udp).size(), 2U);
    }
}

}  // namespace
}  // namespace bramble::doctor
