"""`bramble apply` of an image behind a URL: servers that break off, change the file, and say no."""

import hashlib
import io
import pathlib
import shutil
import signal
import sys
import tarfile
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from appliance import SERVER, Appliance, fleet_yaml, payload, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402

PORT = 8700
BOARDS = '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}'


def archive(seed, size=3_000_000):
    """A tar of boot files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("start4.elf", payload(size, seed)), ("config.txt", b"arm_64bit=1\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


class UrlImage(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        self.file, self.log = self.lab.folder / "file.tar", self.lab.folder / "requests"
        self.content = archive("one")
        self.file.write_bytes(self.content)
        self.process = None

    def serve(self, *arguments):
        if self.process:
            self.process.signal(15)
            self.process.wait(10)
        self.log.write_text("")
        self.process = self.server.start("/usr/bin/python3", SUPPORT / "file_server.py", PORT, self.file, self.log, *arguments, log="web.log")
        listening = lambda: f":{PORT:04X} " in self.server.command("cat", "/proc/net/tcp")  # noqa: E731
        self.assertTrue(eventually(listening, 10), self.process.output())

    def appliance(self, path="file.tar", sha256=""):
        more = f", sha256: {sha256}" if sha256 else ""
        return Appliance(self.server, fleet_yaml(
            self.lab.folder / "store", f"  lite: {{source: {{file: \"http://127.0.0.1:{PORT}/{path}\"{more}}}}}",
            "  lab: {model: pi4, image: lite, root: {mode: none}}", BOARDS))

    def broken_off(self, appliance, number):
        """An apply that was ended while it waited to try again; how much had come by then."""
        process = self.server.start(program(), "apply", "--fleet", appliance.fleet_file, log="apply.log")
        self.assertTrue(eventually(lambda: "trying again" in process.output(), 20), process.output())
        process.signal(number)
        self.assertNotEqual(process.wait(10), 0)
        (part,) = (path for path in self.downloads() if path.suffix == ".part")
        return part.stat().st_size

    def requests(self):
        return [line.split()[1:] for line in self.log.read_text().splitlines()]

    def downloads(self):
        return list((self.lab.folder / "store/downloads").iterdir())

    def assert_published(self, appliance, seed="one"):
        wanted = hashlib.sha256(payload(3_000_000, seed)).hexdigest()
        self.assertIn(wanted, appliance.bramble("explain", "pi-01", "--json"))
        self.assertEqual(self.downloads(), [], "what the store has need not lie there twice")

    def test_it_is_fetched_once_and_its_sum_is_pinned(self):
        self.serve()
        appliance = self.appliance("moved.tar")
        text = appliance.apply()
        summed = hashlib.sha256(self.content).hexdigest()
        self.assertIn(f"means {summed}", text)
        lock_file = appliance.fleet_file.with_suffix(".lock")
        self.assertIn(summed, lock_file.read_text())
        self.assert_published(appliance)
        self.assertIn("nothing to do", appliance.bramble("plan"))
        self.assertEqual(self.requests(), [["-", "200"]])

    def test_another_file_behind_the_url_is_taken_with_update_only(self):
        self.serve()
        appliance = self.appliance()
        appliance.apply()
        self.file.write_bytes(archive("two"))
        self.serve()
        appliance.apply()
        self.assertEqual(self.requests(), [], "what is pinned is here")
        shutil.rmtree(self.lab.folder / "store")
        with self.assertRaisesRegex(LabError, "and the lock file beside the fleet file says .* `bramble apply --update` takes what is there now"):
            appliance.apply()
        appliance.bramble("apply", "--update")
        self.assert_published(appliance, "two")
        self.assertIn(hashlib.sha256(self.file.read_bytes()).hexdigest(), appliance.fleet_file.with_suffix(".lock").read_text())

    def test_a_connection_that_breaks_off_goes_on_where_it_ended(self):
        self.serve("--cut", 1_000_000, "--cuts", 2)
        appliance = self.appliance(sha256=hashlib.sha256(self.content).hexdigest())
        appliance.apply()
        self.assertEqual(self.requests(), [["-", "200"], ["bytes=1000000-", "206"], ["bytes=2000000-", "206"]])
        self.assert_published(appliance)

    def test_the_next_apply_goes_on_too_unless_the_file_is_another_one(self):
        self.serve("--cut", 100_000, "--cuts", 99)
        appliance = self.appliance()
        begun = self.broken_off(appliance, signal.SIGTERM)
        self.serve()
        appliance.apply()
        self.assertEqual(self.requests(), [[f"bytes={begun}-", "206"]])
        self.assert_published(appliance)
        # The same again, and the file changes before the second apply.
        self.serve("--cut", 100_000, "--cuts", 99)
        appliance = self.appliance("file.tar?again")
        self.broken_off(appliance, signal.SIGTERM)
        self.file.write_bytes(archive("two"))
        self.serve()
        appliance.apply()
        self.assertEqual([code for _, code in self.requests()], ["200"], "the whole of the new one")
        self.assert_published(appliance, "two")

    def test_another_sum_than_the_fleet_files_is_refused_and_thrown_away(self):
        self.serve()
        appliance = self.appliance(sha256="0" * 64)
        with self.assertRaisesRegex(LabError, f"has the SHA-256 {hashlib.sha256(self.content).hexdigest()}, and the fleet file says 0000"):
            appliance.apply()
        self.assertEqual([path.name for path in self.downloads() if path.suffix != ".of"], [])
        self.assertFalse((self.lab.folder / "store/current").exists())

    def test_who_says_no_is_quoted(self):
        self.serve()
        with self.assertRaisesRegex(LabError, "cannot fetch 'http://127.0.0.1:8700/none.tar': the server answers 404"):
            self.appliance("none.tar").apply()
        self.assertEqual(len(self.requests()), 1, "what is not there is not asked for again and again")
        self.process.signal(15)
        self.process.wait(10)
        self.process = None

    def test_an_apply_that_is_killed_is_resumed(self):
        self.serve("--cut", 1_500_000, "--cuts", 1)
        appliance = self.appliance()
        self.assertEqual(self.broken_off(appliance, signal.SIGKILL), 1_500_000)
        self.serve()
        appliance.apply()
        self.assertEqual(self.requests(), [["bytes=1500000-", "206"]])
        self.assert_published(appliance)


if __name__ == "__main__":
    unittest.main()
