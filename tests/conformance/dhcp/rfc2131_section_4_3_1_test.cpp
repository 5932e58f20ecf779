// RFC 2131 §4.3.1: DHCPDISCOVER message.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section431 : public testing::Test {
protected:
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
    TestClient other{"02:00:00:00:00:02"};
};

// "The client's current address as recorded in the client's current binding"
TEST_F(Rfc2131Section431, CurrentBindingComesFirst) {
    const auto address = lab.bind(laptop, at(0s));
    Message discover = laptop.discover();
    discover.options.set_address(OptionCode::requested_address, ip("172.16.1.108"));
    const auto offer = lab.answer(discover, at(1s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, address);
}

// "ELSE, the client's previous address as recorded in the client's (now expired or released)
// binding, if that address is in the server's pool of available addresses and not already
// allocated"
TEST_F(Rfc2131Section431, PreviousBindingComesNext) {
    const auto address = lab.bind(laptop, at(0s));
    lab.send(laptop.releasing(*address), at(1s), from(*address, ip(server_text)));
    ASSERT_NE(lab.bind(other, at(2s)), address);
    Message discover = laptop.discover();
    discover.options.set_address(OptionCode::requested_address, ip("172.16.1.108"));
    EXPECT_EQ(lab.answer(discover, at(3s))->yiaddr, address);
}

// "ELSE, the address requested in the 'Requested IP Address' option, if that address is valid and
// not already allocated"
TEST_F(Rfc2131Section431, RequestedAddressComesThird) {
    Message discover = laptop.discover();
    discover.options.set_address(OptionCode::requested_address, ip("172.16.1.108"));
    EXPECT_EQ(lab.answer(discover, at(0s))->yiaddr, ip("172.16.1.108"));
    // Already allocated; reserved; on no network of ours.
    for (const std::string_view bad : {"172.16.1.108", "172.16.1.3", "10.0.0.1", "172.16.1.1"}) {
        Message second = other.discover();
        second.options.set_address(OptionCode::requested_address, ip(bad));
        const auto offer = lab.answer(second, at(1s));
        ASSERT_TRUE(offer);
        EXPECT_NE(offer->yiaddr, ip(bad));
        EXPECT_TRUE(lab_fleet().appliance.dhcp.pool->contains(offer->yiaddr));
    }
}

// "ELSE, a new address allocated from the server's pool of available addresses"
TEST_F(Rfc2131Section431, EveryPoolAddressIsUsedAndNoneTwice) {
    std::map<Ipv4Address, unsigned> given;
    for (unsigned i = 1; i <= 10; ++i) {
        const auto address = lab.bind(TestClient(mac_number(i)), at(0s));
        ASSERT_TRUE(address) << i;
        EXPECT_TRUE(given.emplace(*address, i).second) << address->to_string();
    }
    // The eleventh is kept for pi-pool, a board without a reserved address.
    const Outcome out = lab.send(TestClient(mac_number(11)).discover(), at(1s));
    EXPECT_TRUE(out.replies.empty());
    const auto* held = find_event<Held>(out);
    ASSERT_NE(held, nullptr);
    EXPECT_EQ(held->reason, HoldReason::pool_exhausted);
    EXPECT_TRUE(lab.bind(pi_client("dc:a6:32:00:00:77", Serial(0x0badcafe)), at(1s)));
}

// "the server SHOULD NOT reuse the selected network address before the client responds to the
// server's DHCPOFFER message."
TEST_F(Rfc2131Section431, OfferedAddressIsNotOfferedToAnother) {
    const auto first = lab.answer(laptop.discover(), at(0s));
    const auto second = lab.answer(other.discover(), at(1s));
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->yiaddr, second->yiaddr);
    EXPECT_EQ(lab.answer(laptop.discover(), at(8s))->yiaddr, first->yiaddr);
}

