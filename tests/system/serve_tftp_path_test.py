"""What the TFTP data path survives: a board that answers blocks but no ARP, and a file cut short under its readers."""

import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, payload, sha256  # noqa: E402
from client_case import CLIENT_ADDRESS, TftpCase  # noqa: E402

SLOW_TFTP = pathlib.Path(__file__).resolve().parents[1] / "support" / "slow_tftp.py"
# Neighbour entries age in two seconds instead of minutes, and one unanswered probe ends them.
HASTE = {"base_reachable_time_ms": 500, "delay_first_probe_time": 1, "ucast_solicit": 1, "mcast_solicit": 1, "retrans_time_ms": 200}
# As a server that does not say that its client is there.
ONLY_SENDS = ("import socket, time\nwire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              f"for _ in range(50):\n    wire.sendto(b'x', ('{CLIENT_ADDRESS}', 9999))\n    time.sleep(0.1)\n")


class DataPath(TftpCase):
    files = {"slow.img": payload(60_000, "slow"), "cut.img": payload(400_000, "cut"), "kernel.img": payload(300_000, "kernel")}

    def start(self, name, pause):
        process = self.client.start("/usr/bin/python3", SLOW_TFTP, SERVER, name, pause, log=f"slow-{name}.log")
        process.wait_for("began", 10)
        return process

    def expected(self, name):
        return f"{len(self.files[name])} {sha256(self.files[name])}"

    def answer_arp(self, wanted):
        self.client.command("sysctl", "-qw", f"net.ipv4.conf.all.arp_ignore={0 if wanted else 8}")

    def test_a_board_that_answers_no_arp_is_served_to_the_end(self):
        for key, value in HASTE.items():
            self.server.command("sysctl", "-qw", f"net.ipv4.neigh.eth1.{key}={value}")
        mac = self.server.command("cat", "/sys/class/net/eth1/address").strip()
        self.client.ip("neighbour", "replace", SERVER, "lladdr", mac, "nud", "permanent", "dev", "eth0")
        self.addCleanup(self.answer_arp, True)
        started = time.monotonic()
        transfer = self.start("slow.img", "0.1")
        self.answer_arp(False)
        transfer.wait_for(self.expected("slow.img"), 25)
        self.assertLess(time.monotonic() - started, 10, "a block was sent again, or waited for")
        # The same wire, and a sender that confirms nothing: this is what would have become of the board.
        self.server.command("/usr/bin/python3", "-c", ONLY_SENDS)
        state = self.server.ip("neighbour", "show", CLIENT_ADDRESS)
        self.assertRegex(state, "FAILED|INCOMPLETE", "this test could not have failed")

    def test_a_file_that_is_cut_short_costs_its_reader_alone(self):
        cut = self.start("cut.img", "0.02")
        other = self.start("kernel.img", "0.01")
        (stored,) = (path for path in self.lab.folder.glob("store/**/*")
                     if path.is_file() and path.stat().st_size == len(self.files["cut.img"]))
        stored.chmod(0o600)
        os.truncate(stored, 100)
        other.wait_for(self.expected("kernel.img"), 20)
        self.assertIsNone(self.appliance.process.exit_code, "the server died of it")
        self.assertNotIn(self.expected("cut.img"), cut.output())
        again = self.start("kernel.img", "0")
        again.wait_for(self.expected("kernel.img"), 20)
        cut.stop()


if __name__ == "__main__":
    unittest.main()
