// Trees as the releases of Raspberry Pi OS have them, and what is left of their first boot.
#include "provisioning/image/first_boot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"

namespace bramble::image {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FirstBootOf : public testing::Test {
protected:
    // What all releases have in common; `machine_byte` and `bits` as in elf(5).
    void make(const char* version, const char* codename, bool is_64_bit) {
        std::string program(20, '\0');
        program.replace(
            0,
            4,
            "\x7f"
            "ELF"
        );
        program[4] = is_64_bit ? 2 : 1;
        program[18] = is_64_bit ? '\xb7' : '\x28';
        put("bin/sh", program);
        put("etc/os-release",
            std::string("PRETTY_NAME=\"x\"\nNAME=\"") +
                (is_64_bit ? "Debian GNU/Linux" : "Raspbian GNU/Linux") + "\"\nVERSION_ID=\"" +
                version + "\"\nVERSION_CODENAME=" + codename + "\n");
        put("etc/rpi-issue",
            "Raspberry Pi reference 2025-05-13\nGenerated using pi-gen, "
            "https://github.com/RPi-Distro/pi-gen, 4f3c, stage2\n");
        put("usr/lib/raspberrypi-sys-mods/regenerate_ssh_host_keys", "#!/bin/sh\n");
        unit("regenerate_ssh_host_keys.service");
        unit("systemd-growfs-root.service");
    }

    void put(const host::Path& path, std::string_view text) {
        machine.put_file("/root" / path, text);
    }

    void unit(const std::string& name) {
        put("lib/systemd/system/" + name, "[Unit]\n");
        machine.put_symlink(
            "/root/etc/systemd/system/multi-user.target.wants/" + name,
            "/lib/systemd/system/" + name
        );
    }

    FirstBoot take(std::string_view cmdline) {
        root::DirectoryTree tree(machine, "/root");
        const auto found = take_out_first_boot(tree, cmdline);
        EXPECT_TRUE(found) << found.error().message;
        return found.value_or(FirstBoot{});
    }

    std::string mask(const std::string& unit) {
        const auto link = machine.read_link("/root/etc/systemd/system/" + unit);
        return link ? link->string() : "";
    }

    host::MemoryHost machine;
};

TEST_F(FirstBootOf, Bullseye32BitWithBootFilesInBoot) {
    make("11", "bullseye", false);
    put("etc/init.d/resize2fs_once", "#!/bin/sh\n");
    unit("dphys-swapfile.service");
    put("var/swap", "swap");
    put("etc/fstab",
        "proc            /proc           proc    defaults          0       0\n"
        "PARTUUID=0ee3e8a8-01  /boot           vfat    defaults          0       2\n"
        "PARTUUID=0ee3e8a8-02  /               ext4    defaults,noatime  0       1\n"
        "# a swapfile is not a swap partition, no line here\n");
    const FirstBoot found = take(
        "console=serial0,115200 console=tty1 root=PARTUUID=0ee3e8a8-02 rootfstype=ext4 rootwait "
        "quiet init=/usr/lib/raspi-config/init_resize.sh\n"
    );
    EXPECT_EQ(found.release, "Raspberry Pi OS 11 (bullseye), 32 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "init=…/init_resize.sh of cmdline.txt",
            "growing the root (resize2fs_once)",
            "growing the root (systemd-growfs)",
            "swap file (dphys-swapfile)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "/var/swap",
            "2 lines of fstab"
        )
    );
    EXPECT_EQ(
        machine.text_at("/root/etc/fstab"),
        "proc            /proc           proc    defaults          0       0\n"
        "# a swapfile is not a swap partition, no line here\n"
    );
    EXPECT_FALSE(machine.exists("/root/var/swap"));
    for (const char* name :
         {"resize2fs_once.service", "dphys-swapfile.service", "systemd-growfs-root.service"})
        EXPECT_EQ(mask(name), "/dev/null") << name;
}

