"""`bramble root` on a board whose root is an overlay, a snapshot or a copy: what it changed, a fresh start, an archive, an image;
and what comes along when its base changes."""

import json
import os
import pathlib
import stat
import struct
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, payload  # noqa: E402
from lab import Lab, LabError, end_on_signals, run  # noqa: E402

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw=ep
STORES = (("ext4", "overlay"), ("btrfs", "btrfs"), ("xfs", "reflink"), ("ext4", "copy"))


def fingerprint(top):
    """Path -> what an archive has to keep of it."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            about = os.lstat(path)
            held = os.readlink(path) if stat.S_ISLNK(about.st_mode) else ""
            if stat.S_ISREG(about.st_mode):
                with open(path, "rb") as file:
                    held = file.read()
            names = [] if stat.S_ISLNK(about.st_mode) else os.listxattr(path, follow_symlinks=False)
            kept = {one: os.getxattr(path, one, follow_symlinks=False) for one in names}
            found[os.path.relpath(path, top)] = (
                about.st_mode, about.st_uid, about.st_gid, about.st_rdev, held, kept,
                0 if stat.S_ISDIR(about.st_mode) else about.st_nlink, int(about.st_mtime) if not stat.S_ISDIR(about.st_mode) else 0)
    return found


class RootCommand(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        stand_in.make(self.lab.folder)
        self.source = self.lab.folder / "root"
        (self.source / "etc/motd").write_text("the base's\n")
        (self.source / "usr/bin").mkdir(parents=True)
        (self.source / "usr/bin/ping").write_bytes(payload(30_000, "ping"))

    def applied(self, filesystem, kind, number):
        server = self.lab.namespace(f"server{number}").join(self.lab.switch(f"switch{number}"), "eth1", address=f"{SERVER}/24")
        image, place = self.lab.folder / f"disk{number}.img", self.lab.folder / f"disk{number}"
        with open(image, "wb") as file:
            file.truncate(600 << 20)
        run(f"mkfs.{filesystem}", "-q", str(image))
        place.mkdir()
        server.command("mount", "-o", "loop", image, place)
        self.fleet = lambda more="", images="": fleet_yaml(
            place / "store", f"  lite: {{source: {{directory: {{boot: {self.lab.folder}/boot, root: {self.source}}}}}}}{images}",
            f"  lab: {{model: pi4, image: lite, root: {{copy_on_write: {kind}{more}}}}}",
            '  - {name: pi-01, serial: 5b154510, address: 172.16.1.3, profile: lab}\n'
            '  - {name: pi-02, serial: 5b154511, address: 172.16.1.4, profile: lab}')
        self.appliance = Appliance(server, self.fleet(), name=f"appliance{number}")
        self.appliance.apply()
        self.store = server.path(place / "store")
        return self.store / "boards/pi-01/root"

    def for_every_kind(self, check):
        for number, (filesystem, kind) in enumerate(STORES):
            with self.subTest(filesystem=filesystem, kind=kind):
                check(self.applied(filesystem, kind, number))

    def changes(self):
        found = json.loads(self.appliance.bramble("root", "diff", "pi-01", "--json"))["changes"]
        return {one["path"]: one["change"] for one in found if not one["identity"]}

    def test_diff_tells_what_a_board_changed_and_reset_gives_it_a_fresh_start(self):
        def check(board):
            before = self.changes()
            (board / "etc/motd").write_text("a board's\n")
            (board / "home/pi").mkdir()
            (board / "home/pi/notes").write_text("mine")
            os.unlink(board / "usr/bin/ping")
            os.chmod(board / "sbin/init", 0o700)
            after = self.changes()
            self.assertEqual({path: change for path, change in after.items() if path not in before}, {
                "etc/motd": "changed", "home/pi": "added", "home/pi/notes": "added", "usr/bin/ping": "removed", "sbin/init": "metadata"})
            self.assertIn("removed  usr/bin/ping", self.appliance.bramble("root", "diff", "pi-01"))
            key = (board / "etc/machine-id").read_text()
            self.appliance.bramble("root", "reset", "pi-01")
            self.assertEqual(self.changes(), before)
            self.assertEqual((board / "etc/motd").read_text(), "the base's\n")
            self.assertEqual((board / "etc/machine-id").read_text(), key)
            self.assertIn("nothing to do", self.appliance.bramble("plan"))

        self.for_every_kind(check)

    def test_reset_is_refused_while_an_apply_is_due(self):
        self.applied("ext4", "copy", 0)
        (self.source / "etc/motd").write_text("another base\n")
        with self.assertRaisesRegex(LabError, "an apply is due"):
            self.appliance.bramble("root", "reset", "pi-01")
        with self.assertRaisesRegex(LabError, "generation 1 has no board 'pi-09'"):
            self.appliance.bramble("root", "diff", "pi-09")

    def test_an_archive_keeps_everything(self):
        def check(board):
            (board / "home/pi").mkdir()
            os.chown(board / "home/pi", 70_000, 100_001)
            (board / "usr/bin/tool").write_bytes(payload(10_000, "tool"))
            os.chmod(board / "usr/bin/tool", 0o4755)
            os.link(board / "usr/bin/tool", board / "home/pi/again")
            os.setxattr(board / "usr/bin/ping", "security.capability", CAPABILITY)
            os.setxattr(board / "usr/bin/ping", "user.note", b"\0binary\xff")
            os.mknod(board / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            os.mkfifo(board / "dev/fifo", 0o620)
            os.symlink("/etc/shadow", board / "home/pi/link")
            with open(os.fsencode(board / "home/pi") + b"/name\xff", "w") as file:
                file.write("no UTF-8")
            with open(board / "home/pi/sparse", "wb") as file:
                file.truncate(200_000_000)
                file.seek(100_000_000)
                file.write(b"in the middle")
            archive = self.lab.folder / f"{board.parts[2]}.tar.zst"
            self.appliance.bramble("root", "archive", "pi-01", archive)
            self.assertLess(archive.stat().st_size, 20_000_000)
            self.assertEqual(archive.stat().st_mode & 0o777, 0o600)
            out = self.lab.folder / f"out-{board.parts[2]}"
            out.mkdir()
            run("tar", "--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", str(archive), "-C", str(out))
            there, here = fingerprint(f"{board}/."), fingerprint(out)
            self.assertEqual(set(there), set(here))
            for path, expected in there.items():
                self.assertTrue(expected == here[path], f"{path}: {str(expected)[:300]} is {str(here[path])[:300]}")
            self.assertLess(os.stat(out / "home/pi/sparse").st_blocks * 512, 20_000_000)
            run("rm", "-rf", str(out))

        self.for_every_kind(check)

    def test_a_promoted_root_is_an_image_that_boards_can_have(self):
        board = self.applied("ext4", "overlay", 0)
        (board / "etc/motd").write_text("golden\n")
        golden = self.lab.folder / "golden.tar.zst"
        said = self.appliance.bramble("root", "promote", "pi-01", golden)
        self.assertIn(f"pi-01: {{source: {{file: {golden}, sha256: ", said)
        names = run("tar", "--zstd", "-tf", str(golden)).splitlines()
        self.assertIn("boot/start4.elf", names)
        self.assertIn("root/etc/motd", names)
        self.assertFalse([name for name in names if "ssh_host_" in name or name == "root/etc/machine-id"])
        line = said.splitlines()[-1].replace("pi-01:", "golden:")
        self.appliance.write_fleet(self.fleet(images="\n" + line).replace("image: lite", "image: golden"))
        first, second = (self.store / f"boards/pi-0{n}/root" for n in (1, 2))
        ids = [(one / "etc/machine-id").read_text() for one in (first, second)]
        self.appliance.apply()
        self.assertEqual((second / "etc/motd").read_text(), "golden\n")
        self.assertEqual((second / "etc/hostname").read_text(), "pi-02\n")
        self.assertEqual([(one / "etc/machine-id").read_text() for one in (first, second)], ids)

    def test_what_is_to_be_kept_comes_along_to_another_base(self):
        def check(board):
            (board / "home/pi").mkdir()
            (board / "home/pi/notes").write_text("mine")
            os.chown(board / "home/pi/notes", 1000, 1000)
            (board / "etc/motd").write_text("a board's\n")
            (self.source / "etc/motd").write_text(f"another base for {board}\n")
            self.appliance.write_fleet(self.fleet(", on_base_change: keep, keep: [/home/pi, /srv]"))
            plan = self.appliance.bramble("plan")
            self.assertIn("copy root pi-01: its base changed: image lite; of its changes it keeps /home/pi, /srv (", plan)
            said = self.appliance.apply()
            self.assertIn("kept /home/pi", said)
            self.assertIn("it has no /srv to keep", said)
            self.assertEqual((board / "home/pi/notes").read_text(), "mine")
            self.assertEqual(os.stat(board / "home/pi/notes").st_uid, 1000)
            self.assertEqual((board / "etc/motd").read_text(), f"another base for {board}\n")
            self.assertFalse((self.store / "boards/pi-02/root/home/pi").exists())

        self.for_every_kind(check)


if __name__ == "__main__":
    unittest.main()
