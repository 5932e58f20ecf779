"""`bramble rehearse` and `apply --rehearse` with a real store and, where it is installed, a real Ganesha that libnfs mounts."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, payload, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

RELEASE = "6.1.0-56-arm64"
BOARDS = "\n".join(
    f'  - {{name: pi-{n:02}, serial: 5b1545{n:02x}, mac: "dc:a6:32:00:00:{n:02x}", address: 172.16.1.{n + 2}, profile: lab}}'
    for n in range(1, 4))


def arm64_kernel(release=RELEASE):
    image = bytearray(1 << 20)
    image[56:60] = b"ARM\x64"
    banner = f"Linux version {release} (lab) #1 SMP".encode()
    image[8192:8192 + len(banner)] = banner
    return bytes(image)


def arm_kernel():
    image = bytearray(1 << 20)
    image[36:40] = b"\x18\x28\x6f\x01"
    return bytes(image)


def newc(name, content=b"", mode=0o100755):
    """One entry of a cpio archive in the form that the kernel unpacks."""
    name = name.encode() + b"\0"
    fields = (1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    entry = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    entry += b"\0" * (-len(entry) % 4) + content
    return entry + b"\0" * (-len(entry) % 4)


def initramfs(*names):
    entries = [newc("init", b"#!/bin/sh\n")] + [newc(name, payload(100_000, name)) for name in names]
    return gzip.compress(b"".join(entries) + newc("TRAILER!!!", mode=0), mtime=0)


class Rehearse(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")
        self.boot, self.root = self.lab.folder / "boot", self.lab.folder / "root"
        self.boot.mkdir()
        for name, content in {
            "start4.elf": payload(2_300_000, "start4"), "fixup4.dat": payload(5352, "fixup4"),
            "bcm2711-rpi-4-b.dtb": payload(47_484, "dtb"), "kernel8.img": gzip.compress(arm64_kernel(), mtime=0),
            "initramfs8": initramfs("bin/busybox"), "config.txt": b"arm_64bit=1\nauto_initramfs=1\n",
        }.items():
            (self.boot / name).write_bytes(content)
        systemd = self.root / "usr/lib/systemd/systemd"
        systemd.parent.mkdir(parents=True)
        systemd.write_bytes(b"\x7fELF")
        systemd.chmod(0o755)
        (self.root / f"usr/lib/modules/{RELEASE}").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "etc/os-release").write_text("ID=debian\n")
        (self.root / "usr/sbin").mkdir()
        (self.root / "lib").symlink_to("usr/lib")
        (self.root / "sbin").symlink_to("usr/sbin")
        (self.root / "usr/sbin/init").symlink_to("/lib/systemd/systemd")
        self.appliance = Appliance(self.server, self.fleet("{image: lite, cmdline: [console=tty1]}"))
        self.store = self.lab.folder / "store"

    def fleet(self, profile):
        return fleet_yaml(
            self.lab.folder / "store", f"  lite: {{source: {{directory: {{boot: {self.boot}, root: {self.root}}}}}}}",
            f"  lab: {profile}", BOARDS)

    def first(self, *options):
        """What the rehearsal of every board says first; one sentence for all."""
        said = json.loads(self.appliance.bramble("rehearse", "--all", "--json", *options, check=False))
        self.assertEqual(said["boards"], 3)
        sentences = {report["first"].replace(report["board"], "NAME") if report["first"] else None for report in said["reports"]}
        self.assertEqual(len(sentences), 1, sentences)
        return sentences.pop()

    def refused(self):
        """Applies with a rehearsal that has to refuse; what was published stays. Returns what was said."""
        before = os.readlink(self.store / "current") if (self.store / "current").is_symlink() else None
        said = self.appliance.bramble("apply", "--rehearse", check=False)
        after = os.readlink(self.store / "current") if (self.store / "current").is_symlink() else None
        self.assertEqual(before, after, said)
        self.assertIn("0 of 3 boards would boot", said)
        return said

    def test_a_sound_fleet_is_rehearsed_and_published(self):
        said = self.appliance.bramble("apply", "--rehearse")
        self.assertIn("3 of 3 boards would boot", said)
        self.assertEqual(os.readlink(self.store / "current"), "generations/1")
        self.assertIsNone(self.first())
        story = self.appliance.bramble("rehearse", "pi-02")
        self.assertIn("pi-02  generation 1  firmware pi4-2023  would boot", story)
        self.assertIn("because no NFS server answers", story)
        self.assertIn("64-bit, " + RELEASE, story)

    def test_what_would_not_boot_is_not_published(self):
        self.appliance.bramble("apply", "--rehearse")
        for spoil, sentence in (
            (lambda: (self.boot / "bcm2711-rpi-4-b.dtb").unlink(), "bcm2711-rpi-4-b.dtb is not served"),
            (lambda: (self.boot / "start4.elf").unlink(), "neither start4.elf nor start.elf is served"),
            (lambda: (self.boot / "kernel8.img").unlink(), "none of kernel8.img, kernel7l.img, kernel.img is served"),
            (lambda: (self.boot / "kernel8.img").write_bytes(arm_kernel()), "kernel8.img is a 32-bit kernel"),
            (lambda: (self.boot / "initramfs8").write_bytes((self.boot / "initramfs8").read_bytes()[:-2000]),
             "initramfs8 is not an initramfs"),
        ):
            kept = {path: path.read_bytes() for path in self.boot.iterdir()}
            with self.subTest(sentence):
                spoil()
                self.assertIn(sentence, self.refused())
            for path, content in kept.items():
                path.write_bytes(content)
        (self.root / "usr/sbin/init").unlink()
        self.assertIn("the root has no /sbin/init", self.refused())

    def test_damage_in_the_store(self):
        self.appliance.apply()
        manifest = json.loads((self.store / "generations/1/manifest.json").read_text())
        digest = next(iter(manifest["trees"].values()))["kernel8.img"]["object"]
        path = self.store / "objects" / digest[:2] / digest
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content[:-1] + b"?")
        self.assertEqual(self.first(), "kernel8.img is damaged in the store: its bytes are not what was stored")
        path.unlink()
        self.assertIn("kernel8.img is damaged in the store: ", self.first())
        self.appliance.apply()  # the remedy
        self.assertIsNone(self.first())

    def test_klibc_mounts_version_3_only(self):
        (self.boot / "initramfs8").write_bytes(initramfs("usr/bin/nfsmount"))
        self.appliance.write_fleet(self.fleet('{image: lite, cmdline: [console=tty1], root: {nfs_version: "4.2"}}'))
        self.appliance.apply()
        self.assertEqual(self.first(), "klibc's nfsmount knows versions 2 and 3, not 4.2: use vers=3")

    def test_old_firmware_and_a_large_kernel(self):
        (self.boot / "kernel8.img").write_bytes(arm64_kernel() + bytes(67_000_000))
        self.appliance.apply()
        self.assertEqual(
            self.first(), "kernel8.img has 68.0 MB, and firmware pi4-2023 fetches no more than 67.1 MB by TFTP")
        self.assertIsNone(self.first("--firmware", "pi4-2026"))

    def test_a_generation_from_before(self):
        self.appliance.apply()
        (self.boot / "bcm2711-rpi-4-b.dtb").unlink()
        self.appliance.apply()
        self.assertEqual(
            self.first(), "bcm2711-rpi-4-b.dtb is not served, and the kernel starts without a device tree")
        self.assertIsNone(self.first("--generation", "1"))

    def test_a_root_that_is_gone(self):
        self.appliance.apply()
        for board in (self.store / "boards").iterdir():
            shutil.rmtree(board)
        self.assertIn(f"no NFS server answers at {SERVER}, and there is no directory", self.first())

    def test_the_export_is_mounted_over_the_wire(self):
        for program in ("ganesha.nfsd", "rpcbind"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed: run 'sudo deploy/setup --for test'")
        self.appliance.apply()
        server = self.appliance.nfs()
        self.addCleanup(server.stop)
        story = self.appliance.bramble("rehearse", "pi-01")
        self.assertRegex(story, rf"boards/pi-01/root\.\w+ mounted by NFS 3 from {SERVER}\n")
        self.assertIn("/sbin/init is there, which is /usr/lib/systemd/systemd", story)
        self.assertIsNone(self.first())
        # An export that the server does not have, although its directory is there.
        configuration = self.store / "nfs/ganesha.conf"
        configuration.write_text(configuration.read_text().replace("/boards/pi-", "/boards/no-"))
        server.stop()
        again = self.appliance.nfs()
        self.addCleanup(again.stop)
        self.assertRegex(self.first(), rf"^NFS 3 mount of {SERVER}:\S+/boards/NAME/root\.\w+: ")

    def over_the_wire(self, *words):
        """From the switch, which is another machine: exit code and what was said."""
        done = subprocess.run(
            self.switch.host.inside(program(), "rehearse", "--wire", self.switch.bridge, "--fleet", self.appliance.fleet_file, *words),
            capture_output=True, text=True, timeout=200)
        return done.returncode, done.stdout + done.stderr

    def test_boards_boot_against_the_server_that_runs(self):
        for tool in ("ganesha.nfsd", "rpcbind"):
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed: run 'sudo deploy/setup --for test'")
        # Copies: the machine that rehearses sees the store without the server's mounts.
        text = self.fleet("{image: lite, cmdline: [console=tty1], root: {copy_on_write: copy}}")
        text = text.replace("\nboards:", """
  bare: {image: lite, root: {mode: none}}
  others: {model: generic, image: lite, root: {copy_on_write: copy}}
