"""`bramble apply` of disk images as Raspberry Pi OS has them: what arrives is compared with its source, entry by entry."""

import lzma
import os
import pathlib
import shutil
import struct
import sys
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, payload  # noqa: E402
from disk_images import BOOT_AT, BOOT_MB, ROOT_MB, SECTOR, fill_erofs, fill_squashfs, make_image, tool, write_gpt  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from whole_root import describe, make_root  # noqa: E402

PI_OS_UNITS = ("regenerate_ssh_host_keys.service", "dphys-swapfile.service", "systemd-growfs-root.service")
BOARDS = '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}'
FIRMWARE = {
    "start4.elf": payload(200_000, "start4"), "fixup4.dat": payload(5000, "fixup4"), "kernel8.img": payload(900_000, "kernel"),
    "config.txt": b"arm_64bit=1\n", "overlays/A Long Name-of-an-overlay.dtbo": b"overlay",
    "cmdline.txt": b"console=tty1 root=PARTUUID=1234-02 rootfstype=ext4 rootwait quiet "
                   b"init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
}


def make_pi_os(root, firmware):
    """What a root has of Raspberry Pi OS bookworm, 64 bit, beside what every root has; its cmdline.txt is `firmware`'s."""
    for folder in ("usr/lib/systemd/system", "usr/lib/raspberrypi-sys-mods", "etc/systemd/system/multi-user.target.wants", "var"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for link in ("bin", "lib"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "usr/bin/sh").write_bytes(b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + b"\xb7\0")
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
    (root / "etc/rpi-issue").write_text("Raspberry Pi reference 2024-07-04\nGenerated using pi-gen, stage2\n")
    (root / "usr/lib/raspberrypi-sys-mods/firstboot").write_text("#!/bin/bash\n")
    for unit in PI_OS_UNITS:
        (root / "usr/lib/systemd/system" / unit).write_text("[Unit]\n")
        (root / "etc/systemd/system/multi-user.target.wants" / unit).symlink_to(f"/lib/systemd/system/{unit}")
    (root / "var/swap").write_bytes(bytes(4096))
    assert b"firstboot" in (firmware / "cmdline.txt").read_bytes()


class BootPartition:
    """The FAT32 of an image's bytes, one sector to a cluster, for whoever wants it to lie."""

    def __init__(self, image):
        self.image, self.begin = bytearray(image), BOOT_AT * SECTOR
        (self.reserved,), (self.fats,) = self.numbers("<H", 14), self.numbers("<B", 16)
        (self.fat_sectors,) = self.numbers("<I", 36)

    def numbers(self, form, at):
        return struct.unpack_from(form, self.image, self.begin + at)

    def entry_at(self, short_name):
        """Where the entry of that name (11 bytes) lies in the image."""
        at = self.image.index(short_name, self.begin)
        assert self.image[at + 11] & 8 == 0, "that is a label, or part of a long name"
        return at

    def cluster_of(self, short_name):
        at = self.entry_at(short_name)
        low, high = (struct.unpack_from("<H", self.image, at + offset)[0] for offset in (26, 20))
        return low | high << 16

    def set_cluster(self, short_name, cluster):
        at = self.entry_at(short_name)
        struct.pack_into("<H", self.image, at + 26, cluster & 0xFFFF)
        struct.pack_into("<H", self.image, at + 20, cluster >> 16)

    def chain(self, cluster, following):
        for number in range(self.fats):
            at = self.begin + (self.reserved + number * self.fat_sectors) * SECTOR + 4 * cluster
            struct.pack_into("<I", self.image, at, following)


class DiskImage(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        for program in ("mkfs.vfat", "mcopy", "mke2fs"):
            if shutil.which(program) is None:
                self.skipTest(f"{program} is not installed")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(switch, "eth1", address=f"{SERVER}/24")
        self.root, self.boot = self.lab.folder / "source", self.lab.folder / "firmware"
        for name, content in FIRMWARE.items():
            (self.boot / name).parent.mkdir(parents=True, exist_ok=True)
            (self.boot / name).write_bytes(content)
        self.root.mkdir()
        make_root(self.root)
        self.image = self.lab.folder / "lite.img"
        self.exact = make_image(self.image, self.root, self.boot)
        self.appliance = Appliance(self.server, "")

    def apply(self, file, check=True, place=None):
        store = (place or self.lab.folder) / f"store-{file.name}"
        self.appliance.write_fleet(fleet_yaml(
            store, f"  lite: {{source: {{file: {file}}}}}", "  lab: {image: lite}", BOARDS))
        return store, self.appliance.bramble("apply", check=check)

    def check_arrived(self, store, exact=None, without=(), changed=()):
        exact = self.exact if exact is None else exact
        (root,) = (store / "roots").iterdir()
        expected, expected_links = describe(self.root, exact, without)
        arrived, arrived_links = describe(root, exact, without)
        for entries in (expected, arrived):
            for name in changed:
                entries.pop(name, None)
        self.assertEqual(set(expected), set(arrived))
        for name, entry in expected.items():
            self.assertTrue(entry == arrived[name], f"{name}: {str(entry)[:500]} is {str(arrived[name])[:500]}")
        self.assertEqual(expected_links, arrived_links)
        self.assertEqual(len(expected_links[0]), 3)
        self.assertEqual(list((store / "tmp").iterdir()) if (store / "tmp").exists() else [], [])

    def test_a_raw_image_and_its_compressions_arrive_as_they_are(self):
        packed = self.lab.folder / "lite.img.xz"
        packed.write_bytes(lzma.compress(self.image.read_bytes(), preset=0))
        zipped = self.lab.folder / "LITE.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("read-me.txt", "not an image")
            archive.write(self.image, "2020-12-02-raspios-lite.img")
        for file in (self.image, packed, zipped):
            with self.subTest(file.name):
                store, said = self.apply(file)
                self.check_arrived(store)
                manifest = (store / "current/manifest.json").read_text()
                for name in FIRMWARE:
                    self.assertIn(name, manifest)
                self.assertNotIn("firstboot", manifest)
                self.assertNotIn("PARTUUID", manifest)
                board = self.server.path(store / "boards/pi-01/root")
                self.assertNotIn("PARTUUID", (board / "etc/fstab").read_text())

    def test_roots_that_are_read_only_filesystems_arrive_as_they_are(self):
        for fill, program, without in ((fill_squashfs, "mksquashfs", ("system.posix_acl_access", "system.posix_acl_default")),
                                       (fill_erofs, "mkfs.erofs", ())):
            with self.subTest(program):
                if shutil.which(program) is None:
                    self.skipTest(f"{program} is not installed: run 'sudo deploy/setup --for test'")
                file = self.lab.folder / f"{program}.img"
                exact = make_image(file, self.root, self.boot, fill)
                before = self.loops()
                store, _ = self.apply(file)
                self.check_arrived(store, exact, without)
                self.assertEqual(self.loops(), before, "a loop device was left behind")

    # A few kilobytes of squashfs may stand for terabytes. Here the source's hole of 300 MB is what there is no room for.
    def test_a_read_only_root_that_the_store_has_no_room_for_is_refused_before_it_is_copied(self):
        if shutil.which("mksquashfs") is None:
            self.skipTest("mksquashfs is not installed: run 'sudo deploy/setup --for test'")
        file, place = self.lab.folder / "bomb.img", self.lab.folder / "small"
        make_image(file, self.root, self.boot, fill_squashfs)
        place.mkdir()
        self.server.command("mount", "-t", "tmpfs", "-o", "size=500M", "tmpfs", place)
        store, said = self.apply(file, check=False, place=place)
        self.assertRegex(said, r"disk image '[^']*bomb.img': its root's files hold 300\.\d MB, and the store has \d+\.\d MB free, of which "
                               r"268.4 MB are left to others: make room, or fetch the image again if it cannot be so large")
        self.assertFalse((self.server.path(store) / "current").exists())

    def loops(self):
        return self.server.command("losetup", "--list", "--noheadings", "--output", "BACK-FILE").count(str(self.lab.folder))

    def test_an_image_with_a_gpt_arrives_as_it_is(self):
        if shutil.which("sfdisk") is None:
            self.skipTest("sfdisk is not installed: run 'sudo deploy/setup --for test'")
        file = self.lab.folder / "gpt.img"
        exact = make_image(file, self.root, self.boot, write_table=write_gpt)
        store, _ = self.apply(file)
        self.check_arrived(store, exact)
        self.assertIn("overlays/A Long Name-of-an-overlay.dtbo", (store / "current/manifest.json").read_text())
        whole = bytearray(file.read_bytes())
        whole[2 * SECTOR + 40] ^= 1  # where the first partition ends
        damaged = self.lab.folder / "damaged.img"
        damaged.write_bytes(whole)
        store, said = self.apply(damaged, check=False)
        self.assertIn("its GPT's entries are damaged (their sum is wrong)", said)
        self.assertFalse((store / "current").exists())

    def test_raspberry_pi_os_is_recognised_and_its_first_boot_taken_out(self):
        make_pi_os(self.root, self.boot)
        file = self.lab.folder / "pi-os.img"
        exact = make_image(file, self.root, self.boot)
        store, said = self.apply(file)
        self.assertIn("this is Raspberry Pi OS 12 (bookworm), 64 bit, of 2024-07-04; taken out: "
                      "root=PARTUUID= of cmdline.txt, init=…/firstboot of cmdline.txt, growing the root (systemd-growfs), "
                      "swap file (dphys-swapfile), new SSH host keys (regenerate_ssh_host_keys), /var/swap, 2 lines of fstab", said)
        (root,) = (store / "roots").iterdir()
        for unit in PI_OS_UNITS:
            self.assertEqual(os.readlink(root / "etc/systemd/system" / unit), "/dev/null")
        self.assertFalse((root / "var/swap").exists())
        self.assertEqual((root / "etc/fstab").read_text(), "")
        masks = [f"etc/systemd/system/{unit}".encode() for unit in PI_OS_UNITS]
        self.check_arrived(store, exact, changed=(b"etc", b"etc/fstab", b"etc/systemd/system", b"var", b"var/swap", *masks))
        for word in ("firstboot", "PARTUUID"):
            self.assertNotIn(word, (store / "current/manifest.json").read_text())
        self.assertIn("image lite is Raspberry Pi OS 12 (bookworm), 64 bit, of 2024-07-04; taken out: root=PARTUUID=", self.appliance.bramble("plan"))

    def test_an_empty_boot_partition_gives_no_boot_files(self):
        file = self.lab.folder / "empty.img"
        for name in ("img", "fat", "ext"):
            self.image.with_suffix(f".{name}").unlink(missing_ok=True)
        shutil.rmtree(self.boot)
        self.boot.mkdir()
        make_image(file, self.root, self.boot)
        store = self.lab.folder / "store"
        self.appliance.write_fleet(fleet_yaml(
            store, f"  lite: {{source: {{file: {file}}}}}", "  lab: {image: lite, boot_files: {start4.elf: lite.elf, fixup4.dat: lite.elf, kernel8.img: lite.elf}}", BOARDS))
        (self.lab.folder / "lite.elf").write_bytes(payload(1000, "elf"))
        self.assertIn("partition 1 is empty: it gives no boot files", self.appliance.bramble("apply"))
        self.check_arrived(store)

    def test_hostile_and_broken_images_are_refused_with_a_sentence(self):
        whole = self.image.read_bytes()

        def broken(name, content):
            file = self.lab.folder / name
            file.write_bytes(content)
            store, said = self.apply(file, check=False)
            self.assertFalse((store / "current").exists(), said)
            return said

        self.assertIn("partition 2 ends at sector", broken("short.img", whole[:100 << 20]))
        self.assertIn("cut short", broken("short.img.xz", lzma.compress(whole[:50 << 20], preset=0)[:20_000]))
        larger = bytearray(whole)
        struct.pack_into("<I", larger, 446 + 16 + 12, ROOT_MB * 1024)
        self.assertIn("larger than its partition", broken("larger.img", larger))
        # An entry of a directory that leads out of it: a name in /etc gets another one of the same length.
        slip = whole.replace(b"hostname", b"../../..")
        self.assertNotEqual(slip, whole)
        said = broken("slip.img", slip)
        self.assertTrue("hostile or damaged" in said or "is damaged" in said, said)
        self.assertIn("neither MBR nor GPT", broken("noise.img", bytes(1 << 20)))

    def test_hostile_boot_partitions_are_refused_before_anything_is_copied(self):
        whole = self.image.read_bytes()

        def lead_back(fat):
            fat.set_cluster(b"OVERLAYS   ", 2)

        def share(fat):
            fat.set_cluster(b"FIXUP4  DAT", fat.cluster_of(b"START4  ELF"))

        def go_round(fat):
            fat.chain(fat.cluster_of(b"KERNEL8 IMG") + 1, fat.cluster_of(b"KERNEL8 IMG"))

        def lead_out(fat):
            at = fat.entry_at(b"START4  ELF")
            fat.image[at:at + 11] = b"../../X ELF"

        def leave(fat):
            fat.chain(fat.cluster_of(b"KERNEL8 IMG"), 0x0FFFFFF7)

        for name, lie, sentence in (
                ("loop", lead_back, "cluster 2 of 'overlays' is another's already"),
                ("shared", share, "is another's already"),
                ("round", go_round, "of 'kernel8.img' is another's already"),
                ("slip", lead_out, "is no name of a file"),
                ("outside", leave, "'kernel8.img' lies in cluster 268435447, and there are 2 to")):
            with self.subTest(name):
                fat = BootPartition(whole)
                lie(fat)
                file = self.lab.folder / f"{name}.img"
                file.write_bytes(fat.image)
                store, said = self.apply(file, check=False)
                self.assertFalse((store / "current").exists(), said)
                self.assertIn(f"disk image '{file}': its FAT partition is hostile or damaged: ", said)
                self.assertIn(sentence, said)
                self.assertIn("fetch the image again, or repair it with fsck.vfat", said)
                file.unlink()


if __name__ == "__main__":
    unittest.main(verbosity=2)
