// One thing of a sound generation is spoilt; the rehearsal's first sentence says which.
#include <gtest/gtest.h>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

TEST(InjectedTest, NoDeviceTree) {
    Lab lab;
    lab.remove("bcm2711-rpi-4-b.dtb");
    EXPECT_EQ(
        lab.first(),
        "STOPS config: bcm2711-rpi-4-b.dtb is not served, and the kernel starts without a device "
        "tree"
    );
}

TEST(InjectedTest, NoStartFile) {
    Lab lab;
    lab.remove("start4.elf");
    EXPECT_EQ(
        lab.first(),
        "STOPS firmware: neither start4.elf nor start.elf is served: the board stops with its LED "
        "at "
        "four short flashes"
    );
}

TEST(InjectedTest, StartFileOfAnotherModel) {
    Lab lab;
    lab.remove("start4.elf");
    lab.object("start.elf", "of a Pi 3");
    EXPECT_EQ(
        lab.first(),
        "STOPS firmware: start4.elf is not served, and the board takes start.elf, which is a "
        "Raspberry Pi 3's"
    );
}

TEST(InjectedTest, NoFixup) {
    Lab lab;
    lab.remove("fixup4.dat");
    EXPECT_EQ(
        lab.first(),
        "doubt firmware: fixup4.dat is not served: the board sees a part of its memory only"
    );
    EXPECT_TRUE(lab.rehearse().boots());
}

TEST(InjectedTest, NoKernel) {
    Lab lab;
    lab.remove("kernel8.img");
    EXPECT_EQ(
        lab.first(),
        "STOPS kernel: none of kernel8.img, kernel7l.img, kernel.img is served: the board stops "
        "with "
        "its LED at seven short flashes"
    );
}

TEST(InjectedTest, KernelThatIsNamedAndNotServed) {
    Lab lab;
    lab.text("config.txt", "kernel=vmlinuz.img\n");
    EXPECT_EQ(
        lab.first(),
        "STOPS kernel: config.txt names the kernel vmlinuz.img, which is not served: the board "
        "stops with its LED at seven short flashes"
    );
}

TEST(InjectedTest, KernelOf32BitsStartedWith64) {
    Lab lab;
    lab.object("kernel8.img", Lab::arm_kernel());
    EXPECT_EQ(
        lab.first(),
        "STOPS kernel: kernel8.img is a 32-bit kernel, and the firmware starts it as a 64-bit one "
        "(arm_64bit=1)"
    );
}

TEST(InjectedTest, KernelOf64BitsStartedWith32) {
    Lab lab;
    lab.text("config.txt", "arm_64bit=0\nkernel=kernel8.img\n");
    EXPECT_EQ(
        lab.first(),
        "STOPS kernel: kernel8.img is a 64-bit kernel, and the firmware starts it as a 32-bit one "
        "(arm_64bit=0)"
    );
}

TEST(InjectedTest, CorruptInitramfs) {
    Lab lab;
    lab.initramfs_facts = fail("truncated gzip input");
    EXPECT_EQ(lab.first(), "STOPS kernel: initramfs8 is not an initramfs: truncated gzip input");
}

TEST(InjectedTest, InitramfsThatIsNamedAndNotServed) {
    Lab lab;
    lab.text("config.txt", "initramfs initrd.img followkernel\n");
    EXPECT_EQ(
        lab.first(), "STOPS kernel: config.txt names the initramfs initrd.img, which is not served"
    );
}

TEST(InjectedTest, ConfigTooLong) {
    Lab lab;
    lab.text("config.txt", std::string(4097, '#'));
    EXPECT_EQ(
        lab.first(),
        "STOPS config: config.txt has 4097 bytes, and the firmware ignores one of more than 4096 "
        "as "
        "a whole"
    );
    lab.text("config.txt", "#" + std::string(4094, '#') + "\n");
    EXPECT_EQ(lab.first(), "");
}

TEST(InjectedTest, ConfigWithAForeignByte) {
    Lab lab;
    lab.text("config.txt", "# gr\xc3\xbc\xc3\x9f\narm_64bit=1\n");
    EXPECT_EQ(
        lab.first(),
        "STOPS config: config.txt:1 has a byte that is not ASCII, where the firmware stops reading"
    );
}

TEST(InjectedTest, ConfigLineTooLong) {
    Lab lab;
    lab.text("config.txt", "arm_64bit=1\ndtparam=" + std::string(91, 'x') + "\n");
    EXPECT_EQ(
        lab.first(), "doubt config: config.txt:2 has 99 characters, and the firmware reads 98"
    );
}

TEST(InjectedTest, ConfigIncludesWhatIsNotServed) {
    Lab lab;
    lab.text("config.txt", "[pi4]\ninclude usercfg.txt\n[pi5]\ninclude other.txt\n");
    EXPECT_EQ(lab.first(), "doubt config: config.txt includes usercfg.txt, which is not served");
}

TEST(InjectedTest, OverlayThatIsNotServed) {
    Lab lab;
    lab.text("config.txt", "dtoverlay=disable-bt\n");
    EXPECT_EQ(
        lab.first(),
        "doubt config: dtoverlay=disable-bt has no effect, because overlays/disable-bt.dtbo is not "
        "served"
    );
}

TEST(InjectedTest, OsPrefixThatDoesNotHold) {
    Lab lab;
    lab.text("config.txt", "os_prefix=new/\n");
    lab.object("new/kernel8.img", Lab::arm64_kernel());
    EXPECT_EQ(
        lab.first(),
        "STOPS config: os_prefix=new/ does not hold, because new/bcm2711-rpi-4-b.dtb is not served"
    );
    lab.object("new/bcm2711-rpi-4-b.dtb", "device tree");
    lab.text("new/cmdline.txt", std::get<layout::TextFile>(lab.board().files["cmdline.txt"]).text);
    EXPECT_EQ(lab.first(), "");
}

