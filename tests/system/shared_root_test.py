"""Two real Linux guests on one read-only root at once: each with its name, its keys, a writable `/` in its memory, and its kernel's console.

One mounts by NFS 3 and one by 4.2. The root is the quickstart's where that was built before, else it is built here. With STORE_ON=btrfs the
store is on a filesystem of that kind, else where the lab's folder is.
"""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from debian_guests import IMAGE, DebianGuests, GuestCase  # noqa: E402
from guest import eventually  # noqa: E402
from lab import run  # noqa: E402

GUESTS = {"first": ("52:54:00:00:00:31", "172.16.1.31"), "second": ("52:54:00:00:00:32", "172.16.1.32")}
NFS_VERSIONS = {"first": "3", "second": "4.2"}
STORE_ON, STORE_GB = os.environ.get("STORE_ON", ""), 6
# Debian's kernel has netconsole as a module, which systemd loads when the command line says so.
NETCONSOLE = f'modules_load=netconsole, "netconsole.netconsole=@/eth0,6666@{SERVER}/"'


class SharedRoot(GuestCase):
    def setUp(self):
        super().setUp()
        self.store = self.lab.folder / "disk/store"
        (self.lab.folder / "disk").mkdir()
        if STORE_ON:
            self.make_disk()
        self.guests = DebianGuests(self.lab, self.switch, self.server, self.store, GUESTS)
        self.guests.take_what_is_built(self.lab.folder / "appliance.lock", "-a" if STORE_ON else "-al")
        if STORE_ON == "btrfs":
            self.make_subvolumes()

    def make_disk(self):
        image = self.lab.folder / "disk.img"
        with open(image, "wb") as file:
            file.truncate(STORE_GB << 30)
        run(f"mkfs.{STORE_ON}", "-q", str(image))
        self.server.command("mount", "-o", "loop", image, self.lab.folder / "disk")

    def make_subvolumes(self):
        """Of the bases that were taken, as `apply` makes them."""
        for base in list(self.server.path(self.store / "roots").iterdir()):
            place = self.store / "roots" / base.name
            self.server.command("mv", place, f"{place}.taken")
            self.server.command("btrfs", "-q", "subvolume", "create", place)
            self.server.command("cp", "-a", "-T", "--reflink", f"{place}.taken", place, timeout=120)
            self.server.command("rm", "-r", f"{place}.taken", timeout=120)

    def fleet(self):
        profiles = "\n".join(
            self.guests.profile(name, f'{{mode: shared, nfs_version: "{version}"}}', NETCONSOLE) for name, version in NFS_VERSIONS.items())
        return fleet_yaml(self.store, IMAGE, profiles, self.guests.lines())

    def logs(self, name):
        return self.appliance.bramble("logs", name)

    def hear_consoles(self):
        """What each kernel says goes to its own boot's story, and to no other's; also the last that it says."""
        for name in GUESTS:
            self.guests.ssh(name, f"echo 'the console of {name}' >/dev/kmsg")
        for name in GUESTS:
            self.assertTrue(eventually(lambda: f"the console of {name}" in self.logs(name), 10), self.logs(name))
            for other in GUESTS.keys() - {name}:
                self.assertNotIn(f"the console of {other}", self.logs(name))
        print(self.logs("first")[-1500:], flush=True)
        self.guests.ssh("first", "(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
        self.assertTrue(eventually(lambda: "Kernel panic - not syncing: sysrq triggered crash" in self.logs("first"), 20), self.logs("first"))
        self.assertNotIn("Kernel panic", self.logs("second"))

    def test_two_guests_share_one_root_and_none_of_their_changes(self):
        self.appliance = Appliance(self.server, self.fleet())
        self.guests.apply(self.appliance)
        store = self.server.path(self.store)
        (stamp,) = (store / "roots").glob("*.initramfs")
        base = stamp.with_suffix("")
        before = (base / "etc/debian_version").read_bytes()
        self.appliance.up()
        self.guests.boot(self.appliance)
        ssh = self.guests.ssh
        for name in GUESTS:
            with self.subTest(name):
                self.assertEqual(ssh(name, "hostname").strip(), name)
                self.assertEqual(ssh(name, "findmnt -n -o FSTYPE /").strip(), "overlay")
                self.assertEqual(ssh(name, "cat /etc/machine-id"),
                                 (store / f"boards/{name}/identity/machine-id").read_text())
                self.assertEqual(ssh(name, f"echo {name} >/etc/debian_version && rm -r /etc/skel && cat /etc/debian_version").strip(),
                                 name)
                self.assertEqual(ssh(name, "systemctl is-system-running --wait || systemctl --failed --plain").strip(), "running")
                # A container engine's own overlay needs another filesystem below it than an overlay.
                self.assertEqual(ssh(
                    name, "cd /var/lib/containers && mkdir lower upper work merged && echo deep >lower/file && "
                    "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && "
                    "echo more >>merged/file && cat merged/file").split(), ["deep", "more"])
        for name in GUESTS:
            self.assertEqual(ssh(name, "cat /etc/debian_version").strip(), name)
            self.assertIn(f"vers={NFS_VERSIONS[name]}", ssh(name, "grep ' nfs' /proc/mounts"))
        self.assertEqual((base / "etc/debian_version").read_bytes(), before)
        self.assertTrue((base / "etc/skel").is_dir())
        exports = (store / "nfs/ganesha.conf").read_text()
        self.assertEqual(exports.count("EXPORT {"), 1, exports)
        self.assertNotIn("RW", exports)
        self.hear_consoles()


if __name__ == "__main__":
    unittest.main()
