// What a board is expected to fetch of what a generation has for it.
#include "services/rehearsal/boot_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/rehearsal/pi_manifest.hpp"

namespace bramble::rehearsal {
namespace {

std::vector<std::string> large_paths(const std::vector<admission::PlannedFile>& files) {
    std::vector<std::string> out;
    for (const admission::PlannedFile& file : files) {
        if (file.bytes > 1'000'000) out.push_back(file.path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

TEST(BootFilesTest, APiFetchesItsOwnFirmwareKernelAndInitramfs) {
    const layout::Manifest all = pi_manifest();
    EXPECT_EQ(
        large_paths(boot_files_of(all, all.boards[0])),
        (std::vector<std::string>{"initramfs8", "kernel8.img", "start4.elf"})
    );
    EXPECT_EQ(
        large_paths(boot_files_of(all, all.boards[1])),
        (std::vector<std::string>{"kernel7l.img", "start4.elf"})
    );
}

TEST(BootFilesTest, NoFileIsCountedTwice) {
    const layout::Manifest all = pi_manifest();
    std::vector<std::string> paths;
    for (const auto& file : boot_files_of(all, all.boards[0])) paths.push_back(file.path);
    std::sort(paths.begin(), paths.end());
    EXPECT_EQ(std::adjacent_find(paths.begin(), paths.end()), paths.end());
    EXPECT_TRUE(std::binary_search(paths.begin(), paths.end(), "config.txt"));
}

TEST(BootFilesTest, OfOtherBoardsAllFilesCount) {
    const layout::Manifest all = pi_manifest();
    EXPECT_EQ(boot_files_of(all, all.boards[2]).size(), 9U + 2U);
}

TEST(BootFilesTest, NothingIsSaidOfATreeThatDoesNotBoot) {
    layout::Manifest all = pi_manifest();
    for (const char* kernel : {"kernel.img", "kernel7l.img", "kernel8.img"}) {
        all.trees["lab"].erase(kernel);
    }
    EXPECT_TRUE(boot_files_of(all, all.boards[0]).empty());
}

}  // namespace
}  // namespace bramble::rehearsal
