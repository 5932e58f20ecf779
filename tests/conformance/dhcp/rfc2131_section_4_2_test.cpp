// RFC 2131 §4.2: DHCP server administrative controls; who a client is.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section42 : public testing::Test {
protected:
    static TestClient with_id(std::string_view mac_text, std::string_view id) {
        TestClient client(mac_text);
        client.always.set(OptionCode::client_identifier, hex(id));
        return client;
    }

    Lab lab;
};

// "If the client supplies a 'client identifier', … the server MUST use that identifier to identify
// the client."
TEST_F(Rfc2131Section42, ClientIdentifierIdentifiesTheClient) {
    const auto address = lab.bind(with_id("02:00:00:00:00:01", "ff 00 01 02 03"), at(0s));
    ASSERT_TRUE(address);
    // Another card, the same client.
    EXPECT_EQ(lab.bind(with_id("02:00:00:00:00:02", "ff 00 01 02 03"), at(1s)), address);
    // The same card, another client.
    const auto other = lab.bind(with_id("02:00:00:00:00:01", "ff 00 01 02 04"), at(2s));
    ASSERT_TRUE(other);
    EXPECT_NE(other, address);
}

// "If the client does not provide a 'client identifier' option, the server MUST use the contents of
// the 'chaddr' field to identify the client."
TEST_F(Rfc2131Section42, HardwareAddressIdentifiesAClientWithoutIdentifier) {
    const auto address = lab.bind(TestClient("02:00:00:00:00:01"), at(0s));
    ASSERT_TRUE(address);
    EXPECT_EQ(lab.bind(TestClient("02:00:00:00:00:01"), at(1s)), address);
    EXPECT_NE(lab.bind(TestClient("02:00:00:00:00:02"), at(1s)), address);
}

// RFC 2132 §9.14: type 1 and the hardware address say nothing that chaddr does not.
TEST_F(Rfc2131Section42, IdentifierThatSpellsTheHardwareAddressIsTheHardwareAddress) {
    const auto address = lab.bind(TestClient("02:00:00:00:00:01"), at(0s));
    EXPECT_EQ(lab.bind(with_id("02:00:00:00:00:01", "01 02 00 00 00 00 01"), at(1s)), address);
}

// A deliberate deviation, for boards alone: firmware and kernel send no identifier, userspace sends
// a DUID, and all three are one board with one address (fact sheet 1.7).
TEST_F(Rfc2131Section42, BoardKeepsItsAddressWhenItsUserspaceSendsAnIdentifier) {
    for (const Serial serial : {Serial(0x1234abcd), Serial(0x0badcafe)}) {
        const TestClient firmware = pi_client("dc:a6:32:00:00:77", serial);
        const auto address = lab.bind(firmware, at(0s));
        ASSERT_TRUE(address);
        EXPECT_EQ(lab.bind(TestClient("dc:a6:32:00:00:77"), at(20s)), address);  // kernel
        EXPECT_EQ(lab.bind(with_id("dc:a6:32:00:00:77", "ff 32 00 00 77 01"), at(40s)), address);
    }
}

// RFC 6842 §3: "If the 'client identifier' option is present in a message received from a DHCP
// client, the server MUST return the 'client identifier' option, unaltered, in its response
// message."
TEST_F(Rfc2131Section42, ClientIdentifierIsReturnedInEveryReply) {
    const TestClient client = with_id("02:00:00:00:00:01", "ff 00 01 02 03");
    const auto offer = lab.answer(client.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(to_hex(offer->options, OptionCode::client_identifier), "ff00010203");
    const auto ack = lab.answer(client.selecting(offer->yiaddr), at(0s));
    EXPECT_EQ(to_hex(ack->options, OptionCode::client_identifier), "ff00010203");
    const auto nak = lab.answer(client.init_reboot(ip("10.0.0.1")), at(0s));
    EXPECT_EQ(to_hex(nak->options, OptionCode::client_identifier), "ff00010203");
}

}  // namespace
}  // namespace bramble::dhcp::test
