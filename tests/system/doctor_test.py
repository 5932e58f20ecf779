"""`bramble doctor` on a machine that is well, and on machines made ill in one way each: another DHCP server, a bridge
that speaks spanning tree, a firewall, a cable that is out, a stranger on the TFTP port."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import TFTP_PORT  # noqa: E402
from client_case import ClientCase  # noqa: E402

STRANGER = "172.16.1.9"


class Doctor(ClientCase):
    programs = ("dnsmasq", "nft")
    files = {"boot.scr.uimg": b"script"}
    profile = "  files: {image: boot, model: generic, root: {mode: none}, dhcp: {bootfile: boot.scr.uimg}}"

    @classmethod
    def make_hosts(cls):
        cls.other = cls.lab.namespace("other").join(cls.switch, "eth0", address=f"{STRANGER}/24")

    def findings(self, listen="2s"):
        """What the doctor says, by subject."""
        said = json.loads(self.appliance.bramble("doctor", "--json", "--listen", listen, check=False))
        return {finding["subject"]: finding for finding in said["findings"]}

    def severity(self, subject, **options):
        found = self.findings(**options)
        return found[subject]["severity"], found[subject]["text"]

    def test_a_machine_that_is_well(self):
        found = self.findings()
        for subject in ("interface eth1", "DHCP servers", "spanning tree", "port 67/udp", "port 69/udp", "firewall 69/udp"):
            self.assertEqual(found[subject]["severity"], "good", found[subject])
        self.assertEqual(found["port 69/udp"]["text"], "ours")

    def test_another_dhcp_server(self):
        rogue = self.other.start(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--no-ping",
            "--dhcp-range=172.16.1.50,172.16.1.60,10m", "--leasefile-ro", "--user=root",
            "--log-facility=-")
        self.addCleanup(rogue.stop)
        rogue.wait_for("DHCP, IP range", 10)
        severity, text = self.severity("DHCP servers", listen="4s")
        self.assertEqual(severity, "bad")
        self.assertIn(f"{STRANGER} (", text)
        self.assertIn("offered 172.16.1.", text)

    def test_a_bridge_that_speaks_spanning_tree(self):
        self.switch.host.ip("link", "set", self.switch.bridge, "type", "bridge", "stp_state", "1", "forward_delay", "400")
        for setting in ("forward_delay", "stp_state"):  # undone from the last: a delay of 0 needs the protocol off
            self.addCleanup(self.switch.host.ip, "link", "set", self.switch.bridge, "type", "bridge", setting, "0")
        severity, text = self.severity("spanning tree", listen="6s")
        self.assertEqual(severity, "warning", text)
        self.assertIn("classic spanning tree", text)

    def test_a_firewall_that_drops_tftp(self):
        for words in ("add table inet lab", "add chain inet lab in { type filter hook input priority 0; }",
                      "add rule inet lab in iifname eth1 udp dport 69 drop"):
            self.server.command("nft", words)
        self.addCleanup(self.server.command, "nft", "delete table inet lab")
        found = self.findings()
        self.assertEqual(found["firewall 69/udp"]["severity"], "bad")
        self.assertEqual(found["firewall 67/udp"]["severity"], "good")

    def test_a_cable_that_is_out(self):
        port = self.switch.host.command("ip", "-o", "link", "show", "master", self.switch.bridge).split(":")[1].split("@")[0].strip()
        self.switch.host.ip("link", "set", port, "down")
        self.addCleanup(self.switch.host.ip, "link", "set", port, "up")
        self.assertEqual(self.severity("interface eth1"), ("bad", "has no carrier"))

    def test_a_stranger_on_the_tftp_port(self):
        script = f"import socket,time;s=socket.socket(2,2);s.bind(('127.0.0.7',{TFTP_PORT}));print('bound',flush=True);time.sleep(60)"
        stranger = self.server.start("python3", "-c", script)
        self.addCleanup(stranger.stop)
        stranger.wait_for("bound", 10)
        severity, text = self.severity(f"port {TFTP_PORT}/udp")
        self.assertEqual(severity, "bad", text)
        self.assertIn("python3", text)
        self.assertIn("TFTP", text)

    def test_for_people_and_by_exit_code(self):
        words = self.appliance.bramble("doctor", "--listen", "1s")  # raises when the answer is no
        self.assertIn("ok    interface eth1: up, carrier, MTU 1500", words.replace("10000 Mb/s, ", ""))
        self.server.ip("link", "set", "eth1", "mtu", "1400")
        self.addCleanup(self.server.ip, "link", "set", "eth1", "mtu", "1500")
        words = self.appliance.bramble("doctor", "--listen", "1s")
        self.assertTrue(words.startswith("warn  interface eth1: has an MTU of 1400"), words)
        self.assertIn("-> ip link set eth1 mtu 1500", words)


if __name__ == "__main__":
    unittest.main()
