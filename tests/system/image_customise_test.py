"""`customize:` in a real arm64 root: what was asked for is there, and of the work itself nothing is left on this machine.

The root is the guest's, which guest_test.py leaves in BRAMBLE_CACHE, without its kernel. Packages come from a small
repository that the test makes and serves: it takes no minutes, and needs no network.
"""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import fleet_yaml, payload, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

CACHE = pathlib.Path(os.environ.get("BRAMBLE_CACHE", "/var/cache/bramble-lab"))
BOARDS = '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}'
LEFT_OUT = ("./usr/lib/modules/*", "./boot/*", "./usr/lib/linux-image-*", "./usr/share/doc/*", "./var/lib/apt/lists/*",
            "./var/cache/*")
FIRMWARE = {"start4.elf": 100_000, "fixup4.dat": 1000, "kernel8.img": 100_000}

CONTROL = """Package: {name}
Version: 1.0
Architecture: all
Maintainer: Lab <lab@example.org>
Description: a package of the lab
"""
# What a package with a service does, and what would run on this machine if nothing held it back.
POST_INSTALLATION = """#!/bin/sh
set -e
uname -m >/etc/lab-machine
policy-rc.d lab start || echo $? >/etc/lab-policy
[ -s /etc/lab-policy ] || (sleep 1000 &)
"""
UNIT = "[Unit]\nDescription=Lab\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"


def guest_root():
    """The arm64 root in the quickstart's store, or None."""
    for file in sorted((CACHE / "store/images").glob("*.json")):
        record = json.loads(file.read_text())
        root = CACHE / "store/roots" / record["key"][:16]
        if record["has_root"] and (root / "usr/bin/apt-get").exists():
            return root
    return None


def make_repository(folder):
    """A repository with the packages lab-tool and lab-old, as apt reads one without signatures."""
    stanzas = []
    for name in ("lab-tool", "lab-old"):
        tree = folder / f"{name}.tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/bin").mkdir(parents=True)
        (tree / "lib/systemd/system").mkdir(parents=True)
        (tree / f"usr/bin/{name}").write_text("#!/bin/sh\necho lab\n")
        (tree / f"usr/bin/{name}").chmod(0o755)
        (tree / f"lib/systemd/system/{name}.service").write_text(UNIT)
        (tree / "DEBIAN/control").write_text(CONTROL.format(name=name))
        (tree / "DEBIAN/postinst").write_text(POST_INSTALLATION)
        (tree / "DEBIAN/postinst").chmod(0o755)
        archive = folder / f"{name}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, archive], check=True, capture_output=True)
        shutil.rmtree(tree)
        content = archive.read_bytes()
        stanzas.append(CONTROL.format(name=name) + f"Filename: ./{archive.name}\nSize: {len(content)}\n"
                       f"SHA256: {hashlib.sha256(content).hexdigest()}\n")
    (folder / "Packages").write_text("\n".join(stanzas))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def registry():
    """What this machine's kernel has registered, also where nobody has mounted the registry."""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t binfmt_misc binfmt_misc /mnt && ls /mnt"],
        check=True, capture_output=True, text=True).stdout.split()


