"""What a board's console says when it cannot get to its root: Bramble's initramfs in real guests, each kept from one thing that it needs.

The kernel and the initramfs are those that `apply` published for boards that share a root; QEMU starts them without a firmware, so that each
guest can have the command line of its trouble. The root is the quickstart's where that was built before, else it is built here.
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from debian_guests import IMAGE, DebianGuests, GuestCase  # noqa: E402
from guest import ARM64, Guest  # noqa: E402

BOARD, ADDRESS = "pi", "172.16.1.41"
BOARDS = {BOARD: ("52:54:00:00:00:41", ADDRESS)}
NOBODY = "172.16.1.77"
SAYS_SECONDS_MAX = 500  # eight rounds of a mount, with the emulation of six kernels on two cores
RESTARTS_SECONDS_MAX = 60


def address_of(number):
    return f"172.16.1.{80 + number}"


class Consoles(GuestCase):
    def setUp(self):
        super().setUp()
        self.store = self.lab.folder / "store"
        self.guests = DebianGuests(self.lab, self.switch, self.server, self.store, BOARDS)
        self.guests.take_what_is_built(self.lab.folder / "appliance.lock")
        profile = self.guests.profile(BOARD, '{mode: shared, nfs_version: "3"}')
        self.appliance = Appliance(self.server, fleet_yaml(self.store, IMAGE, profile, self.guests.lines()))
        self.guests.apply(self.appliance)
        manifest = json.loads((self.store / "current/manifest.json").read_text())
        (board,) = manifest["boards"]
        files = manifest["trees"][board["tree"]] | board["files"]
        menu = dict(line.split(None, 1) for line in files["pxelinux.cfg/default"]["text"].splitlines() if line.startswith("    "))
        self.kernel, self.initramfs = (self.published(files[menu[name]]) for name in ("KERNEL", "INITRD"))
        self.line = menu["APPEND"]
        self.appliance.up()

    def start(self, number, address=None, **changes):
        """A guest whose command line is the board's but for its own address and `changes`; None: without that word."""
        words = dict(word.partition("=")[::2] for word in self.line.split())
        self.assertLessEqual({"nfsroot", "bramble.shared"}, words.keys())
        words["ip"] = f"{address or address_of(number)}::{SERVER}:255.255.255.0:{BOARD}:eth0:off"
        words |= {name.replace("_", "."): value for name, value in changes.items()}
        line = " ".join(f"{name}={value}" if value else name for name, value in words.items() if value is not None)
        return Guest(self.switch, (*ARM64, "-smp", "1"), f"52:54:00:00:01:0{number}", memory_mib=384, name=f"guest-{number}",
                     extra=("-kernel", self.kernel, "-initrd", self.initramfs, "-append", line))

    def published(self, file):
        return self.store / "objects" / file["object"][:2] / file["object"]

    def check(self, troubles):
        """{name: (its guest, what fails, what to do about it)}, all at once."""
        for name, (guest, failed, *remedies) in troubles.items():
            with self.subTest(name):
                said = guest.wait_for("FAILED: ", SAYS_SECONDS_MAX)
                self.assertRegex(said, r"^bramble: \[[0-9.]+ s\] FAILED: ")
                self.assertIn(f"FAILED: {failed}", said)
                for remedy in remedies:
                    guest.wait_for(f"  -> {remedy}", 10)
        for name, (guest, *_) in troubles.items():
            with self.subTest(name):
                guest.wait_for("starting over in 30 s (bramble.shell on the command line gives a shell instead)", 10)
                self.assertEqual(guest.process.wait(RESTARTS_SECONDS_MAX), 0)  # QEMU was told to end where a board restarts

    def test_a_board_says_what_keeps_it_from_its_root(self):
        export = self.line.split("nfsroot=")[1].split()[0]
        path, options = export.split(":", 1)[1].split(",", 1)
        self.check({
            "no address": (self.start(1, ip="off"), "ip=off leaves the board without an address", "write ip=dhcp"),
            "no root named": (self.start(2, nfsroot=None), "neither nfsroot= nor DHCP option 17 names a root",
                              "the command line should hold nfsroot=SERVER:PATH; apply the fleet again"),
            "no init": (self.start(3, ADDRESS, init="/nowhere/init"), f"{SERVER}:{path} has no /nowhere/init",
                        "the root tree is incomplete: apply the fleet again, or name init="),
            "not exported": (self.start(4, nfsroot=f"{SERVER}:/srv/nothing,{options}"),
                             f"{SERVER} does not let {address_of(4)} mount /srv/nothing (nolock,{options})",
                             "the export may be missing, or restricted to another address: 'bramble status' on the server"),
            "no server": (self.start(5, nfsroot=f"{NOBODY}:{path},{options}"), f"no NFS server answers at {NOBODY}, TCP port 2049",
                          "is the NFS server running there, and does a firewall let the boards reach it?"),
            "no identity": (self.start(6, bramble_shared=f"tftp://{SERVER}/nothing/identity"),
                            f"tftp://{SERVER}/nothing/identity cannot be fetched",
                            f"does 'bramble status' show this board, and is UDP port 69 of {SERVER} open to it?"),
        })


if __name__ == "__main__":
    unittest.main()
