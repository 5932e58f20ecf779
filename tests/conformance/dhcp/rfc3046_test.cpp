// RFC 3046: the relay agent information option.
#include <gtest/gtest.h>

#include "services/dhcp/relay_agent.hpp"
#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

constexpr std::string_view option_82 = "0104000a0b0c0206dca632010203";

class Rfc3046 : public testing::Test {
protected:
    Message relayed(Message message) const {
        message.giaddr = relay;
        message.hops = 1;
        message.options.set(OptionCode::relay_agent, hex(option_82));
        return message;
    }

    std::optional<Message> answer(const Message& message, TimePoint now) {
        return lab.answer(relayed(message), now, from(relay));
    }

    static OptionCode last_of(const Message& message) {
        return message.options.items().back().code;
    }

    const Ipv4Address relay = ip("172.16.1.2");
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
};

// §2.1: "DHCP servers claiming to support the Relay Agent Information option SHALL echo the entire
// contents of the Relay Agent Information option in all replies."
// "Servers SHOULD copy the Relay Agent Information option as the last DHCP option in the response."
TEST_F(Rfc3046, OptionIsEchoedLastInAllReplies) {
    laptop.always.set(OptionCode::client_identifier, hex("ff 01 02 03"));
    const auto offer = answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    const auto ack = answer(laptop.selecting(offer->yiaddr), at(0s));
    const auto nak = answer(laptop.init_reboot(ip("10.0.0.1")), at(0s));
    for (const auto& reply : {offer, ack, nak}) {
        ASSERT_TRUE(reply);
        EXPECT_EQ(to_hex(reply->options, OptionCode::relay_agent), option_82);
        EXPECT_EQ(last_of(*reply), OptionCode::relay_agent);
    }
}

TEST_F(Rfc3046, OptionIsEchoedLastToAPiAsWell) {
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const Outcome out = lab.send(relayed(pi.discover()), at(0s), from(relay));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToRelay{relay}));
    const auto offer = parse(out.replies[0].bytes);
    EXPECT_EQ(to_hex(offer->options, OptionCode::relay_agent), option_82);
    EXPECT_EQ(last_of(*offer), OptionCode::relay_agent);
    EXPECT_TRUE(offer->options.has(OptionCode::vendor_specific));
}

TEST_F(Rfc3046, ClientWithoutTheOptionGetsNone) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->options.has(OptionCode::relay_agent));
}

// A switch may add the option and leave giaddr alone; it wants its words back all the same.
TEST_F(Rfc3046, OptionIsEchoedWithoutGiaddr) {
    Message discover = laptop.discover();
    discover.options.set(OptionCode::relay_agent, hex(option_82));
    const Outcome out = lab.send(discover, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(to_hex(parse(out.replies[0].bytes)->options, OptionCode::relay_agent), option_82);
}

// §2.1: "Servers SHALL NOT place the echoed Relay Agent Information option in the overloaded sname
// or file fields." No reply is overloaded, see RFC 2131 §4.1. §2.1: "If a server is unable to copy
// a full Relay Agent Information field into a response, it SHALL send the response without the
// Relay Information Field, and SHOULD increment an error counter".
TEST_F(Rfc3046, OptionThatDoesNotFitIsLeftOutWhole) {
    Message discover = relayed(laptop.discover());
    discover.options.set(OptionCode::relay_agent, std::vector<std::byte>(500, std::byte{7}));
    const auto offer = lab.answer(discover, at(0s), from(relay));
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->options.has(OptionCode::relay_agent));
    EXPECT_GE(lab.server.counters().options_left_out, 1U);
}

// What must be echoed goes before what was merely asked for.
TEST_F(Rfc3046, LongOptionDrivesOutParametersInstead) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.domain = std::string(100, 'd');
    lab.change_fleet(fleet);
    Message discover = relayed(laptop.discover());
    discover.options.set(OptionCode::relay_agent, std::vector<std::byte>(200, std::byte{7}));
    const auto offer = lab.answer(discover, at(0s), from(relay));
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->options.has(OptionCode::relay_agent));
    EXPECT_FALSE(offer->options.has(OptionCode::domain_name));
}

// §3.1, §3.2: sub-options 1 and 2.
TEST_F(Rfc3046, SubOptionsAreRead) {
    const auto info = parse_relay_agent(hex(option_82));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->circuit_id, std::string("\x00\x0a\x0b\x0c", 4));
    EXPECT_EQ(info->remote_id, std::string("\xdc\xa6\x32\x01\x02\x03", 6));
    EXPECT_FALSE(parse_relay_agent(hex("01 05 00")));
    EXPECT_FALSE(parse_relay_agent(hex("01")));
    EXPECT_TRUE(parse_relay_agent({}));
}

// A malformed value is the relay's own business: it gets back what it sent.
TEST_F(Rfc3046, MalformedOptionIsEchoedAsItCame) {
    Message discover = laptop.discover();
    discover.giaddr = relay;
    discover.options.set(OptionCode::relay_agent, hex("01 ff 00"));
    const auto offer = lab.answer(discover, at(0s), from(relay));
    ASSERT_TRUE(offer);
    EXPECT_EQ(to_hex(offer->options, OptionCode::relay_agent), "01ff00");
}

}  // namespace
}  // namespace bramble::dhcp::test
