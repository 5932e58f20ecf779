// RFC 2131 §4.3.3 DHCPDECLINE, §4.3.4 DHCPRELEASE, §4.3.5 DHCPINFORM.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section433 : public testing::Test {
protected:
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
    TestClient other{"02:00:00:00:00:02"};
};

using Rfc2131Section434 = Rfc2131Section433;
using Rfc2131Section435 = Rfc2131Section433;

// §4.3.3: "The server MUST mark the network address as not available and SHOULD notify the local
// system administrator of a possible configuration problem."
TEST_F(Rfc2131Section433, DeclinedAddressIsNotAvailable) {
    const auto address = lab.bind(laptop, at(0s));
    const Outcome out = lab.send(laptop.declining(*address), at(1s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<Declined>(out), nullptr);
    EXPECT_EQ(find_event<Declined>(out)->address, *address);
    EXPECT_TRUE(lab.stored.empty());
    EXPECT_NE(lab.bind(laptop, at(2s)), address);
    Message discover = other.discover();
    discover.options.set_address(OptionCode::requested_address, *address);
    EXPECT_NE(lab.answer(discover, at(3s))->yiaddr, address);
}

TEST_F(Rfc2131Section433, DeclinedAddressIsAvailableAgainAfterItsQuarantine) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.100")};
    fleet.boards.erase(fleet.boards.begin() + 3);
    lab.change_fleet(fleet);
    const auto address = lab.bind(laptop, at(0s));
    lab.send(laptop.declining(*address), at(1s));
    EXPECT_FALSE(lab.bind(other, at(9min)));
    EXPECT_TRUE(lab.bind(other, at(11min)));
}

TEST_F(Rfc2131Section433, DeclineOfSomebodyElsesAddressChangesNothing) {
    const auto address = lab.bind(laptop, at(0s));
    lab.send(other.declining(*address), at(1s));
    EXPECT_TRUE(lab.stored.contains(*address));
    EXPECT_EQ(lab.answer(laptop.discover(), at(2s))->yiaddr, address);
}

TEST_F(Rfc2131Section433, DeclinedReservationStaysReserved) {
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const auto address = lab.bind(pi, at(0s));
    const Outcome out = lab.send(pi.declining(*address), at(1s));
    EXPECT_NE(find_event<Declined>(out), nullptr);
    EXPECT_EQ(lab.bind(pi, at(2s)), address);
}

// §4.3.4: "Upon receipt of a DHCPRELEASE message, the server marks the network address as not
// allocated."
TEST_F(Rfc2131Section434, ReleasedAddressIsFree) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.100")};
    fleet.boards.erase(fleet.boards.begin() + 3);
    lab.change_fleet(fleet);
    const auto address = lab.bind(laptop, at(0s));
    EXPECT_FALSE(lab.bind(other, at(1s)));
    const Outcome out =
        lab.send(laptop.releasing(*address), at(2s), from(*address, ip(server_text)));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_EQ(lab.stored.at(*address).expires, at(2s));
    EXPECT_EQ(lab.bind(other, at(3s)), address);
}

// §4.3.4: "The server SHOULD retain a record of the client's initialization parameters for possible
// reuse in response to subsequent requests from the client."
TEST_F(Rfc2131Section434, ReleasedAddressIsOfferedToItsClientAgain) {
    const auto address = lab.bind(laptop, at(0s));
    lab.send(laptop.releasing(*address), at(2s), from(*address, ip(server_text)));
    ASSERT_TRUE(lab.bind(other, at(3s)));
    lab.restart();
    EXPECT_EQ(lab.bind(laptop, at(4s)), address);
}

// §3.1 (6): "The client identifies the lease to be released with its 'client identifier', or
// 'chaddr' and network address".
TEST_F(Rfc2131Section434, ReleaseBySomebodyElseChangesNothing) {
    const auto address = lab.bind(laptop, at(0s));
    lab.send(other.releasing(*address), at(1s), from(*address, ip(server_text)));
    EXPECT_EQ(lab.stored.at(*address).expires, at(0s) + 1h);
    Message elsewhere = laptop.releasing(*address);
    elsewhere.options.set_address(OptionCode::server_identifier, ip("172.16.1.9"));
    lab.send(elsewhere, at(1s), from(*address, ip(server_text)));
    EXPECT_EQ(lab.stored.at(*address).expires, at(0s) + 1h);
}

// §4.3.5: "The server responds to a DHCPINFORM message by sending a DHCPACK message directly to the
// address given in the 'ciaddr' field".
TEST_F(Rfc2131Section435, InformIsAnsweredToItsAddress) {
    Message inform = laptop.message(MessageType::inform);
    inform.ciaddr = ip("172.16.1.77");
    const Outcome out = lab.send(inform, at(0s), from(inform.ciaddr));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToClient{inform.ciaddr, client_port}));
    const auto ack = parse(out.replies[0].bytes);
    EXPECT_EQ(ack->type, MessageType::ack);
    EXPECT_EQ(ack->ciaddr, inform.ciaddr);
    EXPECT_EQ(to_hex(ack->options, OptionCode::subnet_mask), "ffffff00");
}

// §4.3.5: "The server MUST NOT send a lease expiration time to the client and SHOULD NOT fill in
// 'yiaddr'."
TEST_F(Rfc2131Section435, AnswerToInformHasNoLease) {
    Message inform = laptop.message(MessageType::inform);
    inform.ciaddr = ip("172.16.1.77");
    inform.options.set(OptionCode::parameter_request_list, hex("33 3a 3b 01"));
    const Outcome out = lab.send(inform, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto ack = parse(out.replies[0].bytes);
    EXPECT_FALSE(ack->options.has(OptionCode::lease_time));
    EXPECT_FALSE(ack->options.has(OptionCode::renewal_time));
    EXPECT_FALSE(ack->options.has(OptionCode::rebinding_time));
    EXPECT_EQ(ack->yiaddr, Ipv4Address());
    EXPECT_TRUE(out.lease_changes.empty());
}

// §4.3.5: the server "SHOULD check the network address in a DHCPINFORM message for consistency, but
// MUST NOT check for an existing lease."
TEST_F(Rfc2131Section435, InformNeedsNoLeaseButAnAddressOfTheNetwork) {
    const auto taken = lab.bind(other, at(0s));
    Message inform = laptop.message(MessageType::inform);
    inform.ciaddr = *taken;
    EXPECT_TRUE(lab.answer(inform, at(1s)));
    for (const std::string_view bad : {"0.0.0.0", "10.0.0.1", "172.16.1.255", "172.16.1.1"}) {
        inform.ciaddr = ip(bad);
        EXPECT_FALSE(lab.answer(inform, at(1s))) << bad;
    }
}

}  // namespace
}  // namespace bramble::dhcp::test
