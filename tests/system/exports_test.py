"""`bramble check --exports` against a real Ganesha: what boards would find in their roots, with each failure caused."""

import json
import os
import pathlib
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from lab import Lab, LabError, end_on_signals, run  # noqa: E402
from rehearse_test import RELEASE, arm64_kernel  # noqa: E402

MANY = 1000
MANY_SECONDS_MAX = 120
STORE_MIB = 900


def board(n):
    return (f'  - {{name: pi-{n:04}, serial: {0x5b100000 + n:08x}, mac: "dc:a6:32:01:{n >> 8:02x}:{n & 255:02x}", '
            f"profile: {'new' if n % 2 == 0 and n < 5 else 'lab'}}}")


class Exports(unittest.TestCase):
    """Boards 1 and 3 mount by version 3, 2 and 4 by version 4.2."""

    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        for program in ("ganesha.nfsd", "rpcbind"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.host = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        self.image, self.store = self.lab.folder / "image", self.lab.folder / "disk/store"
        self.make_image()
        self.make_disk()
        self.appliance = Appliance(self.host, self.fleet(4))
        self.nfs = None

    def make_image(self):
        boot, root = self.image / "boot", self.image / "root"
        for folder in (boot, root / f"usr/lib/modules/{RELEASE}", root / "usr/lib/systemd", root / "usr/sbin", root / "etc"):
            folder.mkdir(parents=True)
        for name, content in {"start4.elf": b"s", "fixup4.dat": b"f", "bcm2711-rpi-4-b.dtb": b"d", "config.txt": b"arm_64bit=1\n",
                              "kernel8.img": arm64_kernel()}.items():
            (boot / name).write_bytes(content)
        (root / "usr/lib/systemd/systemd").write_bytes(b"\x7fELF")
        (root / "usr/lib/systemd/systemd").chmod(0o755)
        (root / "lib").symlink_to("usr/lib")
        (root / "sbin").symlink_to("usr/sbin")
        (root / "usr/sbin/init").symlink_to("/lib/systemd/systemd")
        (root / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
        (root / "etc/shadow").chmod(0o640)

    def make_disk(self):
        """The store on a filesystem of its own, which a test can fill."""
        image = self.lab.folder / "disk.ext4"
        with open(image, "wb") as file:
            file.truncate(STORE_MIB << 20)
        run("mkfs.ext4", "-q", "-m", "0", "-N", "100000", str(image))
        disk = self.lab.folder / "disk"
        disk.mkdir()
        self.host.command("mount", "-o", "loop", image, disk)
        self.addCleanup(lambda: self.host.command("umount", "-l", disk, check=False))

    def fleet(self, count):
        return fleet_yaml(
            self.store, f"  lite: {{source: {{directory: {{boot: {self.image}/boot, root: {self.image}/root}}}}}}",
            "  lab: {image: lite, cmdline: [console=tty1], root: {copy_on_write: copy}}\n"
            '  new: {image: lite, cmdline: [console=tty1], root: {copy_on_write: copy, nfs_version: "4.2"}}',
            "\n".join(board(n) for n in range(1, count + 1)))

    def serve(self):
        self.appliance.apply()
        self.nfs = self.appliance.nfs()
        return self.nfs

    def serve_again(self, **changes):
        """Another server in its place, whose configuration says otherwise than Bramble wrote it."""
        configuration = self.host.path(self.store / "nfs/ganesha.conf")
        text = configuration.read_text()
        for old, new in changes.values():
            self.assertIn(old, text)
            text = text.replace(old, new)
        configuration.write_text(text)
        self.end_nfs()
        self.nfs = self.appliance.nfs()

    def end_nfs(self):
        """Ganesha, and the rpcbind beside it, which is a daemon of its own."""
        self.nfs.stop()
        for pid in run("ip", "netns", "pids", self.host.name).split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "rpcbind\n":
                os.kill(int(pid), signal.SIGKILL)

    def check(self, *boards):
        """(whether all is well, what was said of each board)."""
        said = json.loads(self.appliance.bramble("check", "--exports", "--json", *boards, check=False))
        return said["ok"], {one["board"]: one for one in said["exports"]["exports"]}

    def problem_of(self, name, *, others_fine=True):
        ok, exports = self.check()
        self.assertFalse(ok)
        if others_fine:
            self.assertEqual([n for n, one in exports.items() if not one["ok"]], [name], exports)
        self.assertTrue(all(problem["remedy"] for problem in exports[name]["problems"]))
        return [problem["sentence"] for problem in exports[name]["problems"]]

    def root(self, name):
        return self.host.path(self.root_path(name))

    def root_path(self, name):
        manifest = json.loads(self.host.path(self.store / "current/manifest.json").read_text())
        return next(one["root"]["path"] for one in manifest["boards"] if one["name"] == name)

    def test_good_exports_of_both_versions(self):
        self.serve()
        ok, exports = self.check()
        self.assertTrue(ok, exports)
        self.assertEqual([one["nfs_version"] for one in exports.values()], ["3", "4.2", "3", "4.2"])
        for name, one in exports.items():
            self.assertEqual(one["kernel_release"], RELEASE)
            self.assertEqual(one["seen"][:3], [
                f"{SERVER}:{self.root_path(name)} mounted by NFS {one['nfs_version'][0]}",
                "/sbin/init is there, which is /usr/lib/systemd/systemd", f"modules of {RELEASE} are there"])
            self.assertRegex(one["seen"][3], r"^\d+\.\d MB of \d+\.\d MB free, \d+ files$")
        said = self.appliance.bramble("check", "--exports", "pi-0002")
        self.assertIn("pi-0002  172.16.1.1:", said)
        self.assertIn("generation 1: 1 of 1 exports are as their boards need them", said)
        with self.assertRaisesRegex(LabError, r"generation 1 has no board 'pi-002' \(did you mean 'pi-000\d'\?\)"):
            self.appliance.bramble("check", "--exports", "pi-002")
        with self.assertRaisesRegex(LabError, "boards are named for --exports"):
            self.appliance.bramble("check", "pi-0001")

    def test_what_is_wrong_in_a_root(self):
        self.serve()
        for name in ("pi-0001", "pi-0002"):
            systemd, modules = self.root(name) / "usr/lib/systemd/systemd", self.root(name) / "usr/lib/modules"

            def say(change, name=name):
                """The problem after a change below the server, which is to know nothing from before."""
                change()
                self.serve_again()
                return self.problem_of(name)

            with self.subTest(name):
                self.assertEqual(say(lambda: systemd.chmod(0o644)), ["/sbin/init in the root may not be executed"])
                self.assertEqual(say(systemd.unlink), ["the root has no /sbin/init"])
                systemd.write_bytes(b"\x7fELF")
                systemd.chmod(0o700)
                self.assertEqual(
                    say(lambda: (modules / RELEASE).rename(modules / "5.10.0")),
                    [f"the kernel is {RELEASE}, and the root has modules of 5.10.0 only"])
                self.assertEqual(
                    say((modules / "5.10.0").rmdir), [f"the root has no kernel modules, and the kernel is {RELEASE}"])
                (modules / RELEASE).mkdir()
                self.serve_again()
                self.assertTrue(self.check()[0], "and root alone may execute its init: that is enough")

    def test_no_room_left(self):
        self.serve()
        disk = self.host.path(self.lab.folder / "disk")
        with open(disk / "filler", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, (STORE_MIB - 250) << 20)
        for sentences in (self.problem_of("pi-0001", others_fine=False), self.problem_of("pi-0002", others_fine=False)):
            self.assertEqual(len(sentences), 1, sentences)
            self.assertRegex(sentences[0], r"^its filesystem has \d+\.\d MB left, and a board that runs wants 256\.0 MB at least$")
        (disk / "filler").unlink()
        (disk / "many").mkdir()
        free = os.statvfs(disk).f_favail
        for n in range(free - 9000):
            (disk / "many" / str(n)).touch()
        sentences = self.problem_of("pi-0003", others_fine=False)
        self.assertRegex(sentences[0], r"^its filesystem has room for \d+ files more, and a board that runs wants 10000 at least$")
        # One sentence for all of them, with the boards that it is about.
        said = self.appliance.bramble("check", "--exports", check=False)
        self.assertEqual(said.count("its filesystem has room for"), 1, said)
        self.assertIn("4 boards: pi-0001, pi-0002, pi-0003, pi-0004\n", said)
        self.assertIn("generation 1: 0 of 4 exports are as their boards need them", said)

    def test_root_is_squashed(self):
        self.serve()
        self.serve_again(squash=("Squash = No_Root_Squash", "Squash = Root_Squash"))
        for name in ("pi-0001", "pi-0002"):
            self.assertEqual(
                self.problem_of(name, others_fine=False), ["the server takes root for somebody else: root may not read /etc/shadow"])

    def test_an_export_that_is_not_there_and_a_server_that_is_not(self):
        self.serve()
        self.serve_again(one=("/boards/pi-0001/", "/boards/no-0001/"), two=("/boards/pi-0002/", "/boards/no-0002/"))
        ok, exports = self.check()
        self.assertFalse(ok)
        self.assertEqual([one["ok"] for one in exports.values()], [False, False, True, True])
        self.assertRegex(exports["pi-0001"]["problems"][0]["sentence"], rf"^NFS 3 mount of {SERVER}:\S+/boards/pi-0001/root\.\w+: ")
        self.assertRegex(exports["pi-0002"]["problems"][0]["sentence"], rf"^NFS 4 mount of {SERVER}:\S+/boards/pi-0002/root\.\w+: ")
        self.end_nfs()
        begun = time.monotonic()
        self.assertEqual(self.problem_of("pi-0003", others_fine=False), [f"no NFS server answers at {SERVER} (TCP port 2049)"])
        self.assertLess(time.monotonic() - begun, 10)

    def test_nothing_is_published(self):
        self.assertIn("nothing is published yet", self.appliance.bramble("check", "--exports", check=False))

    def test_a_thousand_boards(self):
        self.appliance.write_fleet(self.fleet(MANY))
        self.appliance.bramble("apply", timeout=600)
        self.nfs = self.appliance.nfs(timeout=120)
        begun = time.monotonic()
        said = self.appliance.bramble("check", "--exports", timeout=MANY_SECONDS_MAX)
        print(f"  {MANY} exports in {time.monotonic() - begun:.1f} s", flush=True)
        self.assertIn(f"generation 1: {MANY} of {MANY} exports are as their boards need them", said)


if __name__ == "__main__":
    unittest.main()
