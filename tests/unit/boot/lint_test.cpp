#include "provisioning/boot/lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

layout::BootTree whole_pi4() {
    layout::BootTree tree;
    for (const char* name : {"start4.elf", "fixup4.dat", "kernel8.img"}) {
        tree[name] = layout::ObjectFile{Digest(), 1000};
    }
    tree["config.txt"] = layout::TextFile{"arm_64bit=1\n"};
    return tree;
}

std::vector<std::string> rules(const std::vector<Finding>& findings) {
    std::vector<std::string> found;
    for (const Finding& finding : findings) found.push_back(finding.rule);
    return found;
}

TEST(LintTree, AWholeTreeHasNothingToSay) {
    EXPECT_THAT(lint_tree(whole_pi4(), {BoardModel::pi4, "3", false}), IsEmpty());
}

TEST(LintTree, MissingFirmwareIsNamedWithItsSources) {
    layout::BootTree tree = whole_pi4();
    tree.erase("start4.elf");
    const auto findings = lint_tree(tree, {BoardModel::pi4, "3", false});
    ASSERT_THAT(rules(findings), ElementsAre("firmware-missing"));
    EXPECT_FALSE(findings.front().fatal);
    EXPECT_EQ(
        findings.front().message,
        "start4.elf is not among the boot files, and a Raspberry Pi 4 does not start without"
    );
    EXPECT_EQ(
        findings.front().remedy,
        "take them from the boot partition of a Raspberry Pi OS image or from Debian's package "
        "raspi-firmware (/usr/lib/raspi-firmware), into the image's boot directory or under "
        "boot_files:"
    );
}

TEST(LintTree, APi5BringsItsFirmware) {
    layout::BootTree tree;
    tree["kernel_2712.img"] = layout::ObjectFile{Digest(), 1000};
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi5, "3", false}), IsEmpty());
}

TEST(LintTree, AKernelMustBeThereOrNamed) {
    layout::BootTree tree = whole_pi4();
    tree.erase("kernel8.img");
    EXPECT_THAT(
        rules(lint_tree(tree, {BoardModel::pi4, "3", false})), ElementsAre("kernel-missing")
    );
    tree["config.txt"] = layout::TextFile{"[all]\nkernel=mine.img\n"};
    tree["mine.img"] = layout::ObjectFile{Digest(), 1000};
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "3", false}), IsEmpty());
}

TEST(LintTree, FilesThatOldEepromsCannotFetch) {
    layout::BootTree tree = whole_pi4();
    tree["kernel8.img"] = layout::ObjectFile{Digest(), old_firmware_file_bytes_max};
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "3", false}), IsEmpty());
    tree["kernel8.img"] = layout::ObjectFile{Digest(), old_firmware_file_bytes_max + 1};
    EXPECT_THAT(rules(lint_tree(tree, {BoardModel::pi4, "3", false})), ElementsAre("file-size"));
}

// klibc nfsmount accepts only vers=2/3.
TEST(LintTree, Nfs4BehindAKlibcInitramfs) {
    layout::BootTree tree = whole_pi4();
    tree["config.txt"] = layout::TextFile{"auto_initramfs=1\n"};
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "4.2", false}), IsEmpty()) << "there is none";
    tree["initramfs8"] = layout::ObjectFile{Digest(), 1000};
    EXPECT_THAT(
        rules(lint_tree(tree, {BoardModel::pi4, "4.2", false})), ElementsAre("initramfs-nfs4")
    );
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "4.2", true}), IsEmpty());
    EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "3", false}), IsEmpty());
}

TEST(LintTree, AnInitramfsThatALaterLineOrAFilterTakesAwayIsNotUsed) {
    layout::BootTree tree = whole_pi4();
    tree["initramfs8"] = layout::ObjectFile{Digest(), 1000};
    for (const char* text :
         {"auto_initramfs=1\n[all]\nauto_initramfs=0\n",  // the rule's own remedy
          "[pi5]\nauto_initramfs=1\n",
          "# auto_initramfs=1\n",
          "os_prefix=x/\nauto_initramfs=1\nauto_initramfs=0\n"}) {
        tree["config.txt"] = layout::TextFile{text};
        EXPECT_THAT(lint_tree(tree, {BoardModel::pi4, "4.2", false}), IsEmpty()) << text;
    }
    for (const char* text :
         {"  auto_initramfs=1\r\n",
          "[pi4]\nauto_initramfs=1\n",
          "initramfs initramfs8 followkernel\n",
          "os_prefix=x/\nauto_initramfs=1\n"}) {
        tree["config.txt"] = layout::TextFile{text};
        EXPECT_THAT(
            rules(lint_tree(tree, {BoardModel::pi4, "4.2", false})), ElementsAre("initramfs-nfs4")
        ) << text;
    }
}

TEST(LintTree, GenericBoardsNeedSomething) {
    EXPECT_THAT(
        rules(lint_tree({}, {BoardModel::generic, "", false})), ElementsAre("boot-files-missing")
    );
}

}  // namespace
}  // namespace bramble::boot
