// Every octet of the OFFER and the ACK for the DISCOVER of each firmware generation (fact
// sheet 1.1, 1.5, 10.1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

constexpr std::string_view zeros_10 = "00000000000000000000";

std::string zeros(std::size_t count) {
    return std::string(2 * count, '0');
}

// Fact sheet 1.5, as captured.
constexpr std::string_view option_43 =
    "2b20"
    "060103"
    "0a0400505845"
    "091400001152617370626572727920506920426f6f74"
    "ff";
// The same with three spaces at the text's end, for the Pi 3B's boot ROM.
constexpr std::string_view option_43_pi3 =
    "2b23"
    "060103"
    "0a0400505845"
    "091700001452617370626572727920506920426f6f74202020"
    "ff";
constexpr std::string_view option_60 = "3c09505845436c69656e74";
constexpr std::string_view option_66 = "420a3137322e31362e312e31";  // "172.16.1.1"

struct Generation {
    std::string_view name;
    std::string_view chaddr;
    std::string_view option_97;  // with code and length
    std::string_view yiaddr;
    std::string_view menu;
    bool request_has_vendor_class;
    bool sends_request;
};

const Generation generations[] = {
    {"pi4-2020",
     "dca632010203",
     "6111005250693412"
     "31c00032010203cdab3412",
     "ac100103",
     option_43,
     false,
     true},
    {"pi4-2021",
     "dca632010203",
     "6111005250693412"
     "31c00032010203cdab3412",
     "ac100103",
     option_43,
     true,
     true},
    {"pi4-2023",
     "dca632010203",
     "6111003469505212"
     "31c00032010203cdab3412",
     "ac100103",
     option_43,
     true,
     true},
    {"pi4-2026",
     "dca632010203",
     "6111003469505212"
     "31c00032010203cdab3412",
     "ac100103",
     option_43,
     true,
     true},
    {"pi5-2026",
     "2ccf67010203",
     "6111003569505270"
     "41d00067010203104515"
     "5b",
     "ac100104",
     option_43,
     true,
     true},
    {"pi3b+",
     "b827eb010203",
     "61110044"
     "56efa24456efa24456efa24456efa2",
     "ac100105",
     option_43_pi3,
     false,
     false},
};

// Fact sheet 1.1: 322 octets.
std::string discover_hex(const Generation& generation) {
    return "01010600"
           "11223344"
           "0000"
           "0000" +
           zeros(16) + std::string(generation.chaddr) + std::string(zeros_10) + zeros(64 + 128) +
           "63825363"
           "350101"
           "370e01032b3c42438081828384858687"
           "5d020000"
           "5e03010201" +
           std::string(generation.option_97) +
           "3c20505845436c69656e743a417263683a30303030303a554e44493a303032303031"
           "ff";
}

std::string request_hex(const Generation& generation) {
    std::string options =
        "350103"
        "3204" +
        std::string(generation.yiaddr) + "3604ac100101";
    if (generation.request_has_vendor_class) {
        options += "3c20505845436c69656e743a417263683a30303030303a554e44493a303032303031";
    }
    return "01010600"
           "11223344"
           "0000"
           "0000" +
           zeros(16) + std::string(generation.chaddr) + std::string(zeros_10) + zeros(64 + 128) +
           "63825363" + options + "ff";
}

std::string reply_hex(const Generation& generation, std::string_view type) {
    return "02010600"
           "11223344"
           "0000"
           "0000"
           "00000000" +
           std::string(generation.yiaddr) +
           "ac100101"
           "00000000" +
           std::string(generation.chaddr) + std::string(zeros_10) + zeros(64 + 128) +
           "63825363"
           "3501" +
           std::string(type) +
           "3604ac100101"    // server identifier
           "330400000e10"    // an hour
           "3a0400000708"    // T1: half of it
           "3b0400000c4e"    // T2: seven eighths
           "0104ffffff00"    // mask
           "0304ac1001fe" +  // router
           std::string(generation.menu) +
           std::string(option_60) + std::string(option_66) + std::string(generation.option_97) +
           "ff";
}

class Golden : public testing::TestWithParam<Generation> {
protected:
    Golden() { lab.patient = true; }

