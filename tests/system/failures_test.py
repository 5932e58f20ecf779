"""Failures injected into a running lab, one to a board: what does Bramble say of each?

All boards of the room power on together, each with a fault of its own: in its generation, at its NFS export, on its
wire, or in itself. When the last of them has been silent for long enough, the diagnosis of each has to name the cause;
and for what lies in the generation, `bramble rehearse` has to find it beforehand. The run writes the table of
what was injected against what was said. Virtual boards look at what they would run (`--processors`): a kernel of the
other width is silence, as it is on a desk.
"""

import dataclasses
import gzip
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/system")]
from appliance import SERVER, Appliance, payload  # noqa: E402
from foreign_dhcp import FOREIGN_SERVER, start_foreign_dhcp  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from rehearse_test import RELEASE, arm64_kernel, arm_kernel, initramfs  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

# A kernel may be silent for 120 s before it counts as stuck; loading takes a few seconds before that.
SECONDS_MAX = 200
TWIN_MAC = "dc:a6:32:00:99:99"
FOREIGN_MAC = "02:00:00:00:00:fe"


@dataclasses.dataclass
class Fault:
    """One board's: how it is injected, what has to be said, and what a rehearsal says beforehand (None: it cannot know)."""

    injected: str
    said: str
    rehearsed: str = None
    profile: str = "sound"
    found: str = ""

    def cell(self, text):
        return text.replace("|", "\\|") if text else "(it is not in the generation)"


FAULTS = {
    "no-start": Fault("start4.elf is not in the image", "start4.elf.*is (not in its boot files|served)", "start4.elf"),
    "no-kernel": Fault("no kernel is in the image", "none of .*kernel8.img", "none of kernel8.img"),
    "named-kernel": Fault("config.txt names a kernel that is not in the image", "config.txt names the kernel vmlinuz-lab.img", "config.txt names the kernel vmlinuz-lab.img"),
    "no-dtb": Fault("the device tree is not in the image", "bcm2711-rpi-4-b.dtb is not served", "bcm2711-rpi-4-b.dtb is not served"),
    "narrow": Fault("a kernel of 32 bits as kernel8.img", "kernel8.img is a 32-bit kernel", "kernel8.img is a 32-bit kernel"),
    "cut-kernel": Fault("the kernel's gzip is cut short", "kernel8.img cannot be unpacked", "kernel8.img cannot be unpacked"),
    "cut-initramfs": Fault("the initramfs is cut short; its kernel says so by netconsole",
                           "initramfs8 is not an initramfs.*its console said: .*Kernel panic - not syncing: VFS", "initramfs8 is not an initramfs"),
    "wide": Fault("a kernel of 64 bits as kernel7l.img", "kernel7l.img is a 64-bit kernel", "kernel7l.img is a 64-bit kernel"),
    "klibc-4": Fault("NFS version 4.2 with klibc's nfsmount", "klibc.*(versions 2 and 3|4.2)", "klibc's nfsmount knows versions 2 and 3"),
    "no-init": Fault("the root has no /sbin/init", "the root has no /sbin/init", "the root has no /sbin/init"),
    "damaged": Fault("its kernel was overwritten in the store", "kernel8.img is damaged in the store", "kernel8.img is damaged in the store"),
    "no-export": Fault("its export is taken out of the NFS server", "NFS 3 mount of .*MNT3ERR|did not let it mount"),
    "other-export": Fault("its export is open to another address", "did not let it mount .*not open to"),
    "no-root": Fault("its root directory is removed", "NFS 3 mount of .*MNT3ERR|did not let it mount"),
    "nfs-wall": Fault("a firewall before NFS", "answers do not come through: look for a firewall"),
    "tftp-wall": Fault("a firewall before TFTP", "never asked for a file: look for a firewall before UDP port 69"),
    "cable": Fault("its wire breaks in the middle of the kernel", "kernel8.img broke off after .*look at cable"),
    "rogue": Fault("another DHCP server answers it before ours does", rf"another DHCP server, {re.escape(FOREIGN_SERVER)} \(MAC {FOREIGN_MAC}\)"),
    "twin": Fault("a second board has its serial", "two boards say that they are this one"),
    "unpublished": Fault("it is in the fleet file, and apply was not run", "generation 1 has nothing for it: run `bramble apply`"),
    "unpowered": Fault("it never gets power", "never asked for an address: is it powered"),
    "dies": Fault("it dies after it was up", "was up and has not been heard for .*switched off, hangs"),
}
SOUND = "sound"


def spec(name):
    """Serial, MAC and address of a board: by its place in the list."""
    number = [*FAULTS, SOUND].index(name) + 10
    return f"400000{number:02x}", f"dc:a6:32:00:04:{number:02x}", f"172.16.1.{number}"


