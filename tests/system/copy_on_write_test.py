"""Board roots on filesystems that can share blocks and on one that cannot: what they cost, and that no board's write shows elsewhere."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, payload  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402

BOARDS, BASE_MB, STORE_MB = 6, 40, 600


def tool(*command):
    return subprocess.run([str(part) for part in command], check=True, text=True, capture_output=True).stdout


class CopyOnWrite(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.folder = self.lab.folder
        (self.folder / "boot").mkdir()
        (self.folder / "boot/start4.elf").write_bytes(payload(5000, "start4"))
        root = self.folder / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/motd").write_text("the base's\n")
        (root / "large").write_bytes(payload(BASE_MB << 20, "large"))
        os.setxattr(root / "large", "user.note", b"kept")
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")

    def store_on(self, filesystem):
        """A filesystem of its own for the store."""
        image, place = self.folder / f"{filesystem}.img", self.folder / "disk"
        with open(image, "wb") as file:
            file.truncate(STORE_MB << 20)
        tool(f"mkfs.{filesystem}", "-q", image)
        place.mkdir(exist_ok=True)
        tool("mount", "-o", "loop", image, place)
        self.addCleanup(tool, "umount", place)
        return place

    def appliance(self, filesystem, wish):
        place = self.store_on(filesystem)
        boards = "\n".join(f'  - {{name: pi-{n}, serial: 500000{n:02x}, mac: "dc:a6:32:00:05:{n:02x}", address: 172.16.1.{20 + n}, '
                           "profile: lab}" for n in range(BOARDS))
        source = f"{{directory: {{boot: {self.folder}/boot, root: {self.folder}/root}}}}"
        return Appliance(self.server, fleet_yaml(
            place / "store", f"  lite: {{source: {source}}}",
            f"  lab: {{model: pi4, image: lite, root: {{copy_on_write: {wish}}}}}", boards)), place

    def used_mb(self, place):
        os.sync()
        about = os.statvfs(place)
        return (about.f_blocks - about.f_bfree) * about.f_frsize >> 20

    def applied(self, filesystem, wish="auto"):
        """What the plan said, the megabytes that the store takes, and where it lies."""
        appliance, place = self.appliance(filesystem, wish)
        before = self.used_mb(place)
        plan = appliance.bramble("plan")
        appliance.apply()
        self.assertIn("nothing to do", appliance.bramble("plan"))
        return plan, self.used_mb(place) - before, place / "store"

    def assert_boards_are_apart(self, store):
        first, second = (store / f"boards/pi-{n}/root" for n in (0, 1))
        self.assertEqual((first / "large").read_bytes(), (self.folder / "root/large").read_bytes())
        self.assertEqual(os.getxattr(first / "large", "user.note"), b"kept")
        with open(first / "large", "r+b") as file:
            file.write(b"changed by a board")
        (first / "etc/motd").write_text("a board's\n")
        self.assertEqual((second / "large").read_bytes(), (self.folder / "root/large").read_bytes())
        self.assertEqual((second / "etc/motd").read_text(), "the base's\n")
        (base,) = (store / "roots").iterdir()
        self.assertEqual((base / "etc/motd").read_text(), "the base's\n")

    def assert_blocks_are_shared_on(self, filesystem):
        plan, megabytes, store = self.applied(filesystem)
        self.assertEqual(len(re.findall(r"copy root pi-\d: it has none \(reflink\)", plan)), BOARDS, plan)
        self.assertLess(megabytes, 2 * BASE_MB, "one base, shared by all boards")
        print(f"  {filesystem}: {BOARDS} roots of {BASE_MB} MiB take {megabytes} MiB", flush=True)
        self.assert_boards_are_apart(store)

    def test_xfs_shares_blocks(self):
        self.assert_blocks_are_shared_on("xfs")

    def test_btrfs_shares_blocks(self):
        self.assert_blocks_are_shared_on("btrfs")

    def test_ext4_copies_them_and_says_so(self):
        plan, megabytes, store = self.applied("ext4")
        self.assertIn("(plain copy)", plan)
        self.assertGreater(megabytes, BOARDS * BASE_MB)
        self.assert_boards_are_apart(store)

    def test_the_fleet_file_may_ask_for_copies(self):
        plan, megabytes, _ = self.applied("xfs", "copy")
        self.assertIn("(plain copy)", plan)
        self.assertGreater(megabytes, BOARDS * BASE_MB)

    def test_reflink_on_ext4_is_refused_with_the_remedy(self):
        appliance, _ = self.appliance("ext4", "reflink")
        with self.assertRaisesRegex(LabError, "reflink needs the store on xfs or btrfs, and it is on ext4"):
            appliance.apply()


if __name__ == "__main__":
    unittest.main()
