"""`kill -9` of `bramble serve` at random moments of a fleet's boot: every board finishes, and no lease changes its owner.

The boards have no address of their own in the fleet file, so that what holds them together is the lease on disk. A
failing seed is repeated with SEED=N tests/system/serve_crash_test.py.
"""

import os
import pathlib
import random
import signal
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 8
KILLS = 4
FLEET_SECONDS_MAX = 240


class KillNine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        folder = cls.lab.folder
        stand_in.make(folder / "stand-in")
        cls.switch = cls.lab.switch()
        server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        boards = "\n".join(f'  - {{name: pi-{n}, serial: 2000000{n}, mac: "dc:a6:32:00:01:0{n}", profile: pi}}' for n in range(BOARDS))
        cls.appliance = Appliance(server, fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}", boards))
        cls.appliance.apply()
        cls.nfs = cls.appliance.nfs()
        cls.appliance.serve()

    def test_every_board_finishes_and_no_lease_changes_its_owner(self):
        seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
        print(f"  SEED={seed}", flush=True)
        chance = random.Random(seed)
        fleet = VirtualFleet(self.switch, self.lab.folder / "store/current/manifest.json", FLEET_SECONDS_MAX)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.5, 3.5))
            self.appliance.process.signal(signal.SIGKILL)
            self.appliance.process.wait(10)
            time.sleep(chance.uniform(0.0, 0.5))
            self.appliance.serve()
        self.assertEqual(fleet.wait(), 0, f"SEED={seed}\n{fleet.process.output()[-4000:]}")
        reports = fleet.reports()
        self.assertEqual({report["booted"] for report in reports}, {True}, f"SEED={seed}")
        addresses = [report["address"] for report in reports]
        self.assertEqual(len(set(addresses)), BOARDS, f"SEED={seed}: two boards hold one address: {addresses}")
        # The kernel's own DHCP came after some of the kills: it was given the firmware's address again.
        self.assertNotIn("address changed", fleet.process.output(), f"SEED={seed}")


if __name__ == "__main__":
    unittest.main()
