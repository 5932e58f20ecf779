"""`bramble apply` of tar archives and directories, and boards' roots made of them: what arrives is compared with its source, entry by entry."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, payload  # noqa: E402
from lab import Lab, end_on_signals, run  # noqa: E402
from whole_root import describe, make_root  # noqa: E402

BOARDS = '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}'
STORE_MB = 400
# What Bramble writes into each board's root; the folders that these are in have another time.
WRITTEN_FOR_A_BOARD = (b"etc/hostname", b"etc/hosts", b"etc/fstab", b"etc/machine-id", b"etc/resolv.conf", b"etc/ssh", b"etc/systemd", b"usr/local")


def differences(expected, arrived):
    """What two descriptions of trees do not have in common, a line for each entry."""
    names = sorted(set(expected) | set(arrived))
    return [f"{name}: {str(expected.get(name))[:300]} is {str(arrived.get(name))[:300]}" for name in names
            if expected.get(name) != arrived.get(name)]


class ImageSources(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        self.source = self.lab.folder / "source"
        self.root, self.boot = self.source / "root", self.source / "boot"
        for name, size in (("start4.elf", 20_000), ("fixup4.dat", 5000), ("kernel8.img", 90_000)):
            (self.boot / name).parent.mkdir(parents=True, exist_ok=True)
            (self.boot / name).write_bytes(payload(size, name))
        self.root.mkdir()
        make_root(self.root)
        self.appliance = Appliance(self.server, "")

    def apply(self, name, source, wish="auto", place=None):
        store = (place or self.lab.folder) / f"store-{name}"
        self.appliance.write_fleet(fleet_yaml(
            store, f"  lite: {{source: {source}}}", f"  lab: {{image: lite, root: {{copy_on_write: {wish}}}}}", BOARDS))
        self.appliance.bramble("apply")
        return store

    def check_same(self, arrived, leave_out=lambda name: False):
        expected, expected_links = describe(self.root, True)
        found, links = describe(arrived, True)
        for entries in (expected, found):
            for name in [name for name in entries if leave_out(name)]:
                del entries[name]
        self.assertFalse(differences(expected, found), "\n".join(differences(expected, found)))
        self.assertEqual(expected_links, links)
        self.assertEqual(len(expected_links[0]), 3)

    def base(self, store):
        (root,) = self.server.path(store / "roots").iterdir()
        return root

    def test_tar_archives_arrive_as_they_are(self):
        for packer, options in (("tar", ("--xattrs", "--xattrs-include=*", "--acls", "--sparse")),
                                ("bsdtar", ("--xattrs", "--acls", "--read-sparse"))):
            with self.subTest(packer):
                if shutil.which(packer) is None:
                    self.skipTest(f"{packer} is not installed: run 'sudo deploy/setup --for test'")
                file = self.lab.folder / f"{packer}.tar.zst"
                subprocess.run([packer, "--format=pax", "--numeric-owner", *options, "--zstd", "-C", str(self.source), "-cf", str(file), "boot", "root"],
                               check=True, capture_output=True, timeout=60)
                store = self.apply(packer, f"{{file: {file}}}")
                self.check_same(self.base(store), lambda name: name == b"dev/socket")  # tar holds none

    def test_a_directory_arrives_as_it_is(self):
        store = self.apply("directory", f"{{directory: {{boot: {self.boot}, root: {self.root}}}}}")
        self.check_same(self.base(store))

    def test_boards_roots_are_what_their_image_is(self):
        for wish, mounted in (("overlay", True), ("copy", False)):
            with self.subTest(wish):
                file, place = self.lab.folder / f"{wish}.disk", self.lab.folder / wish
                with open(file, "wb") as disk:
                    disk.truncate(STORE_MB << 20)
                run("mkfs.ext4", "-q", str(file))
                place.mkdir()
                self.server.command("mount", "-o", "loop", file, place)
                store = self.apply(wish, f"{{directory: {{boot: {self.boot}, root: {self.root}}}}}", wish, place)
                root = self.server.path(store / "boards/pi-01/root")
                table = self.server.command("cat", "/proc/self/mountinfo")
                self.assertEqual(f"{store}/" in table and " - overlay " in table, mounted, table)
                self.check_same(root, lambda name: name in (b"etc", b"usr") or name.startswith(WRITTEN_FOR_A_BOARD))


if __name__ == "__main__":
    unittest.main(verbosity=2)
