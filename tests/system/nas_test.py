"""`nfs: {backend: external}` against a real Ganesha that plays a NAS in a namespace of its own: what arrives there, entry by entry,
what a second run sends, what `kill -9` leaves, and each refusal in words."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from lab import Lab, end_on_signals, run  # noqa: E402

NAS = "172.16.1.9"
VOLUME_MIB = 600
KILLS = 5


def board(n, profile="own"):
    return f'  - {{name: pi-{n}, serial: 4000000{n}, mac: "dc:a6:32:00:04:0{n}", address: 172.16.1.{20 + n}, profile: {profile}}}'


class NasServer:
    """Ganesha and its rpcbind on a host of the lab, exporting a volume of its own to the appliance and the boards."""

    def __init__(self, lab, host, mib=VOLUME_MIB):
        self.lab, self.host, self.volume, self.process = lab, host, lab.folder / "volume", None
        self.volume.mkdir()
        image = lab.folder / "volume.ext4"
        with open(image, "wb") as file:
            file.truncate(mib << 20)
        run("mkfs.ext4", "-q", "-m", "0", "-N", "60000", str(image))
        host.command("mount", "-o", "loop", image, self.volume)
        lab.at_close(lambda: host.command("umount", "-l", self.volume, check=False))

    def path(self, relative=""):
        return host_path(self.host, self.volume / "bramble" / relative)

    def start(self, squash="No_Root_Squash", access="RW", client="172.16.1.0/24"):
        (host_path(self.host, self.volume) / "bramble").mkdir(exist_ok=True)
        configuration = self.lab.folder / "nas.conf"
        configuration.write_text(f"""NFS_CORE_PARAM {{ Protocols = 3, 4; Enable_NLM = false; Enable_RQUOTA = false; Bind_addr = {NAS}; }}
NFSv4 {{ RecoveryBackend = fs; RecoveryRoot = "{self.lab.folder}/nas-recovery"; Grace_Period = 5; Lease_Lifetime = 5; Only_Numeric_Owners = true; }}
EXPORT {{ Export_Id = 1; Path = "{self.volume}/bramble"; Pseudo = "{self.volume}/bramble"; Protocols = 3, 4; Transports = TCP; SecType = sys;
  Squash = {squash}; Access_Type = None; FSAL {{ Name = VFS; }}
  CLIENT {{ Clients = {client}; Access_Type = {access}; }} }}
