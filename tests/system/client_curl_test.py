"""curl tftp://: a client that asks for tsize, blksize and timeout together, and one that asks for nothing."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import TftpCase  # noqa: E402


class Curl(TftpCase):
    programs = ("curl",)

    def fetch(self, name, *options):
        target = self.lab.folder / "fetched"
        target.unlink(missing_ok=True)
        self.client.command("curl", "-sS", "--max-time", "25", *options, "-o", target, f"tftp://{SERVER}/{name}")
        return target

    def test_files_arrive_as_published(self):
        for name in ("one-byte", "one-block", "odd", "kernel.img", "overlays/disable-bt.dtbo"):
            with self.subTest(name):
                self.assert_same(name, self.fetch(name))

    def test_block_sizes(self):
        for size in (512, 1024, 1468):
            with self.subTest(blksize=size):
                self.assert_same("odd", self.fetch("odd", "--tftp-blksize", size))

    def test_no_options(self):
        self.assert_same("odd", self.fetch("odd", "--tftp-no-options"))

    def test_a_missing_file_is_curls_error_68(self):
        done = subprocess.run(
            self.client.inside("curl", "-sS", "--max-time", "10", f"tftp://{SERVER}/no-such-file"),
            capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 68)


if __name__ == "__main__":
    unittest.main()
