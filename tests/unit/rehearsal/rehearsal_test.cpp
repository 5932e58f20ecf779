// Whole boots on paper: what a sound generation tells, and that boards do not disturb each other.
#include "services/rehearsal/rehearsal.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

TEST(RehearsalTest, ASoundGenerationBootsAndTellsItsStory) {
    Lab lab;
    const Report report = lab.rehearse();
    EXPECT_TRUE(report.findings.empty()) << render(report);
    EXPECT_TRUE(report.boots());
    EXPECT_EQ(
        render(report),
        "pi-01  unpublished generation  firmware pi4-2023  would boot\n"
        "  address    172.16.1.3 for dc:a6:32:00:00:01, files from 172.16.1.1\n"
        "  firmware   start4.elf, fixup4.dat\n"
        "  config     device tree bcm2711-rpi-4-b.dtb\n"
        "  kernel     initramfs8 9 B\n"
        "             kernel8.img 4.0 kB, 64-bit, 6.1.0-56-arm64\n"
        "  root       looked at in memory\n"
        "             /sbin/init is there, which is /usr/lib/systemd/systemd\n"
        "             modules of 6.1.0-56-arm64 are there\n"
    );
}

TEST(RehearsalTest, EveryFirmwareOfAModelBootsIt) {
    for (const char* firmware : {"pi4-2020", "pi4-2021", "pi4-2023", "pi4-2026"}) {
        Lab lab;
        EXPECT_EQ(lab.first(firmware), "") << firmware;
        EXPECT_EQ(lab.rehearse(firmware).firmware, firmware);
    }
}

TEST(RehearsalTest, FirmwareOfAnotherModelIsNotTaken) {
    Lab lab;
    EXPECT_EQ(lab.rehearse("pi5-2026").firmware, "pi4-2023");
}

TEST(RehearsalTest, APi5NeedsItsConfigAndItsKernelOnly) {
    Lab lab;
    lab.board().model = BoardModel::pi5;
    lab.fleet().boards.front().model = BoardModel::pi5;
    lab.remove("start4.elf");
    lab.remove("fixup4.dat");
    lab.object("bcm2712-rpi-5-b.dtb", "device tree");
    EXPECT_EQ(lab.first("pi5-2026"), "");
}

TEST(RehearsalTest, AGenericBoardsRootIsLookedAt) {
    Lab lab;
    lab.board().model = BoardModel::generic;
    EXPECT_EQ(lab.first(), "");
    EXPECT_EQ(lab.mounts, 1U);
    lab.root.entries.erase("/usr/sbin/init");
    EXPECT_EQ(lab.first(), "STOPS root: the root has no /sbin/init");
}

TEST(RehearsalTest, WhereAnotherServerLeasesAddressesTheStorySaysSo) {
    Lab lab;
    lab.fleet().appliance.dhcp.mode = fleet::DhcpMode::proxy;
    const Report report = lab.rehearse();
    EXPECT_TRUE(report.boots());
    EXPECT_NE(report.story.front().text.find("other DHCP server's part"), std::string::npos);
}

TEST(RehearsalTest, ABoardWithoutARootOfItsOwnHasBootFilesOnly) {
    Lab lab;
    lab.board().root.reset();
    lab.text("cmdline.txt", "root=/dev/sda1 rw\n");
    const Report report = lab.rehearse();
    EXPECT_TRUE(report.boots()) << render(report);
    EXPECT_EQ(report.story.back().text, "no NFS root: the board has boot files only");
}

// Files that came whole once are sent in short afterwards, which no report may show.
TEST(RehearsalTest, BoardsThatShareFilesGetTheSameReport) {
    Lab lab;
    for (unsigned i = 2; i <= 20; ++i) lab.add_board("pi-" + std::to_string(i), i);
    Rehearsal rehearsal(lab.fleet(), lab.manifest(), lab);
    for (const layout::BoardEntry& board : lab.manifest().boards) {
        const Report report = rehearsal.rehearse(board);
        EXPECT_TRUE(report.findings.empty()) << render(report);
        EXPECT_EQ(report.story.size(), 8U);
    }
    EXPECT_EQ(lab.mounts, 20U);
}

TEST(RehearsalTest, OneSpoiltBoardIsFoundAmongSoundOnes) {
    Lab lab;
    lab.add_board("pi-02", 2);
    lab.add_board("pi-03", 3);
    lab.manifest().boards[1].files["config.txt"] = layout::TextFile{"kernel=other.img\n"};
    Rehearsal rehearsal(lab.fleet(), lab.manifest(), lab);
    std::vector<bool> boots;
    for (const auto& board : lab.manifest().boards) {
        boots.push_back(rehearsal.rehearse(board).boots());
    }
    EXPECT_EQ(boots, (std::vector<bool>{true, false, true}));
}

}  // namespace
}  // namespace bramble::rehearsal
