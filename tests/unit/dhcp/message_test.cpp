#include "services/dhcp/message.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp {
namespace {

using test::hex;
using test::ip;
using test::to_hex;

// Fact sheet 1.1: a Pi's DHCPDISCOVER, 322 octets.
std::vector<std::byte> pi_discover() {
    return hex(
        "01010600 11223344 0000 0000" + std::string(32, '0') + "dca632010203" +
        std::string(20, '0') + std::string(384, '0') +
        "63825363 350101 370e 01032b3c42438081828384858687 5d020000 5e03010201"
        "6111 00 34695052 1231c000 32010203 cdab3412"
        "3c20 505845436c69656e743a417263683a30303030303a554e44493a303032303031 ff"
    );
}

TEST(Message, ReadsAPisDiscover) {
    const auto message = parse(pi_discover());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->op, Operation::request);
    EXPECT_EQ(message->type, MessageType::discover);
    EXPECT_EQ(message->xid, TransactionId(0x11223344));
    EXPECT_EQ(message->secs, 0);
    EXPECT_FALSE(message->broadcast);
    EXPECT_EQ(message->chaddr.to_string(), "dc:a6:32:01:02:03");
    EXPECT_EQ(message->options.items().size(), 5U);
    EXPECT_EQ(message->options.text(OptionCode::vendor_class), "PXEClient:Arch:00000:UNDI:002001");
}

TEST(Message, EmitThenParseIsTheIdentityOnAPisDiscover) {
    const auto bytes = pi_discover();
    EXPECT_EQ(bytes.size(), 322U);
    EXPECT_EQ(to_hex(emit(*parse(bytes))), to_hex(bytes));
}

TEST(Message, EveryFieldSurvives) {
    Message message;
    message.op = Operation::reply;
    message.hops = 3;
    message.xid = TransactionId(0xffffffff);
    message.secs = 0x1234;
    message.broadcast = true;
    message.ciaddr = ip("1.2.3.4");
    message.yiaddr = ip("5.6.7.8");
    message.siaddr = ip("9.10.11.12");
    message.giaddr = ip("13.14.15.16");
    message.chaddr = test::mac("02:03:04:05:06:07");
    message.sname = std::string(63, 's');
    message.file = std::string(127, 'f');
    message.type = MessageType::inform;
    message.options.set(static_cast<OptionCode>(80), {});  // rapid commit has no value
    message.options.set_text(OptionCode::host_name, "x");
    const auto bytes = emit(message, 1000);
    EXPECT_EQ(bytes.size(), 1000U);
    EXPECT_EQ(parse(bytes), message);
}

TEST(Message, TextsTooLongForTheirFieldsAreCut) {
    Message message;
    message.chaddr = test::mac("02:03:04:05:06:07");
    message.sname = std::string(100, 's');
    message.file = std::string(200, 'f');
    const auto back = parse(emit(message));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->sname, std::string(63, 's'));
    EXPECT_EQ(back->file, std::string(127, 'f'));
}

TEST(Message, FieldsWithoutATerminatorEndInTheirFields) {
    auto bytes = pi_discover();
    std::fill(bytes.begin() + 44, bytes.begin() + 236, std::byte{'x'});
    const auto message = parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->sname.size(), 63U);
    EXPECT_EQ(message->file.size(), 127U);
}

// The end option stands last, so no shorter datagram is a message.
TEST(Message, TruncationAtEveryLengthIsRefused) {
    const auto bytes = pi_discover();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const auto message = parse(std::span(bytes).first(length));
        ASSERT_FALSE(message) << length;
        EXPECT_TRUE(
            message.error().fault == ParseFault::truncated ||
            message.error().fault == ParseFault::no_end
        ) << length;
        EXPECT_LE(message.error().offset, length);
    }
}

