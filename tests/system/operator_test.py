"""What an operator asks of a running Bramble: the boards, one board's story, what happened in a boot."""

import json
import pathlib
import re
import signal
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 3
FLEET_SECONDS_MAX = 120


def board_line(number):
    return (f'  - {{name: pi-{number:02}, serial: 400000{number:02x}, mac: "dc:a6:32:00:03:{number:02x}", '
            f"address: 172.16.1.{20 + number}, profile: pi}}")


class Operator(unittest.TestCase):
    """One fleet that boots twice, for all tests of this file."""

    @classmethod
    def setUpClass(cls):
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        folder = cls.lab.folder
        stand_in.make(folder / "stand-in")
        cls.switch = cls.lab.switch()
        cls.server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        cls.appliance = Appliance(cls.server, fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}",
            "\n".join(board_line(number) for number in range(BOARDS))))
        text = cls.appliance.fleet_file.read_text()
        cls.appliance.write_fleet(text.replace("images:", "include: [boards.d/*.yaml]\nimages:", 1))
        (cls.appliance.fleet_file.parent / "boards.d").mkdir()
        cls.appliance.apply()
        cls.appliance.nfs()
        cls.appliance.serve()
        for _ in range(2):
            fleet = VirtualFleet(cls.switch, folder / "store/current/manifest.json", FLEET_SECONDS_MAX)
            if fleet.wait() != 0:
                raise LabError(f"the virtual boards did not boot:\n{fleet.process.output()[-3000:]}")

    def test_boards_is_the_fleet_as_a_table(self):
        text = self.appliance.bramble("boards")
        self.assertEqual(len(re.findall(r"(?m)^pi-0\d +up +- +1 +\S+Z +172\.16\.1\.2\d +pi +400000", text)), BOARDS, text)

    def test_board_tells_the_story_of_a_boot(self):
        text = self.appliance.bramble("board", "pi-01")
        self.assertRegex(text, r"(?m)^pi-01  up$")
        self.assertRegex(text, r"boot of \S+Z: up after [\d.]+ s, generation 1, 12\.\d MB loaded")
        self.assertRegex(text, r"(?m)^firmware +\S+ m?s +[\d.]+ m?s +#+$")
        self.assertRegex(text, r"(?m)^start4\.elf .*=+ +2\.\d MB, 1 probe$")
        self.assertRegex(text, r"(?m)^  1  \S+Z  generation 1  up after")
        self.assertLessEqual(max(map(len, text.splitlines())), 80, "it fits a terminal")
        kept = json.loads(self.appliance.bramble("board", "pi-01", "--json"))
        self.assertEqual(kept["condition"], "up")
        self.assertGreaterEqual(len(kept["history"]), 1)

    def test_logs_are_a_boot_in_its_order_and_earlier_ones_are_kept(self):
        for arguments in (("logs", "pi-02"), ("logs", "pi-02", "--boot", "1")):
            text = self.appliance.bramble(*arguments)
            times = [float(at) for at in re.findall(r"(?m)^ *([\d.]+) s ", text)]
            self.assertEqual(times, sorted(times))
            self.assertRegex(text, r"(?m)^ +0\.000 s  address   begins$")
            self.assertRegex(text, r"(?m)^ +\S+ s  +start4\.elf, 2\.\d MB, 1 probe in ")
            self.assertRegex(text.splitlines()[-1], r"s  up$")
        latest, before = (json.loads(self.appliance.bramble("logs", "pi-02", "--boot", number, "--json"))["boot"]["started"]
                          for number in "01")
        self.assertLess(before, latest)

    def test_explain_says_what_a_board_gets_and_why(self):
        text = self.appliance.bramble("explain", "pi-01")
        for name in ("40000001", "dc:a6:32:00:03:01"):
            self.assertEqual(self.appliance.bramble("explain", name), text, "a label has the serial, a log the MAC")
        self.assertRegex(text, r"(?m)^pi-01 \(\S+appliance\.yaml:\d+\)$")
        self.assertRegex(text, r"(?m)^  yiaddr +172\.16\.1\.21$")
        self.assertRegex(text, r'(?m)^  option 66 TFTP server name +"172\.16\.1\.1"$')
        self.assertRegex(text, r"(?m)^  option 43 vendor specific +.*Raspberry Pi Boot")
        self.assertRegex(text, r"(?m)^  start4\.elf +2\.3 MB +[0-9a-f]{12}  image 'pi'$")
        self.assertRegex(text, r"(?m)^profile 'pi' \(\S+:\d+\), image 'pi' \(\S+:\d+\)$")
        self.assertRegex(text, r"(?m)^  cmdline\.txt +\d+ B +text +written for this board$")
        self.assertRegex(text, r"(?m)^  console=tty1 root=/dev/nfs ")
        self.assertRegex(text, r"(?m)^root  172\.16\.1\.1:\S+ over NFS 3, read and write$")
        value = json.loads(self.appliance.bramble("explain", "pi-01", "--json"))
        self.assertEqual(value["name"], "pi-01")
        self.assertEqual({"name": "yiaddr", "value": "172.16.1.21"} in value["dhcp"]["offer"], True)
        self.assertEqual([len(file["sha256"]) for file in value["files"] if file["path"] == "start4.elf"], [64])
        with self.assertRaisesRegex(LabError, "its firmware gets no offer"):
            self.appliance.bramble("explain", "99999999")
        with self.assertRaisesRegex(LabError, r"no board 'pi-1', by name, serial or MAC \(did you mean 'pi-0\d'"):
            self.appliance.bramble("explain", "pi-1")

    def test_explain_diff_is_what_the_next_boot_gets_anew(self):
        self.assertIn("served the same", self.appliance.bramble("explain", "pi-02", "--diff"))

    def test_watch_shows_what_happens_while_it_happens(self):
        folder = self.lab.folder
        watch = self.server.start(program(), "watch", "--fleet", self.appliance.fleet_file, log="watch.log")
        one = self.server.start(program(), "watch", "--board", "pi-02", "--all", "--json", "--fleet", self.appliance.fleet_file,
                                log="watch-one.log")
        time.sleep(1)
        self.appliance.process.signal(signal.SIGHUP)
        watch.wait_for("serving generation 1, 3 boards", 20)
        fleet = VirtualFleet(self.switch, folder / "store/current/manifest.json", FLEET_SECONDS_MAX)
        self.assertEqual(fleet.wait(), 0)
        watch.wait_for("pi-02       up ", 20)
        text = watch.output()
        self.assertRegex(text, r"(?m)^\d\d:\d\d:\d\d  pi-00       firmware   start4\.elf 2\.\d MB in ")
        self.assertNotIn("is not there", text, "small files are for those who ask")
        lines = [json.loads(line) for line in one.output().splitlines()]
        self.assertEqual({line["board"] for line in lines}, {"pi-02"})
        self.assertTrue(any(line["weight"] == "minor" for line in lines))

    def test_watch_says_at_once_what_it_cannot_show(self):
        with self.assertRaisesRegex(LabError, "no board of this name is in the fleet file"):
            self.appliance.bramble("watch", "--board", "pi-99")
        with self.assertRaisesRegex(LabError, "no answer from a running serve at 127.0.0.1:9999"):
            self.appliance.bramble("watch", "--admin", "127.0.0.1:9999")

    def test_a_board_is_adopted_known_and_forgotten(self):
        before = self.appliance.fleet_file.read_text()
        told = self.appliance.bramble("adopt", "400000ff", "--name", "pi-ff", "--profile", "pi")
        self.assertIn("A running serve takes it over by itself", told)
        file = self.appliance.fleet_file.parent / "boards.d/pi-ff.yaml"
        self.assertIn('serial: "400000ff"', file.read_text())
        self.assertTrue(eventually(lambda: "pi-ff" in self.appliance.bramble("boards"), 20))
        self.assertEqual(self.appliance.fleet_file.read_text(), before)
        with self.assertRaisesRegex(LabError, "pi-ff.yaml is there already"):
            self.appliance.bramble("adopt", "400000fe", "--name", "pi-ff", "--profile", "pi")
        with self.assertRaisesRegex(LabError, "nothing was written"):
            self.appliance.bramble("adopt", "40000001", "--name", "pi-fe", "--profile", "pi")
        with self.assertRaisesRegex(LabError, "names are letters"):
            self.appliance.bramble("adopt", "400000fe", "--name", "../x", "--profile", "pi")
        self.assertEqual([path.name for path in file.parent.iterdir()], ["pi-ff.yaml"])
        self.assertIn("removed", self.appliance.bramble("forget", "pi-ff"))
        self.assertFalse(file.exists())
        self.assertTrue(eventually(lambda: "pi-ff" not in self.appliance.bramble("boards"), 20))
        with self.assertRaisesRegex(LabError, r"pi-01 was not adopted: it stands in \S+appliance\.yaml:\d+"):
            self.appliance.bramble("forget", "pi-01")

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(LabError, "no board of this name is in the fleet file"):
            self.appliance.bramble("board", "pi-99")
        with self.assertRaisesRegex(LabError, "no such boot of this board is kept"):
            self.appliance.bramble("logs", "pi-01", "--boot", "40")
        with self.assertRaisesRegex(LabError, "no board of this name"):
            self.appliance.bramble("board", "../status")


if __name__ == "__main__":
    unittest.main()
