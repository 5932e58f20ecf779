// RFC 2131 §4.3.2: DHCPREQUEST message.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section432 : public testing::Test {
protected:
    std::optional<MessageType> type_of_answer(
        const Message& message, TimePoint now, const Arrival& arrival = {}
    ) {
        const auto answer = lab.answer(message, now, arrival);
        return answer ? std::optional(answer->type) : std::nullopt;
    }

    // What the wire shows of a client that has `address`.
    static Arrival unicast(Ipv4Address address) { return from(address, ip(server_text)); }

    static constexpr std::optional<MessageType> silence = std::nullopt;
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
    TestClient other{"02:00:00:00:00:02"};
    TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
};

// "If the DHCPREQUEST message contains a 'server identifier' option, the message is in response to
// a DHCPOFFER message."
TEST_F(Rfc2131Section432, SelectingClientIsAcknowledged) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    const Outcome out = lab.send(laptop.selecting(offer->yiaddr), at(1s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto ack = parse(out.replies[0].bytes);
    EXPECT_EQ(ack->type, MessageType::ack);
    EXPECT_EQ(ack->yiaddr, offer->yiaddr);
    EXPECT_EQ(ack->ciaddr, Ipv4Address());
    EXPECT_EQ(find_event<Acknowledged>(out)->state, RequestState::selecting);
}

// "Client inserts the address of the selected server in 'server identifier'": the others are
// silent.
TEST_F(Rfc2131Section432, SelectingClientThatChoseAnotherServerGetsNoReply) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    EXPECT_EQ(type_of_answer(laptop.selecting(offer->yiaddr, ip("172.16.1.9")), at(1s)), silence);
    EXPECT_EQ(type_of_answer(laptop.selecting(ip("10.0.0.1"), ip("10.0.0.9")), at(1s)), silence);
}

// §3.1 (4): unable to satisfy it, "the server SHOULD respond with a DHCPNAK message".
TEST_F(Rfc2131Section432, SelectingAnotherAddressThanOfferedIsRefused) {
    ASSERT_TRUE(lab.answer(laptop.discover(), at(0s)));
    EXPECT_EQ(type_of_answer(laptop.selecting(ip("172.16.1.105")), at(1s)), MessageType::nak);
    ASSERT_TRUE(lab.answer(pi.discover(), at(1s)));
    EXPECT_EQ(type_of_answer(pi.selecting(ip("172.16.1.105")), at(1s)), MessageType::nak);
    EXPECT_EQ(type_of_answer(laptop.selecting(ip("172.16.1.3")), at(1s)), MessageType::nak);
}

// An ACK may be lost: the same request is acknowledged again.
TEST_F(Rfc2131Section432, RepeatedRequestIsAcknowledgedAgain) {
    const auto address = lab.bind(laptop, at(0s));
    EXPECT_EQ(type_of_answer(laptop.selecting(*address), at(4s)), MessageType::ack);
}

// The program may have been restarted between its OFFER and the REQUEST.
TEST_F(Rfc2131Section432, RequestForAnOfferOfAnEarlierRunIsAcknowledged) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    lab.restart();
    EXPECT_EQ(type_of_answer(laptop.selecting(offer->yiaddr), at(1s)), MessageType::ack);
    EXPECT_EQ(type_of_answer(pi.selecting(ip("172.16.1.3")), at(1s)), MessageType::ack);
}

// "DHCPREQUEST generated during INIT-REBOOT state: 'server identifier' MUST NOT be filled in,
// 'requested IP address' option MUST be filled in with client's notion of its previously assigned
// address. 'ciaddr' MUST be zero."
TEST_F(Rfc2131Section432, RebootingClientKeepsItsAddress) {
    const auto address = lab.bind(laptop, at(0s));
    const Outcome out = lab.send(laptop.init_reboot(*address), at(1min));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].type, MessageType::ack);
    EXPECT_EQ(find_event<Acknowledged>(out)->state, RequestState::init_reboot);
    EXPECT_EQ(type_of_answer(laptop.init_reboot(*address), at(5h)), MessageType::ack);  // over
}

