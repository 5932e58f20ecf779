"""A room that powers on at once against a small link: a queue that everybody can see, and that ends.

The link is small by the fleet file's word; boards on this machine are far faster. So whoever is held is held by
admission, and each board that is let in is done after seconds.
"""

import json
import pathlib
import re
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from foreign_dhcp import start_foreign_dhcp  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 12
FLEET_SECONDS_MAX = 300
# 50 Mb/s carry 6.0 MB/s of payload; a board takes 4.8 MB/s, a third of the time.
SMALL_LINK, PLACES = "{link: 50Mbit}", 3


def board_line(number):
    return (f'  - {{name: pi-{number:02}, serial: 300000{number:02x}, mac: "dc:a6:32:00:02:{number:02x}", '
            f"address: 172.16.1.{20 + number}, profile: pi}}")


def queued(status):
    return [place["board"] for place in status["admission"].get("queue", [])]


class Admission(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        stand_in.make(self.lab.folder / "stand-in")
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")

    def start(self, admission, mode="authoritative"):
        folder = self.lab.folder
        text = fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}",
            "\n".join(board_line(number) for number in range(BOARDS)), mode=mode)
        self.appliance = Appliance(self.server, text.replace("\n  store:", f"\n  admission: {admission}\n  store:"))
        self.appliance.apply()
        self.appliance.nfs()
        self.appliance.serve()
        return VirtualFleet(self.switch, folder / "store/current/manifest.json", FLEET_SECONDS_MAX)

    def metrics(self):
        text = self.server.command("curl", "-s", "http://127.0.0.1:8080/metrics")
        return {name: float(value) for name, value in re.findall(r"(?m)^(bramble_admission_\w+) (\S+)$", text)}

    def watch(self, fleet):
        """What `status` said of admission each half second until the last board was up, and as text when boards waited."""
        seen, text = [], ""
        while fleet.process.exit_code is None:
            status, next_status = self.appliance.status(), self.appliance.status()
            # The queue and the boards are two requests: what moved between them is no picture.
            if queued(status) == queued(next_status):
                seen.append((status["admission"], status["boards"]))
            if not text and status["admission"].get("waiting"):
                text = self.appliance.bramble("status")
            time.sleep(0.5)
        self.assertEqual(fleet.wait(), 0, fleet.process.output()[-4000:])
        self.assertEqual({report["booted"] for report in fleet.reports()}, {True})
        return seen, text

    def assert_was_a_queue(self, seen, text):
        queues = [admission["queue"] for admission, _ in seen]
        self.assertGreaterEqual(max(map(len, queues)), BOARDS // 2, "most boards had to wait")
        for admission, boards in seen:
            self.assertTrue(admission["enabled"])
            self.assertLessEqual(admission["inside"], PLACES)
            self.assertEqual([place["position"] for place in admission["queue"]], list(range(1, admission["waiting"] + 1)))
            starts = [place["expected_in_seconds"] for place in admission["queue"]]
            self.assertEqual(starts, sorted(starts), "who stands further back is let in later")
            named = {board["name"]: board["queue"]["position"] for board in boards if "queue" in board}
            self.assertEqual(named, {place["board"]: place["position"] for place in admission["queue"]})
        # Nobody overtakes: of any two boards in the queue the order stays.
        for earlier, later in zip(queues, queues[1:]):
            both = {place["board"] for place in earlier} & {place["board"] for place in later}
            order = [[place["board"] for place in queue if place["board"] in both] for queue in (earlier, later)]
            self.assertEqual(*order)
        self.assertRegex(text, rf"admission: \d of {PLACES} places taken, \d+ boards wait")
        self.assertRegex(text, r"number 1 in the queue, its turn comes in about \d+ s")
        metrics = self.metrics()
        self.assertEqual(metrics["bramble_admission_boards_waiting"], 0)
        self.assertGreaterEqual(metrics["bramble_admission_deferred_total"], BOARDS - PLACES)
        self.assertEqual(metrics["bramble_admission_uninvited_total"], 0)
        print(f"  {json.dumps(metrics)}", flush=True)

    def test_all_boot_through_a_queue_that_can_be_seen(self):
        fleet = self.start(SMALL_LINK)
        self.assert_was_a_queue(*self.watch(fleet))

    def test_beside_another_dhcp_server_too(self):
        # Each root is exported to its board's own address, which the other server has to give.
        start_foreign_dhcp(self.lab, self.switch, {
            f"dc:a6:32:00:02:{number:02x}": f"172.16.1.{20 + number}" for number in range(BOARDS)})
        fleet = self.start(SMALL_LINK, mode="proxy")
        self.assert_was_a_queue(*self.watch(fleet))

    def test_off_holds_nobody(self):
        fleet = self.start("off")
        seen, _ = self.watch(fleet)
        for admission, boards in seen:
            self.assertEqual(admission, {"enabled": False})
            self.assertFalse([board["name"] for board in boards if board["condition"] == "waiting"])
        self.assertIn("admission is off", self.appliance.bramble("status"))
        self.assertEqual(self.metrics(), {})


if __name__ == "__main__":
    unittest.main()
