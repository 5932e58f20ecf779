"""Each kind of source that a kernel may have, through the real programs: git over its own protocol, archives as files and
behind a URL, a directory with patches, and Debian packages of a repository made here. And a build that is cancelled.

The sources are a tree that answers what a kernel's build asks for and is built in seconds; no network is needed.
"""

import hashlib
import json
import pathlib
import shutil
import signal
import sys
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import eventually  # noqa: E402
from kernel_tree import make_tree, set_words, words_patch  # noqa: E402
from lab import Lab, LabError, end_on_signals, run  # noqa: E402

GIT_PORT, WEB_PORT = 9418, 8700
COMMIT = ["-c", "user.name=lab", "-c", "user.email=lab@example.org", "-c", "init.defaultBranch=main"]


class KernelSources(unittest.TestCase):
    def setUp(self):
        for name in ("aarch64-linux-gnu-gcc", "make", "flex", "bison", "bc", "git", "patch", "depmod", "dpkg-deb", "apt-get"):
            if not shutil.which(name):
                raise unittest.SkipTest(f"{name} is not installed: run 'sudo deploy/setup --for test'")
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.folder = self.lab.folder
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        self.boot = self.folder / "boot"
        self.boot.mkdir()
        (self.boot / "start4.elf").write_bytes(b"stand-in for firmware")

    # ---- the appliance, and what it published

    def appliance(self, source, more="defconfig: tinyconfig"):
        text = fleet_yaml(
            self.folder / "store", f"  lab: {{source: {{directory: {{boot: {self.boot}}}}}}}",
            "  lab: {model: pi4, image: lab, kernel: small, root: {mode: none}}",
            '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}')
        kernel = f"kernels:\n  small:\n    source: {source}\n    arch: arm64\n    {more}\n"
        appliance = Appliance(self.server, text.replace("profiles:", kernel + "profiles:", 1))
        self.addCleanup(self.assert_nothing_is_left)
        return appliance

    def refused(self, appliance, *arguments):
        with self.assertRaises(LabError) as refusal:
            appliance.bramble("apply", *arguments)
        return str(refusal.exception)

    def kernel(self, appliance):
        """The kernel that the fleet file asks for, as `kernel list` has it."""
        return json.loads(appliance.bramble("kernel", "list", "--json"))["kernels"][0]

    def image(self):
        """The words of the published kernel."""
        manifest = json.loads((self.folder / "store/current/manifest.json").read_text())
        (tree,) = manifest["trees"].values()
        digest = tree["kernel8.img"]["object"]
        return (self.folder / "store/objects" / digest[:2] / digest).read_bytes().decode()

    def pins(self):
        return json.loads((self.folder / "appliance.lock").read_text())["kernels"]

    def assert_nothing_is_left(self):
        self.assertEqual(list((self.folder / "store/tmp").iterdir()), [])

    # ---- git

    def git(self, *words):
        return run("git", *COMMIT, "-C", str(self.work), *words).strip()

    def commit(self, says):
        set_words(self.work, says)
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", says)
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/stable")
        return self.git("rev-parse", "HEAD")

    def serve_git(self):
        bare = self.folder / "git/linux"
        run("git", *COMMIT, "init", "--quiet", "--bare", str(bare))
        self.work = make_tree(self.folder / "work", "nothing")
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", str(bare))
        self.server.command("ip", "link", "set", "lo", "up")
        process = self.server.start("git", "daemon", "--export-all", f"--base-path={bare.parent}", f"--port={GIT_PORT}", log="git.log")
        self.assertTrue(eventually(lambda: f":{GIT_PORT:04X} " in self.server.command("cat", "/proc/net/tcp"), 10), process.output())
        return "git://127.0.0.1/linux"

    def test_git_is_cloned_shallow_and_a_branch_stays_where_it_was_pinned(self):
        url = self.serve_git()
        self.commit("the beginning")
        first = self.commit("first")
        appliance = self.appliance(f'{{git: "{url}", branch: stable}}')
        self.assertIn("it is not pinned yet in 'appliance.lock'", appliance.bramble("plan"))
        appliance.apply()
        self.assertEqual(self.pins()["small"], {"asked": f"git {url} branch stable", "means": first})
        self.assertTrue(self.image().startswith("first\n\x001\n"), "one commit was fetched: " + self.image())
        self.assertEqual(self.kernel(appliance)["source"], f"git {url} at {first}")

        second = self.commit("second")
        self.assertIn("nothing to do", appliance.bramble("plan"))
        # What was pinned is built although it is the branch's tip no longer.
        appliance.write_fleet(appliance.fleet_file.read_text().replace("defconfig:", "options: {LAB: y}\n    defconfig:"))
        appliance.apply()
        self.assertTrue(self.image().startswith("first\n"))
        self.assertIn("CONFIG_LAB=y", self.image())

        appliance.bramble("apply", "--update")
        self.assertEqual(self.pins()["small"]["means"], second)
        self.assertTrue(self.image().startswith("second\n"))
        self.assertIn("nothing to do", appliance.bramble("plan"))

        appliance.write_fleet(appliance.fleet_file.read_text().replace("branch: stable", f"commit: {first}"))
        appliance.apply()
        self.assertTrue(self.image().startswith("first\n"), "a whole commit needs no pin")

    def test_what_git_does_not_have_is_named(self):
        url = self.serve_git()
        self.commit("first")
        appliance = self.appliance(f'{{git: "{url}", branch: absent}}')
        self.assertIn(f"kernel 'small': {url} has no branch 'absent'", self.refused(appliance))
        self.assertFalse((self.folder / "appliance.lock").exists())
        appliance.write_fleet(appliance.fleet_file.read_text().replace("/linux\"", "/other\""))
        self.assertIn("/other", self.refused(appliance))
        appliance.write_fleet(appliance.fleet_file.read_text().replace("/other\", branch: absent", f"/linux\", commit: {'a' * 40}"))
        self.assertIn("kernel 'small': ", self.refused(appliance))

    def test_git_without_a_branch_takes_what_head_names_also_from_a_file_url(self):
        self.serve_git()
        self.commit("first")
        bare = self.folder / "git/linux"
        run("git", "-C", str(bare), "symbolic-ref", "HEAD", "refs/heads/stable")
        appliance = self.appliance(f'{{git: "file://{bare}"}}')
        appliance.apply()
        self.assertTrue(self.image().startswith("first\n\x001\n"), self.image())

    # ---- archives

    def archive(self, says, name="linux.tar.xz"):
        tree = make_tree(self.folder / "linux-6.1.99", says)
        path = self.folder / name
        run("tar", "-C", str(self.folder), "-caf", str(path), tree.name)
        shutil.rmtree(tree)
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def test_an_archive_is_unpacked_when_its_sum_is_right(self):
        path, digest = self.archive("packed")
        appliance = self.appliance(f"{{archive: {path}, sha256: {digest}}}")
        appliance.apply()
        self.assertTrue(self.image().startswith("packed\n"))
        path, other = self.archive("repacked")
        self.assertIn("nothing to do", appliance.bramble("plan"), "the sum says which kernel is meant")
        appliance.write_fleet(appliance.fleet_file.read_text().replace("tinyconfig", "tinyconfig\n    options: {LAB: y}"))
        self.assertIn(f"'{path}' has the SHA-256 {other}, the fleet file says {digest}", self.refused(appliance))
        appliance.write_fleet(appliance.fleet_file.read_text().replace(f", sha256: {digest}", ""))
        appliance.apply()
        self.assertTrue(self.image().startswith("repacked\n"))
        path, _ = self.archive("again")
        self.assertIn("build kernel small: its source changed\n", appliance.bramble("plan"))

    def test_an_archive_behind_a_url_is_pinned_by_its_sum(self):
        path, digest = self.archive("fetched", "file.tar")
        self.server.command("ip", "link", "set", "lo", "up")
        process = self.server.start("/usr/bin/python3", SUPPORT / "file_server.py", WEB_PORT, path, self.folder / "requests", log="web.log")
        self.assertTrue(eventually(lambda: f":{WEB_PORT:04X} " in self.server.command("cat", "/proc/net/tcp"), 10), process.output())
        appliance = self.appliance(f'{{archive: "http://127.0.0.1:{WEB_PORT}/file.tar"}}')
        appliance.apply()
        self.assertEqual(self.pins()["small"]["means"], digest)
        self.assertTrue(self.image().startswith("fetched\n"))
        _, other = self.archive("moved", "file.tar")
        self.assertIn("nothing to do", appliance.bramble("plan"))
        shutil.rmtree(self.folder / "store/downloads")
        appliance.write_fleet(appliance.fleet_file.read_text().replace("tinyconfig", "tinyconfig\n    options: {LAB: y}"))
        self.assertIn(digest, self.refused(appliance), "what is behind it is something else now")
        appliance.bramble("apply", "--update")
        self.assertEqual(self.pins()["small"]["means"], other)
        self.assertTrue(self.image().startswith("moved\n"))

    # ---- a directory

    def test_a_directory_is_only_read_and_patched_as_a_copy(self):
        tree = make_tree(self.folder / "linux", "plain")
        before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
        appliance = self.appliance(f"{{path: {tree}}}")
        appliance.apply()
        self.assertTrue(self.image().startswith("plain\n"))
        (self.folder / "words.patch").write_text(words_patch("plain", "patched"))
        appliance.write_fleet(appliance.fleet_file.read_text().replace("tinyconfig", "tinyconfig\n    patches: [words.patch]"))
        appliance.apply()
        self.assertTrue(self.image().startswith("patched\n"))
        self.assertEqual({path: path.stat().st_mtime_ns for path in tree.rglob("*")}, before)
        (self.folder / "words.patch").write_text(words_patch("other", "patched"))
        said = self.refused(appliance)
        self.assertIn("words.patch' does not apply:\n", said)
        self.assertIn("Hunk #1 FAILED", said)

    def test_an_option_that_did_not_survive_is_told_before_anything_is_built(self):
        tree = make_tree(self.folder / "linux", "plain")
        appliance = self.appliance(f"{{path: {tree}}}", "defconfig: tinyconfig\n    options: {IMPOSSIBLE: y}")
        said = self.refused(appliance)
        self.assertRegex(said, r"appliance\.yaml:\d+:15: IMPOSSIBLE=y \(options\) came out as n: it depends on MACHINE \(n\) \[Kconfig:1\]")
        self.assertNotIn("building Image", said)

    def test_a_cancelled_build_leaves_its_log_alone(self):
        tree = make_tree(self.folder / "linux", "plain")
        (tree / "slow").touch()
        appliance = self.appliance(f"{{path: {tree}}}")
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.server.start(program(), "apply", "--fleet", appliance.fleet_file, log="apply.log")
            begun = lambda: list((self.folder / "store/tmp").glob("*/build/slow"))  # noqa: E731
            self.assertTrue(eventually(begun, 30), process.output())
            process.signal(number)
            self.assertNotEqual(process.wait(10), 0)
            self.assertIn("stopped", process.output())
            self.assert_nothing_is_left()
            self.assertNotIn("sleep 300.25", run("ps", "-eo", "args"), "no program of the build goes on")
            self.assertIn("init/main.o", appliance.bramble("kernel", "log", "small"))
            self.assertFalse((self.folder / "store/current").exists())
        (tree / "slow").unlink()
        appliance.apply()
        self.assertTrue(self.image().startswith("plain\n"), "and the next run goes on")

    # ---- Debian packages

    def package(self, version, release, modules="lib/modules"):
        """A kernel's package in the repository, as Debian has them; its stanza there."""
        top = self.folder / "package"
        shutil.rmtree(top, ignore_errors=True)
        for path, content in ((f"boot/vmlinuz-{release}", f"kernel {version}\n"), (f"boot/config-{release}", "CONFIG_MODULES=y\n"),
                              (f"usr/lib/linux-image-{release}/broadcom/bcm2711-rpi-4-b.dtb", "tree"),
                              (f"{modules}/{release}/modules.order", ""), (f"{modules}/{release}/modules.builtin", "")):
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(content)
        return self.pack(f"linux-image-{release}", version)

    def pack(self, name, version, depends=""):
        top = self.folder / "package"
        (top / "DEBIAN").mkdir(parents=True, exist_ok=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: arm64\n" + (f"Depends: {depends}\n" if depends else "")
        (top / "DEBIAN/control").write_text(control + "Maintainer: Lab <lab@example.org>\nDescription: a kernel\n")
        file = self.repository / f"{name}_{version}_arm64.deb"
        run("dpkg-deb", "--root-owner-group", "--build", str(top), str(file))
        content = file.read_bytes()
        shutil.rmtree(top)
        return (control + f"Filename: ./{file.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
                "Description: a kernel\n")

    def offer(self, *stanzas):
        (self.repository / "Packages").write_text("\n".join(stanzas))

    def bramble_with_repository(self, appliance, *arguments):
        """The program with /etc/apt of its own, in which there is our repository alone."""
        words = 'mount --bind "$0" /etc/apt && exec "$@"'
        return self.server.command("unshare", "-m", "sh", "-c", words, self.folder / "apt", program(), *arguments,
                                   "--fleet", appliance.fleet_file, timeout=120)

    def test_debian_packages_are_found_through_metapackages_and_pinned(self):
        self.repository = self.folder / "repository"
        self.repository.mkdir()
        (self.folder / "apt/apt.conf.d").mkdir(parents=True)
        (self.folder / "apt/sources.list").write_text(f"deb [trusted=yes] file:{self.repository} ./\n")
        self.offer(self.package("6.1.1-1", "6.1.0-1-arm64"), self.pack("linux-image-arm64", "6.1.1-1", "linux-image-6.1.0-1-arm64 (= 6.1.1-1)"))
        appliance = self.appliance("{deb: linux-image-arm64}", "file: kernel8.img")
        self.bramble_with_repository(appliance, "apply")
        self.assertEqual(self.pins()["small"]["means"], "linux-image-6.1.0-1-arm64=6.1.1-1")
        self.assertEqual(self.image(), "kernel 6.1.1-1\n")
        self.assertEqual(self.kernel(appliance)["release"], "6.1.0-1-arm64")

        # Debian 13's packages keep modules below usr/lib.
        self.offer(self.package("6.12.2-1", "6.12.2+deb13-arm64", "usr/lib/modules"),
                   self.pack("linux-image-arm64", "6.12.2-1", "linux-image-6.12.2+deb13-arm64 (= 6.12.2-1)"))
        self.assertIn("nothing to do", self.bramble_with_repository(appliance, "plan"))
        self.bramble_with_repository(appliance, "apply", "--update")
        self.assertEqual(self.pins()["small"]["means"], "linux-image-6.12.2+deb13-arm64=6.12.2-1")
        self.assertEqual(self.image(), "kernel 6.12.2-1\n")
        place = self.folder / "store/kernels" / self.kernel(appliance)["key"]
        self.assertTrue((place / "modules/lib/modules/6.12.2+deb13-arm64/modules.dep").exists())

    def test_a_package_that_is_offered_no_longer_says_what_to_do(self):
        self.repository = self.folder / "repository"
        self.repository.mkdir()
        (self.folder / "apt/apt.conf.d").mkdir(parents=True)
        (self.folder / "apt/sources.list").write_text(f"deb [trusted=yes] file:{self.repository} ./\n")
        stanza = self.package("6.1.1-1", "6.1.0-1-arm64")
        self.offer(stanza)
        appliance = self.appliance("{deb: linux-image-arm64}", "file: kernel8.img")
        with self.assertRaises(LabError) as refusal:
            self.bramble_with_repository(appliance, "apply")
        self.assertIn("kernel 'small': this machine's package sources have no package linux-image-arm64", str(refusal.exception))
        lock = {"format": 1, "kernels": {"small": {"asked": "deb linux-image-arm64 for arm64", "means": "linux-image-6.1.0-0-arm64=6.1.0-1"}}}
        (self.folder / "appliance.lock").write_text(json.dumps(lock))
        with self.assertRaises(LabError) as refusal:
            self.bramble_with_repository(appliance, "apply")
        self.assertIn("(is linux-image-6.1.0-0-arm64=6.1.0-1 no longer offered? run apply --update)", str(refusal.exception))


if __name__ == "__main__":
    unittest.main()
