"""deploy/install into a directory of its own: twice, then away again; and what systemd thinks of the units."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ("bramble.service", "bramble-apply.service", "bramble-nfs.service", "bramble-roots.service", "bramble-operate.service", "bramble-operate.socket")
# How exposed a unit may be by systemd's own measure, from 0 (not at all) to 100.
EXPOSURE_MAX = {"bramble.service": 20, "bramble-nfs.service": 40, "bramble-apply.service": 65, "bramble-roots.service": 55, "bramble-operate.service": 45}


class Install(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bramble-install-"))
        self.addCleanup(shutil.rmtree, self.place)
        # The test is of the installing, not of the program: any executable will do.
        self.program = self.place / "program"
        self.program.write_text("#!/bin/sh\nexit 1\n")
        self.program.chmod(0o755)
        self.tree = self.place / "tree"

    def install(self, *arguments, expect=0):
        done = subprocess.run(
            [ROOT / "deploy/install", "--program", self.program, *arguments], env=dict(os.environ, DESTDIR=str(self.tree)),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done.stdout)
        return done.stdout

    def files(self):
        return {str(path.relative_to(self.tree)): (path.stat().st_mode, path.read_bytes())
                for path in self.tree.rglob("*") if path.is_file()}

    def test_everything_is_in_its_place(self):
        self.install()
        files = self.files()
        self.assertTrue(files["usr/local/bin/bramble"][0] & stat.S_IXOTH)
        for unit in UNITS:
            text = files[f"usr/local/lib/systemd/system/{unit}"][1].decode()
            self.assertNotIn("@PREFIX@", text)
        self.assertIn("version: 1", files["etc/bramble/fleet.yaml"][1].decode())

    def test_a_second_time_changes_nothing(self):
        self.install()
        before = self.files()
        self.assertIn("everything was up to date", self.install())
        self.assertEqual(self.files(), before)

    def test_a_new_program_replaces_the_old(self):
        self.install()
        self.program.write_text("#!/bin/sh\nexit 2\n")
        self.assertIn("/usr/local/bin/bramble", self.install())
        self.assertEqual(self.files()["usr/local/bin/bramble"][1], self.program.read_bytes())

    def test_an_operators_fleet_file_is_kept(self):
        self.install()
        fleet = self.tree / "etc/bramble/fleet.yaml"
        fleet.write_text("mine\n")
        self.install()
        self.assertEqual(fleet.read_text(), "mine\n")
        self.install("--uninstall")
        self.assertEqual(fleet.read_text(), "mine\n")

    def test_uninstalling_leaves_the_fleet_file_alone_and_nothing_else(self):
        self.install()
        self.install("--uninstall")
        self.assertEqual(set(self.files()), {"etc/bramble/fleet.yaml"})
        self.assertIn("nothing was installed", self.install("--uninstall"))

    def test_another_prefix(self):
        self.install("--prefix", "/usr")
        text = self.files()["usr/lib/systemd/system/bramble.service"][1].decode()
        self.assertIn("ExecStart=/usr/bin/bramble serve", text)

    def test_wrong_commands_say_so(self):
        self.assertIn("unknown argument '--prefx'", self.install("--prefx", expect=2))
        self.assertIn("absolute path", self.install("--prefix", "usr", expect=2))
        self.program.unlink()
        self.assertIn("is not built", self.install(expect=3))


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Units(unittest.TestCase):
    def analyze(self, *arguments):
        done = subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def filled(self, unit):
        """The unit as installed, with a program that exists, in a folder of its own."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bramble-units-"))
        self.addCleanup(shutil.rmtree, folder)
        for name in UNITS:
            text = (ROOT / "deploy/systemd" / name).read_text()
            text = re.sub(r"^ExecStart=(\S+)", "ExecStart=/bin/true", text.replace("@PREFIX@", "/usr/local"), flags=re.M)
            (folder / name).write_text(text)
        return folder / unit

    def test_systemd_understands_every_line(self):
        for unit in UNITS:
            with self.subTest(unit):
                _, output = self.analyze("verify", "--man=no", "--recursive-errors=no", str(self.filled(unit)))
                complaints = [line for line in output.splitlines() if unit in line]
                self.assertEqual(complaints, [], output)

    def test_how_confined_they_are(self):
        for unit in EXPOSURE_MAX:
            with self.subTest(unit):
                code, output = self.analyze(
                    "security", "--offline=true", f"--threshold={EXPOSURE_MAX[unit]}", "--no-pager", str(self.filled(unit)))
                self.assertEqual(code, 0, output)

    def test_a_service_of_boards_keeps_two_capabilities(self):
        text = (ROOT / "deploy/systemd/bramble.service").read_text()
        self.assertIn("\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW\n", text)
        self.assertIn("\nNoNewPrivileges=true\n", text)


if __name__ == "__main__":
    unittest.main()
