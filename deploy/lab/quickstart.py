"""The quickstart's lab: applies the example fleet, boots it, tells the story, and says what came of it.

Started by deploy/quickstart, which has installed and built everything. It refuses to leave anything behind but the
folder for the next run.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(pathlib.Path(__file__).parent)]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, program  # noqa: E402
from guest import ARM64, U_BOOT_ARM64, Guest, eventually, missing  # noqa: E402
from guest_console import GuestConsole  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402
from port_forward import PortForward  # noqa: E402
from summary import Summary  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

CACHE = pathlib.Path(os.environ.get("BRAMBLE_CACHE", "/var/cache/bramble-lab"))
ADMIN_PORT = 8080
GUEST_MAC = "52:54:00:00:00:01"
GUEST_SECONDS_MAX = 300
FIRMWARE_SECONDS_MAX = 90
FLEET_SECONDS_MAX = 180


def say(text):
    print(f"== {text}", flush=True)


def tell(who, text):
    print(f"   {who:<10} {text}", flush=True)


class Heartbeat:
    """Says every few seconds that a silent step is still going on."""

    def __init__(self, what, every=5):
        self._what, self._every, self._done = what, every, threading.Event()
        self.touched = self._started = time.monotonic()

    def __enter__(self):
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._done.set()

    def _beat(self):
        while not self._done.wait(0.5):
            now = time.monotonic()
            if now - self.touched > self._every:
                print(f"   … {self._what}: {now - self._started:.0f} s", flush=True)
                self.touched = now


class Quickstart:
    def __init__(self, options):
        self.options = options
        self.with_guest = not options.no_guest
        self.summary = Summary()
        self.fleet_file = CACHE / "fleet.yaml"
        if options.no_guest:
            self.summary.left_out.append("the real Linux: --no-guest")

    # ---- what lies on disk

    def prepare(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / ".bramble-lab").touch()
        self._lock = open(CACHE / "lock", "w")
        with Heartbeat(f"waiting for another quickstart that uses {CACHE} (BRAMBLE_CACHE names another folder)"):
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        if self.with_guest and (why := missing(ARM64, U_BOOT_ARM64)):
            self.leave_guest_out(f"{why}; 'sudo deploy/setup --for quickstart' installs it")
        stand_in.make(CACHE / "stand-in")
        self._write_fleet()

    def _write_fleet(self):
        text = (ROOT / "deploy/lab/fleet.yaml").read_text()
        if self.with_guest:
            shutil.copytree(ROOT / "deploy/lab/guest.d", CACHE / "guest.d", dirs_exist_ok=True)
        else:
            text = re.sub(r"(?m)^include:.*\n", "", text)
        self.fleet_file.write_text(text)

    def leave_guest_out(self, why):
        self.with_guest = False
        self.summary.left_out.append(f"the real Linux: {why}")
        tell("left out", f"the real Linux: {why}")
        self._write_fleet()

    def apply(self):
        """Makes the fleet true in the store, outside the lab, where the package mirror is reached."""
        if self._apply_once() == 0:
            return
        if not self.with_guest:
            raise LabError("bramble apply failed: its message is above")
        # Most likely the mirror: the boards that need nothing from it still boot.
        self.leave_guest_out("its root could not be built (the message is above); is a Debian mirror reachable?")
        if self._apply_once() != 0:
            raise LabError("bramble apply failed: its message is above")

    def _apply_once(self):
        # The roots that it mounts are mounted for it alone: `up`, in the lab, mounts them for the lab.
        process = subprocess.Popen(["unshare", "--mount", program(), "apply", "--fleet", str(self.fleet_file)], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace")
        try:
            with Heartbeat("applying") as heartbeat:
                for line in process.stdout:
                    heartbeat.touched = time.monotonic()
                    tell("apply", line.rstrip())
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)

    # ---- the lab

    def start(self, lab):
        self.lab, self.switch = lab, lab.switch()
        server = lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")
        self.appliance = Appliance.of_file(server, self.fleet_file)
        # Its own address of the status page is one inside the lab.
        self.appliance.up(on_line=lambda line: "status page:" in line or tell("bramble", line))
        self.page = PortForward(server, ADMIN_PORT)
        lab.at_close(self.page.close)
        tell("page", f"http://127.0.0.1:{self.page.port}/ while the lab runs")

    def boot(self):
        started = time.monotonic()
        with Heartbeat("booting"):
            if self.with_guest:
                self._power_guest_on()
            # The story is the server's to tell; of the boards' own words only those of trouble and the count are shown.
            fleet = VirtualFleet(self.switch, CACHE / "store/current/manifest.json", FLEET_SECONDS_MAX,
                                 on_line=lambda line: re.match(r"\s*[\d.]+ s ", line) or tell("boards", line))
            code = fleet.wait()
            tell("boards", f"virtual boards done after {time.monotonic() - started:.0f} s (exit code {code})")
            if self.with_guest:
                self._wait_for_guest(started)
                shutil.copy(self.guest.process.log_path, CACHE / "guest-console.log")
        self.summary.add_boards(fleet.reports(), CACHE)

    def _power_guest_on(self):
        """Starts the guest, and returns when its firmware is done.

        U-Boot's virtio-net driver gives buffers back without telling QEMU: when a crowd's broadcasts fill all of them
        while it looks elsewhere, it hears nothing any more. So the sixteen boards wait for its kernel.
        """
        self.console = GuestConsole(lambda text: tell("guest", text))
        self.guest = Guest(self.switch, (*ARM64, "-smp", "2"), GUEST_MAC, memory_mib=1024, firmware=U_BOOT_ARM64,
                           name="guest", on_line=self.console.on_line, extra=("-device", "virtio-rng-device"))
        eventually(lambda: self.console.kernel_release or self.guest.process.exit_code is not None, FIRMWARE_SECONDS_MAX)

    def _wait_for_guest(self, started):
        def settled():
            return self.guest.process.exit_code is not None or self._guest_is_up()

        eventually(settled, max(1, GUEST_SECONDS_MAX - (time.monotonic() - started)), interval=1)
        # The login prompt comes a moment after the report; both are evidence of their own.
        eventually(lambda: self.console.hostname, 30, interval=0.5)
        self.summary.add_guest(self._status_of("guest"), self.console, CACHE, time.monotonic() - started)

    def _status_of(self, name):
        try:
            return next((board for board in self.appliance.status().get("boards", []) if board.get("name") == name), {})
        except (LabError, ValueError):
            return {}

    def _guest_is_up(self):
        return self._status_of("guest").get("condition") == "up"

    def finish(self):
        print(flush=True)
        say("summary")
        print(self.summary.text(), flush=True)
        if self.options.summary:
            pathlib.Path(self.options.summary).write_text(json.dumps(self.summary.as_json(), indent=2) + "\n")
        if self.options.keep:
            say(f"the lab goes on: http://127.0.0.1:{self.page.port}/ is its status page; Ctrl-C ends it")
            print(f"   sudo ip netns exec {self.appliance.host.name} {program()} status --fleet {self.fleet_file}", flush=True)
            while self.appliance.process.exit_code is None:
                time.sleep(1)


def main():
    parser = argparse.ArgumentParser(prog="deploy/quickstart")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-guest", action="store_true")
    parser.add_argument("--summary")
    options = parser.parse_args()
    end_on_signals()
    quickstart = Quickstart(options)
    try:
        say("3/5 apply: the example fleet becomes a generation on disk")
        quickstart.prepare()
        quickstart.apply()
        with Lab() as lab:
            say("4/5 lab: network namespaces, a bridge, and 'bramble up'")
            quickstart.start(lab)
            say("5/5 boot")
            quickstart.boot()
            quickstart.finish()
    except LabError as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\nquickstart: ended; the lab is removed", file=sys.stderr)
        return 0 if options.keep and quickstart.summary.good() else 130
    return 0 if quickstart.summary.good() else 1


if __name__ == "__main__":
    sys.exit(main())
