"""The lab itself: whatever ends it, nothing of it stays on the machine."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
from lab import NAME_PREFIX, Lab, LabError, run  # noqa: E402

PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(SUPPORT)!r})
from lab import Lab, end_on_signals
end_on_signals()
with Lab() as lab:
    switch = lab.switch()
    host = lab.namespace("host").join(switch, "eth0", address="172.16.1.9/24")
    sleeper = host.start("sleep", "300")
    print(lab.folder, sleeper.pid, flush=True)
    if "raise" in sys.argv:
        raise ValueError("a test that failed")
    time.sleep(300)
"""


def runs(pid):
    """Whether the process runs; one that only waits for its parent to notice its end does not."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class LabLeavesNothing(unittest.TestCase):
    def start(self, *arguments):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        folder, sleeper = process.stdout.readline().split()
        return process, pathlib.Path(folder), int(sleeper)

    def assert_gone(self, process, folder, sleeper):
        process.wait(20)
        self.assertNotIn(f"{NAME_PREFIX}{process.pid}-", run("ip", "netns", "list"))
        self.assertFalse(folder.exists())
        self.assertFalse(runs(sleeper))

    def test_after_an_interrupt(self):
        process, folder, sleeper = self.start()
        process.send_signal(signal.SIGINT)
        self.assert_gone(process, folder, sleeper)

    def test_after_sigterm(self):
        process, folder, sleeper = self.start()
        process.terminate()
        self.assert_gone(process, folder, sleeper)

    def test_after_a_failure(self):
        self.assert_gone(*self.start("raise"))

    def test_a_killed_lab_is_swept_by_the_next(self):
        process, _, sleeper = self.start()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        time.sleep(0.2)
        self.assertFalse(runs(sleeper), "its processes die with it")
        with Lab():
            self.assertNotIn(f"{NAME_PREFIX}{process.pid}-", run("ip", "netns", "list"))
        self.assertNotIn(f"{NAME_PREFIX}{process.pid}-", " ".join(os.listdir("/tmp")))

    def test_hosts_reach_each_other_and_not_this_machine(self):
        with Lab() as lab:
            switch = lab.switch()
            one = lab.namespace("one").join(switch, "eth0", address="172.16.1.1/24")
            lab.namespace("two").join(switch, "eth0", address="172.16.1.2/24")
            one.command("ping", "-c", "1", "-W", "2", "172.16.1.2")
            self.assertEqual(one.ip("route", "show", "default"), "")

    def test_a_program_that_is_missing_is_named_with_the_remedy(self):
        with self.assertRaisesRegex(LabError, "no-such-program is not installed: run 'sudo deploy/setup --for test'"):
            run("no-such-program")


if __name__ == "__main__":
    unittest.main()
