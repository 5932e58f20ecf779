#include "services/bramble/adoption.hpp"

#include <gtest/gtest.h>

#include <map>

#include "config/yaml/load.hpp"

namespace bramble::program {
namespace {

class Files : public yaml::FileReader {
public:
    Result<std::string> read(const std::filesystem::path& file, std::size_t) override {
        const auto found = files.find(file.string());
        if (found == files.end()) return fail("no such file");
        return found->second;
    }

    Result<std::vector<std::string>> list(const std::filesystem::path& directory) override {
        std::vector<std::string> names;
        for (const auto& [path, text] : files) {
            const std::filesystem::path file(path);
            if (file.parent_path() == directory.lexically_normal())
                names.push_back(file.filename());
        }
        if (names.empty()) return fail("no such directory");
        return names;
    }

    std::filesystem::path current_directory() override { return "/lab"; }

    std::map<std::string, std::string> files;
};

constexpr std::string_view fleet_text =
    "version: 1\n"
    "appliance:\n"
    "  interface: eth1\n"
    "  address: 172.16.1.1/24\n"
    "  dhcp: {mode: authoritative, pool: {from: 172.16.1.100, to: 172.16.1.199}}\n"
    "include: [boards.d/*.yaml]\n"
    "images: {lite: {source: {file: lite.img}}}\n"
    "profiles: {lab: {image: lite}}\n"
    "boards:\n"
    "  - {name: pi-01, serial: 5b154510, profile: lab}\n";

NewBoard pi_07() {
    return {
        "pi-07",
        Serial(0xdeadbeef),
        "lab",
        MacAddress::parse("dc:a6:32:00:00:07").value(),
        Ipv4Address({172, 16, 1, 7})};
}

class AdoptionTest : public testing::Test {
protected:
    AdoptionTest() { files_.files["/lab/fleet.yaml"] = fleet_text; }

    fleet::Fleet load() {
        auto loaded = yaml::load("fleet.yaml", files_);
        EXPECT_TRUE(loaded.fleet) << yaml::render(loaded.diagnostics);
        return std::move(*loaded.fleet);
    }

    Files files_;
};

TEST_F(AdoptionTest, TheFileIsABoardOfTheFleet) {
    EXPECT_EQ(
        adopted_text(pi_07()),
        "# Adopted: `bramble forget` removes this file.\n"
        "boards:\n"
        "  - name: \"pi-07\"\n"
        "    serial: \"deadbeef\"\n"
        "    mac: \"dc:a6:32:00:00:07\"\n"
        "    address: 172.16.1.7\n"
        "    profile: \"lab\"\n"
    );
    const auto fleet = fleet_with("fleet.yaml", pi_07(), files_);
    ASSERT_TRUE(fleet) << fleet.error().message;
    const fleet::Board* board = fleet->find_board("pi-07");
    ASSERT_NE(board, nullptr);
    EXPECT_EQ(board->serial, Serial(0xdeadbeef));
    EXPECT_EQ(board->address, Ipv4Address({172, 16, 1, 7}));
    EXPECT_EQ(fleet->boards.size(), 2U);
}

// A serial of digits alone is a number to YAML, and 1e123456 is one as well.
TEST_F(AdoptionTest, ASerialIsTextWhateverItsDigits) {
    for (const std::uint32_t serial : {0x10000001U, 0x1e123456U, 0x00000012U}) {
        NewBoard board = pi_07();
        board.serial = Serial(serial);
        const auto fleet = fleet_with("fleet.yaml", board, files_);
        ASSERT_TRUE(fleet) << fleet.error().message;
        EXPECT_EQ(fleet->find_board("pi-07")->serial, Serial(serial));
    }
}

TEST_F(AdoptionTest, AFleetThatWouldNotBeSoundIsRefused) {
    NewBoard same = pi_07();
    same.serial = Serial(0x5b154510);
    const auto twice = fleet_with("fleet.yaml", same, files_);
    ASSERT_FALSE(twice);
    EXPECT_NE(twice.error().message.find("nothing was written"), std::string::npos);
    EXPECT_NE(twice.error().message.find("5b154510"), std::string::npos) << twice.error().message;
    NewBoard other = pi_07();
    other.profile = "lap";
    const auto unknown = fleet_with("fleet.yaml", other, files_);
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("'lap'"), std::string::npos) << unknown.error().message;
}

TEST_F(AdoptionTest, AFleetThatDoesNotIncludeItIsTold) {
    std::string& text = files_.files["/lab/fleet.yaml"];
    text.erase(text.find("include:"), std::string("include: [boards.d/*.yaml]\n").size());
    const auto fleet = fleet_with("fleet.yaml", pi_07(), files_);
    ASSERT_FALSE(fleet);
    EXPECT_EQ(
        fleet.error().message,
        "fleet.yaml does not include the files in boards.d: add the line "
        "`include: [boards.d/*.yaml]` to it"
    );
}

TEST_F(AdoptionTest, WhatWasAdoptedCanBeRemoved) {
    files_.files["/lab/boards.d/pi-07.yaml"] = adopted_text(pi_07());
    const fleet::Fleet fleet = load();
    EXPECT_EQ(
        removable_file(fleet, *fleet.find_board("pi-07"), "fleet.yaml").value(),
        "/lab/boards.d/pi-07.yaml"
    );
}

TEST_F(AdoptionTest, WhatAPersonWroteStays) {
    files_.files["/lab/boards.d/pi-07.yaml"] =
        "boards: [{name: pi-07, serial: deadbeef, profile: lab}]\n";
    const fleet::Fleet fleet = load();
    EXPECT_EQ(
        removable_file(fleet, *fleet.find_board("pi-01"), "fleet.yaml").error().message,
        "pi-01 was not adopted: it stands in /lab/fleet.yaml:10, take it out there and run "
        "`bramble check --fleet fleet.yaml`"
    );
    EXPECT_EQ(
        removable_file(fleet, *fleet.find_board("pi-07"), "fleet.yaml").error().message,
        "pi-07 was not adopted: it stands in /lab/boards.d/pi-07.yaml:1, take it out there and run "
        "`bramble check --fleet fleet.yaml`"
    );
}

TEST_F(AdoptionTest, AFileThatHoldsAnotherBoardTooStays) {
    files_.files["/lab/boards.d/pi-07.yaml"] =
        adopted_text(pi_07()) + "  - {name: pi-08, serial: 00000008, profile: lab}\n";
    const fleet::Fleet fleet = load();
    EXPECT_EQ(
        removable_file(fleet, *fleet.find_board("pi-07"), "fleet.yaml").error().message,
        "/lab/boards.d/pi-07.yaml holds pi-08 as well, at line 8: take pi-07 out of it by hand, at "
        "line 3"
    );
}

}  // namespace
}  // namespace bramble::program
