// Every rule about a boot tree by its exact sentence and remedy: they are what an operator reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/boot/cmdline.hpp"
#include "provisioning/boot/lint.hpp"
#include "provisioning/boot/shared_root.hpp"

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kernel = "kernel8.img";
constexpr const char* initramfs = "initramfs8";

// A Raspberry Pi 4 with an NFS 3 root, a kernel and an initramfs that are known.
class Rules : public testing::Test {
protected:
    Rules() {
        for (const char* name : {"start4.elf", "fixup4.dat", kernel, initramfs}) {
            tree[name] = layout::ObjectFile{Digest(), 1000};
        }
        config("auto_initramfs=1\n");
        cmdline("console=tty1");
        facts.nfs_version = "3";
        facts.initramfs_mounts_nfs4 = true;
        KernelFacts known;
        known.width = KernelWidth::arm64;
        known.release = "6.6.31-v8";
        known.configured = true;
        known.mounts_root = true;
        known.nfs_versions = {"3"};
        known.nfs_modules = {"3", "4"};
        facts.files[kernel].kernel = known;
        facts.files[initramfs].initramfs = InitramfsFacts{"", {"usr/bin/sh"}, {{"bin", "usr/bin"}}};
        facts.files[initramfs].initramfs->programs.insert("init");
    }

    void config(std::string text) { tree["config.txt"] = layout::TextFile{std::move(text)}; }

    void cmdline(const std::string& text) { tree["cmdline.txt"] = layout::TextFile{text + "\n"}; }

    KernelFacts& known_kernel() { return *facts.files[kernel].kernel; }

    InitramfsFacts& known_initramfs() { return *facts.files[initramfs].initramfs; }

    std::vector<Finding> found() const { return lint_tree(tree, facts); }

    layout::BootTree tree;
    TreeFacts facts;
};

TEST_F(Rules, AWholeTreeBreaksNone) {
    EXPECT_THAT(found(), IsEmpty());
}

// ---- firmware, fact sheet 2.5 and 8

TEST_F(Rules, FirmwareMissing) {
    tree.erase("start4.elf");
    tree.erase("fixup4.dat");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "firmware-missing",
            "start4.elf, fixup4.dat are not among the boot files, and a Raspberry Pi 4 does not "
            "start without",
            "take them from the boot partition of a Raspberry Pi OS image or from Debian's package "
            "raspi-firmware (/usr/lib/raspi-firmware), into the image's boot directory or under "
            "boot_files:"})
    );
}

TEST_F(Rules, FirmwareMissingIsAboutThePairThatConfigTxtAsksFor) {
    config("auto_initramfs=1\ngpu_mem=16\n");
    ASSERT_THAT(found(), testing::SizeIs(1));
    EXPECT_EQ(
        found().front().message,
        "start4cd.elf, fixup4cd.dat are not among the boot files, and a Raspberry Pi 4 does not "
        "start without"
    );
    config("auto_initramfs=1\nstart_x=1\n[cm4]\ngpu_mem=16\n");
    tree["start4x.elf"] = tree["fixup4x.dat"] = layout::ObjectFile{};
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Rules, FirmwarePairOfTwoKinds) {
    tree["start4x.elf"] = layout::ObjectFile{};
    config("auto_initramfs=1\nstart_file=start4x.elf\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "firmware-pair",
            "config.txt has start4x.elf started with fixup4.dat, and a board freezes on a pair of "
            "two kinds",
            "set fixup_file=fixup4x.dat, or leave both out"})
    );
}

TEST_F(Rules, FirmwarePairOfTwoVersions) {
    facts.own_files = {"start4.elf"};
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "firmware-pair",
            "start4.elf comes from boot_files: and fixup4.dat from the image, and a board freezes "
            "on a pair of two versions",
            "give both of one release under boot_files:, or neither"})
    );
    facts.own_files.insert("fixup4.dat");
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Rules, FileSize) {
    tree[initramfs] = layout::ObjectFile{Digest(), 65535ULL * 1024 + 1};
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "file-size",
            "'initramfs8' is 67.1 MB: EEPROMs from before 2025-09-23 cannot fetch more than 67.1 "
            "MB by TFTP",
            "update the boards' EEPROM or make the file smaller"})
    );
}

// ---- kernel and initramfs

