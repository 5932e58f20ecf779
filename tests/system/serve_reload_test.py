"""What `bramble serve` does when things change under it: a new generation, a broken fleet file, the order to stop."""

import pathlib
import signal
import sys
import time
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from appliance import SERVER, payload, sha256  # noqa: E402
from client_case import CLIENT_ADDRESS, CLIENT_MAC, ClientCase  # noqa: E402
from guest import eventually  # noqa: E402

OTHER_ADDRESS, OTHER_MAC = "172.16.1.22", "52:54:00:00:00:22"
OLD, NEW = payload(60_000, "old"), payload(70_000, "new")


class Reload(ClientCase):
    programs = ("curl", "udhcpc")
    boards = (f'  - {{name: first, mac: "{CLIENT_MAC}", address: {CLIENT_ADDRESS}, profile: files}}\n'
              f'  - {{name: second, mac: "{OTHER_MAC}", address: {OTHER_ADDRESS}, profile: files}}')
    files = {"kernel.img": OLD}

    @classmethod
    def make_hosts(cls):
        cls.first = cls.lab.namespace("first").join(cls.switch, "eth0", CLIENT_MAC, f"{CLIENT_ADDRESS}/24")
        cls.second = cls.lab.namespace("second").join(cls.switch, "eth0", OTHER_MAC, f"{OTHER_ADDRESS}/24")

    def setUp(self):
        self.publish(OLD)
        if self.appliance.process.exit_code is not None:
            self.appliance.serve()

    def publish(self, kernel):
        (self.boot / "kernel.img").write_bytes(kernel)
        self.appliance.apply()

    def slow_transfer(self, host, seconds):
        """A transfer of kernel.img that lasts about `seconds`, once its first block has come."""
        pause = seconds / (len(OLD) / 1024)
        process = host.start("/usr/bin/python3", SUPPORT / "slow_tftp.py", SERVER, "kernel.img", pause, log="slow.log")
        process.wait_for("began", 10)
        return process

    def power_cycle(self, host):
        """A boot begins with a DISCOVER of the firmware; a board keeps the generation that it began with."""
        host.command("udhcpc", "-f", "-q", "-n", "-V", "U-Boot.armv8", "-i", "eth0", "-s", "/bin/true")

    def fetched_by(self, host):
        target = self.lab.folder / "fetched"
        target.unlink(missing_ok=True)
        host.command("curl", "-sS", "--max-time", "25", "-o", target, f"tftp://{SERVER}/kernel.img")
        return target.read_bytes()

    def page(self, path):
        return self.server.command("curl", "-sS", "--max-time", "10", f"http://127.0.0.1:8080{path}")

    def test_a_running_transfer_keeps_its_generation_and_the_next_boot_gets_the_new_one(self):
        self.power_cycle(self.second)
        self.assertEqual(self.fetched_by(self.second), OLD)
        transfer = self.slow_transfer(self.first, seconds=5)
        published_before = self.appliance.log().count("a generation was published")
        self.publish(NEW)
        self.assertTrue(eventually(lambda: self.appliance.log().count("a generation was published") > published_before, 10))
        self.assertEqual(self.fetched_by(self.second), OLD, "the second board keeps what it began its boot with")
        self.power_cycle(self.second)
        self.assertTrue(eventually(lambda: self.fetched_by(self.second) == NEW, 5), "its next boot is the new generation's")
        self.assertEqual(transfer.wait(30), 0)
        self.assertIn(f"{len(OLD)} {sha256(OLD)}", transfer.output())

    def test_a_broken_fleet_file_leaves_everything_served_and_is_said_everywhere(self):
        sound = self.appliance.fleet_file.read_text()
        try:
            self.appliance.write_fleet(sound.replace("profile: files", "profile: nonsense"))
            self.appliance.process.signal(signal.SIGHUP)
            self.assertTrue(eventually(lambda: "nonsense" in self.appliance.log(), 10), "the log says what is wrong")
            self.assertIn(self.fetched_by(self.second), (OLD, NEW))
            self.assertIn("nonsense", self.page("/api/v1/status"))
            self.assertRegex(self.page("/metrics"), r'(?m)^bramble_config_reloads_total\{result="failed"\} [1-9]')
        finally:
            self.appliance.write_fleet(sound)
            self.appliance.process.signal(signal.SIGHUP)
        self.assertTrue(eventually(lambda: "nonsense" not in self.page("/api/v1/status"), 10), "a sound file ends the complaint")

    def test_of_many_changes_the_last_is_served(self):
        """A change that comes while another is being read, which takes a large fleet's while, is not lost."""
        sound = self.appliance.fleet_file.read_text()
        second = next(line for line in sound.splitlines() if "name: second" in line)
        many = "\n".join([second, *(f'  - {{name: spare-{n}, mac: "52:54:01:00:{n >> 8:02x}:{n & 255:02x}", profile: files}}' for n in range(2000))])
        time.sleep(0.5)  # what was published for this test is taken over: it would read the last change as well
        before = self.appliance.log().count("reloaded reason=")
        try:
            for number in range(20):
                self.appliance.write_fleet(sound.replace(second, many.replace("name: second", f"name: change-{number}")))
                self.appliance.process.signal(signal.SIGHUP)

            def last():
                return {name for name in (board["name"] for board in self.appliance.status()["boards"]) if name.startswith("change-")}

            self.assertTrue(eventually(lambda: last() == {"change-19"}, 20), last())
            self.assertLess(self.appliance.log().count("reloaded reason=") - before, 20, "several changes were one reload")
        finally:
            self.appliance.write_fleet(sound)
            self.appliance.process.signal(signal.SIGHUP)

    def test_a_deadly_network_costs_nothing(self):
        """Bytes of every length to every port that is open: the server goes on."""
        program = ("import os,socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                   "s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1)\n"
                   f"for port in (67,69):\n for n in range(0,1400,7): s.sendto(os.urandom(n),('{SERVER}',port))\n")
        self.first.command("/usr/bin/python3", "-c", program)
        self.assertIn(self.fetched_by(self.second), (OLD, NEW))
        self.assertIsNone(self.appliance.process.exit_code)

    def test_sigterm_lets_a_running_transfer_end(self):
        transfer = self.slow_transfer(self.first, seconds=3)
        self.assertEqual(self.appliance.stop(signal.SIGTERM), 0)
        self.assertEqual(transfer.wait(15), 0, transfer.output())
        # Whichever generation was served when it began, the file came whole and of one piece.
        whole = [f"{len(content)} {sha256(content)}" for content in (OLD, NEW)]
        self.assertIn(transfer.output().strip().splitlines()[-1], whole)


if __name__ == "__main__":
    unittest.main()