TEST(Message, TruncationOfAnOverloadedMessageIsRefused) {
    auto bytes = pi_discover();
    bytes.pop_back();
    for (const std::byte b : hex("34 01 03 ff")) bytes.push_back(b);
    for (std::size_t i = 44; i < 236; ++i) bytes[i] = std::byte{0};
    EXPECT_EQ(parse(bytes).error(), (ParseError{ParseFault::no_end, 236}));
    bytes[108] = std::byte{255};
    EXPECT_EQ(parse(bytes).error(), (ParseError{ParseFault::no_end, 108}));
    bytes[44] = std::byte{255};
    EXPECT_TRUE(parse(bytes));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(parse(std::span(bytes).first(length))) << length;
    }
}

TEST(Message, FaultsAndTheirPlaces) {
    const auto with = [](std::size_t at, std::uint8_t value) {
        auto bytes = pi_discover();
        bytes[at] = std::byte{value};
        return parse(bytes).error();
    };
    EXPECT_EQ(with(0, 3), (ParseError{ParseFault::bad_operation, 0}));
    EXPECT_EQ(with(1, 6), (ParseError{ParseFault::unsupported_hardware, 1}));
    EXPECT_EQ(with(2, 16), (ParseError{ParseFault::unsupported_hardware, 2}));
    EXPECT_EQ(with(236, 0), (ParseError{ParseFault::not_dhcp, 236}));
    EXPECT_EQ(with(242, 9).fault, ParseFault::bad_message_type);
    EXPECT_EQ(with(242, 0).fault, ParseFault::bad_message_type);
    EXPECT_EQ(with(240, 12).fault, ParseFault::bad_message_type);  // no option 53 at all
    EXPECT_EQ(parse({}).error(), (ParseError{ParseFault::truncated, 0}));
    const std::vector<std::byte> longest(message_bytes_max + 1);
    EXPECT_EQ(parse(longest).error(), (ParseError{ParseFault::too_long, message_bytes_max}));
    for (int fault = 0; fault <= static_cast<int>(ParseFault::bad_option); ++fault) {
        EXPECT_NE(to_string(static_cast<ParseFault>(fault)), "");
    }
}

TEST(Message, LongestMessageIsRead) {
    auto bytes = pi_discover();
    bytes.resize(message_bytes_max);
    EXPECT_TRUE(parse(bytes));
}

// Whatever parses can be written and read back.
TEST(Message, RandomDamageNeverBreaksTheRoundTrip) {
    std::mt19937 random(1);
    const auto original = pi_discover();
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = original;
        for (auto i = random() % 6; i > 0; --i) {
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        }
        if (const auto message = parse(bytes)) {
            EXPECT_EQ(parse(emit(*message)), *message);
        }
    }
}

TEST(Options, TypedReadingsWantTheExactLength) {
    Options options;
    options.set(OptionCode::lease_time, hex("00 00 0e 10"));
    EXPECT_EQ(options.u32(OptionCode::lease_time), 3600U);
    EXPECT_EQ(options.u16(OptionCode::lease_time), std::nullopt);
    EXPECT_EQ(options.u8(OptionCode::lease_time), std::nullopt);
    EXPECT_EQ(options.address(OptionCode::lease_time), ip("0.0.14.16"));
    EXPECT_EQ(options.u32(OptionCode::renewal_time), std::nullopt);
}

TEST(Options, SetReplacesInPlaceAndRemoveForgets) {
    Options options;
    options.set_text(OptionCode::host_name, "a");
    options.set_u8(OptionCode::overload, 1);
    options.set_text(OptionCode::host_name, "bc");
    ASSERT_EQ(options.items().size(), 2U);
    EXPECT_EQ(options.items()[0].code, OptionCode::host_name);
    EXPECT_EQ(options.text(OptionCode::host_name), "bc");
    EXPECT_EQ(options.wire_size(), 4U + 3U);
    options.remove(OptionCode::host_name);
    EXPECT_FALSE(options.has(OptionCode::host_name));
}

}  // namespace
}  // namespace bramble::dhcp