TEST(InjectedTest, NoCommandLine) {
    Lab lab;
    lab.board().files.erase("cmdline.txt");
    EXPECT_EQ(lab.first(), "STOPS config: cmdline.txt is not served");
}

TEST(InjectedTest, CommandLineOfTwoLines) {
    Lab lab;
    lab.text(
        "cmdline.txt", "root=/dev/nfs nfsroot=172.16.1.1:/srv/pi-01,vers=3,tcp ip=dhcp\nquiet\n"
    );
    EXPECT_EQ(
        lab.first(), "STOPS config: cmdline.txt has 2 lines, and the kernel gets the first one only"
    );
}

TEST(InjectedTest, CommandLineWithoutAnNfsRoot) {
    Lab lab;
    lab.text("cmdline.txt", "root=/dev/mmcblk0p2 rw\n");
    EXPECT_EQ(
        lab.first(), "STOPS config: cmdline.txt has no root=/dev/nfs (root is '/dev/mmcblk0p2')"
    );
}

TEST(InjectedTest, NfsVersionThatKlibcDoesNotKnow) {
    Lab lab;
    lab.text("cmdline.txt", "root=/dev/nfs nfsroot=172.16.1.1:/srv/pi-01,vers=4.2,tcp ip=dhcp\n");
    EXPECT_EQ(lab.first(), "") << "busybox hands it to the kernel";
    lab.initramfs_facts = InitramfsFacts{true, true};
    EXPECT_EQ(
        lab.first(), "STOPS root: klibc's nfsmount knows versions 2 and 3, not 4.2: use vers=3"
    );
}

TEST(InjectedTest, CommandLineThatMountsAnotherRoot) {
    Lab lab;
    lab.text("cmdline.txt", "root=/dev/nfs nfsroot=172.16.1.1:/srv/pi-02,vers=3,tcp ip=dhcp\n");
    EXPECT_EQ(
        lab.first(),
        "STOPS root: the command line mounts 172.16.1.1:/srv/pi-02, and this generation exports "
        "172.16.1.1:/srv/pi-01 to the board"
    );
}

TEST(InjectedTest, ExportRemoved) {
    Lab lab;
    lab.refusal = "access denied";
    EXPECT_EQ(lab.first(), "STOPS root: 172.16.1.1:/srv/pi-01: access denied");
}

TEST(InjectedTest, RootWithoutInit) {
    Lab lab;
    lab.root.entries.erase("/usr/sbin/init");
    EXPECT_EQ(lab.first(), "STOPS root: the root has no /sbin/init");
}

TEST(InjectedTest, ModulesOfAnotherRelease) {
    Lab lab;
    lab.root.entries.erase(std::string("/usr/lib/modules/") + Lab::release);
    lab.root.directory("/usr/lib/modules/5.10.0-1-arm64");
    EXPECT_EQ(
        lab.first(),
        "doubt root: the kernel is 6.1.0-56-arm64, and the root has modules of 5.10.0-1-arm64 only"
    );
}

// The kernel itself says what it is; the record of its image may be older.
TEST(InjectedTest, KernelOfAnotherReleaseThanTheImages) {
    Lab lab;
    lab.object("kernel8.img", Lab::arm64_kernel("6.12.1-v8"));
    EXPECT_EQ(
        lab.first(),
        "doubt root: the kernel is 6.12.1-v8, and the root has modules of 6.1.0-56-arm64 only"
    );
}

TEST(InjectedTest, FstabWithADiskThatIsNotThere) {
    Lab lab;
    lab.root.file("/etc/fstab", "PARTUUID=12-01 /boot/firmware vfat defaults 0 2\n");
    EXPECT_EQ(
        lab.first(), "doubt userspace: /etc/fstab:1 mounts /boot/firmware from PARTUUID=12-01"
    );
}

// 65535 blocks of 1024 bytes: the counter of older firmware does not roll over.
TEST(InjectedTest, KernelTooLargeForAnOldBootLoader) {
    Lab lab;
    std::string kernel = Lab::arm64_kernel();
    kernel.resize(68'000'000);
    lab.object("kernel8.img", kernel);
    EXPECT_EQ(
        lab.first("pi4-2023"),
        "STOPS kernel: kernel8.img has 68.0 MB, and firmware pi4-2023 fetches no more than 67.1 MB "
        "by TFTP"
    );
    EXPECT_EQ(lab.first("pi4-2026"), "");
}

TEST(InjectedTest, ObjectThatIsMissing) {
    Lab lab;
    lab.lose("bcm2711-rpi-4-b.dtb");
    EXPECT_EQ(
        lab.first(), "STOPS firmware: bcm2711-rpi-4-b.dtb is damaged in the store: no such object"
    );
}

TEST(InjectedTest, ObjectWhoseBytesChanged) {
    Lab lab;
    lab.damage("start4.elf");
    EXPECT_EQ(
        lab.first(),
        "STOPS firmware: start4.elf is damaged in the store: its bytes are not what was stored"
    );
}

TEST(InjectedTest, BoardThatTheFleetFileDoesNotHave) {
    Lab lab;
    lab.fleet().boards.clear();
    EXPECT_EQ(
        lab.first(), "STOPS address: the fleet file has no board pi-01, so DHCP does not know it"
    );
}

TEST(InjectedTest, BoardThatDhcpHasNoAddressFor) {
    Lab lab;
    lab.fleet().boards.front().address.reset();
    EXPECT_EQ(
        lab.first(), "STOPS address: DHCP offers it nothing: no reserved address and no pool"
    );
}

}  // namespace
}  // namespace bramble::rehearsal