// "Server SHOULD send a DHCPNAK message to the client if the requested IP address is incorrect, or
// is on the wrong network."
TEST_F(Rfc2131Section432, RebootingClientOnTheWrongNetworkIsRefused) {
    EXPECT_EQ(type_of_answer(laptop.init_reboot(ip("192.168.0.9")), at(0s)), MessageType::nak);
}

TEST_F(Rfc2131Section432, RebootingClientWithAnIncorrectAddressIsRefused) {
    ASSERT_TRUE(lab.bind(laptop, at(0s)));
    EXPECT_EQ(type_of_answer(laptop.init_reboot(ip("172.16.1.109")), at(1s)), MessageType::nak);
    EXPECT_EQ(type_of_answer(pi.init_reboot(ip("172.16.1.109")), at(1s)), MessageType::nak);
}

// "If 'giaddr' is 0x0 in the DHCPREQUEST message, the client is on the same subnet as the server.
// The server MUST broadcast the DHCPNAK message to the 0xffffffff broadcast address".
TEST_F(Rfc2131Section432, NakToTheSameSubnetIsBroadcast) {
    const Outcome out = lab.send(laptop.init_reboot(ip("192.168.0.9")), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(Broadcast{}));
}

// "If 'giaddr' is set in the DHCPREQUEST message, … the server MUST set the broadcast bit in the
// DHCPNAK, so that the relay agent will broadcast the DHCPNAK to the client".
TEST_F(Rfc2131Section432, RelayedNakHasTheBroadcastBit) {
    Message request = laptop.init_reboot(ip("192.168.0.9"));
    request.giaddr = ip("172.16.1.2");
    const auto nak = lab.answer(request, at(0s), from(ip("172.16.1.2")));
    ASSERT_TRUE(nak);
    EXPECT_TRUE(nak->broadcast);
    EXPECT_EQ(nak->giaddr, ip("172.16.1.2"));
}

// "If the DHCP server has no record of this client, then it MUST remain silent".
TEST_F(Rfc2131Section432, RebootingClientWithoutARecordGetsNoReply) {
    EXPECT_EQ(type_of_answer(laptop.init_reboot(ip("172.16.1.105")), at(0s)), silence);
    ASSERT_TRUE(lab.bind(other, at(0s)));
    EXPECT_EQ(type_of_answer(laptop.init_reboot(ip("172.16.1.100")), at(1s)), silence);
}

// "DHCPREQUEST generated during RENEWING state: 'server identifier' MUST NOT be filled in,
// 'requested IP address' option MUST NOT be filled in, 'ciaddr' MUST be filled in with client's IP
// address. … the DHCP server will trust the client's value in 'ciaddr', and use it when replying to
// the client."
TEST_F(Rfc2131Section432, RenewingClientGetsMoreTime) {
    const auto address = lab.bind(laptop, at(0s));
    const Outcome out = lab.send(laptop.renewing(*address), at(30min), unicast(*address));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToClient{*address, client_port}));
    const auto ack = parse(out.replies[0].bytes);
    EXPECT_EQ(ack->type, MessageType::ack);
    EXPECT_EQ(ack->ciaddr, *address);
    EXPECT_EQ(ack->yiaddr, *address);
    EXPECT_EQ(find_event<Acknowledged>(out)->state, RequestState::renewing);
    EXPECT_EQ(lab.stored.at(*address).expires, at(30min) + 1h);
    EXPECT_EQ(lab.stored.at(*address).granted, at(0s));
}

// "DHCPREQUEST generated during REBINDING state: … This message MUST be broadcast to the 0xffffffff
// IP broadcast address. The DHCP server SHOULD check 'ciaddr' for correctness before replying".
TEST_F(Rfc2131Section432, RebindingClientGetsMoreTime) {
    const auto address = lab.bind(laptop, at(0s));
    const Outcome out = lab.send(laptop.renewing(*address), at(55min), from(*address));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].type, MessageType::ack);
    EXPECT_EQ(find_event<Acknowledged>(out)->state, RequestState::rebinding);
}

