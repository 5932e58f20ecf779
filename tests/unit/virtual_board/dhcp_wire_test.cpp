#include "services/virtual_board/dhcp_wire.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

std::string read_golden(const std::string& name) {
    std::ifstream file(
        std::string(BRAMBLE_SOURCE_DIR) + "/tests/unit/virtual_board/golden/" + name
    );
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::optional<std::vector<std::byte>> option_of(
    const std::vector<std::byte>& message, unsigned wanted
) {
    for (std::size_t at = 240; at < message.size() && message[at] != std::byte{255};) {
        const auto length = static_cast<std::size_t>(message[at + 1]);
        if (message[at] == static_cast<std::byte>(wanted)) {
            return std::vector(
                message.begin() + static_cast<std::ptrdiff_t>(at + 2),
                message.begin() + static_cast<std::ptrdiff_t>(at + 2 + length)
            );
        }
        at += 2 + length;
    }
    return std::nullopt;
}

// Fact sheet 1.1: 322 bytes, this order, END and no padding.
TEST(FactSheet11, DiscoverIsByteExact) {
    const BoardSpec spec = Lab::standard_spec();
    const auto golden = from_hex(read_golden("discover-pi4-2023.hex"));
    ASSERT_EQ(golden.size(), 322U);
    EXPECT_EQ(make_discover(spec, DhcpStage::firmware, 0x11223344, 0), golden);
}

struct Option97Row {
    const char* profile;
    const char* mac;
    std::uint32_t serial;
    std::uint32_t revision;
    const char* hex;
};

class FactSheet12 : public testing::TestWithParam<Option97Row> {};

TEST_P(FactSheet12, Option97) {
    BoardSpec spec;
    spec.profile = *find_profile(GetParam().profile);
    spec.mac = *MacAddress::parse(GetParam().mac);
    spec.serial = Serial(GetParam().serial);
    spec.revision = RevisionCode(GetParam().revision);
    const auto message = make_discover(spec, DhcpStage::firmware, 1, 0);
    EXPECT_EQ(option_of(message, 97), from_hex(GetParam().hex));
    EXPECT_EQ(message.size(), spec.profile.family == Family::pi3 ? 320U : 322U);
}

INSTANTIATE_TEST_SUITE_P(
    Profiles,
    FactSheet12,
    testing::Values(
        Option97Row{
            "pi4-2021",
            "dc:a6:32:2e:f8:ed",
            0x5b154510,
            0xa03111,
            "00 52506934 1131a000 322ef8ed 1045155b"},
        Option97Row{
            "pi4-2020",
            "dc:a6:32:2e:f8:ed",
            0x5b154510,
            0xa03111,
            "00 52506934 1131a000 322ef8ed 1045155b"},
        Option97Row{
            "pi4-2023",
            "e4:5f:01:09:02:f7",
            0x91cdf03d,
            0xd03114,
            "00 34695052 1431d000 010902f7 3df0cd91"},
        Option97Row{
            "pi4-2026",
            "e4:5f:01:09:02:f7",
            0x91cdf03d,
            0xd03114,
            "00 34695052 1431d000 010902f7 3df0cd91"},
        Option97Row{
            "pi5-2026",
            "2c:cf:67:01:02:03",
            0x7bf18f79,
            0xd04170,
            "00 35695052 7041d000 67010203 798ff17b"},
        Option97Row{
            "pi3b+",
            "b8:27:eb:ef:56:44",
            0xa2ef5644,
            0xa020d3,
            "00 4456efa2 4456efa2 4456efa2 4456efa2"}
    )
);

// Fact sheet 2.8: PRL 43,60,67,128-135,66.
TEST(FactSheet28, RomAsksInItsOwnOrder) {
    const auto message =
        make_discover(Lab::standard_spec("pi3b+"), DhcpStage::firmware, pi3_xid, 0);
    EXPECT_EQ(option_of(message, 55), from_hex("2b 3c 43 80 81 82 83 84 85 86 87 42"));
}

// Fact sheet 1.3: 50 and 54; option 60 only from later images, never 55 or 93.
TEST(FactSheet13, RequestHasVendorClassByProfile) {
    for (const Profile& profile : all_profiles()) {
        BoardSpec spec = Lab::standard_spec(profile.name);
        const auto message = make_request(spec, DhcpStage::firmware, 1, 0, {lab_board, lab_server});
        EXPECT_EQ(option_of(message, 60).has_value(), profile.request_has_vendor_class);
        EXPECT_EQ(option_of(message, 50), from_hex("ac100103"));
        EXPECT_EQ(option_of(message, 54), from_hex("ac100101"));
        EXPECT_FALSE(option_of(message, 55));
        EXPECT_FALSE(option_of(message, 93));
    }
}

// Fact sheet 1.8: no 60, no 93, no 97; secs counts.
TEST(FactSheet18, KernelIsAPlainClient) {
    const BoardSpec spec = Lab::standard_spec();
    for (const auto& message :
         {make_discover(spec, DhcpStage::kernel, 9, 3),
          make_request(spec, DhcpStage::kernel, 9, 3, {lab_board, lab_server})}) {
        EXPECT_FALSE(option_of(message, 60));
        EXPECT_FALSE(option_of(message, 93));
        EXPECT_FALSE(option_of(message, 97));
        EXPECT_EQ(option_of(message, 55), from_hex("01 03 06 0c 0f 11 1a 28 2a"));
        EXPECT_EQ(message[9], std::byte{3});
        EXPECT_EQ(message[10], std::byte{0});  // broadcast flag
    }
}

Answer an_offer() {
    UdpOut request;
    request.bytes = make_discover(Lab::standard_spec(), DhcpStage::firmware, 0x11223344, 0);
    return Answer::to(request, 2);
}

TEST(ParseReply, TakesWhatItNeeds) {
    const auto reply = parse_reply(an_offer().bytes(), DhcpStage::firmware);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->type, ReplyType::offer);
    EXPECT_EQ(reply->xid, 0x11223344U);
    EXPECT_EQ(reply->yiaddr, lab_board);
    EXPECT_EQ(reply->server, lab_server);
    EXPECT_EQ(reply->lease_s, 3600U);
    EXPECT_EQ(reply->tftp_text, "172.16.1.1");
}

