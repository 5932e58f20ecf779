"""`kill -9` of `apply` at random moments while it takes a packed disk image apart and makes roots of each kind from it.

What is published stays whole, the next `apply` finishes, and `gc` leaves no orphan. A failing seed is repeated with SEED=N.
"""

import json
import lzma
import os
import pathlib
import random
import shutil
import signal
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, payload, program  # noqa: E402
from disk_images import make_image  # noqa: E402
from lab import Lab, end_on_signals, run  # noqa: E402
from store_case import StoreCase  # noqa: E402

STORES = (("btrfs", "btrfs"), ("xfs", "reflink"), ("ext4", "overlay"), ("ext4", "copy"))
STORE_MB, BOARDS, KILLS = 1600, 8, 10
BOARD_LINES = "\n".join(f"  - {{name: pi-{n}, serial: 5b15451{n}, address: 172.16.1.{10 + n}, profile: lab}}" for n in range(BOARDS))


class KilledApply(StoreCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        for name in ("mkfs.vfat", "mcopy", "mke2fs"):
            if shutil.which(name) is None:
                self.skipTest(f"{name} is not installed: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.images = [self.make_packed_image(number) for number in range(2)]
        self.seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
        print(f"  SEED={self.seed}", flush=True)

    def make_packed_image(self, number):
        folder = self.lab.folder / f"source-{number}"
        stand_in.make(folder)
        (folder / "root/etc/issue").write_text(f"{number}\n")
        (folder / "root/large").write_bytes(payload(20 << 20, number))
        image = self.lab.folder / f"{number}.img"
        make_image(image, folder / "root", folder / "boot")
        packed = image.with_suffix(".img.xz")
        packed.write_bytes(lzma.compress(image.read_bytes(), preset=0))
        image.unlink()
        return packed

    def take(self, image, kind):
        self.appliance.write_fleet(fleet_yaml(
            self.store, f"  lite: {{source: {{file: {image}}}}}",
            f"  lab: {{model: pi4, image: lite, root: {{copy_on_write: {kind}}}}}", BOARD_LINES))

    def start_on(self, filesystem, number):
        server = self.lab.namespace(f"server{number}").join(self.lab.switch(f"switch{number}"), "eth1", address=f"{SERVER}/24")
        disk, place = self.lab.folder / f"disk{number}.img", self.lab.folder / f"disk{number}"
        with open(disk, "wb") as file:
            file.truncate(STORE_MB << 20)
        run(f"mkfs.{filesystem}", "-q", str(disk))
        place.mkdir()
        server.command("mount", "-o", "loop", disk, place)
        self.store = place / "store"
        self.appliance = Appliance(server, None, name=f"appliance{number}")

    def boards_read(self):
        """What the boards would read in their own roots."""
        manifest = json.loads(self.in_store("current/manifest.json").read_text())
        return {(self.appliance.host.path(board["root"]["path"]) / "etc/issue").read_text() for board in manifest["boards"]}

    def test_what_is_published_stays_whole(self):
        chance = random.Random(self.seed)
        for number, (filesystem, kind) in enumerate(STORES):
            with self.subTest(filesystem=filesystem, kind=kind):
                self.start_on(filesystem, number)
                self.take(self.images[0], kind)
                self.appliance.apply()
                self.take(self.images[1], kind)
                begun = time.monotonic()
                self.appliance.apply()
                whole_seconds = time.monotonic() - begun
                killed = sum(self.kill_once(kind, chance.uniform(0.0, whole_seconds), resume=turn % 2 == 1) for turn in range(KILLS))
                print(f"  {filesystem}, {kind}: {killed} of {KILLS} were killed before their end, which takes {whole_seconds:.1f} s", flush=True)
                self.assertGreater(killed, KILLS // 4, f"SEED={self.seed}")
                other = self.other_image()
                self.take(self.images[other], kind)
                self.appliance.apply()
                self.expect_whole()
                self.assertEqual(self.boards_read(), {f"{other}\n"})
                self.appliance.bramble("gc", "--keep", 1)
                self.expect_whole()
                self.expect_no_orphan()
                self.assertIn("nothing to do", self.appliance.apply())

    def other_image(self):
        """Than the boards have."""
        (now,) = self.boards_read()
        return 1 - int(now)

    def kill_once(self, kind, after, resume):
        """Whether it was killed before its end. `resume`: it goes on with what was left, else the image is not there and has to be taken apart."""
        other = self.other_image()
        if not resume:
            self.take(self.images[1 - other], kind)
            self.appliance.bramble("gc", "--keep", 1)
        self.take(self.images[other], kind)
        process = self.appliance.host.start(program(), "apply", "--fleet", self.appliance.fleet_file, log="killed.log")
        time.sleep(after)
        before_its_end = process.exit_code is None
        process.signal(signal.SIGKILL)
        process.wait(10)
        self.expect_whole()
        self.assertEqual(len(self.boards_read()), 1, "all of one generation")
        return before_its_end


if __name__ == "__main__":
    unittest.main()
