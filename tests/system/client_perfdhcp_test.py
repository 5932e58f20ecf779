"""perfdhcp: many clients at once through one relay address, at a rate that a rack of boards never reaches."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER  # noqa: E402
from client_case import ClientCase  # noqa: E402

CLIENTS = 64
MACS = [f"52:54:00:00:01:{n:02x}" for n in range(CLIENTS)]


class Perfdhcp(ClientCase):
    programs = ("perfdhcp",)
    files = {"kernel.img": b"kernel"}
    boards = "\n".join(f'  - {{name: board-{n}, mac: "{mac}", address: 172.16.1.{10 + n}, profile: files}}'
                       for n, mac in enumerate(MACS))

    @classmethod
    def make_hosts(cls):
        cls.client = cls.lab.namespace("client").join(cls.switch, "eth0", address="172.16.1.250/24")
        cls.macs = cls.lab.folder / "macs"
        cls.macs.write_text("\n".join(MACS) + "\n")

    def exchange(self, rate, exchanges):
        """Runs `exchanges` four-way exchanges at `rate` a second; perfdhcp's report."""
        return self.client.command(
            "perfdhcp", "-4", "-l", "eth0", "-M", self.macs, "-R", CLIENTS, "-r", rate, "-n", exchanges, "-W", "2000000",
            SERVER, check=False, timeout=60)

    def test_no_exchange_is_lost_at_100_a_second(self):
        report = self.exchange(100, 300)
        sent = [int(n) for n in re.findall(r"sent packets: (\d+)", report)]
        received = [int(n) for n in re.findall(r"received packets: (\d+)", report)]
        self.assertEqual(len(sent), 2, report)      # DISCOVER-OFFER, REQUEST-ACK
        self.assertEqual(sent, received, report)
        self.assertGreaterEqual(sent[0], 300, report)


if __name__ == "__main__":
    unittest.main()