TEST_F(Rfc2131Section432, RebindingWithAnIncorrectAddressIsRefused) {
    const auto address = lab.bind(laptop, at(0s));
    EXPECT_EQ(type_of_answer(other.renewing(*address), at(1s), from(*address)), MessageType::nak);
    EXPECT_EQ(
        type_of_answer(laptop.renewing(ip("172.16.1.3")), at(1s), from(ip("172.16.1.3"))),
        MessageType::nak
    );
    EXPECT_EQ(
        type_of_answer(pi.renewing(ip("172.16.1.105")), at(1s), from(ip("172.16.1.105"))),
        MessageType::nak
    );
    EXPECT_EQ(type_of_answer(laptop.renewing(ip("10.0.0.1")), at(1s)), MessageType::nak);
}

// Records may be lost; a client that uses a free pool address may go on, which keeps it from being
// given to another.
TEST_F(Rfc2131Section432, RenewingAFreeAddressWithoutARecordIsGranted) {
    const Ipv4Address address = ip("172.16.1.105");
    EXPECT_EQ(type_of_answer(laptop.renewing(address), at(0s), unicast(address)), MessageType::ack);
}

// Table 4 knows no message with a server identifier but no requested address, nor one with nothing.
TEST_F(Rfc2131Section432, RequestThatFitsNoStateGetsNoReply) {
    Message request = laptop.message(MessageType::request);
    EXPECT_EQ(type_of_answer(request, at(0s)), silence);
    request.options.set_address(OptionCode::server_identifier, ip(server_text));
    EXPECT_EQ(type_of_answer(request, at(0s)), silence);
}

// Table 3, DHCPNAK: yiaddr, siaddr, ciaddr 0; "Server identifier: MUST"; "IP address lease time:
// MUST NOT"; "All others: MUST NOT".
TEST_F(Rfc2131Section432, FieldsAndOptionsOfTheNak) {
    Message request = laptop.renewing(ip("172.16.1.3"));
    request.options.set(OptionCode::parameter_request_list, hex("01 03 06 33"));
    const auto nak = lab.answer(request, at(0s), from(ip("172.16.1.3")));
    ASSERT_TRUE(nak);
    EXPECT_EQ(nak->ciaddr, Ipv4Address());
    EXPECT_EQ(nak->yiaddr, Ipv4Address());
    EXPECT_EQ(nak->siaddr, Ipv4Address());
    ASSERT_EQ(nak->options.items().size(), 2U);
    EXPECT_EQ(nak->options.address(OptionCode::server_identifier), ip(server_text));
    EXPECT_NE(nak->options.text(OptionCode::message), "");
}

// A client that was refused has stopped using its address: the next one need not wait.
TEST_F(Rfc2131Section432, AddressOfARefusedClientIsFreeForItsNewOwner) {
    const auto address = lab.bind(laptop, at(0s));
    fleet::Fleet fleet = lab_fleet();
    fleet.boards[0].address = *address;  // now pi-01's
    lab.change_fleet(fleet);
    const Outcome busy = lab.send(pi.discover(), at(1s));
    EXPECT_TRUE(busy.replies.empty());
    EXPECT_EQ(find_event<Held>(busy)->reason, HoldReason::reservation_busy);
    EXPECT_EQ(
        type_of_answer(laptop.renewing(*address), at(2s), unicast(*address)), MessageType::nak
    );
    EXPECT_EQ(lab.answer(pi.discover(), at(3s))->yiaddr, address);
}

// Or it begins anew by itself, with another address: then it has left the old one.
TEST_F(Rfc2131Section432, AddressThatAClientLeftIsFreeForItsNewOwner) {
    const auto address = lab.bind(laptop, at(0s));
    fleet::Fleet fleet = lab_fleet();
    fleet.boards[0].address = *address;
    lab.change_fleet(fleet);
    ASSERT_TRUE(lab.answer(laptop.discover(), at(1s)));  // only asks: it may still use the old one
    EXPECT_TRUE(lab.send(pi.discover(), at(2s)).replies.empty());
    EXPECT_NE(lab.bind(laptop, at(3s)), address);
    EXPECT_FALSE(lab.stored.contains(*address));
    EXPECT_EQ(lab.bind(pi, at(4s)), address);
}

}  // namespace
}  // namespace bramble::dhcp::test
