#include "services/bramble/explanation.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace bramble::program {
namespace {

struct ExplanationTest : testing::Test {
    ExplanationTest() {
        fleet.sources = {{"lab.yaml", ""}};
        fleet.images.resize(1);
        fleet.images[0].name = "lite";
        fleet.images[0].where = {0, 10, 3};
        fleet.profiles.resize(1);
        fleet.profiles[0].name = "lab";
        fleet.profiles[0].image = "lite";
        fleet.profiles[0].boot_files = {{"extra.bin", "/srv/extra.bin"}};
        fleet.profiles[0].where = {0, 20, 3};
        fleet.boards.resize(1);
        fleet.boards[0].name = "pi-01";
        fleet.boards[0].serial = Serial(0x5b154510);
        fleet.boards[0].mac = *MacAddress::parse("dc:a6:32:2e:f8:ed");
        fleet.boards[0].profile = "lab";
        fleet.boards[0].where = {0, 30, 5};
        manifest.generation = 7;
        manifest.created = "2026-11-22T12:00:00Z";
        manifest.trees["lab"] = {
            {"start4.elf", layout::ObjectFile{Digest{}, 2'303'680}},
            {"extra.bin", layout::ObjectFile{Digest{}, 10}}};
        entry.name = "pi-01";
        entry.tree = "lab";
        entry.tftp_prefixes = {"5b154510/"};
        entry.files = {{"cmdline.txt", layout::TextFile{"console=tty1 ip=dhcp\n"}}};
        entry.root = layout::Export{"/srv/pi-01", "172.16.1.1", "3", false};
    }

    std::string text() const {
        return render_explanation({fleet, manifest, fleet.boards[0], entry, dhcp});
    }

    fleet::Fleet fleet;
    layout::Manifest manifest;
    layout::BoardEntry entry;
    rehearsal::DhcpAnswers dhcp;
};

TEST_F(ExplanationTest, EveryThingHasItsOrigin) {
    dhcp.held = "admission: number 3 in the queue";
    EXPECT_EQ(
        text(),
        "pi-01 (lab.yaml:30)\n"
        "profile 'lab' (lab.yaml:20), image 'lite' (lab.yaml:10)\n"
        "generation 7 of 2026-11-22T12:00:00Z, model pi4\n"
        "\n"
        "DHCP offers it nothing: admission: number 3 in the queue\n"
        "\n"
        "root  172.16.1.1:/srv/pi-01 over NFS 3, read and write\n"
        "\n"
        "3 files, 2.3 MB, at 5b154510/\n"
        "  cmdline.txt  21 B    text          written for this board\n"
        "  extra.bin    10 B    000000000000  boot_files of profile 'lab'\n"
        "  start4.elf   2.3 MB  000000000000  image 'lite'\n"
        "\n"
        "cmdline.txt\n"
        "  console=tty1 ip=dhcp\n"
    );
}

TEST_F(ExplanationTest, AnAckIsShownByWhatItSaysOtherwise) {
    dhcp.client = "pi4-2023";
    dhcp.offer.emplace();
    dhcp.offer->type = dhcp::MessageType::offer;
    dhcp.offer->yiaddr = Ipv4Address({172, 16, 1, 3});
    dhcp.ack = dhcp.offer;
    dhcp.ack->type = dhcp::MessageType::ack;
    EXPECT_NE(
        text().find("DHCP offers, asked as pi4-2023 asks\n"
                    "  message  DHCPOFFER\n"
                    "  yiaddr   172.16.1.3\n"
                    "  chaddr   00:00:00:00:00:00\n"
                    "and its ACK the same, but\n"
                    "  message  DHCPACK\n"),
        std::string::npos
    ) << text();
}

TEST_F(ExplanationTest, JsonHasTextsAndWholeSums) {
    const auto value =
        boost::json::parse(render_explanation_json({fleet, manifest, fleet.boards[0], entry, dhcp})
        );
    EXPECT_EQ(value.at("where"), "lab.yaml:30");
    EXPECT_EQ(value.at("files").at(0).at("text"), "console=tty1 ip=dhcp\n");
    EXPECT_EQ(value.at("files").at(2).at("sha256").as_string().size(), 64U);
    EXPECT_TRUE(value.at("dhcp").at("offer").is_null());
}

TEST_F(ExplanationTest, ABoardIsFoundByWhatIsOnItsLabelAndInALog) {
    const fleet::Board* board = &fleet.boards[0];
    EXPECT_EQ(find_by_any_name(fleet, "pi-01"), board);
    EXPECT_EQ(find_by_any_name(fleet, "5b154510"), board);
    EXPECT_EQ(find_by_any_name(fleet, "dc:a6:32:2e:f8:ed"), board);
    EXPECT_EQ(find_by_any_name(fleet, "5b154511"), nullptr);
    EXPECT_EQ(find_by_any_name(fleet, ""), nullptr);
}

TEST_F(ExplanationTest, AStrangersFateIsTheFleets) {
    EXPECT_NE(explain_stranger(fleet).find("gets no offer"), std::string::npos);
    fleet.appliance.unknown_boards = fleet::IgnoreUnknown{};
    EXPECT_NE(explain_stranger(fleet).find("not answered at all"), std::string::npos);
    fleet.appliance.unknown_boards = fleet::EnrollUnknown{"lab"};
    EXPECT_NE(explain_stranger(fleet).find("enrolled with profile 'lab'"), std::string::npos);
}

}  // namespace
}  // namespace bramble::program