def console_frame(mac, source, text):
    """What a kernel's netconsole puts on the wire."""
    data = text.encode()
    udp = struct.pack(">HHHH", 6665, 6666, 8 + len(data), 0) + data
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(SERVER))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + head[12:]
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) + b"\x08\x00" + head + udp


class Failures(unittest.TestCase):
    def setUp(self):
        end_on_signals()
        if os.geteuid() != 0:
            self.skipTest("needs root")
        for program in ("ganesha.nfsd", "rpcbind", "dnsmasq", "nft", "curl"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed: run 'sudo deploy/setup --for test'")
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")
        self.store = self.lab.folder / "store"

    # ---- what each board boots

    def make_boot(self, name, change):
        folder = self.lab.folder / "images" / name / "boot"
        folder.mkdir(parents=True)
        for path, content in {
            "start4.elf": payload(2_300_000, "start4"), "fixup4.dat": payload(5352, "fixup4"),
            "bcm2711-rpi-4-b.dtb": payload(47_484, "dtb"), "kernel8.img": gzip.compress(arm64_kernel() + payload(4_000_000, name), mtime=0),
            "initramfs8": initramfs("bin/busybox"), "config.txt": b"arm_64bit=1\nauto_initramfs=1\n",
        }.items():
            (folder / path).write_bytes(content)
        change(folder)
        return folder

    def make_root(self, name, with_init=True):
        root = self.lab.folder / "images" / name / "root"
        systemd = root / "usr/lib/systemd/systemd"
        systemd.parent.mkdir(parents=True)
        systemd.write_bytes(b"\x7fELF")
        systemd.chmod(0o755)
        (root / f"usr/lib/modules/{RELEASE}").mkdir(parents=True)
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text("ID=debian\n")
        (root / "etc/fstab").write_text("# none\n")
        (root / "usr/sbin").mkdir()
        (root / "lib").symlink_to("usr/lib")
        (root / "sbin").symlink_to("usr/sbin")
        if with_init:
            (root / "usr/sbin/init").symlink_to("/lib/systemd/systemd")
        return root

    IMAGES = {
        "sound": lambda boot: None,
        "no-start": lambda boot: (boot / "start4.elf").unlink(),
        "no-kernel": lambda boot: (boot / "kernel8.img").unlink(),
        "named-kernel": lambda boot: (boot / "config.txt").write_text("arm_64bit=1\nkernel=vmlinuz-lab.img\n"),
        "no-dtb": lambda boot: (boot / "bcm2711-rpi-4-b.dtb").unlink(),
        "narrow": lambda boot: (boot / "kernel8.img").write_bytes(arm_kernel()),
        "cut-kernel": lambda boot: (boot / "kernel8.img").write_bytes((boot / "kernel8.img").read_bytes()[:-2000]),
        "cut-initramfs": lambda boot: (boot / "initramfs8").write_bytes((boot / "initramfs8").read_bytes()[:-2000]),
        "wide": lambda boot: ((boot / "kernel8.img").rename(boot / "kernel7l.img"), (boot / "initramfs8").rename(boot / "initramfs7l"),
                              (boot / "config.txt").write_text("arm_64bit=0\nauto_initramfs=1\n")),
        "klibc-4": lambda boot: (boot / "initramfs8").write_bytes(initramfs("usr/bin/nfsmount")),
        "no-init": lambda boot: None,
        "damaged": lambda boot: None,
    }

    def fleet(self, without=()):
        images, profiles, boards = [], [], []
        for name, change in self.IMAGES.items():
            folder = self.lab.folder / "images" / name
            if not folder.exists():
                self.make_boot(name, change)
                self.make_root(name, with_init=name != "no-init")
            images.append(f"  {name}: {{source: {{directory: {{boot: {folder}/boot, root: {folder}/root}}}}}}")
            # Copies, because faults are done to them from outside of the host's mounts.
            version = ', nfs_version: "4.2"' if name == "klibc-4" else ""
            more = f", root: {{copy_on_write: copy{version}}}"
            profiles.append(f"  {name}: {{image: {name}, cmdline: [console=tty1]{more}}}")
        for name in [*FAULTS, SOUND]:
            if name in without:
                continue
            serial, mac, address = spec(name)
            profile = name if name in self.IMAGES else "sound"
            boards.append(f'  - {{name: {name}, serial: {serial}, mac: "{mac}", address: {address}, profile: {profile}}}')
        newline = "\n"
        return f"""version: 1
appliance:
  interface: eth1
  address: {SERVER}/24
  dhcp: {{mode: authoritative, pool: {{from: 172.16.1.100, to: 172.16.1.199}}, lease: 10m}}
  admission: off
  admin: {{listen: "127.0.0.1:8080"}}
  store: {self.store}
images:
{newline.join(images)}
profiles:
{newline.join(profiles)}
boards:
{newline.join(boards)}
"""

    # ---- what is done to the lab

    def damaged_object(self):
        manifest = json.loads((self.store / "current/manifest.json").read_text())
        entry = next(board for board in manifest["boards"] if board["name"] == "damaged")
        digest = {**manifest["trees"].get(entry.get("tree", ""), {}), **entry.get("files", {})}["kernel8.img"]["object"]
        return self.store / "objects" / digest[:2] / digest

    def damage_kernel(self):
        """All but its head is overwritten where it lies, as a failing disk or a careless hand does it."""
        path = self.damaged_object()
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))

    def change_exports(self):
        configuration = self.store / "nfs/ganesha.conf"
        text = configuration.read_text()
        blocks = re.split(r"(?m)^(?=EXPORT \{)", text)
        blocks = [block for block in blocks if "/boards/no-export/" not in block]
        blocks = [re.sub(rf"Clients = {re.escape(spec('other-export')[2])};", "Clients = 172.16.1.240;", block)
                  if "/boards/other-export/" in block else block for block in blocks]
        self.assertEqual(len(blocks), len(re.findall(r"(?m)^EXPORT", text)))
        configuration.write_text("".join(blocks))
        shutil.rmtree(self.store / "boards/no-root")

    def raise_walls(self):
        rules = f"""table ip lab {{
            chain input {{
                type filter hook input priority 0;
                ip saddr {spec('nfs-wall')[2]} tcp dport {{ 111, 2049, 20048 }} drop
                ip saddr {spec('tftp-wall')[2]} udp dport 69 drop
            }}
            chain output {{
                type filter hook output priority 0;
                ip daddr {spec('cable')[2]} udp dport != 68 quota over 3000000 bytes drop
            }}
        }}"""
        file = self.lab.folder / "walls.nft"
        file.write_text(rules)
        self.server.command("nft", "-f", file)

    def start_rogue(self):
        """A server that knows this one board, and is the first to answer it: of ours the board hears the second offer alone.

        Boards merge offers: its firmware boots from us with the other's address, to which nobody exports its root. From
        then on it hears us no more, and asks on for ever.
        """
        mac = spec("rogue")[1]
        start_foreign_dhcp(self.lab, self.switch, {mac: "172.16.1.207"}, mac=FOREIGN_MAC, options=("--dhcp-ignore=tag:!known", "--dhcp-broadcast"))
        ours = f"ether daddr {mac} ip saddr {SERVER} udp sport 67"
        rules = f"""table bridge lab {{
            chain forward {{
                type filter hook forward priority 0;
                {ours} quota until 600 bytes drop
                {ours} quota over 600 bytes drop
            }}
        }}"""
        file = self.lab.folder / "late.nft"
        file.write_text(rules)
        self.switch.host.command("nft", "-f", file)

    def break_cable(self, boards):
        """Its data has been held back since the middle of its kernel; now its link goes, so that it cannot begin anew."""
        names = [board["name"] for board in json.loads((self.lab.folder / "powered.json").read_text())["boards"]]
        port = f"vb{boards.process.pid % 100_000}-{names.index('cable')}"
        self.switch.host.ip("link", "set", port, "down")

    def say_panic(self):
        _, mac, address = spec("cut-initramfs")
        frame = console_frame(mac, address, "[    1.9] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n")
        script = (f"import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('{self.switch.bridge}', 0)); "
                  f"s.send(bytes.fromhex('{frame.hex()}'))")
        self.switch.host.command("python3", "-c", script)

    def live_and_die(self):
        """The report's own script, with a heartbeat of ten seconds, on a host with the board's address; then its power goes."""
        _, mac, address = spec("dies")
        script = next(path for path in (self.store / "boards/dies").glob("root.*") if path.is_dir()) / "usr/local/lib/bramble/report-up"
        copy = self.lab.folder / "report-up"
        copy.write_text(script.read_text().replace("heartbeat_s=60", "heartbeat_s=10"))
        host = self.lab.namespace("dies").join(self.switch, "eth0", mac=mac, address=f"{address}/24")
        process = host.start("sh", copy)
        process.wait_for("reported to", 30)
        self.assertTrue(eventually(lambda: "heartbeat" in self.board("dies"), 20))
        beats = self.board("dies")["heartbeat"]
        self.assertTrue(eventually(lambda: self.board("dies")["heartbeat"] > beats, 30), "no second heartbeat came")
        process.stop()

    # ---- what is said

    def api(self, path):
        return self.server.command("curl", "-s", f"http://127.0.0.1:8080/api/v1{path}")

    def board(self, name):
        return json.loads(self.api(f"/boards/{name}"))

    def said_of(self, name):
        board = self.board(name)
        return board.get("diagnosis") or board.get("boot", {}).get("waiting_for", "")

    def rehearse(self):
        """What each board's rehearsal says first, before any of them has power."""
        report = json.loads(self.appliance.bramble("rehearse", "--all", "--json", check=False))
        return {one["board"]: one["first"] for one in report["reports"]}

    def table(self, rehearsed):
        rows = ["| injected | said of the board | `rehearse` beforehand |", "|---|---|---|"]
        for name, fault in FAULTS.items():
            rows.append(f"| {fault.injected} | {fault.cell(fault.found)} | {fault.cell(rehearsed.get(name) if fault.rehearsed else None)} |")
        text = "\n".join(rows).replace(str(self.store), "STORE")
        text = re.sub(r"root\.[0-9a-f]+", "root.KEY", text)
        text = re.sub(r"objects/[0-9a-f/]+", "objects/SUM", text)
        if path := os.environ.get("FAILURES_TABLE"):
            pathlib.Path(path).write_text(text + "\n")
        return text

    def test_each_diagnosis_names_its_cause(self):
        self.appliance = Appliance(self.server, self.fleet(without=("unpublished",)))
        self.appliance.apply()
        self.damage_kernel()
        rehearsed = self.rehearse()
        self.change_exports()
        self.appliance.nfs()
        self.appliance.write_fleet(self.fleet())
        self.appliance.serve()
        self.raise_walls()
        self.start_rogue()
        serial, mac, _ = spec("unpublished")
        boards = VirtualFleet(
            self.switch, self.power_list(), SECONDS_MAX + 60, compare=False,
            options=("--processors", "--board", f"unpublished,{serial},{mac}", "--board", f"twin,{spec('twin')[0]},{TWIN_MAC}"))
        self.addCleanup(boards.process.stop)
        self.assertTrue(eventually(lambda: self.board(SOUND)["condition"] == "up", 60), self.appliance.log()[-3000:])
        phases = [phase["phase"] for phase in self.board(SOUND)["boot"]["phases"]]
        self.assertEqual(phases, ["address", "firmware", "config", "kernel", "root", "userspace"])
        self.break_cable(boards)
        self.say_panic()
        self.live_and_die()
        waiting = dict(FAULTS)
        deadline = time.monotonic() + SECONDS_MAX
        while waiting and time.monotonic() < deadline:
            time.sleep(2)
            for name, fault in list(waiting.items()):
                fault.found = self.said_of(name)
                if re.search(fault.said, fault.found):
                    del waiting[name]
        print(self.table(rehearsed), flush=True)
        for name, fault in waiting.items():
            print(name, fault.found, json.dumps(self.board(name)), flush=True)
        self.assertEqual(sorted(waiting), [])
        for name, fault in FAULTS.items():
            if fault.rehearsed:
                self.assertIn(fault.rehearsed, rehearsed[name] or "", name)
        self.assertIsNone(rehearsed[SOUND])
        console = self.api("/boards/cut-initramfs/boots/0/console")
        self.assertIn("Kernel panic - not syncing: VFS: Unable to mount root fs", console)
        self.assertIn("console   [    1.9] Kernel panic", self.appliance.bramble("logs", "cut-initramfs"))
        self.hear_of_the_rogue()
        self.follow_remedies()

    def hear_of_the_rogue(self):
        self.assertIn(f"ANOTHER DHCP SERVER ANSWERS ON THIS WIRE, {FOREIGN_SERVER} (MAC {FOREIGN_MAC})", self.appliance.bramble("status", "--once"))
        self.assertIn(f"is offered 172.16.1.207 by another DHCP server, {FOREIGN_SERVER}", self.appliance.log())
        metrics = self.server.command("curl", "-s", "http://127.0.0.1:8080/metrics")
        self.assertGreater(int(re.search(r"(?m)^bramble_dhcp_foreign_servers_total (\d+)", metrics).group(1)), 2)

    def follow_remedies(self):
        """What is said to help in the store and at the exports does."""
        self.damaged_object().unlink()
        self.appliance.apply()
        rehearsed = self.rehearse()
        for name in ("damaged", "no-export", "no-root", "unpublished"):
            self.assertIsNone(rehearsed[name], name)
        exports = (self.store / "nfs/ganesha.conf").read_text()
        self.assertNotIn("172.16.1.240", exports)

    def power_list(self):
        """A manifest of those that get power from the runner."""
        manifest = json.loads((self.store / "current/manifest.json").read_text())
        manifest["boards"] = [board for board in manifest["boards"] if board["name"] not in ("unpowered", "dies")]
        path = self.lab.folder / "powered.json"
        path.write_text(json.dumps(manifest))
        return path


if __name__ == "__main__":
    unittest.main()
