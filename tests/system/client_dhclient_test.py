"""ISC dhclient: on the boards' own network, and behind isc-dhcp-relay, whose option 82 must come back (RFC 3046 §2.2)."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import CLIENT_ADDRESS, CLIENT_MAC, ClientCase  # noqa: E402
from guest import eventually  # noqa: E402

RELAYED_MAC, RELAYED_ADDRESS = "52:54:00:00:00:21", "172.16.1.21"
RELAY_UPPER, RELAY_LOWER = "172.16.1.2", "172.16.1.3"


class Dhclient(ClientCase):
    programs = ("dhclient", "dhcrelay", "tcpdump")
    files = {"boot.scr.uimg": b"script"}
    boards = (f'  - {{name: near, mac: "{CLIENT_MAC}", address: {CLIENT_ADDRESS}, profile: files}}\n'
              f'  - {{name: far, mac: "{RELAYED_MAC}", address: {RELAYED_ADDRESS}, profile: files}}')

    @classmethod
    def make_hosts(cls):
        cls.near = cls.lab.namespace("near").join(cls.switch, "eth0", CLIENT_MAC)
        # A second segment whose only way out is the relay. Its clients live in the same IP network, so that
        # the relay's lower address, which becomes giaddr, is one that the appliance knows.
        cls.far_switch = cls.lab.switch("far-switch")
        cls.relay = cls.lab.namespace("relay").join(cls.switch, "upper", address=f"{RELAY_UPPER}/24")
        cls.relay.join(cls.far_switch, "lower", address=f"{RELAY_LOWER}/32")
        cls.far = cls.lab.namespace("far").join(cls.far_switch, "eth0", RELAYED_MAC)

    def lease(self, host, release=False):
        """Runs dhclient once; the lease that it wrote down."""
        files = self.lab.folder / f"dhclient-{host.role}"
        lease_file = files.with_suffix(".leases")
        lease_file.unlink(missing_ok=True)
        lease_file.touch()
        options = ["-4", "-sf", "/bin/true", "-lf", lease_file, "-pf", files.with_suffix(".pid"), "-cf", "/dev/null"]
        host.command("dhclient", "-1", "-v", *options, "eth0", timeout=60)
        text = lease_file.read_text()
        if release:
            host.command("dhclient", "-r", "-v", *options, "eth0", timeout=30)
        else:
            host.command("dhclient", "-x", *options, "eth0", check=False)
        return text

    def test_the_reservation(self):
        text = self.lease(self.near)
        self.assertIn(f"fixed-address {CLIENT_ADDRESS};", text)
        self.assertIn("option subnet-mask 255.255.255.0;", text)
        self.assertIn(f"option routers {SERVER};", text)
        self.assertIn(f"option dhcp-server-identifier {SERVER};", text)
        self.assertIn("option dhcp-lease-time 600;", text)

    def test_release_and_again(self):
        self.lease(self.near, release=True)
        self.assertIn(f"fixed-address {CLIENT_ADDRESS};", self.lease(self.near))

    def test_through_a_relay_that_adds_option_82(self):
        trace = self.lab.folder / "relay.txt"
        watcher = self.relay.start("tcpdump", "-l", "-n", "-vvv", "-i", "upper", "udp and port 67", log=trace.name)
        watcher.wait_for("listening on", 10)
        relay = self.relay.start("dhcrelay", "-4", "-d", "-a", "-D", "-id", "lower", "-iu", "upper", SERVER)
        relay.wait_for("Sending on", 10)
        text = self.lease(self.far)
        self.assertIn(f"fixed-address {RELAYED_ADDRESS};", text)
        self.assertIn(f"option dhcp-server-identifier {SERVER};", text)

        def replies():
            return [packet for packet in re.split(r"\n(?=\d\d:)", watcher.output())
                    if re.search(rf"{re.escape(SERVER)}\.67 > {re.escape(RELAY_LOWER)}\.67: .*Reply", packet)]

        self.assertTrue(eventually(lambda: len(replies()) >= 2, 5), watcher.output())
        for reply in replies():
            self.assertIn("Agent-Information (82)", reply, "RFC 3046 §2.2: the server echoes option 82")
            self.assertIn(f"Gateway-IP {RELAY_LOWER}", reply)


if __name__ == "__main__":
    unittest.main()
