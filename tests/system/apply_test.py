"""`bramble apply` of a part of the fleet, past failures, on a terminal and for scripts; `bramble check` of its lock file."""

import json
import os
import pathlib
import pty
import subprocess
import sys
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

BOARDS = "\n".join(
    f'  - {{name: pi-{n:02}, serial: 5b1545{n:02}, mac: "dc:a6:32:00:00:{n:02}", address: 172.16.1.{n + 2}, profile: {profile}}}'
    for n, profile in ((1, "lab"), (2, "lab"), (3, "other")))


class Apply(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        for image in ("lite", "heavy"):
            boot = self.lab.folder / image
            boot.mkdir()
            for name in ("start4.elf", "fixup4.dat", "kernel8.img"):
                (boot / name).write_text(f"{image} {name}")
        self.appliance = Appliance(self.server, self.fleet(""))

    def fleet(self, config, heavy="heavy"):
        return fleet_yaml(
            self.lab.folder / "store",
            "".join(f"  {name}: {{source: {{directory: {{boot: {self.lab.folder / folder}}}}}}}\n" for name, folder in (("lite", "lite"), ("heavy", heavy))),
            f"  lab: {{image: lite, root: {{mode: none}}, config_txt: {{enable_uart: 1{config}}}}}\n"
            f"  other: {{image: heavy, root: {{mode: none}}, config_txt: {{enable_uart: 1{config}}}}}",
            BOARDS)

    def run_it(self, *arguments):
        return subprocess.run(["ip", "netns", "exec", self.server.name, program(), *arguments, "--fleet", self.appliance.fleet_file],
                              capture_output=True, text=True, timeout=60, check=False)

    def text(self, board):
        manifest = json.loads((self.lab.folder / "store/current/manifest.json").read_text())
        (entry,) = (one for one in manifest["boards"] if one["name"] == board)
        return json.dumps(entry)

    def test_only_and_plan_of_it(self):
        self.appliance.apply()
        before = self.text("pi-02")
        self.appliance.write_fleet(self.fleet(", gpu_mem: 64"))
        self.assertNotIn("pi-02", self.run_it("plan", "--only", "pi-01").stdout)
        self.assertIn("generation 2 is published", self.run_it("apply", "--only", "pi-01").stdout)
        self.assertIn("gpu_mem=64", self.text("pi-01"))
        self.assertEqual(self.text("pi-02"), before)
        self.assertIn("nothing to do", self.run_it("apply", "--only", "pi-01").stdout)
        unknown = self.run_it("apply", "--only", "pi-1,pi-03")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("--only: the fleet file has no board 'pi-1' (did you mean 'pi-01'?)", unknown.stderr)

    def test_keep_going_publishes_the_rest_and_says_no(self):
        self.appliance.apply()
        before = self.text("pi-03")
        (self.lab.folder / "heavy/dangling").symlink_to("nowhere")
        self.appliance.write_fleet(self.fleet(", gpu_mem: 64"))
        stopped = self.run_it("apply")
        self.assertEqual(stopped.returncode, 3)
        self.assertNotIn("gpu_mem=64", self.text("pi-01"))
        done = self.run_it("apply", "--keep-going")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^failed: ingest image heavy: ")
        self.assertIn("these boards keep what they had: pi-03", done.stdout)
        self.assertIn("gpu_mem=64", self.text("pi-01"))
        self.assertEqual(self.text("pi-03"), before)

    def test_json_is_one_object_a_line(self):
        done = self.run_it("apply", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        *events, outcome = (json.loads(line) for line in done.stdout.splitlines())
        self.assertEqual(outcome, {"generation": 1, "changed": True, "warnings": [], "failures": [], "held": []})
        ends = sorted(event["step"] for event in events if event["event"] == "finished")
        self.assertEqual(ends, list(range(1, len(ends) + 1)))
        self.assertEqual({event["steps"] for event in events if "step" in event}, {len(ends)})

    def test_plain_lines_come_in_the_plans_order(self):
        lines = self.run_it("apply").stdout.splitlines()
        steps = [int(line[1:line.index("/")]) for line in lines if line.startswith("[")]
        self.assertEqual(steps, sorted(steps))
        self.assertFalse([line for line in lines if "\x1b" in line])

    def test_a_terminal_is_drawn_anew_and_left_clean(self):
        main, side = pty.openpty()
        process = subprocess.Popen(["ip", "netns", "exec", self.server.name, program(), "apply", "--fleet", self.appliance.fleet_file],
                                   stdout=side, stderr=side, stdin=subprocess.DEVNULL)
        os.close(side)
        shown = b""
        while True:
            try:
                more = os.read(main, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not more:
                break
            shown += more
        os.close(main)
        self.assertEqual(process.wait(30), 0)
        self.assertTrue(shown.decode().replace("\r", "").endswith("generation 1 is published\n"), shown)

    def test_check_reads_the_lock_file(self):
        lock = self.appliance.fleet_file.with_suffix(".lock")
        lock.write_text('{"format": 1, "kernels": {}, "images": {"gone": {"asked": "file https://i/x", "means": "y"}}}')
        sound = self.run_it("check")
        self.assertEqual(sound.returncode, 0, sound.stderr)
        self.assertIn(f"warning: '{lock.name}' pins image 'gone', which the fleet file does not have: take its line out", sound.stdout)
        lock.write_text("{")
        broken = self.run_it("check", "--json")
        self.assertEqual(broken.returncode, 1)
        told = json.loads(broken.stdout)
        self.assertFalse(told["ok"])
        self.assertIn("it is no lock file", told["problems"][0]["message"])


if __name__ == "__main__":
    unittest.main()
