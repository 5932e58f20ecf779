"""`bramble rollback` and `gc` while boards boot, and `kill -9` of apply, rollback and gc at random moments.

Every boot file has another size in each generation, and every root another name: what a board was sent says which one it was
of. A failing seed is repeated with SEED=N tests/system/generations_test.py.
"""

import json
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
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from store_case import StoreCase  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 8
KILLS = 24
FLEET_SECONDS_MAX = 180


class Generations(StoreCase):
    @classmethod
    def setUpClass(cls):
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        folder = cls.lab.folder
        cls.source, cls.store = folder / "stand-in", folder / "store"
        stand_in.make(cls.source)
        cls.switch = cls.lab.switch()
        server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        boards = "\n".join(f'  - {{name: pi-{n}, serial: 3000000{n}, mac: "dc:a6:32:00:02:0{n}", profile: pi}}' for n in range(BOARDS))
        cls.appliance = Appliance(server, fleet_yaml(
            cls.store, f"  pi: {{source: {{directory: {{boot: {cls.source}/boot, root: {cls.source}/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}", boards))
        cls.appliance.apply()
        cls.nfs = cls.appliance.nfs()
        for number in (2, 3):
            cls.change(number)
            cls.appliance.apply()
        cls.appliance.serve()

    @classmethod
    def change(cls, number):
        """Sources of another generation: each boot file is a byte longer."""
        for path in stand_in.BOOT_SIZES:
            with open(cls.source / "boot" / path, "ab") as file:
                file.write(b"x")
        (cls.source / "root/etc/issue").write_text(f"{number}\n")

    def roll_back_to(self, number):
        self.appliance.bramble("rollback", number)
        self.assertTrue(eventually(lambda: self.serving() == number, 10), f"serve takes generation {number} over")

    def serving(self):
        return json.loads(self.appliance.bramble("status", "--json"))["generation"]

    def roots_in(self, number):
        return {board["name"]: board["root"]["path"] for board in self.manifest(number)["boards"]}

    def test_a_boots_end_with_what_they_began_also_when_it_is_rolled_back_and_collected_under_them(self):
        self.roll_back_to(2)
        # Scaled up so that all have begun long before the first has all its files.
        fleet = VirtualFleet(self.switch, self.store / "generations/2/manifest.json", FLEET_SECONDS_MAX)
        begun = eventually(lambda: len(self.listed()[2]["booting"]) == BOARDS, 30)
        self.assertTrue(begun, f"{self.listed()[2]}\n{fleet.process.output()[-3000:]}")
        self.appliance.bramble("rollback", 1)
        said = json.loads(self.appliance.bramble("gc", "--keep", 1, "--json"))
        self.assertEqual(said["kept"], [1, 2, 3], "the newest, the current one, and that of the boots")
        self.assertEqual(fleet.wait(), 0, fleet.process.output()[-4000:])
        for report in fleet.reports():
            self.assertTrue(report["booted"], report)
            self.assertGreater(report["verified"], 4, "its files are those of generation 2")
            self.assertIn(self.roots_in(2)[report["name"]], report["cmdline"])
        self.assertTrue(eventually(lambda: len(self.listed()[2]["running"]) == BOARDS, 10), self.listed())
        self.assertEqual(json.loads(self.appliance.bramble("gc", "--keep", 1, "--json"))["kept"], [1, 2, 3], "boards run from its roots")

    def test_b_boards_that_begin_while_generations_change_are_each_of_one(self):
        manifest = self.store / "generations/3/manifest.json"
        fleet = VirtualFleet(self.switch, manifest, FLEET_SECONDS_MAX, ("--stagger", "0.7"), compare=False)
        turn = 0
        while fleet.process.exit_code is None:
            self.appliance.bramble("rollback", (3, 1)[turn % 2])
            turn += 1
            time.sleep(0.6)
        self.assertEqual(fleet.wait(), 0, fleet.process.output()[-4000:])
        self.assertGreater(turn, 4)
        kernels = {number: self.manifest(number)["trees"]["pi"]["kernel8.img"]["size"] for number in (1, 3)}
        self.assertNotEqual(kernels[1], kernels[3])
        seen = set()
        for report in fleet.reports():
            self.assertTrue(report["booted"], report)
            story = json.loads(self.appliance.host.command("curl", "-sS", f"http://127.0.0.1:8080/api/v1/boards/{report['name']}"))
            boot = story["boot"]
            number = boot["generation"]
            seen.add(number)
            tree = self.manifest(number)["trees"]["pi"]
            sizes = {file["path"]: file["bytes"] for file in boot["files"] if file["outcome"] == "loaded" and file["path"] in tree}
            self.assertGreater(len(sizes), 2, boot)
            self.assertEqual(sizes, {path: tree[path]["size"] for path in sizes}, f"all of generation {number}")
            self.assertIn(self.roots_in(number)[report["name"]], report["cmdline"], f"and its root: {number}")
        print(f"  {turn} changes, boots of generations {sorted(seen)}", flush=True)

    def test_c_kill_nine_of_apply_rollback_and_gc_at_random_moments(self):
        seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
        print(f"  SEED={seed}", flush=True)
        chance = random.Random(seed)
        killed = 0
        for number in range(KILLS):
            words = (("apply",), ("rollback",), ("gc", "--keep", "1"))[number % 3]
            if words[0] == "apply":
                self.change(100 + number)
            process = self.appliance.host.start(program(), *words, "--fleet", self.appliance.fleet_file, log="killed.log")
            time.sleep(chance.uniform(0.0, 1.2 if words[0] == "apply" else 0.25))
            killed += process.exit_code is None
            process.signal(signal.SIGKILL)
            process.wait(10)
            self.expect_whole()
        print(f"  {killed} of {KILLS} were killed before their end", flush=True)
        self.assertGreater(killed, KILLS // 4, f"SEED={seed}")
        self.appliance.apply()
        self.expect_whole()
        self.appliance.bramble("gc", "--keep", 1)
        self.expect_whole()
        self.expect_no_orphan()
        self.assertIn("nothing to do", self.appliance.apply())


if __name__ == "__main__":
    unittest.main()
