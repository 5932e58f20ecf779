"""atftp: block sizes and RFC 7440 windows, negotiated by a client that is neither ours nor a firmware."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import TftpCase  # noqa: E402


class Atftp(TftpCase):
    programs = ("atftp",)

    def fetch(self, name, *options):
        target = self.lab.folder / "fetched"
        target.unlink(missing_ok=True)
        words = [word for option in options for word in ("--option", option)]
        self.client.command("atftp", "--get", "--remote-file", name, "--local-file", target, *words, SERVER)
        return target

    def test_without_options(self):
        for name in ("one-byte", "one-block", "odd"):
            with self.subTest(name):
                self.assert_same(name, self.fetch(name))

    def test_block_sizes(self):
        for size in (8, 512, 1024, 1428, 1468, 8192, 65464):
            with self.subTest(blksize=size):
                self.assert_same("odd", self.fetch("odd", f"blksize {size}"))

    def test_windows(self):
        for window in (1, 2, 8, 16, 64):
            with self.subTest(windowsize=window):
                self.assert_same("kernel.img", self.fetch("kernel.img", "blksize 1428", f"windowsize {window}"))

    def test_more_blocks_than_a_block_number_counts(self):
        # 6 MiB in blocks of 64 bytes: 98,304 blocks, past 65,535 once.
        self.assert_same("kernel.img", self.fetch("kernel.img", "blksize 64", "windowsize 32"))

    def test_tsize_and_timeout(self):
        self.assert_same("odd", self.fetch("odd", "tsize 0", "timeout 5"))


if __name__ == "__main__":
    unittest.main()
