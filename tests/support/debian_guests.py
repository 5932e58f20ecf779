"""Real Linux guests that Bramble boots: Debian for arm64 under QEMU, each a board of the fleet file that one can log in to.

The base root is the quickstart's where that was built before, else `bramble apply` builds it from the package mirror.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from appliance import SERVER, program
from guest import ARM64, U_BOOT_ARM64, Guest, eventually, missing
from lab import Lab, end_on_signals

CACHE = pathlib.Path(os.environ.get("BRAMBLE_CACHE", "/var/cache/bramble-lab"))
IMAGE = "  bookworm: {source: {debian: {suite: bookworm, arch: arm64}}}"
GUEST_SECONDS_MAX = 400
FIRMWARE_SECONDS_MAX = 90  # of four guests on two cores with other work beside: some 20
KERNEL_STARTS = "Starting kernel"
APPLY_SECONDS_MAX = 900


def missing_for_guests():
    """What is not installed, in words; empty: all is there."""
    return missing(ARM64, U_BOOT_ARM64)


class GuestCase(unittest.TestCase):
    """A lab with a switch and the host `server` on it, for tests with such guests; skipped aloud where they cannot run."""

    def setUp(self):
        end_on_signals()
        reason = missing_for_guests()
        if reason:
            self.skipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")


class DebianGuests:
    """`boards` has for each name its (MAC, address). `store` is the store's path as `server` sees it."""

    def __init__(self, lab, switch, server, store, boards):
        self.folder, self.switch, self.server, self.store, self.boards = lab.folder, switch, server, store, boards
        self.key = lab.folder / "guests-key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.guests = {}

    def profile(self, name, root, cmdline=""):
        """A profile of the fleet file that such a guest can have, with root's login open to this test. `cmdline` is more of it."""
        public = self.key.with_suffix(".pub").read_text().strip()
        return (f"  {name}:\n    model: generic\n    image: bookworm\n    root: {root}\n    cmdline: [console=ttyAMA0{', ' * bool(cmdline)}{cmdline}]\n"
                f"    users: [{{name: root, authorized_keys: [\"{public}\"]}}]")

    def lines(self, profile_of=lambda name: name):
        return "\n".join(f'  - {{name: {name}, mac: "{mac}", address: {address}, profile: {profile_of(name)}}}'
                         for name, (mac, address) in self.boards.items())

    def take_what_is_built(self, appliance_lock, how="-al"):
        """Base roots and objects are never changed: links to them are as good as copies, on the same filesystem.

        The lock file says which state of the suite they are of: `appliance_lock` is where this fleet's is to lie.
        """
        if (CACHE / "fleet.lock").exists():
            shutil.copy(CACHE / "fleet.lock", appliance_lock)
        self.server.command("mkdir", "-p", self.store)
        for part in ("roots", "objects", "images"):
            if (CACHE / "store" / part).is_dir():
                self.server.command("cp", how, CACHE / "store" / part, self.store, check=False, timeout=120)

    def apply(self, appliance):
        """Where the mirror can be reached: a root that has to be built first comes from it."""
        words = self.server.with_mounts(program(), "apply", "--fleet", appliance.fleet_file)
        done = subprocess.run(words, capture_output=True, text=True, timeout=APPLY_SECONDS_MAX)
        if done.returncode != 0:
            raise AssertionError(f"apply: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def power_on(self, name, memory_mib=768):
        self.guests[name] = Guest(
            self.switch, (*ARM64, "-smp", "1"), self.boards[name][0], memory_mib=memory_mib, firmware=U_BOOT_ARM64, name=name,
            extra=("-device", "virtio-rng-device"))
        return self.guests[name]

    def boot(self, appliance):
        """Powers all on and waits until each has said that it is up. Raises AssertionError with what their consoles say.

        U-Boot under emulation has been seen to hang in its DHCP on a busy machine, with nothing more on its console and nothing on
        the wire: a guest whose firmware does not get to a kernel is powered off and on once, aloud.
        """
        for name in self.boards:
            self.power_on(name)
        firmware_until = time.monotonic() + FIRMWARE_SECONDS_MAX
        cycled = set()

        def ended():
            return any(self.guests[name].process.exit_code is not None for name in self.boards)

        def cycle_hung():
            if time.monotonic() < firmware_until:
                return
            for name in self.boards:
                if name in cycled or KERNEL_STARTS in self.guests[name].process.output():
                    continue
                cycled.add(name)
                print(f"  {name} is powered off and on, its firmware hangs:\n{self.told_of(name, appliance)}", file=sys.stderr)
                self.guests[name].stop()
                self.power_on(name)

        def up():
            cycle_hung()
            boards = {board["name"]: board.get("condition") for board in appliance.status()["boards"]}
            return ended() or all(boards.get(name) == "up" for name in self.boards)

        if not eventually(up, GUEST_SECONDS_MAX, interval=1) or ended():
            raise AssertionError("\n".join(self.told_of(name, appliance) for name in self.boards))

    def told_of(self, name, appliance):
        """What its console says, and what the appliance says of it."""
        mac = self.boards[name][0]
        heard = [line for line in appliance.log().splitlines() if mac in line or f"board={name} " in line]
        return "\n".join([f"{name}: exit code {self.guests[name].process.exit_code}", self.guests[name].process.last_words(),
                          f"the appliance of {name}:", *heard[-15:]])

    def ssh(self, name, *words):
        """What `words` say on that guest; its host key has to be the one that is kept for it."""
        known = self.folder / f"known-{name}"
        identity = self.server.path(self.store) / f"boards/{name}/identity/ssh/ssh_host_ed25519_key.pub"
        kind, key = identity.read_text().split()[:2]
        address = self.boards[name][1]
        known.write_text(f"{address} {kind} {key}\n")
        return self.server.command(
            "ssh", "-i", self.key, "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            "-o", "ConnectTimeout=30", "-o", "BatchMode=yes", f"root@{address}", *words, timeout=90)
