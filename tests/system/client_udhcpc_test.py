"""udhcpc: busybox's DHCP client, the one in most initramfs; it gets its reservation, renews, and releases."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import CLIENT_ADDRESS, CLIENT_MAC, ClientCase  # noqa: E402

SCRIPT = '#!/bin/sh\n{ echo "event=$1"; env; } >>"$LEASE_LOG"\n'


class Udhcpc(ClientCase):
    programs = ("udhcpc",)
    files = {"boot.scr.uimg": b"script"}
    profile = "  files: {image: boot, model: generic, root: {mode: none}, dhcp: {bootfile: boot.scr.uimg}}"

    @classmethod
    def make_hosts(cls):
        cls.client = cls.lab.namespace("client").join(cls.switch, "eth0", CLIENT_MAC)
        cls.script = cls.lab.folder / "udhcpc-script"
        cls.script.write_text(SCRIPT)
        cls.script.chmod(0o755)

    def lease(self, *options, check=True):
        """Runs udhcpc once; what it told its script, event by event, as dictionaries."""
        log = self.lab.folder / "udhcpc.env"
        log.unlink(missing_ok=True)
        self.client.command(
            "env", f"LEASE_LOG={log}", "udhcpc", "-f", "-q", "-n", "-t", "4", "-T", "2", "-i", "eth0", "-s", self.script, *options,
            check=check)
        events = []
        for line in log.read_text().splitlines() if log.exists() else []:
            if line.startswith("event="):
                events.append({})
            if events and "=" in line:
                key, value = line.split("=", 1)
                events[-1][key] = value
        return events

    def bound(self, *options):
        return next(event for event in self.lease(*options) if event["event"] == "bound")

    def test_the_reservation_with_everything_a_client_needs(self):
        lease = self.bound("-O", "bootfile", "-O", "router", "-O", "lease")
        self.assertEqual(lease["ip"], CLIENT_ADDRESS)
        self.assertEqual(lease["mask"], "24")
        self.assertEqual(lease["router"], SERVER)
        self.assertEqual(lease["serverid"], SERVER)
        self.assertEqual(lease["siaddr"], SERVER)
        self.assertEqual(lease["lease"], "600")
        self.assertEqual(lease.get("boot_file") or lease.get("bootfile"), "boot.scr.uimg")

    def test_the_broadcast_flag(self):
        self.assertEqual(self.bound("-B")["ip"], CLIENT_ADDRESS)

    def test_asking_for_another_address_still_gives_the_reservation(self):
        self.assertEqual(self.bound("-r", "172.16.1.77")["ip"], CLIENT_ADDRESS)

    def test_again_after_a_release(self):
        self.assertEqual(self.bound("-R")["ip"], CLIENT_ADDRESS)
        self.assertEqual(self.bound()["ip"], CLIENT_ADDRESS)


if __name__ == "__main__":
    unittest.main()
