"""tftp-hpa: plain octet transfers with tsize and blksize as it asks for them, and what a board may not do."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import TftpCase  # noqa: E402


class TftpHpa(TftpCase):
    programs = ("tftp",)

    def fetch(self, name):
        target = self.lab.folder / "fetched"
        target.unlink(missing_ok=True)
        output = self.client.command("tftp", "-m", "octet", SERVER, "-c", "get", name, target, check=False)
        return target, output

    def test_every_file_arrives_as_published(self):
        for name in self.files:
            with self.subTest(name):
                self.assert_same(name, self.fetch(name)[0])

    def test_a_leading_slash_means_the_same(self):
        self.assert_same("odd", self.fetch("/odd")[0])

    def test_a_missing_file_is_refused_at_once(self):
        started = time.monotonic()
        _, output = self.fetch("no-such-file")
        self.assertIn("Error code 1", output)
        self.assertLess(time.monotonic() - started, 1.0)

    def test_nothing_outside_the_tree(self):
        for path in ("../fleet.yaml", "/etc/passwd", "overlays/../../appliance.yaml"):
            with self.subTest(path):
                target, output = self.fetch(path)
                self.assertIn("Error code", output)
                self.assertFalse(target.exists() and target.stat().st_size, path)

    def test_writing_is_refused(self):
        source = self.lab.folder / "upload"
        source.write_bytes(b"changed")
        output = self.client.command("tftp", "-m", "octet", SERVER, "-c", "put", source, "odd", check=False)
        self.assertIn("Error code 2", output)
        self.assert_same("odd", self.fetch("odd")[0])


if __name__ == "__main__":
    unittest.main()
