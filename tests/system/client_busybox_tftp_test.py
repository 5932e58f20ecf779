"""busybox tftp: the client of many an initramfs; it takes the block size from the OACK."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import TftpCase  # noqa: E402


class BusyboxTftp(TftpCase):
    programs = ("busybox",)

    def fetch(self, name, *options):
        target = self.lab.folder / "fetched"
        target.unlink(missing_ok=True)
        self.client.command("busybox", "tftp", "-g", *options, "-r", name, "-l", target, SERVER)
        return target

    def test_files_arrive_as_published(self):
        for name in ("one-byte", "one-block", "odd", "kernel.img"):
            with self.subTest(name):
                self.assert_same(name, self.fetch(name))

    def test_block_sizes(self):
        for size in (512, 1024, 1468):
            with self.subTest(blksize=size):
                self.assert_same("odd", self.fetch("odd", "-b", size))

    def test_a_missing_file_is_refused_at_once(self):
        output = self.client.command("busybox", "tftp", "-g", "-r", "nothing", "-l", self.lab.folder / "x", SERVER, check=False)
        self.assertIn("server error", output)


if __name__ == "__main__":
    unittest.main()
