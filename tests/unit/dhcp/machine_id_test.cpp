#include "services/dhcp/machine_id.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp {
namespace {

using test::hex;
using test::mac;
using test::to_hex;

struct Row {
    std::string_view value;
    std::string_view chaddr;
    MachineIdForm form;
    std::optional<std::uint32_t> serial;
    std::optional<std::uint32_t> revision;
};

// Fact sheet 1.2; the octets after the thirteenth, which logs cut off, come from the serial.
const Row rows[] = {
    {"00 52506934 1131a000 322ef8ed 1045155b",
     "dc:a6:32:2e:f8:ed",
     MachineIdForm::rpi4,
     0x5b154510,
     0x00a03111},
    {"00 34695052 1431d000 010902f7 3df0cd91",
     "e4:5f:01:09:02:f7",
     MachineIdForm::rpi4_reversed,
     0x91cdf03d,
     0x00d03114},
    {"00 34695052 4131a000 01f8deb9 60b1c2d3",
     "e4:5f:01:f8:de:b9",
     MachineIdForm::rpi4_reversed,
     0xd3c2b160,
     0x00a03141},
    {"00 35695052 7041d000 67010203 cdab3412",
     "2c:cf:67:01:02:03",
     MachineIdForm::rpi5_reversed,
     0x1234abcd,
     0x00d04170},
    {"00 52506935 7041d000 67010203 cdab3412",
     "2c:cf:67:01:02:03",
     MachineIdForm::rpi5,
     0x1234abcd,
     0x00d04170},
    // The MAC part is zero in the EEPROM of 2020-03-04.
    {"00 52506934 1131a000 00000000 1045155b",
     "dc:a6:32:2e:f8:ed",
     MachineIdForm::rpi4,
     0x5b154510,
     0x00a03111},
    {"00 4456efa2 4456efa2 4456efa2 4456efa2",
     "b8:27:eb:ef:56:44",
     MachineIdForm::serial_repeated,
     0xa2ef5644,
     {}},
    {"00 164c6cb6 164c6cb6 164c6cb6 164c6cb6",
     "b8:27:eb:6c:4c:16",
     MachineIdForm::serial_repeated,
     0xb66c4c16,
     {}},
    {"00 44444444 44444444 44444444 44444444", "b8:27:eb:01:02:03", MachineIdForm::pi3_rom, {}, {}},
    // DHCP_OPTION97=0xaabbccdd.
    {"00 aabbccdd 1431d000 010902f7 3df0cd91",
     "e4:5f:01:09:02:f7",
     MachineIdForm::custom_prefix,
     0x91cdf03d,
     0x00d03114},
};

TEST(MachineId, TableOfBoards) {
    for (const Row& row : rows) {
        const auto id = parse_machine_id(hex(row.value), mac(row.chaddr));
        ASSERT_TRUE(id) << row.value;
        EXPECT_EQ(id->form, row.form) << row.value;
        EXPECT_EQ(id->serial ? std::optional(id->serial->value()) : std::nullopt, row.serial);
        EXPECT_EQ(id->revision ? std::optional(id->revision->value()) : std::nullopt, row.revision);
    }
}

TEST(MachineId, TruncationAtEveryLengthIsNoIdentity) {
    for (const Row& row : rows) {
        auto bytes = hex(row.value);
        while (!bytes.empty()) {
            bytes.pop_back();
            EXPECT_FALSE(parse_machine_id(bytes, mac(row.chaddr)));
        }
        bytes = hex(row.value);
        bytes.push_back(std::byte{0});
        EXPECT_FALSE(parse_machine_id(bytes, mac(row.chaddr)));
    }
}

TEST(MachineId, EmitThenParseIsTheIdentity) {
    const MacAddress board = mac("dc:a6:32:01:02:03");
    for (const MachineIdForm form :
         {MachineIdForm::rpi4,
          MachineIdForm::rpi4_reversed,
          MachineIdForm::rpi5,
          MachineIdForm::rpi5_reversed,
          MachineIdForm::serial_repeated,
          MachineIdForm::pi3_rom,
          MachineIdForm::custom_prefix}) {
        const auto bytes = emit_machine_id(form, Serial(0x1234abcd), RevisionCode(0xc03112), board);
        const auto id = parse_machine_id(bytes, board);
        ASSERT_TRUE(id);
        EXPECT_EQ(id->form, form);
        if (form != MachineIdForm::pi3_rom) {
            EXPECT_EQ(id->serial, Serial(0x1234abcd));
        }
    }
}

TEST(MachineId, ModelByRevisionElseByForm) {
    EXPECT_EQ(
        (MachineId{MachineIdForm::rpi4, Serial(1), RevisionCode(0xc03112)}.model()), BoardModel::pi4
    );
    EXPECT_EQ(
        (MachineId{MachineIdForm::rpi4, Serial(1), RevisionCode(0xa03141)}.model()), BoardModel::cm4
    );
    EXPECT_EQ((MachineId{MachineIdForm::pi3_rom, {}, {}}.model()), BoardModel::pi3);
    EXPECT_EQ((MachineId{MachineIdForm::rpi5_reversed, Serial(1), {}}.model()), BoardModel::pi5);
    EXPECT_EQ((MachineId{MachineIdForm::serial_repeated, Serial(1), {}}.model()), std::nullopt);
}

TEST(MachineId, CustomPrefixNeedsTheSendersMac) {
    const auto value = hex("00 aabbccdd 1431d000 010902f7 3df0cd91");
    EXPECT_FALSE(parse_machine_id(value, mac("e4:5f:01:09:02:f8")));
}

}  // namespace
}  // namespace bramble::dhcp
