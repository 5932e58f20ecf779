// What kernels and initramfs say of themselves, and what config.txt has the firmware load.
#include "provisioning/boot/file_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/boot/started.hpp"

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string arm64_image() {
    std::string bytes(56, '\0');
    return bytes + "ARM\x64" + std::string(100, '\0') + "Linux version %s (x)\n" +
           "Linux version 6.1.0-9-arm64 (debian) #1 SMP";
}

TEST(ReadKernel, Arm64ByItsMagicAndBanner) {
    const auto facts = read_kernel(arm64_image());
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->width, KernelWidth::arm64);
    EXPECT_EQ(facts->release, "6.1.0-9-arm64");
    EXPECT_FALSE(facts->configured);
}

TEST(ReadKernel, ArmByItsMagic) {
    std::string bytes(100, '\0');
    bytes.replace(36, 4, std::string("\x18\x28\x6f\x01", 4));
    const auto facts = read_kernel(bytes);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->width, KernelWidth::arm);
    EXPECT_EQ(facts->release, "");
}

TEST(ReadKernel, OtherBytesAreNone) {
    EXPECT_FALSE(read_kernel(""));
    EXPECT_FALSE(read_kernel(std::string(1000, 'x')));
    const std::string image = arm64_image();
    for (std::size_t length = 0; length < 60; ++length) {
        EXPECT_FALSE(read_kernel(std::string_view(image).substr(0, length))) << length;
    }
}

TEST(ReadKernel, ItsConfigurationStandsBetweenTwoMarks) {
    EXPECT_EQ(embedded_configuration("xxIKCFG_STabcIKCFG_EDyy"), "abc");
    EXPECT_EQ(embedded_configuration("xxIKCFG_STabc"), "");
    EXPECT_EQ(embedded_configuration(""), "");
}

TEST(Configuration, ModulesAreNotBuiltIn) {
    KernelFacts facts;
    add_configuration(
        facts,
        "# CONFIG_NFS_V2 is not set\nCONFIG_NFS_FS=y\nCONFIG_NFS_V3=y\nCONFIG_NFS_V4=m\n"
        "CONFIG_NFS_V4_2=y\nCONFIG_ROOT_NFS=y\nCONFIG_IP_PNP=y\nCONFIG_="
    );
    EXPECT_TRUE(facts.configured);
    EXPECT_TRUE(facts.mounts_root);
    EXPECT_THAT(facts.nfs_versions, ElementsAre("3"));
    EXPECT_THAT(facts.nfs_modules, ElementsAre("3", "4", "4.2"));
    KernelFacts none;
    add_configuration(none, "no configuration\n");
    EXPECT_FALSE(none.configured);
}

TEST(HasProgram, LinksAreFollowedWithinTheArchive) {
    InitramfsFacts facts;
    facts.programs = {"usr/bin/busybox"};
    facts.links = {
        {"bin", "usr/bin"},
        {"sbin", "/bin"},
        {"usr/bin/init", "busybox"},
        {"init", "../../sbin/init"},
        {"loop", "loop"}};
    EXPECT_TRUE(has_program(facts, "/usr/bin/busybox"));
    EXPECT_TRUE(has_program(facts, "/init"));
    EXPECT_TRUE(has_program(facts, "sbin/./init"));
    EXPECT_FALSE(has_program(facts, "/usr/bin"));
    EXPECT_FALSE(has_program(facts, "/loop"));
    EXPECT_FALSE(has_program(facts, ""));
}

// Each would otherwise cost the square of its length, forty times.
TEST(HasProgram, PathsAndTargetsThatLinuxWouldNotFollowLeadNowhere) {
    std::string deep;
    while (deep.size() <= path_bytes_max / 2) deep += "x/";
    InitramfsFacts facts;
    facts.programs = {"bin/sh", deep + deep + "sh"};
    std::string around;
    while (around.size() <= path_bytes_max) around += "./";
    facts.links = {{"init", around + "bin/sh"}, {"near", around.substr(2048) + "bin/sh"}};
    EXPECT_FALSE(has_program(facts, "/init"));
    EXPECT_TRUE(has_program(facts, "/near"));
    EXPECT_FALSE(has_program(facts, deep + deep + "sh"));
}

layout::BootTree tree_of(std::string config, std::initializer_list<const char*> files) {
    layout::BootTree tree;
    for (const char* name : files) tree[name] = layout::ObjectFile{};
    tree["config.txt"] = layout::TextFile{std::move(config)};
    return tree;
}

Started loaded(const layout::BootTree& tree, BoardModel model) {
    return started_of(tree, model, read_config(tree, {}, {model, std::nullopt}));
}

// Fact sheet 7.1: kernel8.img unless arm_64bit=0; auto_initramfs picks the file with its name.
TEST(Started, KernelAndInitramfsByTheirNames) {
    const auto files = {"kernel8.img", "kernel7l.img", "initramfs8", "initramfs7l", "own"};
    Started started = loaded(tree_of("auto_initramfs=1\n", files), BoardModel::pi4);
    EXPECT_TRUE(started.known);
    EXPECT_EQ(started.kernel, "kernel8.img");
    EXPECT_THAT(started.initramfs, ElementsAre("initramfs8"));
    EXPECT_EQ(started.start_file, "start4.elf");
    started = loaded(tree_of("arm_64bit=0\nauto_initramfs=1\n", files), BoardModel::pi4);
    EXPECT_EQ(started.kernel, "kernel7l.img");
    EXPECT_THAT(started.initramfs, ElementsAre("initramfs7l"));
    started = loaded(
        tree_of(
            "kernel=own\n[pi5]\nkernel=kernel8.img\n[all]\ninitramfs initramfs8,own followkernel\n",
            files
        ),
        BoardModel::pi4
    );
    EXPECT_EQ(started.kernel, "own");
    EXPECT_THAT(started.initramfs, ElementsAre("initramfs8", "own"));
    started = loaded(tree_of("kernel=gone\nauto_initramfs=1\n", files), BoardModel::pi4);
    EXPECT_EQ(started.kernel, "");
    EXPECT_THAT(started.initramfs, IsEmpty());
}

TEST(Started, WhatOthersDecideIsNotKnown) {
    const auto files = {"kernel8.img", "more.txt"};
    EXPECT_FALSE(loaded(tree_of("include more.txt\n", files), BoardModel::pi4).known);
    EXPECT_FALSE(loaded(tree_of("os_prefix=new/\n", files), BoardModel::pi4).known);
    EXPECT_FALSE(loaded(tree_of("", files), BoardModel::generic).known);
}

TEST(CmdlineWord, TheLastOneCountsAndInitsOwnDoNot) {
    EXPECT_EQ(cmdline_word("init=/a quiet init=/b\n", "init"), "/b");
    EXPECT_EQ(cmdline_word("rdinit=/a -- init=/b", "init"), "");
    EXPECT_EQ(cmdline_word("", "init"), "");
    EXPECT_EQ(cmdline_word("\"init=/a b\" x=\"y -- init=/c\" z", "init"), "/a b");
    EXPECT_EQ(cmdline_word("init=\"/a\"", "init"), "/a");
}

}  // namespace
}  // namespace bramble::boot
