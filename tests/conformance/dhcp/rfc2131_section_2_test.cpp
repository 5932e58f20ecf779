#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section2 : public testing::Test {
protected:
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
};

// §2, figure 1: a DHCP message has 236 octets before its options.
// §3: "The first four octets of the 'options' field of the DHCP message contain the (decimal)
// values 99, 130, 83 and 99".
TEST_F(Rfc2131Section2, ReplyHasTheFixedPartAndTheMagicCookie) {
    const Outcome out = lab.send(laptop.discover(), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    const std::string bytes = to_hex(out.replies[0].bytes);
    EXPECT_EQ(bytes.substr(0, 8), "02010600");  // BOOTREPLY, Ethernet, 6 octets, no hops
    EXPECT_EQ(bytes.substr(2 * 236, 8), "63825363");
}

// §2: "The remaining bits of the flags field are reserved for future use. They MUST be set to zero
// by clients and ignored by servers and relay agents."
TEST_F(Rfc2131Section2, ReservedFlagsAreIgnored) {
    auto bytes = emit(laptop.discover(), bootp_bytes_min);
    bytes[10] = std::byte{0x7f};
    bytes[11] = std::byte{0xff};
    const Outcome out = lab.send_bytes(bytes, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<ToHardware>(out.replies[0].destination));
    EXPECT_EQ(to_hex(out.replies[0].bytes).substr(20, 4), "0000");
}

// RFC 951 §3 and RFC 1542 §2.1: a BOOTP message is 300 octets; some relays drop shorter ones.
TEST_F(Rfc2131Section2, ReplyIsPaddedWithZerosToABootpMessage) {
    Message inform = laptop.message(MessageType::inform);
    inform.ciaddr = ip("172.16.1.77");
    inform.options.set(OptionCode::parameter_request_list, hex("01"));
    const Outcome out = lab.send(inform, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    ASSERT_EQ(out.replies[0].bytes.size(), bootp_bytes_min);
    const auto& bytes = out.replies[0].bytes;
    const auto padding = bytes.begin() + static_cast<std::ptrdiff_t>(wire_size(*parse(bytes)));
    ASSERT_EQ(*(padding - 1), std::byte{255});
    EXPECT_TRUE(std::all_of(padding, bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
}

// §2: a client must be ready for 576 octets of IP datagram, no more unless it says so; and nothing
// of ours goes above that even then, nor uses option overload.
TEST_F(Rfc2131Section2, NoReplyIsLongerThan548Octets) {
    fleet::Fleet fleet = lab_fleet();
    for (int i = 0; i < 63; ++i) fleet.appliance.dhcp.dns.push_back(ip("172.16.1.9"));
    fleet.appliance.dhcp.domain = std::string(200, 'd');
    lab.change_fleet(fleet);
    for (const std::uint16_t maximum :
         {std::uint16_t{0},
          std::uint16_t{300},
          std::uint16_t{576},
          std::uint16_t{1472},
          std::uint16_t{65535}}) {
        Message discover = laptop.discover();
        discover.options.set(OptionCode::parameter_request_list, hex("01 03 0f 06"));
        if (maximum != 0) discover.options.set_u16(OptionCode::maximum_message_size, maximum);
        const Outcome out = lab.send(discover, at(0s));
        ASSERT_EQ(out.replies.size(), 1U) << maximum;
        EXPECT_LE(out.replies[0].bytes.size(), reply_bytes_max) << maximum;
        EXPECT_GE(out.replies[0].bytes.size(), bootp_bytes_min) << maximum;
        const auto offer = parse(out.replies[0].bytes);
        ASSERT_TRUE(offer);
        EXPECT_TRUE(offer->options.has(OptionCode::domain_name));          // asked for first
        EXPECT_FALSE(offer->options.has(OptionCode::domain_name_server));  // no room
    }
    EXPECT_EQ(lab.server.counters().options_left_out, 5U);
}

// §2.2: "The allocation mechanism should reuse an address when the client returns."
TEST_F(Rfc2131Section2, ReturningClientGetsItsAddressAgain) {
    const auto first = lab.bind(laptop, at(0s));
    ASSERT_TRUE(first);
    TestClient other("02:00:00:00:00:02");
    ASSERT_TRUE(lab.bind(other, at(1s)));
    EXPECT_EQ(lab.bind(laptop, at(24h)), first);  // the lease is long over
}

}  // namespace
}  // namespace bramble::dhcp::test
