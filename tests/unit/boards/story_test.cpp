// The lines that people read, and the classes that file names fall into.
#include "services/boards/story.hpp"

#include <gtest/gtest.h>

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;

TEST(StoryTest, LinesStandInColumns) {
    EXPECT_EQ(
        render({{}, "pi-03", "firmware", "start4.elf 2.3 MB in 0.9 s"}),
        "pi-03     firmware   start4.elf 2.3 MB in 0.9 s"
    );
    EXPECT_EQ(
        render({{}, "a-long-board-name", "up", "after 41.0 s"}, 20),
        "a-long-board-name     up         after 41.0 s"
    );
}

TEST(StoryTest, WhatCameFromTheNetworkCannotMoveTheCursor) {
    const FileEnded file{"a\x1b[2J\nb", FileOutcome::missing};
    EXPECT_EQ(describe_file(file, {}), "a?[2J?b is not there");
}

TEST(StoryTest, FilesAreDescribedByTheirOutcome) {
    const TimePoint start{};
    FileEnded file{"kernel8.img", FileOutcome::loaded, 9'695'883, 9'695'883, 0, 7, start};
    EXPECT_EQ(describe_file(file, start + 2s), "kernel8.img 9.7 MB in 2.0 s");
    file.retransmissions = 1;
    EXPECT_EQ(
        describe_file(file, start + 2s), "kernel8.img 9.7 MB in 2.0 s, 1 datagram sent again"
    );
    file.retransmissions = 3;
    file.bytes = 1000;
    file.outcome = FileOutcome::failed;
    EXPECT_EQ(describe_file(file, start + 2s), "kernel8.img broke off after 1.0 kB of 9.7 MB");
    file.outcome = FileOutcome::probed;
    EXPECT_EQ(describe_file(file, start + 2s), "kernel8.img is there");
    file.outcome = FileOutcome::refused;
    EXPECT_EQ(describe_file(file, start + 2s), "kernel8.img is not its own");
}

TEST(FileClassTest, NamesSayWhatAFileIsFor) {
    const std::vector<std::pair<std::string_view, FileClass>> names = {
        {"start4.elf", FileClass::start},
        {"start.elf", FileClass::start},
        {"bootcode.bin", FileClass::start},
        {"boot.scr.uimg", FileClass::start},
        {"efi/boot/grubaa64.efi", FileClass::start},
        {"fixup4.dat", FileClass::firmware},
        {"pieeprom.sig", FileClass::firmware},
        {"recovery.elf", FileClass::firmware},
        {"recover4.elf", FileClass::firmware},
        {"vl805.sig", FileClass::firmware},
        {"armstub8-gic.bin", FileClass::firmware},
        {"bootcfg.txt", FileClass::firmware},
        {"config.txt", FileClass::config},
        {"cmdline.txt", FileClass::config},
        {"overlays/disable-bt.dtbo", FileClass::config},
        {"bcm2711-rpi-4-b.dtb", FileClass::config},
        {"pxelinux.cfg/default", FileClass::config},
        {"kernel8.img", FileClass::kernel},
        {"kernel_2712.img", FileClass::kernel},
        {"recovery8.img", FileClass::kernel},
        {"initramfs8", FileClass::kernel},
        {"vmlinuz-6.1", FileClass::kernel},
        {"os/Image", FileClass::kernel},
        {"", FileClass::config},
    };
    for (const auto& [name, expected] : names) EXPECT_EQ(classify(name), expected) << name;
}

}  // namespace
}  // namespace bramble::boards
