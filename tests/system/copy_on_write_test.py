"""Board roots on filesystems of every kind: what they cost, that no board's write shows elsewhere, that each is exported, and
that their mounts come back and go without a trace."""

import os
import pathlib
import re
import shutil
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, payload, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, LabError, end_on_signals, run  # noqa: E402

BOARDS, BASE_MB, STORE_MB = 6, 40, 600
# What the store is on and what is asked for: what the plan calls it.
KINDS = {("btrfs", "auto"): "btrfs snapshot", ("btrfs", "reflink"): "reflink", ("btrfs", "overlay"): "overlayfs",
         ("xfs", "auto"): "reflink", ("xfs", "overlay"): "overlayfs", ("ext4", "auto"): "overlayfs", ("ext4", "copy"): "plain copy"}
MOUNTED = ("btrfs snapshot", "overlayfs")


def board_line(number):
    return (f'  - {{name: pi-{number}, serial: 500000{number:02x}, mac: "dc:a6:32:00:05:{number:02x}", '
            f"address: 172.16.1.{20 + number}, profile: lab}}")


class CopyOnWrite(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.folder = self.lab.folder
        stand_in.make(self.folder)
        root = self.folder / "root"
        shutil.rmtree(root / "etc/ssh")  # making keys is not what these tests are about
        (root / "etc/motd").write_text("the base's\n")
        (root / "etc/gone").write_text("a board removes it\n")
        (root / "large").write_bytes(payload(BASE_MB << 20, "large"))
        os.setxattr(root / "large", "user.note", b"kept")
        os.chmod(root, 0o751)
        self.disks = 0

    def start_server(self):
        self.server = self.lab.namespace(f"server{self.disks}").join(self.lab.switch(f"switch{self.disks}"), "eth1", address=f"{SERVER}/24")

    def store_on(self, filesystem):
        """A machine of its own with a filesystem of its own for the store."""
        self.disks += 1
        self.start_server()
        image, place = self.folder / f"{filesystem}{self.disks}.img", self.folder / f"disk{self.disks}"
        with open(image, "wb") as file:
            file.truncate(STORE_MB << 20)
        run(f"mkfs.{filesystem}", "-q", str(image))
        place.mkdir()
        self.server.command("mount", "-o", "loop", image, place)
        return place

    def appliance(self, filesystem, wish, boards=BOARDS):
        place = self.store_on(filesystem)
        self.write_fleet = lambda count, more="": fleet_yaml(
            place / "store", f"  lite: {{source: {{directory: {{boot: {self.folder}/boot, root: {self.folder}/root}}}}}}",
            f"  lab: {{model: pi4, image: lite, root: {{copy_on_write: {wish}{more}}}}}", "\n".join(map(board_line, range(count))))
        return Appliance(self.server, self.write_fleet(boards), name=f"appliance{self.disks}"), place

    def used_mb(self, place):
        os.sync()
        about = os.statvfs(self.server.path(place))
        return (about.f_blocks - about.f_bfree) * about.f_frsize >> 20

    def mounts(self):
        """Where this machine has something mounted, and what; without what other labs do meanwhile."""
        table = self.server.command("cat", "/proc/self/mountinfo").splitlines()
        found = ((line.split()[4], line.split(" - ")[1].split()[0]) for line in table)
        return sorted(one for one in found if not one[0].startswith("/run/netns"))

    def test_each_kind_costs_what_it_should_and_keeps_boards_apart(self):
        for (filesystem, wish), kind in KINDS.items():
            with self.subTest(filesystem=filesystem, wish=wish):
                appliance, place = self.appliance(filesystem, wish)
                before = self.used_mb(place)
                plan = appliance.bramble("plan")
                self.assertEqual(len(re.findall(rf"copy root pi-\d: it has none \({kind}[,)]", plan)), BOARDS, plan)
                self.assertIn(f"{BOARDS} roots by {kind}: ", plan)
                appliance.apply()
                self.assertIn("nothing to do", appliance.bramble("plan"))
                megabytes = self.used_mb(place) - before
                if kind == "plain copy":
                    self.assertGreater(megabytes, BOARDS * BASE_MB)
                else:
                    self.assertLess(megabytes, 2 * BASE_MB, "one base, shared by all boards")
                print(f"  {filesystem}, {kind}: {BOARDS} roots of {BASE_MB} MiB take {megabytes} MiB", flush=True)
                self.assert_boards_are_apart(place / "store")

    def assert_boards_are_apart(self, store):
        store = self.server.path(store)
        first, second = (store / f"boards/pi-{n}/root" for n in (0, 1))
        (base,) = (store / "roots").iterdir()
        self.assertEqual((first / "large").read_bytes(), (self.folder / "root/large").read_bytes())
        self.assertEqual(os.getxattr(first / "large", "user.note"), b"kept")
        self.assertEqual(os.stat(first).st_mode & 0o7777, 0o751)
        with open(first / "large", "r+b") as file:
            file.write(b"changed by a board")
        (first / "etc/motd").write_text("a board's\n")
        (first / "etc/gone").unlink()
        (first / "etc/new").write_text("new\n")
        for other in (second, base):
            self.assertEqual((other / "large").read_bytes(), (self.folder / "root/large").read_bytes())
            self.assertEqual((other / "etc/motd").read_text(), "the base's\n")
            self.assertTrue((other / "etc/gone").exists())
            self.assertFalse((other / "etc/new").exists())

    def test_mounts_come_back_after_a_restart_and_go_without_a_trace(self):
        for (filesystem, wish), kind in KINDS.items():
            if kind not in MOUNTED:
                continue
            with self.subTest(filesystem=filesystem, wish=wish):
                appliance, place = self.appliance(filesystem, wish)
                nothing = self.mounts()
                appliance.apply()
                there = self.mounts()
                boards = f"{place}/store/boards"
                self.assertEqual(len([at for at, _ in there if at.startswith(boards)]), BOARDS + 1)
                board = self.server.path(place / "store/boards/pi-0/root")
                (board / "etc/motd").write_text("a board's\n")
                appliance.bramble("root", "unmount")
                self.assertEqual(self.mounts(), nothing)
                for _ in range(2):  # as the unit does it: without a sound fleet file
                    self.server.command(program(), "root", "mount", "--store", place / "store")
                    self.assertEqual(self.mounts(), there)
                self.assertEqual((board / "etc/motd").read_text(), "a board's\n")
                self.assertFalse((board / "etc/new").exists())
                appliance.bramble("root", "unmount")
                self.assertIn("nothing to do", appliance.apply())
                self.assertEqual(self.mounts(), there)

    def test_roots_of_an_older_base_go_with_their_mounts_and_the_base_in_use_stays(self):
        for filesystem in ("btrfs", "ext4"):
            with self.subTest(filesystem=filesystem):
                (self.folder / "root/etc/issue").write_text("first\n")
                appliance, place = self.appliance(filesystem, "auto")
                appliance.apply()
                there, store = self.mounts(), self.server.path(place / "store")
                (base,) = (store / "roots").iterdir()
                (self.folder / "root/etc/issue").write_text("second\n")
                appliance.apply()
                self.assertEqual(len(self.mounts()), len(there) + BOARDS)
                self.assertEqual((base / "etc/issue").read_text(), "first\n")
                appliance.bramble("gc", "--keep", "2")
                self.assertTrue(base.exists(), "a kept generation's overlays need it")
                appliance.bramble("gc", "--keep", "1")
                self.assertFalse(base.exists())
                self.assertEqual(len(self.mounts()), len(there))
                for board in (store / "boards").iterdir():
                    left = sorted(re.sub(r"\.[0-9a-f]{16}", "", path.name) for path in board.iterdir())
                    overlay = ["overlay"] if filesystem == "ext4" else []
                    self.assertEqual(left, ["identity", *overlay, "root", "root", "root.identity"])
                self.assertEqual((store / "boards/pi-0/root/etc/issue").read_text(), "second\n")

    def test_every_kind_is_exported_also_when_its_server_runs_already(self):
        for name in ("ganesha.nfsd", "rpcbind"):
            if not shutil.which(name):
                self.skipTest(f"{name} is not installed: run 'sudo deploy/setup --for test'")
        for (filesystem, wish), kind in KINDS.items():
            with self.subTest(filesystem=filesystem, wish=wish):
                appliance, place = self.appliance(filesystem, wish, boards=2)
                appliance.up()
                self.assert_mounted_by_nfs(appliance, "pi-0")
                self.assert_mounted_by_nfs(appliance, "pi-1")
                # Another board: its root is mounted while the server runs, in a mount namespace of the server's own.
                appliance.write_fleet(self.write_fleet(3))
                exported = self.server.path(place / "store/nfs/ganesha.conf")
                self.assertTrue(eventually(lambda: "boards/pi-2/" in exported.read_text(), 30))
                self.assertTrue(eventually(lambda: '"pi-2"' in (self.server.path(place / "store/current/manifest.json")).read_text(), 30))
                self.assert_mounted_by_nfs(appliance, "pi-2")
                self.assertNotRegex(appliance.log(), "warning|error")
                appliance.stop()

    def assert_mounted_by_nfs(self, appliance, board):
        """Through libnfs, as a board does it."""
        story = appliance.bramble("rehearse", board, check=False)
        self.assertRegex(story, rf"boards/{board}/root\.\w+ mounted by NFS 3 from {SERVER}\n")

    def test_a_kind_that_the_store_does_not_offer_is_refused_with_the_remedy(self):
        for wish, sentence in (("reflink", "reflink needs the store on xfs or btrfs, and it is on ext4"),
                               ("btrfs", "btrfs needs the store on btrfs, and it is on ext4")):
            appliance, _ = self.appliance("ext4", wish)
            with self.assertRaisesRegex(LabError, sentence):
                appliance.apply()


if __name__ == "__main__":
    unittest.main()
