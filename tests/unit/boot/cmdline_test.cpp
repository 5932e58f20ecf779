// The kernel's command line, fact sheet 7.2.
#include "provisioning/boot/cmdline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CmdlineInputs lab() {
    CmdlineInputs inputs;
    inputs.root = NfsRoot{"172.16.1.1", "/var/lib/bramble/boards/pi-01/root.0123456789abcdef"};
    inputs.profile = {"console=serial0,115200", "console=tty1"};
    return inputs;
}

std::vector<std::string> rules(const Text& text) {
    std::vector<std::string> found;
    for (const Finding& finding : text.findings) found.push_back(finding.rule);
    return found;
}

// "use vers=3,tcp": klibc's nfsmount rejects proto=; "always write rsize=131072,wsize=131072".
TEST(Cmdline, PerBoardRootOverNfs3) {
    const Text text = make_cmdline(lab());
    EXPECT_EQ(
        text.text,
        "console=serial0,115200 console=tty1 root=/dev/nfs "
        "nfsroot=172.16.1.1:/var/lib/bramble/boards/pi-01/root.0123456789abcdef,"
        "vers=3,tcp,rsize=131072,wsize=131072 rw ip=dhcp rootwait\n"
    );
    EXPECT_THAT(text.findings, IsEmpty());
}

TEST(Cmdline, ReadOnlyRootOverNfs42) {
    CmdlineInputs inputs = lab();
    inputs.root = NfsRoot{"nas", "/export/base", "4.2", true};
    EXPECT_EQ(
        make_cmdline(inputs).text,
        "console=serial0,115200 console=tty1 root=/dev/nfs "
        "nfsroot=nas:/export/base,vers=4.2,tcp,rsize=131072,wsize=131072 ro ip=dhcp rootwait\n"
    );
}

// Each rule by its exact sentence: they are what an operator reads.
TEST(Cmdline, WhatHasNoEffectOrAnotherIsToldWithTheRemedy) {
    CmdlineInputs inputs = lab();
    inputs.profile = {"elevator=deadline", "crashkernel=auto", "quiet debug"};
    const Text text = make_cmdline(inputs);
    EXPECT_THAT(
        text.findings,
        ElementsAre(
            Finding{
                false,
                "cmdline-elevator",
                "cmdline parameter 'elevator=deadline' has no effect since Linux 5.0",
                "take it out; an I/O scheduler is set by a udev rule or in /sys/block"},
            Finding{
                false,
                "cmdline-crashkernel",
                "crashkernel=auto is known to kernels of the Fedora family only: others reserve "
                "nothing",
                "write the size, such as crashkernel=128M"},
            Finding{
                false,
                "cmdline-contradiction",
                "cmdline has quiet and debug: the kernel takes the last one",
                "leave one of them"}
        )
    );
    EXPECT_THAT(text.text, testing::StartsWith("elevator=deadline crashkernel=auto quiet debug "))
        << "it is said and not silently mended";
}

TEST(Cmdline, ANumberAloneHasLostItsConsole) {
    CmdlineInputs inputs = lab();
    inputs.profile = {"console=serial0", "115200", "console=tty1", "3"};
    EXPECT_THAT(
        make_cmdline(inputs).findings,
        ElementsAre(Finding{
            false,
            "cmdline-number",
            "cmdline has the number 115200 alone, behind 'console=serial0'",
            "write 'console=serial0,115200' if that is meant, else take it out"})
    );
}

TEST(Cmdline, ParametersThatStandThereTwice) {
    CmdlineInputs inputs = lab();
    inputs.profile = {"loglevel=3", "console=tty1", "console=serial0,115200", "nowatchdog"};
    inputs.board = {"loglevel=7", "nowatchdog", "usbhid.mousepoll=0", "usbhid.mousepoll=0"};
    const Text text = make_cmdline(inputs);
    EXPECT_THAT(rules(text), ElementsAre("cmdline-twice", "cmdline-twice", "cmdline-twice"));
    EXPECT_EQ(
        text.findings[0].message,
        "cmdline has 'loglevel=3' and 'loglevel=7': the kernel takes the last one"
    );
    EXPECT_EQ(text.findings[1].message, "cmdline parameter 'nowatchdog' stands there twice");
}

// init/main.c: what stands behind "--" goes to init.
TEST(Cmdline, WordsForInitFollowTheRoot) {
    CmdlineInputs inputs = lab();
    inputs.root->path = "/r";
    inputs.profile = {"quiet", "--", "single", "ro", "ip=off"};
    inputs.board = {"debug=1"};
    const Text text = make_cmdline(inputs);
    EXPECT_EQ(
        text.text,
        "quiet debug=1 root=/dev/nfs nfsroot=172.16.1.1:/r,vers=3,tcp,rsize=131072,wsize=131072 rw "
        "ip=dhcp rootwait -- single ro ip=off\n"
    );
    EXPECT_THAT(text.findings, IsEmpty());
    inputs.profile.clear();
    inputs.board.clear();
    inputs.image = "quiet rw -- quiet single\n";
    EXPECT_THAT(make_cmdline(inputs).text, testing::EndsWith(" rootwait -- quiet single\n"));
}

