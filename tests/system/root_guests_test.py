"""Real Linux guests on board roots of each kind that each filesystem of a store offers: copies of one base, at once.

Each mounts its own by NFS, becomes itself, and writes what no other sees.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import Appliance, fleet_yaml  # noqa: E402
from debian_guests import IMAGE, DebianGuests, GuestCase  # noqa: E402
from lab import run  # noqa: E402

STORE_GB = 12
# What the fleet file asks for, and how the plan calls it.
KINDS = {"btrfs": "btrfs snapshot", "overlay": "overlayfs", "reflink": "reflink", "copy": "plain copy"}
ADDRESSES = {kind: (f"52:54:00:00:00:5{number}", f"172.16.1.5{number}") for number, kind in enumerate(KINDS)}


class GuestRoots(GuestCase):
    def make_store(self, filesystem, kinds):
        self.disk = self.lab.folder / "disk"
        self.disk.mkdir()
        image = self.lab.folder / "disk.img"
        with open(image, "wb") as file:
            file.truncate(STORE_GB << 30)
        run(f"mkfs.{filesystem}", "-q", str(image))
        self.server.command("mount", "-o", "loop", image, self.disk)
        self.guests = DebianGuests(self.lab, self.switch, self.server, self.disk / "store", {kind: ADDRESSES[kind] for kind in kinds})
        self.guests.take_what_is_built(self.lab.folder / "appliance.lock", "-a")

    def test_on_btrfs(self):
        self.boot_and_keep_apart("btrfs", ("btrfs", "overlay", "reflink", "copy"))

    def test_on_ext4(self):
        self.boot_and_keep_apart("ext4", ("overlay", "copy"))

    def test_on_xfs(self):
        self.boot_and_keep_apart("xfs", ("overlay", "reflink"))

    def boot_and_keep_apart(self, filesystem, kinds):
        self.make_store(filesystem, kinds)
        profiles = "\n".join(self.guests.profile(kind, f"{{copy_on_write: {kind}}}") for kind in kinds)
        appliance = Appliance(self.server, fleet_yaml(self.disk / "store", IMAGE, profiles, self.guests.lines()))
        plan = appliance.bramble("plan")
        for kind in kinds:
            self.assertIn(f"copy root {kind}: it has none ({KINDS[kind]}", plan)
        self.guests.apply(appliance)
        appliance.up()
        self.guests.boot(appliance)
        ssh = self.guests.ssh
        for kind in kinds:
            with self.subTest(kind):
                self.assertEqual(ssh(kind, "hostname").strip(), kind)
                self.assertIn("nfs", ssh(kind, "findmnt -n -o FSTYPE /"))
                ssh(kind, f"echo {kind} >/etc/motd && rm -r /etc/skel && mv /etc/issue /etc/was-issue-{kind} && sync")
        store = self.server.path(self.disk / "store")
        base = store / "roots" / (store / f"boards/{kinds[0]}/root").readlink().name.partition(".")[2]
        self.assertNotIn((base / "etc/motd").read_text().strip(), KINDS)
        for kind in kinds:
            with self.subTest(kind):
                self.assertEqual(ssh(kind, "cat /etc/motd").strip(), kind)
                self.assertEqual(ssh(kind, "ls -d /etc/was-*").split(), [f"/etc/was-issue-{kind}"])
                self.assertEqual(ssh(kind, "systemctl is-system-running --wait || systemctl --failed --plain").strip(), "running")
                changes = appliance.bramble("root", "diff", kind)
                for path in ("etc/motd", "etc/skel", f"etc/was-issue-{kind}"):
                    self.assertIn(path, changes)
        self.assertTrue((base / "etc/skel").is_dir())


if __name__ == "__main__":
    unittest.main()
