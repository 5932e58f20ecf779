#include "provisioning/image/boot_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"

namespace bramble::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(BootFiles, RegularFilesWithTheirPaths) {
    host::MemoryHost machine;
    machine.put_file("/b/start4.elf", "");
    machine.put_file("/b/overlays/disable-bt.dtbo", "");
    EXPECT_THAT(
        list_boot_files(machine, "/b").value(),
        ElementsAre(
            Pair("overlays/disable-bt.dtbo", "/b/overlays/disable-bt.dtbo"),
            Pair("start4.elf", "/b/start4.elf")
        )
    );
}

TEST(BootFiles, LinksInsideAreFollowedByName) {
    host::MemoryHost machine;
    machine.put_file("/b/vmlinuz-6.1", "");
    machine.put_symlink("/b/vmlinuz", "vmlinuz-6.1");
    machine.put_file("/b/dtb-6.1/a.dtb", "");
    machine.put_symlink("/b/dtb", "dtb-6.1");  // a directory: its files have their own path
    machine.put_symlink("/b/deep/up", "../vmlinuz");
    EXPECT_THAT(
        list_boot_files(machine, "/b").value(),
        ElementsAre(
            Pair("deep/up", "/b/vmlinuz-6.1"),
            Pair("dtb-6.1/a.dtb", "/b/dtb-6.1/a.dtb"),
            Pair("vmlinuz", "/b/vmlinuz-6.1"),
            Pair("vmlinuz-6.1", "/b/vmlinuz-6.1")
        )
    );
}

// Else an archive could have the appliance serve its own /etc/shadow.
TEST(BootFiles, LinksOutAreErrors) {
    host::MemoryHost machine;
    machine.put_file("/etc/shadow", "secret");
    for (const char* target : {"/etc/shadow", "../etc/shadow", "missing", "loop"}) {
        machine.put_symlink("/b/loop", target);
        const auto files = list_boot_files(machine, "/b");
        ASSERT_FALSE(files) << target;
        EXPECT_THAT(files.error().message, HasSubstr("put the file itself there"));
    }
}

TEST(BootFiles, ANameThatNoBoardCanAskForIsAnError) {
    host::MemoryHost machine;
    machine.put_file("/b/a\\b", "");
    const auto files = list_boot_files(machine, "/b");
    ASSERT_FALSE(files);
    EXPECT_THAT(files.error().message, HasSubstr("rename or remove it"));
}

TEST(BootFiles, DepthIsBounded) {
    host::MemoryHost machine;
    std::string path = "/b";
    for (int i = 0; i < boot_depth_max; ++i) path += "/d";
    machine.put_file(path + "/f", "");
    EXPECT_TRUE(list_boot_files(machine, "/b"));
    machine.put_file(path + "/d/f", "");
    EXPECT_FALSE(list_boot_files(machine, "/b"));
}

TEST(BootFiles, CountIsBounded) {
    host::MemoryHost machine;
    for (std::size_t i = 0; i <= boot_files_max; ++i) {
        machine.put_file("/b/" + std::to_string(i), "");
    }
    EXPECT_TRUE(list_boot_files(machine, "/b"));
    machine.put_file("/b/x", "");
    machine.put_file("/b/y", "");
    EXPECT_FALSE(list_boot_files(machine, "/b"));
}

}  // namespace
}  // namespace bramble::image
