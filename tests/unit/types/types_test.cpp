// The value types: every accepted form, every refusal, and the text they print.
#include <gtest/gtest.h>

#include <array>

#include "config/fleet/fleet.hpp"
#include "config/types/config_filter.hpp"
#include "config/types/digest.hpp"
#include "config/types/inputs.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/text.hpp"
#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble {
namespace {

using namespace std::chrono_literals;

TEST(MacAddressTest, ReadsColonsAndDashesInAnyCase) {
    EXPECT_EQ(MacAddress::parse("DC:A6:32:01:02:03")->to_string(), "dc:a6:32:01:02:03");
    EXPECT_EQ(MacAddress::parse("dc-a6-32-01-02-03")->with_dashes(), "dc-a6-32-01-02-03");
}

TEST(MacAddressTest, RefusesEverythingElse) {
    for (const char* text :
         {"",
          "dc:a6:32:01:02",
          "dc:a6-32:01:02:03",
          "dc:a6:32:01:02:0g",
          "dca632010203",
          "01:00:5e:00:00:01"}) {
        EXPECT_FALSE(MacAddress::parse(text)) << text;
    }
}

TEST(MacAddressTest, KnowsTheFoundationsPrefixes) {
    EXPECT_TRUE(MacAddress::parse("dc:a6:32:00:00:00")->is_raspberry_pi_oui());
    EXPECT_FALSE(MacAddress::parse("52:54:00:00:00:00")->is_raspberry_pi_oui());
}

TEST(SerialTest, IsZeroPaddedLowerCase) {
    EXPECT_EQ(Serial::parse("0B154510")->to_string(), "0b154510");
    EXPECT_EQ(Serial::parse("100000005b154510")->value(), 0x5b154510U);
    EXPECT_FALSE(Serial::parse("5b15451"));
    EXPECT_FALSE(Serial::parse("5b15451x"));
}

TEST(Ipv4Test, ReadsOnlyCleanDottedQuads) {
    EXPECT_EQ(Ipv4Address::parse("172.16.1.3")->value(), 0xac100103U);
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..2.3", "-1.2.3.4"}) {
        EXPECT_FALSE(Ipv4Address::parse(text)) << text;
    }
}

TEST(Ipv4Test, ANetworkKnowsItsHosts) {
    const auto network = Ipv4Network::parse("172.16.1.1/24").value();
    EXPECT_EQ(network.mask().to_string(), "255.255.255.0");
    EXPECT_TRUE(network.has_host(*Ipv4Address::parse("172.16.1.254")));
    EXPECT_FALSE(network.has_host(*Ipv4Address::parse("172.16.1.255")));
    EXPECT_FALSE(network.has_host(*Ipv4Address::parse("172.16.1.0")));
    EXPECT_FALSE(network.contains(*Ipv4Address::parse("172.16.2.1")));
    EXPECT_FALSE(Ipv4Network::parse("172.16.1.1"));
    EXPECT_FALSE(Ipv4Network::parse("172.16.1.1/31"));
}

TEST(TextTest, SizesAndDurationsNeedTheirUnits) {
    EXPECT_EQ(*parse_size_bytes("64MiB"), 64ULL << 20U);
    EXPECT_FALSE(parse_size_bytes("64MB"));
    EXPECT_FALSE(parse_size_bytes("99999999999TiB"));
    EXPECT_EQ(*parse_duration("90s"), 90s);
    EXPECT_EQ(*parse_duration("500ms"), 500ms);
    EXPECT_FALSE(parse_duration("90"));
    EXPECT_FALSE(parse_duration("99999999999d"));
}

TEST(TextTest, DescribesForPeople) {
    EXPECT_EQ(describe(210ms), "210 ms");
    EXPECT_EQ(describe(7300ms), "7.3 s");
    EXPECT_EQ(describe(65min), "1h 5m");
    EXPECT_EQ(describe_bytes(2'303'680), "2.3 MB");
    EXPECT_EQ(describe_bytes(999'999'999), "1.0 GB");
}

TEST(TextTest, SuggestsOnlyWhatIsNear) {
    constexpr std::array<std::string_view, 3> keys = {"profile", "address", "serial"};
    EXPECT_EQ(nearest("profil", keys), "profile");
    EXPECT_EQ(nearest("adress", keys), "address");
    EXPECT_EQ(nearest("kernel", keys), std::nullopt);
}

TEST(DigestTest, MatchesThePublishedVector) {
    // FIPS 180-4's example: SHA-256 of "abc".
    const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    EXPECT_EQ(Digest::of("abc").to_string(), hex);
    EXPECT_EQ(Digest::parse(hex).value(), Digest::of("abc"));
    EXPECT_FALSE(Digest::parse(hex.substr(1)));
}

TEST(RevisionCodeTest, NamesTheModel) {
    EXPECT_EQ(RevisionCode(0xc03112).model(), BoardModel::pi4);
    EXPECT_EQ(RevisionCode(0xa03141).model(), BoardModel::cm4);
    EXPECT_EQ(RevisionCode(0x000010).model(), std::nullopt);
}