// "The server inserts the 'xid' field from the DHCPDISCOVER message into the 'xid' field of the
// DHCPOFFER message"; table 3 for the other fields.
TEST_F(Rfc2131Section431, FieldsOfTheOffer) {
    Message discover = laptop.discover();
    discover.broadcast = true;
    discover.secs = 7;
    discover.giaddr = ip("172.16.1.2");
    discover.hops = 2;
    discover.file = "something";
    discover.sname = "someone";
    const auto offer = lab.answer(discover, at(0s), from(ip("172.16.1.2")));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->op, Operation::reply);
    EXPECT_EQ(offer->type, MessageType::offer);
    EXPECT_EQ(offer->hops, 0);
    EXPECT_EQ(offer->xid, discover.xid);
    EXPECT_EQ(offer->secs, 0);
    EXPECT_EQ(offer->ciaddr, Ipv4Address());
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.100"));
    EXPECT_EQ(offer->siaddr, Ipv4Address());  // nothing here boots a laptop
    EXPECT_TRUE(offer->broadcast);
    EXPECT_EQ(offer->giaddr, discover.giaddr);
    EXPECT_EQ(offer->chaddr, laptop.hardware);
    EXPECT_EQ(offer->file, "");
    EXPECT_EQ(offer->sname, "");
}

// Table 3: "IP address lease time: MUST", "Server identifier: MUST"; "Requested IP address",
// "Parameter request list", "Maximum message size: MUST NOT".
TEST_F(Rfc2131Section431, OptionsThatAnOfferMustAndMustNotHave) {
    Message discover = laptop.discover();
    discover.options.set_address(OptionCode::requested_address, ip("172.16.1.108"));
    discover.options.set(OptionCode::parameter_request_list, hex("32 37 39 33 36 01"));
    discover.options.set_u16(OptionCode::maximum_message_size, 1000);
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.u32(OptionCode::lease_time), 3600U);
    EXPECT_EQ(offer->options.address(OptionCode::server_identifier), ip(server_text));
    EXPECT_FALSE(offer->options.has(OptionCode::requested_address));
    EXPECT_FALSE(offer->options.has(OptionCode::parameter_request_list));
    EXPECT_FALSE(offer->options.has(OptionCode::maximum_message_size));
}

// "IF the server has been explicitly configured with a default value for the parameter, the server
// MUST include that value in an appropriate option in the 'option' field … ELSE the server MUST NOT
// return a value for that parameter." (Of the Host Requirements' defaults in between, which every
// host has by itself, none is sent.)
TEST_F(Rfc2131Section431, ConfiguredParametersAreReturnedAndNoOthers) {
    Message discover = laptop.discover();
    discover.options.set(OptionCode::parameter_request_list, hex("01 03 06 0f 1c 2a 77 96"));
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(to_hex(offer->options, OptionCode::subnet_mask), "ffffff00");
    EXPECT_EQ(to_hex(offer->options, OptionCode::router), "ac1001fe");
    EXPECT_EQ(to_hex(offer->options, OptionCode::domain_name_server), "ac1001fd");
    EXPECT_EQ(offer->options.text(OptionCode::domain_name), "lab.example");
    EXPECT_EQ(to_hex(offer->options, OptionCode::broadcast_address), "ac1001ff");
    EXPECT_FALSE(offer->options.has(static_cast<OptionCode>(42)));
    EXPECT_FALSE(offer->options.has(static_cast<OptionCode>(119)));
    EXPECT_FALSE(offer->options.has(static_cast<OptionCode>(150)));
    EXPECT_FALSE(offer->options.has(OptionCode::host_name));
}

// "The server MUST supply as many of the requested parameters as possible and MUST omit any
// parameters it cannot provide. The server MUST include each requested parameter only once".
TEST_F(Rfc2131Section431, ParameterAskedForTwiceIsSentOnce) {
    Message discover = laptop.discover();
    discover.options.set(OptionCode::parameter_request_list, hex("03 03 01 01 03"));
    const Outcome out = lab.send(discover, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    // parse() joins options that come twice: a second router would make eight octets of it.
    EXPECT_EQ(to_hex(parse(out.replies[0].bytes)->options, OptionCode::router), "ac1001fe");
}

}  // namespace
}  // namespace bramble::dhcp::test
