"""`/metrics` of a running `serve`: names and units as Prometheus recommends, and no more series than the fleet has boards.

promtool is Prometheus' own judge of names, units and help texts; it comes with Debian's package.
"""

import pathlib
import re
import subprocess
import sys
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from appliance import SERVER, payload  # noqa: E402
from client_case import CLIENT_ADDRESS, CLIENT_MAC, ClientCase  # noqa: E402
from guest import eventually  # noqa: E402

STRANGERS = 40
KERNEL = payload(300_000, "kernel")


class Metrics(ClientCase):
    programs = ("promtool", "curl", "udhcpc")
    files = {"kernel.img": KERNEL}

    @classmethod
    def make_hosts(cls):
        cls.client = cls.lab.namespace("client").join(cls.switch, "eth0", CLIENT_MAC, f"{CLIENT_ADDRESS}/24")
        cls.stranger = cls.lab.namespace("stranger").join(cls.switch, "eth0", "52:54:00:00:00:99")

    def text(self):
        return self.server.command("curl", "-sS", "--max-time", "10", "http://127.0.0.1:8080/metrics")

    def series(self):
        return {name: float(value) for name, value in re.findall(r"(?m)^(bramble_[^ ]+) (\S+)$", self.text())}

    def fetch(self, path):
        self.client.command("curl", "-sS", "--max-time", "25", "-o", "/dev/null", f"tftp://{SERVER}/{path}", check=False)

    def test_promtool_finds_nothing_wrong(self):
        self.fetch("kernel.img")
        judged = subprocess.run(["promtool", "check", "metrics"], input=self.text(), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=30)
        self.assertEqual((judged.returncode, judged.stdout), (0, ""))
        # The judge is awake.
        judged = subprocess.run(["promtool", "check", "metrics"], input="# TYPE x_milliseconds counter\nx_milliseconds 1\n",
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        self.assertNotEqual(judged.returncode, 0)

    def test_the_table_of_families_is_whole(self):
        table = (SUPPORT.parents[1] / "deploy/prometheus/README.md").read_text()
        told = set(re.findall(r"(?m)^\| `(\w+)` \| (?:counter|gauge|histogram) ", table))
        served = set(re.findall(r"(?m)^# TYPE bramble_(\w+) ", self.text()))
        self.assertEqual(served - told, set())
        self.assertEqual(told - served, set())

    def test_what_a_client_fetched_is_counted(self):
        before = self.series()
        self.fetch("kernel.img")
        self.fetch("not-there.img")

        def grown(name):
            return self.series()[name] - before[name]

        self.assertTrue(eventually(lambda: grown('bramble_tftp_transfers_total{outcome="complete"}') == 1, 5))
        self.assertEqual(grown('bramble_tftp_transfers_total{outcome="missing"}'), 1)
        self.assertEqual(grown("bramble_tftp_payload_acknowledged_bytes_total"), len(KERNEL))
        # The last ACK is answered by silence, and counts too: each datagram to a data socket is one observation.
        acks = grown('bramble_tftp_datagrams_received_total{kind="ack"}')
        self.assertGreater(acks, len(KERNEL) // 1500)
        self.assertGreaterEqual(grown("bramble_tftp_answer_duration_seconds_count"), acks)
        self.assertGreater(grown("bramble_tftp_answer_duration_seconds_sum"), 0)

    def test_how_the_last_apply_ended(self):
        series = self.series()
        self.assertEqual(series["bramble_apply_last_successful"], 1)
        self.assertEqual(series['bramble_apply_last_steps{state="left"}'], 0)
        sound = self.appliance.fleet_file.read_text()
        hidden = self.boot.rename(self.boot.with_name("hidden"))
        try:
            self.appliance.bramble("apply", check=False)
            failed = self.series()
        finally:
            hidden.rename(self.boot)
            self.appliance.write_fleet(sound)
            self.appliance.apply()
        self.assertEqual(failed["bramble_apply_last_successful"], 0, "its source was gone")
        self.assertGreaterEqual(failed["bramble_apply_last_end_timestamp_seconds"], series["bramble_apply_last_end_timestamp_seconds"])
        self.assertEqual(self.series()["bramble_apply_last_successful"], 1)

    def test_senders_that_the_fleet_does_not_know_get_no_series(self):
        """Each with firmware's vendor class, a MAC of its own and a name that would end a label."""
        before = self.series()
        for number in range(STRANGERS):
            self.stranger.ip("link", "set", "eth0", "address", f"52:54:00:01:00:{number:02x}")
            self.stranger.command("udhcpc", "-f", "-q", "-n", "-t", "1", "-T", "0", "-V", "PXEClient:Arch:00000:UNDI:002001",
                                  "-x", f'hostname:x"}} 1 {number}', "-i", "eth0", "-s", "/bin/true", check=False)
        after = self.series()
        self.assertGreater(after['bramble_dhcp_messages_received_total{type="discover"}'],
                           before['bramble_dhcp_messages_received_total{type="discover"}'] + STRANGERS / 2)
        self.assertGreater(after["bramble_strangers"], STRANGERS / 2)
        self.assertEqual(set(after) - set(before), set())


if __name__ == "__main__":
    unittest.main()
