// RFC 2131 §4.1: constructing and sending DHCP messages.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section41 : public testing::Test {
protected:
    Destination destination_of_answer(
        const Message& message, TimePoint now, const Arrival& arrival = {}
    ) {
        const Outcome out = lab.send(message, now, arrival);
        EXPECT_EQ(out.replies.size(), 1U);
        return out.replies.empty() ? Destination{} : out.replies[0].destination;
    }

    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
};

// "If the 'giaddr' field in a DHCP message from a client is non-zero, the server sends any return
// messages to the 'DHCP server' port on the BOOTP relay agent whose address appears in 'giaddr'."
TEST_F(Rfc2131Section41, RelayedMessagesAreAnsweredToTheRelay) {
    const Ipv4Address relay = ip("172.16.1.2");
    Message discover = laptop.discover();
    discover.giaddr = relay;
    discover.hops = 1;
    EXPECT_EQ(destination_of_answer(discover, at(0s), from(relay)), Destination(ToRelay{relay}));
    Message request = laptop.selecting(ip("172.16.1.100"));
    request.giaddr = relay;
    EXPECT_EQ(destination_of_answer(request, at(1s), from(relay)), Destination(ToRelay{relay}));
    request = laptop.init_reboot(ip("10.0.0.1"));  // a DHCPNAK as well
    request.giaddr = relay;
    EXPECT_EQ(destination_of_answer(request, at(2s), from(relay)), Destination(ToRelay{relay}));
}

// "If the 'giaddr' field is zero and the 'ciaddr' field is nonzero, then the server unicasts
// DHCPOFFER and DHCPACK messages to the address in 'ciaddr'."
TEST_F(Rfc2131Section41, ClientWithAnAddressIsAnsweredThere) {
    const auto address = lab.bind(laptop, at(0s));
    EXPECT_EQ(
        destination_of_answer(laptop.renewing(*address), at(1s), from(*address, ip(server_text))),
        Destination(ToClient{*address, client_port})
    );
}

// "If 'giaddr' is zero and 'ciaddr' is zero, and the broadcast bit is set, then the server
// broadcasts DHCPOFFER and DHCPACK messages to 0xffffffff."
TEST_F(Rfc2131Section41, BroadcastBitIsHonoured) {
    laptop.broadcast = true;
    EXPECT_EQ(destination_of_answer(laptop.discover(), at(0s)), Destination(Broadcast{}));
    EXPECT_EQ(
        destination_of_answer(laptop.selecting(ip("172.16.1.100")), at(0s)),
        Destination(Broadcast{})
    );
}

// "If the broadcast bit is not set and 'giaddr' is zero and 'ciaddr' is zero, then the server
// unicasts DHCPOFFER and DHCPACK messages to the client's hardware address and 'yiaddr' address."
TEST_F(Rfc2131Section41, ClientWithoutAnAddressIsAnsweredByItsHardwareAddress) {
    const Destination expected = ToHardware{laptop.hardware, ip("172.16.1.100")};
    EXPECT_EQ(destination_of_answer(laptop.discover(), at(0s)), expected);
    EXPECT_EQ(destination_of_answer(laptop.selecting(ip("172.16.1.100")), at(0s)), expected);
}

// "In all cases, when 'giaddr' is zero, the server broadcasts any DHCPNAK messages to 0xffffffff."
TEST_F(Rfc2131Section41, NakIsBroadcast) {
    EXPECT_EQ(
        destination_of_answer(laptop.init_reboot(ip("10.0.0.1")), at(0s)), Destination(Broadcast{})
    );
    const Ipv4Address reserved = ip("172.16.1.3");  // not this client's
    EXPECT_EQ(
        destination_of_answer(laptop.renewing(reserved), at(0s), from(reserved, ip(server_text))),
        Destination(Broadcast{})
    );
}

// "a server MUST choose an address as a 'server identifier' that, to the best of the server's
// knowledge, is reachable from the client."
TEST_F(Rfc2131Section41, ServerIdentifierIsTheAddressOnTheBoardsNetwork) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.address(OptionCode::server_identifier), ip(server_text));
}

// "The last option must always be the 'end' option."
TEST_F(Rfc2131Section41, MessageWithoutEndIsNotAnswered) {
    auto bytes = emit(laptop.discover());
    ASSERT_EQ(bytes.back(), std::byte{255});
    bytes.pop_back();
    EXPECT_TRUE(lab.send_bytes(bytes, at(0s)).replies.empty());
    EXPECT_EQ(lab.server.counters().malformed, 1U);
}

TEST_F(Rfc2131Section41, EveryReplyEndsWithEnd) {
    const Outcome out = lab.send(laptop.discover(), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_TRUE(parse(out.replies[0].bytes));  // parse refuses options without it
}

// "the 'options' field MUST be interpreted first, so that any 'option overload' options may be
// interpreted. The 'file' field MUST be interpreted next (if the 'option overload' option indicates
// that the 'file' field contains DHCP options), followed by the 'sname' field."
TEST_F(Rfc2131Section41, OverloadedFieldsAreReadInThatOrder) {
    auto bytes = emit(laptop.discover());
    bytes.pop_back();  // end
    const auto tail = hex("34 01 03  3d 02 aa 01  ff");
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    const auto file = hex("3d 02 bb 02 ff");
    const auto sname = hex("3d 02 cc 03 ff");
    std::copy(file.begin(), file.end(), bytes.begin() + 108);
    std::copy(sname.begin(), sname.end(), bytes.begin() + 44);
    const auto message = parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(to_hex(message->options, OptionCode::client_identifier), "aa01bb02cc03");
    EXPECT_EQ(message->file, "");
    EXPECT_EQ(message->sname, "");
}

// "the 'file' field … MUST be terminated with an 'end' option": what runs out of the field does not
// reach into the next.
TEST_F(Rfc2131Section41, OverloadedFieldWithoutEndIsRefused) {
    auto bytes = emit(laptop.discover());
    bytes.pop_back();
    const auto tail = hex("34 01 01 ff");
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    EXPECT_EQ(parse(bytes).error(), (ParseError{ParseFault::no_end, 236}));
    bytes[108] = std::byte{61};
    bytes[109] = std::byte{127};  // one more than the field has
    EXPECT_EQ(parse(bytes).error(), (ParseError{ParseFault::truncated, 108}));
}

// "If the options in a DHCP message extend into the 'sname' and 'file' fields, the 'option
// overload' option MUST appear": ours never do.
TEST_F(Rfc2131Section41, RepliesNeverUseOverload) {
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const auto offer = lab.answer(pi.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->options.has(OptionCode::overload));
    EXPECT_EQ(offer->sname, "");
    EXPECT_EQ(offer->file, "");
}

// "DHCP messages from a client to a server are sent to the 'DHCP server' port (67)": replies leave
// from it.
TEST_F(Rfc2131Section41, RepliesLeaveFromTheServerPort) {
    const Outcome out = lab.send(laptop.discover(), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].local_port, 67);
}

}  // namespace
}  // namespace bramble::dhcp::test