TEST(ParseReply, RefusesEveryTruncation) {
    const auto whole = an_offer().bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(parse_reply(std::span(whole).first(length), DhcpStage::firmware)) << length;
    }
}

TEST(ParseReply, RefusesWhatFirmwareStumblesOver) {
    const auto error = [](const Answer& answer, DhcpStage stage) {
        const auto reply = parse_reply(answer.bytes(), stage);
        return reply ? "" : reply.error().message;
    };
    Answer padded = an_offer();
    auto bytes = padded.bytes();
    bytes.insert(bytes.begin() + 240, std::byte{0});
    EXPECT_FALSE(parse_reply(bytes, DhcpStage::firmware));
    EXPECT_TRUE(parse_reply(bytes, DhcpStage::kernel));  // ipconfig.c skips pads
    EXPECT_EQ(
        error(an_offer().with(52, std::string(1, '\1')), DhcpStage::kernel),
        "option overload is not understood"
    );
    Answer twice = an_offer();
    twice.options.emplace_back(54, four(lab_server));
    EXPECT_EQ(error(twice, DhcpStage::firmware), "option 54 stands twice");
    EXPECT_EQ(
        error(an_offer().with(54, "abc"), DhcpStage::firmware), "option 54 has a wrong length"
    );
    EXPECT_EQ(error(an_offer().without(53), DhcpStage::firmware), "no DHCP message type");
    EXPECT_EQ(
        error(an_offer().with(200, std::string(255, 'x')), DhcpStage::firmware),
        "longer than 548 bytes"
    );
    Answer request = an_offer();
    request.op = 1;
    EXPECT_EQ(error(request, DhcpStage::firmware), "not a BOOTREPLY");
}

// Fact sheet 1.5, the dump of the documentation.
TEST(FactSheet15, KnownGoodOption43) {
    const auto bytes = from_hex(
        "06 01 03 0a 04 00 50 58 45"
        "09 14 00 00 11 52 61 73 70 62 65 72 72 79 20 50 69 20 42 6f 6f 74 ff"
    );
    EXPECT_EQ(bytes_of(known_good_option43()), bytes);
    EXPECT_TRUE(boot_menu_names(bytes, "Raspberry Pi Boot"));
    EXPECT_FALSE(boot_menu_names(bytes, "Other Boot"));
    EXPECT_TRUE(
        boot_menu_names(bytes_of(known_good_option43("~~Raspberry Pi Boot~~")), "Raspberry Pi Boot")
    );
    EXPECT_FALSE(boot_menu_names(bytes_of("Raspberry Pi Boot"), "Raspberry Pi Boot"));  // E#58
    for (std::size_t length = 0; length + 1 < bytes.size(); ++length) {
        EXPECT_FALSE(boot_menu_names(std::span(bytes).first(length), "Raspberry Pi Boot"));
    }
}

std::optional<Ipv4Address> boot_of(const Answer& answer) {
    return boot_server(
        *parse_reply(answer.bytes(), DhcpStage::firmware), lab_server, "Raspberry Pi Boot"
    );
}

// Fact sheet 1.4: the precedence of the boot server, and what is no boot server at all.
TEST(FactSheet14, BootServer) {
    const Ipv4Address other(0xac100109U);
    EXPECT_EQ(boot_of(an_offer().with(66, "172.16.1.9")), other);
    EXPECT_EQ(boot_of(an_offer().without(43).without(60)), lab_server);                // 66 alone
    EXPECT_EQ(boot_of(an_offer().without(43).without(60).without(66)), std::nullopt);  // siaddr
    EXPECT_EQ(boot_of(an_offer().without(60).without(66)), std::nullopt);  // 43 without 60
    EXPECT_EQ(boot_of(an_offer().without(43).without(60).with(66, four(other))), std::nullopt);
    EXPECT_EQ(boot_of(an_offer().without(43).without(60).with(66, "boot.lan")), std::nullopt);
    Answer by_menu = an_offer().without(66);
    by_menu.siaddr = other;
    EXPECT_EQ(boot_of(by_menu), other);
    by_menu.siaddr = Ipv4Address();
    EXPECT_EQ(boot_of(by_menu), lab_server);  // E#376: option 54
    EXPECT_EQ(boot_of(by_menu.with(43, known_good_option43("Something else"))), std::nullopt);
}

}  // namespace
}  // namespace bramble::virtual_board