TEST_F(FirstBootOf, Bookworm64BitWithBootFilesInFirmware) {
    make("12", "bookworm", true);
    put("usr/lib/raspberrypi-sys-mods/firstboot", "#!/bin/bash\n");
    unit("dphys-swapfile.service");
    put("etc/fstab",
        "PARTUUID=4e639091-01  /boot/firmware  vfat    defaults          0       2\n"
        "PARTUUID=4e639091-02  /               ext4    defaults,noatime  0       1\n"
        "nas:/home /home nfs defaults 0 0\n");
    const FirstBoot found = take(
        "console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait quiet "
        "init=/usr/lib/raspberrypi-sys-mods/firstboot\n"
    );
    EXPECT_EQ(found.release, "Raspberry Pi OS 12 (bookworm), 64 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "init=…/firstboot of cmdline.txt",
            "growing the root (systemd-growfs)",
            "swap file (dphys-swapfile)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "2 lines of fstab"
        )
    );
    EXPECT_EQ(machine.text_at("/root/etc/fstab"), "nas:/home /home nfs defaults 0 0\n");
}

TEST_F(FirstBootOf, TrixieWithItsSwapGeneratorItsResizeAndCloudInit) {
    make("13", "trixie", true);
    unit("rpi-resize.service");
    put("lib/systemd/system-generators/rpi-swap-generator", "#!/bin/sh\n");
    put("lib/systemd/system/rpi-resize-swap-file.service", "[Unit]\n");
    put("etc/cloud/cloud.cfg", "users: []\n");
    put("etc/fstab",
        "PARTUUID=7351b90c-01 /boot/firmware vfat defaults 0 2\n"
        "PARTUUID=7351b90c-02 / ext4 defaults,noatime,x-systemd.growfs 0 1\n");
    const std::string cmdline =
        "console=serial0,115200 console=tty1 root=PARTUUID=7351b90c-02 rootfstype=ext4 "
        "fsck.repair=yes rootwait resize ds=nocloud;i=rpi-imager-1 cfg80211.ieee80211_regdom=GB\n";
    const FirstBoot found = take(cmdline);
    EXPECT_EQ(found.release, "Raspberry Pi OS 13 (trixie), 64 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "resize of cmdline.txt",
            "ds=nocloud of cmdline.txt",
            "growing the root (rpi-resize.service)",
            "growing the root (systemd-growfs)",
            "swap file (rpi-swap)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "2 lines of fstab",
            "cloud-init"
        )
    );
    EXPECT_EQ(
        machine.read_link("/root/etc/systemd/system-generators/rpi-swap-generator").value(),
        "/dev/null"
    );
    EXPECT_EQ(mask("rpi-resize.service"), "/dev/null");
    EXPECT_TRUE(machine.exists("/root/etc/cloud/cloud-init.disabled"));
    const auto once = machine.tree("/root");
    take(cmdline);
    EXPECT_EQ(machine.tree("/root"), once);
}

TEST_F(FirstBootOf, Bookworm32BitWithBootFilesInFirmware) {
    make("12", "bookworm", false);
    put("usr/lib/raspberrypi-sys-mods/firstboot", "#!/bin/bash\n");
    unit("dphys-swapfile.service");
    put("etc/fstab",
        "proc            /proc           proc    defaults          0       0\n"
        "PARTUUID=fc7bd0a6-01  /boot/firmware  vfat    defaults          0       2\n"
        "PARTUUID=fc7bd0a6-02  /               ext4    defaults,noatime  0       1\n");
    const FirstBoot found = take(
        "console=serial0,115200 console=tty1 root=PARTUUID=fc7bd0a6-02 rootfstype=ext4 "
        "fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n"
    );
    EXPECT_EQ(found.release, "Raspberry Pi OS 12 (bookworm), 32 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "init=…/firstboot of cmdline.txt",
            "growing the root (systemd-growfs)",
            "swap file (dphys-swapfile)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "2 lines of fstab"
        )
    );
    EXPECT_EQ(
        machine.text_at("/root/etc/fstab"),
        "proc            /proc           proc    defaults          0       0\n"
    );
    EXPECT_EQ(mask("dphys-swapfile.service"), "/dev/null");
}