def mounts():
    """What this machine has mounted; labs beside this one come and go with their network namespaces."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[3:6] for line in lines if "/run/netns" not in line]


def processes_of(folder):
    """Numbers of processes that name the folder, or live in a mount namespace whose root lies in it."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "mountinfo").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def listing(top):
    """Every entry below `top` with what a change of it would change."""
    found = []
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            status = os.lstat(os.path.join(folder, name))
            found.append((folder, name, status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return sorted(found)


class Customise(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        end_on_signals()
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        base = guest_root()
        if base is None:
            raise unittest.SkipTest("no arm64 root in the cache: run 'tests/system/guest_test.py' first")
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.folder = cls.lab.folder
        cls.root, cls.boot = cls.folder / "root", cls.folder / "boot"
        cls.root.mkdir()
        leave_out = [f"--exclude={pattern}" for pattern in LEFT_OUT]
        tar = subprocess.Popen(["tar", "-C", base, *leave_out, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-C", cls.root, "-xp"], stdin=tar.stdout, check=True)
        assert tar.wait() == 0
        cls.boot.mkdir()
        for name, size in FIRMWARE.items():
            (cls.boot / name).write_bytes(payload(size, name))
        cls.serve_packages()
        cls.store = cls.folder / "store"
        cls.fleet = cls.folder / "lab.yaml"

    @classmethod
    def serve_packages(cls):
        repository = cls.folder / "repository"
        repository.mkdir()
        make_repository(repository)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=repository))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.shutdown)
        # Before the packages are read: what the root itself has for sources is of no use without a network.
        (cls.folder / "lab.list").write_text(f"deb [trusted=yes] http://127.0.0.1:{server.server_port} ./\n")
        sources = [path for path in ("etc/apt/sources.list", "etc/apt/sources.list.d/0000debian.sources")
                   if (cls.root / path).exists()]
        for path in sources:
            (cls.root / path).unlink()

    def setUp(self):
        self.before = (registry(), mounts(), processes_of(self.store))
        self.addCleanup(self.check_nothing_is_left)

    def check_nothing_is_left(self):
        eventually(lambda: not processes_of(self.store), 5)
        self.assertEqual((registry(), mounts(), processes_of(self.store)), self.before)
        self.assertEqual(self.before[2], [])

    def write_fleet(self, customize):
        image = (f"  lite:\n    source: {{directory: {{boot: {self.boot}, root: {self.root}}}}}\n"
                 f"    customize:\n{customize}")
        self.fleet.write_text(fleet_yaml(self.store, image, "  lab: {image: lite, root: {mode: none}}", BOARDS))

    def line_of(self, text):
        return next(number for number, line in enumerate(self.fleet.read_text().splitlines(), 1) if text in line)

    def bramble(self, *arguments, code=0):
        done = subprocess.run([program(), *arguments, "--fleet", self.fleet], text=True, capture_output=True, timeout=300)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, said)
        return said

    def roots(self):
        return set((self.store / "roots").iterdir())

    def test_1_all_that_was_asked_for_is_there(self):
        self.write_fleet(f"""\
      files:
        /etc/apt/sources.list.d/lab.list: lab.list
        /opt/lab/run: {{content: "#!/bin/sh\\n", mode: 0750, owner: "lab:video"}}
      remove: [busybox-static]
      packages: [lab-tool]
      users: [{{name: lab, groups: [video], sudo: on, authorized_keys: ["ssh-ed25519 AAAA lab"]}}]
      enable: [lab-tool]
      disable: [ssh]
      run:
        - uname -m >/etc/ran-on; id -u >>/etc/ran-on; echo kept >/tmp/between
        - test "$(cat /tmp/between)" = kept && touch /etc/second-ran
        - test ! -w /proc/sys/kernel/hostname && ! mount -t tmpfs none /mnt && ! mknod /etc/disk b 8 0
""")
        said = self.bramble("plan")
        self.assertIn("customize image lite: not in the store: removes busybox-static, installs lab-tool, makes lab, "
                      "writes /etc/apt/sources.list.d/lab.list and /opt/lab/run, enables lab-tool, disables ssh, runs 3 commands", said.replace("\n", " "))
        self.bramble("apply")
        self.assertEqual(self.bramble("apply").count("generation 1"), 1)
        (made,) = {root for root in self.roots() if (root / "usr/bin/lab-tool").exists()}
        (base,) = self.roots() - {made}
        type(self).base = base
        self.assertEqual((made / "etc/ran-on").read_text(), "aarch64\n0\n")
        self.assertEqual((made / "etc/lab-machine").read_text(), "aarch64\n")
        self.assertEqual((made / "etc/lab-policy").read_text(), "101\n")  # so that no service is started
        self.assertTrue((made / "usr/bin/lab-tool").exists())
        self.assertTrue((made / "etc/second-ran").exists())
        self.assertFalse((made / "usr/bin/busybox").exists())
        self.assertTrue((base / "usr/bin/busybox").exists())
        wants = made / "etc/systemd/system/multi-user.target.wants"
        self.assertTrue((wants / "lab-tool.service").is_symlink())
        self.assertFalse((wants / "ssh.service").is_symlink())
        status = (made / "opt/lab/run").stat()
        user = next(line.split(":") for line in (made / "etc/passwd").read_text().splitlines() if line.startswith("lab:"))
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (int(user[2]), 44, 0o750))
        self.assertEqual((made / "home/lab/.ssh/authorized_keys").read_text(), "ssh-ed25519 AAAA lab\n")
        for gone in ("usr/sbin/policy-rc.d", "tmp/between", "etc/disk", "dev/null"):
            self.assertFalse(os.path.lexists(made / gone), gone)
        self.assertEqual(os.path.lexists(made / "etc/resolv.conf"), os.path.lexists(self.root / "etc/resolv.conf"))
        self.assertEqual(list((made / "var/lib/apt/lists").glob("*Packages")), [])
        log = (self.store / "logs/lite.customize.log").read_text()
        self.assertIn(f"== {self.fleet}:{self.line_of('packages:')}:", log)
        self.assertIn("Setting up lab-tool", log)

    def test_2_a_command_that_fails_is_named_and_leaves_nothing(self):
        roots, base = self.roots(), self.base
        before = listing(base)
        self.write_fleet("""\
      run:
        - touch /etc/first-ran
        - |
          echo "fine so far"
          (sleep 1000 &)
          cat /etc/not-there
          echo "never reached"
""")
        self.assertRegex(self.bramble("plan"), r"1\. customize image lite: command 1 changed, .*: runs 2 commands")
        said = self.bramble("apply", code=3)
        self.assertIn(f"{self.fleet}:{self.line_of('- |')}:11: image 'lite': run echo \"fine so far\"…: ended with exit code 1:\n"
                      "cat: /etc/not-there: No such file or directory\n", said)
        self.assertNotIn("never reached", (self.store / "logs/lite.customize.log").read_text())
        self.assertIn("fine so far", (self.store / "logs/lite.customize.log").read_text())
        self.assertEqual(self.roots(), roots)
        self.assertEqual(listing(base), before)

    def end_in_the_middle(self, number):
        """What a signal to `bramble apply` does while a command runs that has left processes of its own."""
        self.write_fleet("      run: [\"(sleep 1000 &); (setsid sleep 1000 &); echo in the middle; sleep 1000\"]\n")
        log = self.store / "logs/lite.customize.log"
        log.unlink(missing_ok=True)
        process = subprocess.Popen([program(), "apply", "--fleet", self.fleet], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertTrue(eventually(lambda: log.exists() and "in the middle" in log.read_text(), 60))
        self.assertTrue(eventually(lambda: len(processes_of(self.store)) >= 5, 20), processes_of(self.store))
        self.assertEqual(registry(), self.before[0])
        begun = time.monotonic()
        process.send_signal(number)
        said = process.communicate(timeout=30)[0].decode()
        self.assertTrue(eventually(lambda: not processes_of(self.store), 5), processes_of(self.store))
        return process.returncode, said, time.monotonic() - begun

    def test_3_kill_9_in_the_middle_takes_all_of_it_along(self):
        base = self.base
        before = listing(base)
        code, _, _ = self.end_in_the_middle(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.check_nothing_is_left()
        self.assertEqual(listing(base), before)
        self.write_fleet("      run: [\"touch /etc/after\"]\n")
        self.bramble("apply")
        self.assertEqual(list((self.store / "tmp").iterdir()), [])
        self.assertEqual(len([root for root in self.roots() if (root / "etc/after").exists()]), 1)
        self.assertEqual(listing(base), before)

    def test_4_a_signal_ends_it_in_words(self):
        code, said, seconds = self.end_in_the_middle(signal.SIGTERM)
        self.assertNotEqual(code, 0)
        self.assertIn("was stopped", said)
        self.assertLess(seconds, 8)

    def test_5_a_collection_keeps_what_the_fleet_file_asks_for(self):
        self.write_fleet("      run: [\"touch /etc/after\"]\n")
        base = self.base
        self.bramble("gc", "--keep", "1")
        self.assertEqual(len(self.roots()), 2)
        self.assertIn(base, self.roots())


if __name__ == "__main__":
    unittest.main(verbosity=2)