TEST_F(Rules, KernelMissing) {
    tree.erase(kernel);
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "kernel-missing",
            "there is no kernel8.img or kernel7l.img among the boot files and config.txt names no "
            "kernel=",
            "add the kernel to the image's boot directory or under boot_files:"})
    );
}

TEST_F(Rules, KernelMissingThatConfigTxtNames) {
    config("auto_initramfs=1\n[all]\nkernel=mine.img\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "kernel-missing",
            "config.txt has kernel=mine.img, which is not among the boot files",
            "add it to the image's boot directory or under boot_files:, or name one that is there"})
    );
    config("auto_initramfs=1\n[cm4]\nkernel=mine.img\n");
    EXPECT_THAT(found(), IsEmpty());
    config("os_prefix=lab/\nkernel=mine.img\n");
    EXPECT_THAT(found(), IsEmpty()) << "it may be under the prefix";
}

TEST_F(Rules, InitramfsMissing) {
    config("initramfs initramfs8,modules.gz,more.gz followkernel\n");
    const auto finding = [](const std::string& name) {
        return Finding{
            false,
            "initramfs-missing",
            "config.txt has the initramfs '" + name + "' loaded, which is not among the boot files",
            "add it to the image's boot directory or under boot_files:, or name one that is there"};
    };
    EXPECT_THAT(found(), ElementsAre(finding("modules.gz"), finding("more.gz")));
    config("initramfs initrd.img followkernel\ninitramfs initramfs8 followkernel\n");
    EXPECT_THAT(found(), IsEmpty()) << "the last one counts";
    tree.erase(initramfs);
    config("auto_initramfs=1\n");
    EXPECT_THAT(found(), IsEmpty()) << "silently none";
}

TEST_F(Rules, InitramfsNfs4) {
    facts.nfs_version = "4";
    facts.initramfs_mounts_nfs4 = false;
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "initramfs-nfs4",
            "the root is NFS 4, and the image's initramfs is used: klibc's nfsmount, which "
            "Raspberry Pi OS has there, mounts version 3 only",
            "set the profile's root: {nfs_version: \"3\"}, or config_txt: {auto_initramfs: 0}"})
    );
}

TEST_F(Rules, InitramfsUnreadable) {
    known_initramfs() = {"cannot decompress: truncated gzip input", {}, {}};
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "initramfs-unreadable",
            "'initramfs8' cannot be read to its end (cannot decompress: truncated gzip input)",
            "make it anew (update-initramfs -u in the image), or take it out of config.txt"})
    );
}

TEST_F(Rules, InitramfsInit) {
    known_initramfs().programs.erase("init");
    const std::string remedy =
        "make it anew (update-initramfs -u in the image), or take it out of config.txt";
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "initramfs-init",
            "'initramfs8' has no /init that may be executed, so the kernel leaves it aside and "
            "mounts the root by itself",
            remedy})
    );
    known_kernel().mounts_root = false;
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "initramfs-init",
            "'initramfs8' has no /init that may be executed, and the kernel cannot mount an NFS "
            "root by itself (ROOT_NFS, IP_PNP)",
            remedy})
    );
    config("auto_initramfs=0\n");
    known_kernel().mounts_root = true;
    EXPECT_THAT(found(), IsEmpty()) << "nobody loads it";
}

TEST_F(Rules, CmdlineRdinit) {
    cmdline("rdinit=/bin/sh");
    EXPECT_THAT(found(), IsEmpty()) << "by way of a link";
    cmdline("rdinit=/sbin/mine");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "cmdline-rdinit",
            "cmdline has rdinit=/sbin/mine, which 'initramfs8' has not as a file that may be "
            "executed, so the kernel leaves it aside and mounts the root by itself",
            "name a program of the initramfs, or take rdinit= out"})
    );
    config("");
    tree["config.txt"] = layout::TextFile{"arm_64bit=1\n"};
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "cmdline-rdinit",
            "cmdline has rdinit=/sbin/mine, and no initramfs is loaded",
            "take it out, or have one loaded by config_txt: {auto_initramfs: 1}"})
    );
}