// Whoever upgraded bullseye in place still has the boot partition at /boot, and its machinery.
TEST_F(FirstBootOf, BookwormWithBootFilesInBoot) {
    make("12", "bookworm", true);
    put("etc/init.d/resize2fs_once", "#!/bin/sh\n");
    unit("dphys-swapfile.service");
    put("var/swap", "swap");
    put("etc/fstab",
        "PARTUUID=4e639091-01  /boot           vfat    defaults          0       2\n"
        "PARTUUID=4e639091-02  /               ext4    defaults,noatime  0       1\n"
        "tmpfs /boot/cache tmpfs defaults 0 0\n");
    const FirstBoot found = take(
        "console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 rootwait quiet "
        "init=/usr/lib/raspi-config/init_resize.sh\n"
    );
    EXPECT_EQ(found.release, "Raspberry Pi OS 12 (bookworm), 64 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "init=…/init_resize.sh of cmdline.txt",
            "growing the root (resize2fs_once)",
            "growing the root (systemd-growfs)",
            "swap file (dphys-swapfile)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "/var/swap",
            "2 lines of fstab"
        )
    );
    EXPECT_EQ(machine.text_at("/root/etc/fstab"), "tmpfs /boot/cache tmpfs defaults 0 0\n");
    EXPECT_FALSE(machine.exists("/root/var/swap"));
}

TEST_F(FirstBootOf, Trixie32BitWithoutCloudInit) {
    make("13", "trixie", false);
    unit("rpi-resize.service");
    put("lib/systemd/system-generators/rpi-swap-generator", "#!/bin/sh\n");
    put("etc/fstab",
        "PARTUUID=0a1b2c3d-01 /boot/firmware vfat defaults 0 2\n"
        "PARTUUID=0a1b2c3d-02 / ext4 defaults,noatime 0 1\n");
    const FirstBoot found =
        take("console=tty1 root=PARTUUID=0a1b2c3d-02 rootfstype=ext4 rootwait resize\n");
    EXPECT_EQ(found.release, "Raspberry Pi OS 13 (trixie), 32 bit, of 2025-05-13");
    EXPECT_THAT(
        found.taken_out,
        ElementsAre(
            "root=PARTUUID= of cmdline.txt",
            "resize of cmdline.txt",
            "growing the root (rpi-resize.service)",
            "growing the root (systemd-growfs)",
            "new SSH host keys (regenerate_ssh_host_keys)",
            "swap file (rpi-swap)",
            "2 lines of fstab"
        )
    );
    EXPECT_FALSE(machine.exists("/root/etc/cloud/cloud-init.disabled"));
}

TEST_F(FirstBootOf, AnotherSystemsRootIsLeftAsItIs) {
    put("etc/os-release", "VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");
    put("etc/fstab", "PARTUUID=4e639091-02 / ext4 defaults 0 1\n");
    put("var/swap", "swap");
    unit("systemd-growfs-root.service");
    const auto before = machine.tree("/root");
    const FirstBoot found = take("root=PARTUUID=4e639091-02 resize");
    EXPECT_EQ(found.release, "");
    EXPECT_THAT(found.taken_out, IsEmpty());
    EXPECT_EQ(machine.tree("/root"), before);
    EXPECT_EQ(machine.text_at("/root/etc/fstab"), "PARTUUID=4e639091-02 / ext4 defaults 0 1\n");
}

TEST_F(FirstBootOf, WhatIsNotThereIsNotSaidToBeTakenOut) {
    put("usr/lib/raspberrypi-sys-mods/firstboot", "#!/bin/bash\n");
    const FirstBoot found = take("console=tty1 rootwait resizer init=/bin/sh");
    EXPECT_EQ(found.release, "Raspberry Pi OS");
    EXPECT_THAT(found.taken_out, IsEmpty());
}

}  // namespace
}  // namespace bramble::image
