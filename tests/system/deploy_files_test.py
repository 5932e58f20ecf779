"""The fleet files that are shipped: `bramble check` finds nothing wrong with any of them."""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from appliance import program  # noqa: E402


class ShippedFleetFiles(unittest.TestCase):
    def check(self, path):
        done = subprocess.run([program(), "check", "--fleet", str(ROOT / path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("sound", done.stdout)

    def test_the_example_that_install_puts_in_place(self):
        self.check("deploy/fleet.example.yaml")

    def test_the_quickstarts_lab(self):
        self.check("deploy/lab/fleet.yaml")


if __name__ == "__main__":
    unittest.main()