TEST_F(Rules, KernelNfsVersion) {
    facts.nfs_version = "4.2";
    const std::string remedy =
        "set root: {nfs_version: …} to one that it knows, or give the profile another kernel:";
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "kernel-nfs-version",
            "its root is asked for with NFS version 4.2, and the image's kernel 'kernel8.img' "
            "(6.6.31-v8) knows only 3, 4",
            remedy})
    );
    facts.nfs_version = "4";
    EXPECT_THAT(found(), IsEmpty()) << "the initramfs brings the module";
    config("arm_64bit=1\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "kernel-nfs-version",
            "its root is asked for with NFS version 4, and the image's kernel 'kernel8.img' "
            "(6.6.31-v8) knows only 3 without an initramfs that brings its modules",
            remedy})
    );
}

TEST_F(Rules, KernelNfsRoot) {
    known_kernel().mounts_root = false;
    EXPECT_THAT(found(), IsEmpty()) << "the initramfs mounts it";
    config("arm_64bit=1\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "kernel-nfs-root",
            "no initramfs is loaded, and kernel 'kernel8.img' (6.6.31-v8) cannot mount an NFS root "
            "by itself (ROOT_NFS, IP_PNP)",
            "have the image's initramfs loaded by config_txt: {auto_initramfs: 1}, or give the "
            "profile a kernel: with presets: [nfsroot]"})
    );
    known_kernel().configured = false;
    EXPECT_THAT(found(), IsEmpty()) << "nobody knows";
}

// A shared root is started by an initramfs of ours.
TEST_F(Rules, TheInitramfsOfASharedRootIsMadeToFit) {
    tree[std::string(shared_initramfs)] = layout::ObjectFile{};
    config("initramfs bramble-initramfs.gz followkernel\n");
    known_kernel().mounts_root = false;
    facts.nfs_version = "4";
    EXPECT_THAT(found(), IsEmpty());
}

TEST(GenericRules, BootFilesMissing) {
    TreeFacts facts;
    facts.model = BoardModel::generic;
    EXPECT_THAT(
        lint_tree({}, facts),
        ElementsAre(Finding{
            false,
            "boot-files-missing",
            "there are no boot files",
            "give the image a boot directory or the profile boot_files:"})
    );
}

// ---- the kernel's command line

TEST_F(Rules, CmdlineInit) {
    facts.root_programs = {{"/opt/lab", false}, {"/sbin/init", true}};
    cmdline("init=/opt/lab init=/sbin/init -- init=/opt/lab");
    EXPECT_THAT(found(), IsEmpty());
    cmdline("init=/opt/other");
    EXPECT_THAT(found(), IsEmpty()) << "nobody looked";
    cmdline("init=/opt/lab");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            true,
            "cmdline-init",
            "cmdline has init=/opt/lab, and the root has no such file that may be executed: the "
            "kernel stops there",
            "name a program of the root, or put it there with the image's customize: {files: …}"})
    );
}

// COMMAND_LINE_SIZE: 1024 of arm, 2048 of arm64, with the closing NUL.
TEST_F(Rules, CmdlineLengthByArchitecture) {
    cmdline(std::string(2047, 'x'));
    EXPECT_THAT(found(), IsEmpty());
    known_kernel().width = KernelWidth::arm;
    cmdline(std::string(1023, 'x'));
    EXPECT_THAT(found(), IsEmpty());
    cmdline(std::string(1024, 'x'));
    const Finding finding{
        true,
        "cmdline-length",
        "the kernel's command line is 1024 bytes long; a 32-bit kernel takes 1023",
        "shorten the profile's or the board's cmdline"};
    EXPECT_THAT(found(), ElementsAre(finding));
    facts.files.clear();
    EXPECT_THAT(found(), ElementsAre(finding)) << "which kernel it is, nobody knows";
    config("os_prefix=lab/\n");
    Finding warning = finding;
    warning.fatal = false;
    EXPECT_THAT(found(), testing::Contains(warning)) << "not even what it is called: perhaps arm64";
    CmdlineInputs inputs;
    inputs.profile = {std::string(2048, 'x')};
    EXPECT_THAT(
        make_cmdline(inputs).findings,
        ElementsAre(Finding{
            true,
            "cmdline-length",
            "the kernel's command line is 2048 bytes long; a 64-bit kernel takes 2047",
            "shorten the profile's or the board's cmdline"})
    );
}

}  // namespace
}  // namespace bramble::boot
