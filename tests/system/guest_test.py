"""The quickstart, run as anyone would: a real arm64 Linux and sixteen virtual boards, from the example fleet to userspace.

Its store is kept in BRAMBLE_CACHE, so that a second run, and a quickstart by hand, build no root again.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from guest import ARM64, U_BOOT_ARM64, missing  # noqa: E402


class Quickstart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = missing(ARM64, U_BOOT_ARM64)
        if reason:
            raise unittest.SkipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bramble-guest-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        summary = folder / "summary.json"
        process = subprocess.Popen(
            [ROOT / "deploy/quickstart", "--summary", summary], env=dict(os.environ, BRAMBLE_SETUP="no"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        lines = []
        for line in process.stdout:
            lines.append(line)
            print("  " + line.rstrip(), flush=True)
        cls.pid = process.pid
        cls.code, cls.output = process.wait(60), "".join(lines)
        cls.summary = json.loads(summary.read_text()) if summary.exists() else {}

    def test_it_ends_well_and_every_claim_holds(self):
        self.assertEqual(self.code, 0)
        self.assertTrue(self.summary["good"], self.summary.get("checks"))
        self.assertEqual(self.summary["left_out"], [])

    def test_the_guest_runs_what_the_fleet_file_asked_for(self):
        guest = self.summary["guest"]
        self.assertEqual(guest["hostname"], "guest")
        self.assertRegex(guest["kernel_release"], r"^\d+\.\d+.*-arm64$")
        self.assertIn("bramble.lab=quickstart", guest["cmdline"])
        self.assertRegex(guest["cmdline"], r"nfsroot=172\.16\.1\.1:\S*/boards/guest/\S*vers=4\.2")

    def test_sixteen_boards_boot_each_from_its_own_tree(self):
        boards = self.summary["boards"]
        self.assertEqual(len(boards), 16)
        self.assertEqual({board["booted"] for board in boards}, {True})
        self.assertEqual(len({board["prefix"] for board in boards}), 16)
        roots = {re.search(r"nfsroot=(\S+?),", board["cmdline"]).group(1) for board in boards}
        self.assertEqual(len(roots), 16)

    def test_nothing_of_the_lab_stays(self):
        left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(f"bramble-lab-{self.pid}-", left)


if __name__ == "__main__":
    unittest.main()