    Lab lab;
};

TEST_P(Golden, OfferToTheDiscover) {
    const Generation& generation = GetParam();
    const auto discover = hex(discover_hex(generation));
    ASSERT_EQ(discover.size(), 322U);
    const Outcome out = lab.send_bytes(discover, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(to_hex(out.replies[0].bytes), reply_hex(generation, "02"));
    EXPECT_LE(out.replies[0].bytes.size(), reply_bytes_max);
}

TEST_P(Golden, AckToTheRequestCarriesTheSameBootOptions) {
    const Generation& generation = GetParam();
    if (!generation.sends_request) return;  // the Pi 3 ROM takes the OFFER and asks no further
    lab.send_bytes(hex(discover_hex(generation)), at(0s));
    const Outcome out = lab.send_bytes(hex(request_hex(generation)), at(1s));
    ASSERT_EQ(out.replies.size(), 1U);
    // Without option 55 the server's own order and choice: DNS and names, then the boot options.
    const auto ack = parse(out.replies[0].bytes);
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->type, MessageType::ack);
    const auto offer = parse(hex(reply_hex(generation, "02")));
    ASSERT_TRUE(offer);
    EXPECT_EQ(ack->yiaddr, offer->yiaddr);
    EXPECT_EQ(ack->siaddr, offer->siaddr);
    for (const Option& option : offer->options.items()) {
        EXPECT_EQ(to_hex(ack->options, option.code), to_hex(option.value));
    }
}

TEST_P(Golden, AckToARequestThatRepeatsTheListIsTheOfferWithAnotherType) {
    const Generation& generation = GetParam();
    lab.send_bytes(hex(discover_hex(generation)), at(0s));
    Message request = *parse(hex(request_hex(generation)));
    request.options.set(
        OptionCode::parameter_request_list, hex("01 03 2b 3c 42 43 80 81 82 83 84 85 86 87")
    );
    const Outcome out = lab.send(request, at(1s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(to_hex(out.replies[0].bytes), reply_hex(generation, "05"));
}

TEST_P(Golden, ReplyGoesToTheBoardsOwnHardware) {
    const Generation& generation = GetParam();
    const Outcome out = lab.send_bytes(hex(discover_hex(generation)), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto* to = std::get_if<ToHardware>(&out.replies[0].destination);
    ASSERT_NE(to, nullptr);
    EXPECT_EQ(to->chaddr, parse(hex(discover_hex(generation)))->chaddr);
}

std::string case_name(const testing::TestParamInfo<Generation>& generation) {
    std::string name(generation.param.name);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '-' || c == '+'; }, '_'
    );
    return name;
}

INSTANTIATE_TEST_SUITE_P(Firmware, Golden, testing::ValuesIn(generations), case_name);

// Fact sheet 1.1: the golden options area of the synthetic board.
TEST(GoldenDiscover, OptionsAreaIsTheFactSheets) {
    const Generation& generation = generations[2];
    EXPECT_EQ(
        discover_hex(generation).substr(2 * 236),
        "63825363350101370e01032b3c424380818283848586875d0200005e03010201"
        "6111003469505212"
        "31c00032010203cdab34123c20505845436c69656e743a417263683a30303030303a554e44493a303032303031"
        "ff"
    );
}

TEST(GoldenAck, BytesWithoutAParameterRequestList) {
    Lab lab;
    const Generation& generation = generations[0];
    lab.send_bytes(hex(discover_hex(generation)), at(0s));
    const Outcome out = lab.send_bytes(hex(request_hex(generation)), at(1s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(
        to_hex(out.replies[0].bytes).substr(2 * 240),
        "350105"
        "3604ac100101"
        "330400000e10"
        "3a0400000708"
        "3b0400000c4e"
        "0104ffffff00"
        "0304ac1001fe"
        "0604ac1001fd"
        "0c0570692d3031"                // "pi-01"
        "0f0b6c61622e6578616d706c65" +  // "lab.example"
            std::string(option_43) +
            std::string(option_60) + std::string(option_66) + std::string(generation.option_97) +
            "ff"
    );
}

}  // namespace
}  // namespace bramble::dhcp::test