// Full static form: ip=<ip>:<srv>:<gw>:<mask>:<host>:eth0:off
TEST(Cmdline, StaticAddressInItsFullForm) {
    CmdlineInputs inputs = lab();
    inputs.profile.clear();
    inputs.root->path = "/r";
    inputs.static_address = StaticAddress{
        Ipv4Address::parse("172.16.1.3").value(),
        Ipv4Address::parse("172.16.1.1").value(),
        Ipv4Address::parse("172.16.1.254").value(),
        Ipv4Address::parse("255.255.255.0").value(),
        "pi-01"};
    EXPECT_EQ(
        make_cmdline(inputs).text,
        "root=/dev/nfs nfsroot=172.16.1.1:/r,vers=3,tcp,rsize=131072,wsize=131072 rw "
        "ip=172.16.1.3:172.16.1.1:172.16.1.254:255.255.255.0:pi-01:eth0:off rootwait\n"
    );
    inputs.static_address->router.reset();
    EXPECT_THAT(make_cmdline(inputs).text, testing::HasSubstr("172.16.1.1::255.255.255.0"));
}

TEST(Cmdline, TheBoardsParametersFollowTheProfiles) {
    CmdlineInputs inputs = lab();
    inputs.root.reset();
    inputs.board = {"loglevel=7 debug", "dyndbg=\"file a.c +p\""};
    EXPECT_EQ(
        make_cmdline(inputs).text,
        "console=serial0,115200 console=tty1 loglevel=7 debug dyndbg=\"file a.c +p\"\n"
    );
}

// "Remove init=/usr/lib/raspberrypi-sys-mods/firstboot, root=PARTUUID…, quiet first-boot resize".
TEST(Cmdline, TheImagesOwnLineIsCleanedOfItsSdCard) {
    CmdlineInputs inputs = lab();
    inputs.profile.clear();
    inputs.root->path = "/r";
    inputs.image =
        "console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 "
        "fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot "
        "systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot "
        "cfg80211.ieee80211_regdom=GB\n";
    EXPECT_EQ(
        make_cmdline(inputs).text,
        "console=serial0,115200 console=tty1 cfg80211.ieee80211_regdom=GB root=/dev/nfs "
        "nfsroot=172.16.1.1:/r,vers=3,tcp,rsize=131072,wsize=131072 rw ip=dhcp rootwait\n"
    );
}

TEST(Cmdline, WithoutARootTheImagesOwnLineStays) {
    CmdlineInputs inputs;
    inputs.image = "root=/dev/mmcblk0p2 quiet\n";
    EXPECT_EQ(make_cmdline(inputs).text, "root=/dev/mmcblk0p2 quiet\n");
}

TEST(Cmdline, ARootOfTheProfilesOwnIsAContradiction) {
    CmdlineInputs inputs = lab();
    for (const char* parameter :
         {"root=/dev/sda1",
          "\"root=/dev/sda1\"",
          "nfsroot=10.0.0.1:/x",
          "ip=off",
          "ro",
          "rootfstype=ext4"}) {
        inputs.profile = {parameter};
        const Text text = make_cmdline(inputs);
        ASSERT_THAT(rules(text), ElementsAre("cmdline-root")) << parameter;
        EXPECT_TRUE(text.findings.front().fatal);
    }
    EXPECT_EQ(
        make_cmdline(inputs).findings.front().message,
        "cmdline parameter 'rootfstype=ext4' contradicts the NFS root that this board gets"
    );
    inputs.profile = {"rw rootwait", "rootfstype=nfs"};  // the same again is no contradiction
    EXPECT_THAT(make_cmdline(inputs).findings, IsEmpty());
    EXPECT_EQ(make_cmdline(inputs).text.find("root=/dev/nfs"), 0U);
}

TEST(Cmdline, HoldsItsLimitToTheByte) {
    CmdlineInputs inputs;
    inputs.profile = {std::string(cmdline_bytes_max, 'x')};
    EXPECT_THAT(make_cmdline(inputs).findings, IsEmpty());
    inputs.profile = {std::string(cmdline_bytes_max + 1, 'x')};
    EXPECT_THAT(rules(make_cmdline(inputs)), ElementsAre("cmdline-length"));
}

TEST(Cmdline, OneLineOfAscii) {
    CmdlineInputs inputs = lab();
    inputs.profile = {"a\nb"};
    EXPECT_THAT(rules(make_cmdline(inputs)), ElementsAre("cmdline-ascii"));
    inputs.profile = {"motd=größer"};
    EXPECT_THAT(rules(make_cmdline(inputs)), ElementsAre("cmdline-ascii"));
}

TEST(Cmdline, PathsThatNfsrootCannotCarryAreRefused) {
    CmdlineInputs inputs = lab();
    for (const char* path : {"/with blank/r", "/with,comma", "/with%s"}) {
        inputs.root->path = path;
        EXPECT_THAT(rules(make_cmdline(inputs)), ElementsAre("nfsroot-path")) << path;
    }
}

}  // namespace
}  // namespace bramble::boot
