"""Two real Linux guests on one read-only root at once: each with its name, its keys, a writable `/` in its memory, and its kernel's console.

One mounts by NFS 3 and one by 4.2. The root is the quickstart's where that was built before, else it is built here.
"""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import ARM64, U_BOOT_ARM64, Guest, eventually, missing  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

CACHE = pathlib.Path(os.environ.get("BRAMBLE_CACHE", "/var/cache/bramble-lab"))
GUESTS = {"first": ("52:54:00:00:00:31", "172.16.1.31", "3"), "second": ("52:54:00:00:00:32", "172.16.1.32", "4.2")}
GUEST_SECONDS_MAX = 300
# Debian's kernel has netconsole as a module, which systemd loads when the command line says so.
NETCONSOLE = f'modules_load=netconsole, "netconsole.netconsole=@/eth0,6666@{SERVER}/"'


class SharedRoot(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        reason = missing(ARM64, U_BOOT_ARM64)
        if reason:
            self.skipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.folder = self.lab.folder
        self.key = self.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.store = self.folder / "store"
        self.store.mkdir()
        self.take_what_is_built()
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")

    def take_what_is_built(self):
        """Base roots and objects are never changed: links to them are as good as copies."""
        for part in ("roots", "objects", "images"):
            if (CACHE / "store" / part).is_dir():
                subprocess.run(["cp", "-al", CACHE / "store" / part, self.store], check=False, capture_output=True)

    def fleet(self):
        public = self.key.with_suffix(".pub").read_text().strip()
        profiles = "\n".join(
            f"  {name}:\n    model: generic\n    image: bookworm\n    root: {{mode: shared, nfs_version: \"{version}\"}}\n"
            f"    cmdline: [console=ttyAMA0, {NETCONSOLE}]\n    users: [{{name: root, authorized_keys: [\"{public}\"]}}]"
            for name, (_, _, version) in GUESTS.items())
        boards = "\n".join(f'  - {{name: {name}, mac: "{mac}", address: {address}, profile: {name}}}'
                           for name, (mac, address, _) in GUESTS.items())
        return fleet_yaml(self.store, "  bookworm: {source: {debian: {suite: bookworm, arch: arm64}}}", profiles, boards)

    def ssh(self, name, *words):
        """What `words` say on that guest; its host key has to be the one that is kept for it."""
        known = self.folder / f"known-{name}"
        key = (self.store / f"boards/{name}/identity/ssh/ssh_host_ed25519_key.pub").read_text().split()
        known.write_text(f"{GUESTS[name][1]} {key[0]} {key[1]}\n")
        return self.server.command(
            "ssh", "-i", self.key, "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            "-o", "ConnectTimeout=30", "-o", "BatchMode=yes", f"root@{GUESTS[name][1]}", *words, timeout=90)

    def boot(self):
        guests = [Guest(self.switch, (*ARM64, "-smp", "1"), mac, memory_mib=768, firmware=U_BOOT_ARM64, name=name,
                        extra=("-device", "virtio-rng-device")) for name, (mac, _, _) in GUESTS.items()]

        def up():
            boards = {board["name"]: board.get("condition") for board in self.appliance.status()["boards"]}
            ended = any(guest.process.exit_code is not None for guest in guests)
            return ended or all(boards.get(name) == "up" for name in GUESTS)

        self.assertTrue(eventually(up, GUEST_SECONDS_MAX, interval=1), self.consoles(guests))
        for guest in guests:
            self.assertIsNone(guest.process.exit_code, self.consoles(guests))
        return guests

    def logs(self, name):
        return self.appliance.bramble("logs", name)

    def hear_consoles(self):
        """What each kernel says goes to its own boot's story, and to no other's; also the last that it says."""
        for name in GUESTS:
            self.ssh(name, f"echo 'the console of {name}' >/dev/kmsg")
        for name in GUESTS:
            self.assertTrue(eventually(lambda: f"the console of {name}" in self.logs(name), 10), self.logs(name))
            for other in GUESTS.keys() - {name}:
                self.assertNotIn(f"the console of {other}", self.logs(name))
        print(self.logs("first")[-1500:], flush=True)
        self.ssh("first", "(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
        self.assertTrue(eventually(lambda: "Kernel panic - not syncing: sysrq triggered crash" in self.logs("first"), 20), self.logs("first"))
        self.assertNotIn("Kernel panic", self.logs("second"))

    @staticmethod
    def consoles(guests):
        return "\n".join(guest.process.output()[-2500:] for guest in guests)

    def test_two_guests_share_one_root_and_none_of_their_changes(self):
        self.appliance = Appliance(self.server, self.fleet())
        # Outside the lab: a root that has to be built first needs the package mirror.
        subprocess.run([program(), "apply", "--fleet", self.appliance.fleet_file], check=True, timeout=900)
        (stamp,) = (self.store / "roots").glob("*.initramfs")
        base = stamp.with_suffix("")
        before = (base / "etc/debian_version").read_bytes()
        self.appliance.up()
        self.boot()

        for name in GUESTS:
            with self.subTest(name):
                self.assertEqual(self.ssh(name, "hostname").strip(), name)
                self.assertEqual(self.ssh(name, "findmnt -n -o FSTYPE /").strip(), "overlay")
                self.assertEqual(self.ssh(name, "cat /etc/machine-id"),
                                 (self.store / f"boards/{name}/identity/machine-id").read_text())
                self.assertEqual(self.ssh(name, f"echo {name} >/etc/debian_version && rm -r /etc/skel && cat /etc/debian_version").strip(),
                                 name)
                self.assertEqual(self.ssh(name, "systemctl is-system-running --wait || systemctl --failed --plain").strip(), "running")
                # A container engine's own overlay needs another filesystem below it than an overlay.
                self.assertEqual(self.ssh(
                    name, "cd /var/lib/containers && mkdir lower upper work merged && echo deep >lower/file && "
                    "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && "
                    "echo more >>merged/file && cat merged/file").split(), ["deep", "more"])
        for name in GUESTS:
            self.assertEqual(self.ssh(name, "cat /etc/debian_version").strip(), name)
            self.assertIn(f"vers={GUESTS[name][2]}", self.ssh(name, "grep ' nfs' /proc/mounts"))
        self.assertEqual((base / "etc/debian_version").read_bytes(), before)
        self.assertTrue((base / "etc/skel").is_dir())
        exports = (self.store / "nfs/ganesha.conf").read_text()
        self.assertEqual(exports.count("EXPORT {"), 1, exports)
        self.assertNotIn("RW", exports)
        self.hear_consoles()


if __name__ == "__main__":
    unittest.main()