""")
        (self.lab.folder / "nas-recovery").mkdir(exist_ok=True)
        words = (f"mount -t tmpfs tmpfs /run && mkdir -p /run/rpcbind /run/ganesha && rpcbind -w && "
                 f"exec ganesha.nfsd -F -L STDERR -f {configuration} -p {self.lab.folder}/nas.pid")
        self.process = self.host.start("sh", "-c", words, log="nas.log")
        self.process.wait_for("NFS SERVER INITIALIZED", 30)

    def stop(self):
        self.process.stop()
        for pid in run("ip", "netns", "pids", self.host.name).split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "rpcbind\n":
                os.kill(int(pid), signal.SIGKILL)


def host_path(host, path):
    return host.path(path)


def entries(root):
    """Every entry of a tree by its path in bytes: all that NFS version 3 can hold of it."""
    root, seen, links = os.fsencode(root), {}, {}
    for folder, names, files in os.walk(root):
        for name in [*names, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode)
            one = {"mode": oct(status.st_mode), "owner": (status.st_uid, status.st_gid), "mtime": status.st_mtime_ns}
            if kind == stat.S_IFREG:
                one["size"] = status.st_size
                with open(path, "rb") as file:
                    one["sum"] = hash(file.read())
                if status.st_nlink > 1:
                    links.setdefault((status.st_dev, status.st_ino), []).append(os.path.relpath(path, root))
            elif kind == stat.S_IFLNK:
                one["target"] = os.readlink(path)
                del one["mtime"]  # NFS-Ganesha keeps none of links
            elif kind in (stat.S_IFCHR, stat.S_IFBLK):
                one["device"] = status.st_rdev
            seen[os.path.relpath(path, root)] = one
    return seen, sorted(sorted(group) for group in links.values() if len(group) > 1)


# What a board's identity writes: these differ from the base by intention.
IDENTITY = re.compile(rb"^(etc(/(hostname|hosts|machine-id|fstab|ssh|systemd|network|passwd|shadow|group|gshadow|NetworkManager|resolv|bramble|"
                      rb"dhcpcd|netplan|subuid|subgid).*)?|usr(/local(/.*)?|/lib(/(systemd|NetworkManager).*)?)?|root|home|var(/lib(/dbus.*)?)?)$")


class Nas(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        for name in ("ganesha.nfsd", "rpcbind"):
            if not shutil.which(name):
                self.skipTest(f"{name} is not installed: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(switch, "eth1", address=f"{SERVER}/24")
        self.nas = NasServer(self.lab, self.lab.namespace("nas").join(switch, "eth0", address=f"{NAS}/24"))
        self.source, self.store = self.lab.folder / "image", self.lab.folder / "store"
        stand_in.make(self.source)
        self.root = self.source / "root"
        self.appliance = Appliance(self.server, self.fleet())

    def fleet(self, boards=(1, 2), more="root: {mode: per-board}", path=None):
        text = fleet_yaml(
            self.store, f"  pi: {{source: {{directory: {{boot: {self.source}/boot, root: {self.root}}}}}}}",
            f"  own: {{model: pi4, image: pi, cmdline: [console=tty1], {more}}}", "\n".join(board(n) for n in boards))
        return text.replace("  unknown_boards:", f"  nfs: {{backend: external, server: {NAS}, path: {path or self.nas.volume / 'bramble'}}}\n"
                            "  unknown_boards:")

    def furnish(self):
        """All kinds of entries, with what is easily lost."""
        root = self.root
        files = {"usr/bin/tool": (0o4755, b"tool"), "var/mail": (0o2640, b"mail"), "usr/bin/plain": (0o644, b"plain" * 5000),
                 "var/empty": (0o600, b"")}
        for name, (mode, content) in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.chown(path, 1000, 33)
            path.chmod(mode)
        os.link(root / "usr/bin/tool", root / "usr/bin/same")
        os.link(root / "usr/bin/tool", root / "var/same-again")
        (root / "tmp").chmod(0o1777)
        (root / "usr/bin/link").symlink_to("tool")
        (root / "usr/dangling").symlink_to("/no/where")
        os.mknod(root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(root / "dev/loop0", stat.S_IFBLK | 0o660, os.makedev(7, 300))
        os.mkfifo(root / "var/fifo", 0o620)
        os.mknod(root / "var/socket", stat.S_IFSOCK | 0o755)
        raw = os.fsencode(root) + b"/var/caf\xe9-\xff"
        pathlib.Path(os.fsdecode(raw)).write_bytes(b"latin-1")
        (root / "var" / ("n" * 255)).write_bytes(b"long")
        with open(root / "var/sparse", "wb") as file:
            file.seek(5 << 20)
            file.write(b"in the middle")
            file.truncate(40 << 20)
        with open(root / "var/large", "wb") as file:
            file.write(random.Random(1).randbytes(9_000_001))
        (root / "var/deep/er/and/deeper").mkdir(parents=True)
        (root / "var/deep/er/and/deeper/leaf").write_text("leaf")
        for n in range(1500):
            path = root / f"usr/share/{n % 30}/{n}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(random.Random(n).randbytes(n * 7 % 20_000))
        for folder, names, names_of_files in os.walk(os.fsencode(root), topdown=False):
            for name in [*names_of_files, *names]:
                path = os.path.join(folder, name)
                os.utime(path, ns=(1_600_000_000_111_222_333, 1_500_000_000_123_456_789 + len(name)), follow_symlinks=False)

    def manifest(self):
        return json.loads((self.store / "current/manifest.json").read_text())

    def tree(self, name):
        """The board's root as it lies on the NAS."""
        path = next(one["root"]["path"] for one in self.manifest()["boards"] if one["name"] == name)
        return host_path(self.nas.host, path)

    def refused(self):
        said = self.appliance.bramble("apply", check=False)
        self.assertFalse((self.store / "current").exists(), said)
        return said

    def half_made(self):
        """How many entries lie in trees that have no name of their own yet."""
        return sum(len(names) + len(files) for top in self.nas.path("boards").glob("*/.new.*") for _, names, files in os.walk(top))

    def written_entries(self, said):
        """(made, of) of each root, as apply says."""
        return [(int(made), int(of)) for made, of in re.findall(r"(\d+) of (\d+) entries written to", said)]

    def test_a_tree_arrives_entry_by_entry(self):
        self.furnish()
        self.nas.start()
        plan = self.appliance.bramble("plan")
        self.assertIn(f"written to {NAS}:{self.nas.volume}/bramble", plan)
        said = self.appliance.apply()
        for name in ("pi-1", "pi-2"):
            here, here_links = entries(self.root)
            there, there_links = entries(self.tree(name))
            self.assertEqual(here_links, there_links)
            wrong = {path: (one, there.get(path)) for path, one in here.items() if there.get(path) != one and not IDENTITY.match(path)}
            self.assertEqual(wrong, {})
            self.assertEqual([path for path in there if path not in here and not IDENTITY.match(path)], [])
            self.assertEqual((self.tree(name) / "etc/hostname").read_text(), name + "\n")
            sparse = os.stat(self.tree(name) / "var/sparse")
            self.assertEqual(sparse.st_size, 40 << 20)
            self.assertLess(sparse.st_blocks * 512, 2 << 20, "holes stay holes")
            self.assertNotEqual((self.tree("pi-1") / "etc/machine-id").read_text(), (self.tree("pi-2") / "etc/machine-id").read_text())
        entry = next(one for one in self.manifest()["boards"] if one["name"] == "pi-1")
        self.assertIn(f"nfsroot={NAS}:{self.nas.volume}/bramble/boards/pi-1/root.", entry["files"]["cmdline.txt"]["text"])
        self.assertEqual(entry["root"]["server"], NAS)
        # The second run finds everything there and sends nothing.
        self.nas.stop()
        self.assertIn("nothing to do", self.appliance.apply(), "not even a connection")
        self.nas.start()
        said = self.appliance.bramble("check", "--exports", check=False)
        self.assertIn("2 of 2 exports are as their boards need them", said)
        self.assertRegex(self.appliance.bramble("rehearse", "pi-1", check=False), rf"root\.\w+ mounted by NFS 3 from {NAS}\n")

    def test_what_a_killed_run_left_is_gone_on_with(self):
        self.furnish()
        self.nas.start()
        chance = random.Random(int(os.environ.get("SEED", "7")))
        killed = 0
        for _ in range(KILLS):
            process = self.server.start(program(), "apply", "--fleet", self.appliance.fleet_file, log="killed.log")
            target, deadline = self.half_made() + chance.randrange(20, 300), time.monotonic() + 60
            while process.exit_code is None and self.half_made() < target and time.monotonic() < deadline:
                time.sleep(0.01)
            killed += process.exit_code is None
            process.signal(signal.SIGKILL)
            process.wait(10)
        self.assertGreater(killed, KILLS // 2)
        self.assertFalse((self.store / "current").exists(), "nothing half-made is published")
        said = self.appliance.apply()
        written = self.written_entries(said)
        print(f"  {killed} runs killed; the last one wrote {written}", flush=True)
        self.assertLess(written[0][0], written[0][1] - 50, "what was there was not written again")
        here, links = entries(self.root)
        for name in ("pi-1", "pi-2"):
            there, there_links = entries(self.tree(name))
            self.assertEqual(links, there_links)
            self.assertEqual({path for path, one in here.items() if there.get(path) != one and not IDENTITY.match(path)}, set())
            self.assertEqual([one for one in os.listdir(self.tree(name).parent) if one.startswith(".")], [])

    def test_generations_rollback_and_gc(self):
        self.nas.start()
        self.appliance.apply()
        first = {name: self.tree(name) for name in ("pi-1", "pi-2")}
        (first["pi-1"] / "home/work").write_text("of the board\n")
        (self.root / "etc/issue").write_text("two\n")
        self.appliance.apply()
        self.assertNotEqual(self.tree("pi-1"), first["pi-1"])
        self.assertTrue(first["pi-1"].exists(), "a board may run from it")
        self.appliance.bramble("rollback")
        self.assertEqual(self.tree("pi-1"), first["pi-1"])
        self.assertEqual((self.tree("pi-1") / "home/work").read_text(), "of the board\n")
        self.appliance.apply()
        self.appliance.bramble("gc", "--keep", "1")
        self.assertFalse(first["pi-1"].exists())
        self.assertTrue(self.tree("pi-1").exists())
        self.assertEqual(len(list(self.tree("pi-1").parent.iterdir())), 1)
        self.assertIn("nothing to do", self.appliance.apply())

    def test_an_identity_that_changes_is_written_into_the_root_as_the_board_left_it(self):
        self.nas.start()
        self.appliance.apply()
        (self.tree("pi-1") / "home/work").write_text("of the board\n")
        self.appliance.write_fleet(self.fleet(more='users: [{name: lab, authorized_keys: ["ssh-ed25519 AAAA lab"]}]'))
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        said = self.appliance.apply()
        self.assertEqual((self.tree("pi-1") / "home/lab/.ssh/authorized_keys").read_text().strip(), "ssh-ed25519 AAAA lab", said)

    def doctor(self):
        """(severity, text) of what `bramble doctor` finds about the NAS."""
        said = json.loads(self.appliance.bramble("doctor", "--json", "--listen", "1s", check=False))
        (found,) = [one for one in said["findings"] if one["subject"] == f"NAS {NAS}:{self.nas.volume}/bramble"]
        return found["severity"], found["text"]

    def assert_ill(self, sentence):
        severity, text = self.doctor()
        self.assertEqual(severity, "bad", text)
        self.assertRegex(text, sentence)

    def test_a_nas_that_has_just_started_is_waited_for(self):
        """Until the clients that it had by version 4 are back it puts off changes of attributes (NFS3ERR_JUKEBOX)."""
        self.nas.start()
        self.appliance.write_fleet(self.fleet(more='root: {mode: per-board, nfs_version: "4.2"}'))
        self.appliance.apply()
        self.assertIn("2 of 2 exports", self.appliance.bramble("check", "--exports", check=False))
        self.nas.process.signal(signal.SIGKILL)
        self.nas.process.wait(10)
        self.nas.stop()
        (self.root / "etc/issue").write_text("another base\n")
        self.nas.start()
        self.appliance.apply()
        self.assertEqual((self.tree("pi-1") / "etc/issue").read_text(), "another base\n")

    def test_each_refusal_in_words(self):
        self.assertRegex(self.refused(), rf"no mount service answers at {NAS}: ")
        self.assert_ill(rf"no mount service answers at {NAS}: .*; look whether that machine is on")
        self.nas.start(squash="Root_Squash")
        self.assertIn("export it with no_root_squash", self.refused())
        self.assert_ill("export it with no_root_squash")
        self.nas.stop()
        self.nas.start(client="172.16.1.77")
        self.assertRegex(self.refused(), "is not there, or not exported|is not exported to this machine")
        self.nas.stop()
        self.nas.start(access="RO")
        self.assertIn("it is exported read-only", self.refused())
        self.assert_ill("it is exported read-only: export it to this machine read-write")
        self.nas.stop()
        self.nas.start()
        self.assertEqual(self.doctor(), ("good", "can be written to, and root is root there"))
        self.assertEqual(list(self.nas.path().iterdir()), [], "what was tried is gone again")
        self.appliance.write_fleet(self.fleet(path="/no/where"))
        self.assertRegex(self.refused(), rf"{NAS}:/no/where is not (there, or not exported|exported to this machine): ")
        self.appliance.write_fleet(self.fleet())
        filler = host_path(self.nas.host, self.nas.volume) / "filler"
        with open(filler, "wb") as file:
            left = os.statvfs(filler.parent)
            os.posix_fallocate(file.fileno(), 0, (left.f_bavail * left.f_frsize) - (4 << 20))
        with open(self.root / "var/lib/big", "wb") as file:
            file.write(random.Random(2).randbytes(20 << 20))
        self.assertRegex(self.refused(), r"cannot write 'var/lib/big': it has no room left: make room there, then run apply again")
        filler.unlink()
        self.appliance.apply()

    def test_what_version_3_cannot_hold_is_said(self):
        for n in range(5):
            path = self.root / f"usr/attribute-{n}"
            path.write_text("x")
            os.setxattr(path, "user.note" if n else "security.capability",
                        b"x" if n else bytes.fromhex("0100000200200000000000000000000000000000"))
        self.nas.start()
        sentence = ("5 files have extended attributes, which NFS version 3 cannot hold (among them 1 file capabilities): usr/attribute-0, "
                    "usr/attribute-1, usr/attribute-2 and 2 more")
        said = self.appliance.apply()
        self.assertEqual(said.count(sentence), 2, "once for both boards, and once more at the end:\n" + said)
        self.assertIn(sentence, self.appliance.bramble("plan"))


if __name__ == "__main__":
    unittest.main()
