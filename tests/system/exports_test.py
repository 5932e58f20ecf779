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
MAKE_A_FILE = """
import ctypes, ctypes.util, sys
nfs = ctypes.CDLL(ctypes.util.find_library("nfs"))
nfs.nfs_init_context.restype = ctypes.c_void_p
context = ctypes.c_void_p(nfs.nfs_init_context())
file = ctypes.c_void_p()
assert nfs.nfs_mount(context, sys.argv[1].encode(), sys.argv[2].encode()) == 0
print(nfs.nfs_creat(context, b"/new", 0o644, ctypes.byref(file)))
"""


def board(n):
    return (f'  - {{name: pi-{n:04}, serial: {0x5b100000 + n:08x}, mac: "dc:a6:32:01:{n >> 8:02x}:{n & 255:02x}", '
            f"profile: {'new' if n % 2 == 0 and n < 5 else 'lab'}}}")


class ExportCase(unittest.TestCase):
    """A machine whose store is on a filesystem of its own, which a test can fill. Boards 1 and 3 mount by version 3, 2 and 4 by version 4.2."""

    filesystem = ("ext4", "-m", "0", "-N", "100000")
    root = "copy_on_write: copy"

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
        image = self.lab.folder / "disk.img"
        with open(image, "wb") as file:
            file.truncate(STORE_MIB << 20)
        kind, *options = self.filesystem
        run(f"mkfs.{kind}", "-q", *options, str(image))
        disk = self.lab.folder / "disk"
        disk.mkdir()
        self.host.command("mount", "-o", "loop", image, disk)
        self.addCleanup(lambda: self.host.command("umount", "-l", disk, check=False))

    def fleet(self, count):
        return fleet_yaml(
            self.store, f"  lite: {{source: {{directory: {{boot: {self.image}/boot, root: {self.image}/root}}}}}}",
            f"  lab: {{image: lite, cmdline: [console=tty1], root: {{{self.root}}}}}\n"
            f'  new: {{image: lite, cmdline: [console=tty1], root: {{{self.root}, nfs_version: "4.2"}}}}',
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

    def tree(self, name):
        return self.host.path(self.root_path(name))

    def root_path(self, name):
        manifest = json.loads(self.host.path(self.store / "current/manifest.json").read_text())
        return next(one["root"]["path"] for one in manifest["boards"] if one["name"] == name)


class Exports(ExportCase):
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
            systemd, modules = self.tree(name) / "usr/lib/systemd/systemd", self.tree(name) / "usr/lib/modules"

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


class Shared(ExportCase):
    root = "mode: shared"

    def mounts_for(self, _root):
        """What of the store has to be mounted while this root is exported."""
        return set()

    def make_image(self):
        super().make_image()
        root = self.image / "root"
        (root / "bin").mkdir()
        # As much of a static program as the packing of an initramfs looks at: one segment to load.
        header = bytearray(64 + 56)
        header[:6], header[32], header[54], header[56], header[64] = b"\x7fELF\x02\x01", 64, 56, 1, 1
        (root / "bin/busybox").write_bytes(header)
        modules = root / "usr/lib/modules" / RELEASE
        (modules / "modules.dep").write_text("")
        (modules / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in (
            "fs/nfs/nfs", "fs/nfs/nfsv3", "fs/nfs/nfsv4", "fs/overlayfs/overlay", "drivers/net/ethernet/broadcom/genet/genet")))

    def mounts(self):
        """What of the store is mounted."""
        table = (line.split()[4] for line in self.host.command("cat", "/proc/self/mountinfo").splitlines())
        return {at.removeprefix(f"{self.store}/") for at in table if at.startswith(f"{self.store}/")}

    def error_of_writing(self, path):
        """What libnfs says, as root of a board's address, to a file that is made there."""
        said = self.host.command("python3", "-c", MAKE_A_FILE, SERVER, path)
        return os.strerror(-int(said))

    def test_one_root_for_all_boards_is_exported_and_nobody_writes_to_it(self):
        self.serve()
        ok, exports = self.check()
        self.assertTrue(ok, exports)
        first = self.root_path("pi-0001")
        self.assertEqual({self.root_path(name) for name in exports}, {first})
        self.assertEqual(self.mounts(), self.mounts_for(first))
        self.assertEqual(self.error_of_writing(first), "Read-only file system")
        # As after a restart of the machine.
        self.end_nfs()
        self.appliance.bramble("root", "unmount")
        self.assertEqual(self.mounts(), set())
        self.appliance.bramble("root", "mount")
        self.assertEqual(self.mounts(), self.mounts_for(first))
        self.nfs = self.appliance.nfs()
        # Another base, mounted while the server runs, in a mount namespace of the server's own.
        (self.image / "root/etc/issue").write_text("another base")
        self.appliance.apply()
        second = self.root_path("pi-0001")
        self.assertNotEqual(second, first)
        ok, exports = self.check()
        self.assertTrue(ok, exports)
        self.assertTrue(self.host.path(first).is_dir(), "a board may run from it")
        self.appliance.bramble("gc", "--keep", "1")
        self.assertEqual(self.mounts(), self.mounts_for(second))
        self.assertEqual({path.name.partition(".")[0] for path in self.host.path(self.store / "roots").iterdir()}, {os.path.basename(second)})
        ok, exports = self.check()
        self.assertTrue(ok, exports)
        self.assertIn("nothing to do", self.appliance.apply())


class SharedOnBtrfs(Shared):
    """There a base is a subvolume, which Ganesha exports only where it is a mount."""

    filesystem = ("btrfs",)

    def mounts_for(self, root):
        return {"boards", "roots", os.path.relpath(root, self.store)}


if __name__ == "__main__":
    unittest.main()