TEST(ByteReaderTest, GivesNothingPastTheEndAndMovesNothing) {
    const std::array<std::byte, 3> bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u32(), std::nullopt);
    EXPECT_EQ(reader.u16(), 0x0102);
    EXPECT_EQ(reader.u16(), std::nullopt);
    EXPECT_EQ(reader.u8(), 3);
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(reader.nul_terminated(), std::nullopt);
}

TEST(ByteWriterTest, RefusesWhatDoesNotFitAndEverythingAfter) {
    std::array<std::byte, 5> buffer{};
    ByteWriter writer(buffer);
    writer.u32(0x01020304);
    writer.u16(5);
    writer.u8(6);
    EXPECT_TRUE(writer.overflowed());
    EXPECT_EQ(writer.size(), 4U);
}

TEST(BoardIndexTest, TheSerialWinsOverTheMac) {
    fleet::Fleet fleet;
    fleet.boards.resize(2);
    fleet.boards[0].name = "a";
    fleet.boards[0].serial = Serial(1);
    fleet.boards[1].name = "b";
    fleet.boards[1].mac = MacAddress::parse("dc:a6:32:01:02:03").value();
    const fleet::BoardIndex index(fleet);
    EXPECT_EQ(index.by_identity(Serial(1), fleet.boards[1].mac)->name, "a");
    EXPECT_EQ(index.by_identity(Serial(2), fleet.boards[1].mac)->name, "b");
    EXPECT_EQ(index.by_identity(std::nullopt, std::nullopt), nullptr);
}

TEST(Inputs, ChangesAreToldByTheirNames) {
    const Inputs before = {
        {"option A", "y"}, {"package vim", ""}, {"patch fix", std::string(64, 'a')}};
    EXPECT_EQ(describe_changes(before, before), "");
    Inputs now = before;
    now["option A"] = "n";
    EXPECT_EQ(describe_changes(before, now), "option A is n (was y)");
    now["patch fix"] = std::string(64, 'b');
    now.erase("package vim");
    EXPECT_EQ(
        describe_changes(before, now),
        "option A is n (was y), patch fix changed, package vim is gone"
    );
    now["option B"] = "m";
    now["package jq"] = "";
    EXPECT_EQ(
        describe_changes(before, now),
        "option A is n (was y), option B=m is new, package jq is new and 2 more"
    );
    EXPECT_EQ(count_changes(before, now), 5U);
    EXPECT_EQ(in_ascii({{"patch \xff.patch", "a\n"}}), (Inputs{{"patch ?.patch", "a?"}}));
}

// Fact sheet 7.1: the filters of config.txt.
TEST(ConfigFilter, WhatFirmwareKnows) {
    using Kind = ConfigFilterKind;
    const std::vector<std::pair<std::string_view, ConfigFilter>> cases = {
        {"[all]", {Kind::all, "", 0}},
        {"[none]", {Kind::none, "", 0}},
        {"[tryboot]", {Kind::tryboot, "", 0}},
        {"[pi4]", {Kind::model, "pi4", 0}},
        {"[pi400]", {Kind::model, "pi400", 0}},
        {"[cm5]", {Kind::model, "cm5", 0}},
        {"[board-type=0x11]", {Kind::board_type, "", 0x11}},
        {"[board-type=17]", {Kind::board_type, "", 17}},
        {"[0x5b154510]", {Kind::serial, "", 0x5b154510}},
        {"[gpio4=1]", {Kind::gpio, "", 0}},
        {"[EDID=VSC-TD2220]", {Kind::display, "", 0}},
        {"[HDMI:1]", {Kind::display, "", 0}},
        {"[partition=2]", {Kind::expression, "", 0}},
        {"[boot_partition=2]", {Kind::expression, "", 0}},
        {"[boot_count<3]", {Kind::expression, "", 0}},
        {"[bootvar0&0x10]", {Kind::expression, "", 0}},
        {"[bootvar0&0xff=0x30]", {Kind::expression, "", 0}},
        {"[cust_otp7&0x1]", {Kind::expression, "", 0}},
    };
    for (const auto& [text, wanted] : cases) EXPECT_EQ(parse_config_filter(text), wanted) << text;
    for (const std::string_view text :
         {"",
          "[]",
          "[pi6]",
          "pi4",
          "[pi4",
          "[ pi4]",
          "[[pi4]]",
          "[0x]",
          "[0xg]",
          "[1234]",
          "[board-type=]",
          "[gpio4]",
          "[gpio=1]",
          "[gpio4=2]",
          "[gpio64=1]",
          "[EDID=]",
          "[HDMI:2]",
          "[bootvar0]",
          "[bootvar0=]",
          "[bootvar0&1=]",
          "[0x10000000000000000]",
          "[all]#"}) {
        EXPECT_EQ(parse_config_filter(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace bramble