boards:
  - {name: bare, serial: 5b154577, mac: "dc:a6:32:00:00:77", address: 172.16.1.77, profile: bare}
  - {name: desk, mac: "52:54:00:00:00:78", address: 172.16.1.78, profile: others}""")
        self.appliance.write_fleet(text)
        self.appliance.apply()
        self.appliance.nfs()
        self.appliance.serve()
        def ports():
            return [line.split()[0] for line in self.switch.host.command("ip", "-brief", "link").splitlines()]

        before = ports()
        code, story = self.over_the_wire("pi-01")
        self.assertEqual(code, 0, story)
        self.assertIn("pi-01  generation 1  firmware pi4-2023  would boot", story)
        self.assertRegex(story, rf"boards/pi-01/root\.\w+ mounted by NFS 3 from {SERVER}\n")
        boards = {board["name"]: board["condition"] for board in self.appliance.status()["boards"]}
        self.assertEqual((boards["pi-01"], boards["pi-02"]), ("up", "never-seen"))
        code, said = self.over_the_wire("--all", "--json")
        self.assertEqual((code, json.loads(said)["would_boot"]), (0, 5), said)
        stories = {report["board"]: json.dumps(report["story"]) for report in json.loads(said)["reports"]}
        self.assertIn("no NFS root: the board has boot files only", stories["bare"])
        self.assertIn("a generic board: what its boot loader loads is not rehearsed", stories["desk"])
        # What paper cannot know: a firewall is in the way.
        self.server.command("nft", "add", "table", "ip", "lab")
        self.server.command("nft", "add chain ip lab input { type filter hook input priority 0; }")
        self.server.command("nft", "add", "rule", "ip", "lab", "input", "tcp", "dport", "2049", "reject")
        code, story = self.over_the_wire("pi-02")
        self.assertEqual(code, 1, story)
        self.assertIn("pi-02  generation 1  firmware pi4-2023  would NOT boot", story)
        self.assertRegex(story, rf"NFS 3 mount of {SERVER}:\S+/boards/pi-02/root")
        self.assertTrue(eventually(lambda: ports() == before, 10), "a port was left behind")

    def test_commands_that_are_wrong(self):
        self.appliance.apply()
        for words, sentence in (
            ((), "say which BOARD to rehearse, or --all"),
            (("pi-01", "--all"), "say which BOARD to rehearse, or --all"),
            (("pi-1",), "generation 1 has no board 'pi-1' (did you mean 'pi-01'?)"),
            (("--all", "--firmware", "pi9"), "--firmware: unknown firmware 'pi9'"),
            (("--all", "--wire", "eth9"), "--wire: there is no interface 'eth9' here: see `ip link`"),
            (("--all", "--wire", "eth1", "--generation", "1"), "--wire: the server that runs serves the current generation"),
        ):
            with self.subTest(words):
                with self.assertRaisesRegex(Exception, sentence.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
                    self.appliance.bramble("rehearse", *words)


if __name__ == "__main__":
    unittest.main()
