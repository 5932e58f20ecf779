"""A real Linux guest whose root lies on a NAS: written there by `apply`, booted from there, and what the guest writes is on the NAS's volume.

A Ganesha in a namespace of its own plays the NAS. The root is the quickstart's where that was built before, else it is built here.
"""

import pathlib
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "support"), str(pathlib.Path(__file__).resolve().parent)]
from appliance import Appliance, fleet_yaml  # noqa: E402
from debian_guests import APPLY_SECONDS_MAX, IMAGE, DebianGuests, GuestCase  # noqa: E402
from nas_test import NAS, NasServer  # noqa: E402

GUESTS = {"stored": ("52:54:00:00:00:61", "172.16.1.61")}
VOLUME_MIB = 2000


class NasGuest(GuestCase):
    def setUp(self):
        super().setUp()
        self.nas = NasServer(self.lab, self.lab.namespace("nas").join(self.switch, "eth0", address=f"{NAS}/24"), VOLUME_MIB)
        self.store = self.lab.folder / "store"
        self.guests = DebianGuests(self.lab, self.switch, self.server, self.store, GUESTS)
        self.guests.take_what_is_built(self.lab.folder / "appliance.lock")

    def fleet(self, nfs):
        text = fleet_yaml(self.store, IMAGE, self.guests.profile("stored", "{mode: per-board}"), self.guests.lines())
        return text.replace("  unknown_boards:", f"  nfs: {nfs}\n  unknown_boards:")

    def test_a_guest_boots_from_its_root_on_the_nas_and_writes_there(self):
        # The base comes from where the mirror is; from there the NAS cannot be seen.
        appliance = Appliance(self.server, self.fleet("{backend: ganesha}"))
        self.guests.apply(appliance)
        self.nas.start()
        appliance.write_fleet(self.fleet(f"{{backend: external, server: {NAS}, path: {self.nas.volume}/bramble}}"))
        print(appliance.bramble("apply", timeout=APPLY_SECONDS_MAX)[-600:], flush=True)
        appliance.up()
        self.guests.boot(appliance)
        ssh = self.guests.ssh
        self.assertEqual(ssh("stored", "hostname").strip(), "stored")
        (tree,) = self.nas.path("boards/stored").glob("root.*")
        kind, source = ssh("stored", "findmnt -n -o FSTYPE,SOURCE /").split()
        self.assertEqual((kind, source), ("nfs", f"{NAS}:{self.nas.volume}/bramble/boards/stored/{tree.name}"))
        ssh("stored", "echo of the guest >/root/note && chown 1234:33 /root/note && sync")
        note = tree / "root/note"
        self.assertEqual(note.read_text(), "of the guest\n")
        self.assertEqual((note.stat().st_uid, note.stat().st_gid), (1234, 33))
        self.assertEqual(ssh("stored", "systemctl is-system-running --wait || systemctl --failed --plain").strip(), "running")


if __name__ == "__main__":
    unittest.main()
