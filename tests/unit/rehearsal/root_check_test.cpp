#include "services/rehearsal/root_check.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

std::string leads(const MemoryRoot& root, std::string_view path) {
    MemoryTree tree(root);
    const auto found = follow(tree, path);
    if (!found) return "error: " + found.error().message;
    return *found ? **found : "nowhere";
}

TEST(RootCheckTest, LinksAreFollowedAsTheBoardFollowsThem) {
    MemoryRoot root;
    root.file("/usr/bin/true");
    root.link("/bin", "usr/bin");
    root.link("/usr/sbin", "../bin");
    root.link("/usr/bin/yes", "true");
    root.link("/usr/bin/out", "../../../../usr/bin/true");
    root.link("/usr/bin/absolute", "/bin/true");
    root.link("/usr/bin/gone", "/nothing");
    EXPECT_EQ(leads(root, "/bin/true"), "/usr/bin/true");
    EXPECT_EQ(leads(root, "/usr/sbin/yes"), "/usr/bin/true");
    EXPECT_EQ(leads(root, "/bin/out"), "/usr/bin/true");
    EXPECT_EQ(leads(root, "/bin/absolute"), "/usr/bin/true");
    EXPECT_EQ(leads(root, "/bin/gone"), "nowhere");
    EXPECT_EQ(leads(root, "/"), "/");
}

TEST(RootCheckTest, ACircleOfLinksEnds) {
    MemoryRoot root;
    root.link("/a", "b");
    root.link("/b", "a");
    EXPECT_EQ(leads(root, "/a"), "error: a circle of symbolic links");
}

std::string first_of(const MemoryRoot& root, std::string_view cmdline, const std::string& release) {
    MemoryTree tree(root);
    Report report;
    check_root(tree, cmdline, release, report);
    return report.first() == nullptr ? "" : report.first()->sentence;
}

TEST(RootCheckTest, InitMustBeAProgram) {
    MemoryRoot root;
    root.file("/sbin/init", "", 0644);
    EXPECT_EQ(first_of(root, "", ""), "/sbin/init in the root may not be executed");
    root.file("/sbin/init", "", 0755);
    EXPECT_EQ(first_of(root, "", ""), "");
    root.directory("/sbin/init");
    EXPECT_EQ(first_of(root, "", ""), "/sbin/init in the root is no program");
}

TEST(RootCheckTest, TheCommandLineMayNameAnotherInit) {
    MemoryRoot root;
    root.file("/bin/sh", "", 0755);
    EXPECT_EQ(first_of(root, "quiet init=/bin/sh", ""), "");
    EXPECT_EQ(first_of(root, "init=/bin/bash", ""), "the root has no /bin/bash");
}

TEST(RootCheckTest, ARootWithoutModulesIsADoubtWhereTheKernelIsKnown) {
    MemoryRoot root;
    root.file("/sbin/init", "", 0755);
    EXPECT_EQ(first_of(root, "", "6.1"), "the root has no kernel modules, and the kernel is 6.1");
    EXPECT_EQ(first_of(root, "", ""), "");
}

std::vector<std::string> fstab(std::string_view text) {
    Report report;
    check_fstab(text, report);
    std::vector<std::string> out;
    for (const Finding& finding : report.findings) {
        EXPECT_FALSE(finding.stops);
        out.push_back(finding.sentence);
    }
    return out;
}

TEST(RootCheckTest, FstabLinesThatWaitForADisk) {
    EXPECT_EQ(
        fstab("# UUID=1 / ext4\n\n  proc /proc proc defaults 0 0\nUUID=2\t/data ext4 rw\n"
              "/dev/sda1 /usb ext4 rw,nofail 0 0\n/dev/sdb1 /x ext4 noauto\n/dev/mmcblk0p1 /boot"),
        (std::vector<std::string>{
            "/etc/fstab:4 mounts /data from UUID=2",
            "/etc/fstab:7 mounts /boot from /dev/mmcblk0p1"})
    );
}

TEST(RootCheckTest, FstabIsReadToItsBound) {
    std::string text;
    for (std::size_t i = 0; i < fstab_lines_max + 10; ++i) text += "UUID=1 /a ext4\n";
    EXPECT_EQ(fstab(text).size(), fstab_lines_max);
}

}  // namespace
}  // namespace bramble::rehearsal
