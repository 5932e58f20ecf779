// RFC 2132: DHCP options and BOOTP vendor extensions; what it says of a server.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2132 : public testing::Test {
protected:
    static std::vector<int> codes(const Message& message) {
        std::vector<int> out;
        for (const Option& option : message.options.items()) {
            out.push_back(static_cast<int>(option.code));
        }
        return out;
    }

    static std::size_t place(const Message& message, OptionCode code) {
        const auto all = codes(message);
        return static_cast<std::size_t>(
            std::find(all.begin(), all.end(), static_cast<int>(code)) - all.begin()
        );
    }

    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
};

// §2: "Options containing NVT ASCII data SHOULD NOT include a trailing NULL".
TEST_F(Rfc2132, TextsEndWithoutNul) {
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const auto offer = lab.answer(pi.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.find(OptionCode::vendor_class)->size(), 9U);
    EXPECT_EQ(offer->options.find(OptionCode::tftp_server_name)->size(), server_text.size());
}

// §2: "the receiver of such options MUST be prepared to delete trailing nulls if they exist. The
// receiver MUST NOT require that a trailing null be included in the data."
TEST_F(Rfc2132, TrailingNulsOfTheClientAreDeleted) {
    for (const std::string_view name : {std::string_view("box"), std::string_view("box\0", 4)}) {
        laptop.always.set_text(OptionCode::host_name, name);
        const auto address = lab.bind(laptop, at(0s));
        ASSERT_TRUE(address);
        EXPECT_EQ(lab.stored.at(*address).hostname, "box");
    }
}

// §3.3: "If both the subnet mask and the router option are specified in a DHCP reply, the subnet
// mask option MUST be first."
TEST_F(Rfc2132, MaskStandsBeforeTheRouter) {
    Message discover = laptop.discover();
    discover.options.set(OptionCode::parameter_request_list, hex("06 03 0f 01"));
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_LT(place(*offer, OptionCode::subnet_mask), place(*offer, OptionCode::router));
}

// §8.4: "Servers not equipped to interpret the vendor-specific information sent by a client MUST
// ignore it". §9.13 says the same of the vendor class.
TEST_F(Rfc2132, UnknownVendorInformationIsIgnored) {
    laptop.always.set(OptionCode::vendor_specific, hex("ff fe fd 00 ff"));
    laptop.always.set_text(OptionCode::vendor_class, "MSFT 5.0");
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_specific));
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_class));
}

// §9.1: "In a server reply (DHCPOFFER), a DHCP server uses this option to specify the lease time it
// is willing to offer", in seconds; §9.11 and §9.12: T1 and T2.
TEST_F(Rfc2132, LeaseTimesAreSeconds) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.u32(OptionCode::lease_time), 3600U);
    EXPECT_EQ(offer->options.u32(OptionCode::renewal_time), 1800U);
    EXPECT_EQ(offer->options.u32(OptionCode::rebinding_time), 3150U);
}

// §9.3: "1 the 'file' field is used to hold options, 2 the 'sname' field …, 3 both fields".
TEST_F(Rfc2132, OverloadValues) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"01", "bb02"}, {"02", "cc03"}, {"03", "bb02cc03"}};
    for (const auto& [value, expected] : cases) {
        auto bytes = emit(laptop.discover());
        bytes.pop_back();
        const auto tail = hex("34 01" + std::string(value) + "ff");
        bytes.insert(bytes.end(), tail.begin(), tail.end());
        const auto file = hex("3d 02 bb 02 ff");
        const auto sname = hex("3d 02 cc 03 ff");
        std::copy(file.begin(), file.end(), bytes.begin() + 108);
        std::copy(sname.begin(), sname.end(), bytes.begin() + 44);
        const auto message = parse(bytes);
        ASSERT_TRUE(message) << value;
        EXPECT_EQ(to_hex(message->options, OptionCode::client_identifier), expected);
    }
    for (const std::string_view bad :
         {"34 01 00 ff", "34 01 04 ff", "34 02 01 01 ff", "34 00 ff"}) {
        auto bytes = emit(laptop.discover());
        bytes.pop_back();
        const auto tail = hex(bad);
        bytes.insert(bytes.end(), tail.begin(), tail.end());
        EXPECT_EQ(parse(bytes).error().fault, ParseFault::bad_option) << bad;
    }
}

// §9.7: "DHCP servers include this option in the DHCPOFFER in order to allow the client to
// distinguish between lease offers."
TEST_F(Rfc2132, ServerIdentifierIsInEveryReply) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    const auto ack = lab.answer(laptop.selecting(offer->yiaddr), at(0s));
    const auto nak = lab.answer(laptop.init_reboot(ip("10.0.0.1")), at(0s));
    for (const auto& reply : {offer, ack, nak}) {
        EXPECT_EQ(reply->options.address(OptionCode::server_identifier), ip(server_text));
    }
}

// §9.8: "The DHCP server is not required to return the options in the requested order, but MUST try
// to insert the requested options in the order requested by the client."
TEST_F(Rfc2132, RequestedOptionsComeInTheOrderRequested) {
    Message discover = laptop.discover();
    discover.options.set(OptionCode::parameter_request_list, hex("1c 0f 06 01 03"));
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(codes(*offer), (std::vector<int>{54, 51, 58, 59, 1, 28, 15, 6, 3}));
}

// §9.10: "The minimum legal value is 576 octets": a smaller one counts as that.
TEST_F(Rfc2132, MaximumMessageSizeIsACap) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.domain = std::string(200, 'd');
    lab.change_fleet(fleet);
    for (const std::uint16_t maximum :
         {std::uint16_t{1}, std::uint16_t{576}, std::uint16_t{9000}}) {
        Message discover = laptop.discover();
        discover.options.set_u16(OptionCode::maximum_message_size, maximum);
        const Outcome out = lab.send(discover, at(0s));
        ASSERT_EQ(out.replies.size(), 1U);
        EXPECT_TRUE(parse(out.replies[0].bytes)->options.has(OptionCode::domain_name));
        EXPECT_LE(out.replies[0].bytes.size(), reply_bytes_max);
    }
}

// §9.14: "Its minimum length is 2": shorter ones identify nobody.
TEST_F(Rfc2132, TooShortClientIdentifierCountsAsNone) {
    const auto address = lab.bind(laptop, at(0s));
    for (const std::string_view bad : {"", "07"}) {
        TestClient client = laptop;
        client.always.set(OptionCode::client_identifier, hex(bad));
        EXPECT_EQ(lab.bind(client, at(1s)), address);
    }
}

}  // namespace
}  // namespace bramble::dhcp::test
