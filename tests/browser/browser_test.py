"""The status page in Chromium while 64 virtual boards and a real guest boot: every state shown, what operators change, who may not.

page.mjs drives the browser and says what it found; this boots the boards when it asks for it. Screenshots go to
BRAMBLE_SHOTS, where that is set.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from debian_guests import IMAGE, DebianGuests, missing_for_guests  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = 64  # that boot; beside them one that never does, and one that stops
FLEET_SECONDS_MAX = 400
GUEST = {"guest": ("52:54:00:00:00:61", "172.16.1.161")}
SECONDS_MAX = 900
CHECKS = (
    "the page begins by itself", "boards that boot and that wait are shown as they do",
    "boots are shown side by side with the link and the queue", "what boards do is told as it happens",
    "an unknown board is adopted after the token is asked for", "the token stays in this tab and nowhere else",
    "an adopted board is forgotten without asking again", "a board that stands in the fleet file is not",
    "every board comes up", "a real guest is among them, with its kernel", "a board that stopped is shown as stuck", "a board has its boot as a waterfall",
    "a board says what it gets and which rule gave it", "a generation is rolled back to",
    "keys alone lead through the grid and back", "the page comes back when the server does",
    "axe finds nothing serious, light", "axe finds nothing serious, dark", "axe finds nothing serious, phone",
    "the wall shows states and offers nothing", "another site can neither read nor change anything",
    "no error on any console")


def board_line(name, number):
    return (f'  - {{name: {name}, serial: 600000{number:02x}, mac: "dc:a6:32:00:05:{number:02x}", '
            f"address: 172.16.1.{20 + number}, profile: pi}}")


def install_packages():
    """What package-lock.json names, from the registry that npm is set up with; nothing when it is there."""
    if (HERE / "node_modules/playwright-core").is_dir() and (HERE / "node_modules/axe-core").is_dir():
        return
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise LabError(f"npm ci in tests/browser: is a registry reachable?\n{done.stdout}{done.stderr}")


@unittest.skipUnless(shutil.which("chromium") and shutil.which("npm"), "chromium or npm is not installed: run 'sudo deploy/setup --for test'")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        end_on_signals()
        if reason := missing_for_guests():
            raise unittest.SkipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        install_packages()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.make_appliance()
        shots = pathlib.Path(os.environ.get("BRAMBLE_SHOTS") or cls.lab.folder / "shots")
        shots.mkdir(parents=True, exist_ok=True)
        token = cls.appliance.bramble("token").strip()
        page = cls.server.start(
            "node", HERE / "page.mjs", "http://127.0.0.1:8080", f"http://{SERVER}:8082", token, shots, BOARDS + 3,
            log="page.log", stdin=subprocess.PIPE)
        cls.results = cls.follow(page)
        cls.output = page.output()

    @classmethod
    def make_appliance(cls):
        folder = cls.lab.folder
        stand_in.make(folder / "stand-in")
        cls.switch = cls.lab.switch()
        cls.server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        lines = [board_line(f"pi-{number:02}", number) for number in range(BOARDS)]
        cls.powered = "\n".join(lines)
        cls.guests = DebianGuests(cls.lab, cls.switch, cls.server, folder / "store", GUEST)
        cls.guests.take_what_is_built(folder / "appliance.lock")
        lines += [board_line("stops", 0xd0), board_line("never", 0xd1), cls.guests.lines()]
        text = fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}\n{IMAGE}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}\n" + cls.guests.profile("guest", "{}"),
            "\n".join(lines))
        text = text.replace("images:", "include: [boards.d/*.yaml]\nimages:", 1)
        text = text.replace('admin: {listen: "127.0.0.1:8080"}',
                            f'admin: {{listen: "127.0.0.1:8080", public: "{SERVER}:8082"}}\n  admission: {{link: 200Mbit}}')
        (folder / "boards.d").mkdir()
        cls.appliance = Appliance(cls.server, text)
        cls.guests.apply(cls.appliance)
        cls.appliance.write_fleet(text.replace("arm_64bit: 1", "arm_64bit: 1, enable_uart: 1"))
        cls.appliance.apply()
        cls.appliance.nfs()
        cls.socket = folder / "operate.sock"
        cls.server.start(program(), "operate", "--user", "root", "--socket", cls.socket, "--fleet", cls.appliance.fleet_file, log="operate.log")
        if not eventually(cls.socket.exists, 20):
            raise LabError("operate did not begin")
        cls.serve()

    @classmethod
    def serve(cls):
        cls.appliance.process = cls.server.start(
            program(), "serve", "--operator-socket", cls.socket, "--fleet", cls.appliance.fleet_file, log="serve.log")
        cls.appliance._wait_until_ready("serve", (69, 67), 30)

    @classmethod
    def boot(cls):
        """A guest, all but two boards, and one that nobody knows, and one that says a single word."""
        manifest = cls.lab.folder / "powered.json"
        published = (cls.lab.folder / "store/current/manifest.json").read_text()
        for number, serial in ((0xee, "600000ee"), (0xd0, "600000d0")):
            mac = f"dc:a6:32:00:05:{number:02x}"
            host = cls.lab.namespace(f"lone{number:x}").join(cls.switch, "eth0", mac=mac)
            for _ in range(2):
                host.command(sys.executable, ROOT / "tests/support/lone_board.py", "eth0", serial, mac)
        whole = json.loads(published)
        whole["boards"] = [board for board in whole["boards"] if board["name"] not in ("stops", "never", *GUEST)]
        manifest.write_text(json.dumps(whole))
        # Its boot loader does not ask for as long as a Raspberry Pi does: it goes before the room.
        cls.guests.power_on("guest").process.wait_for("DHCP client bound", 90)
        cls.fleet = VirtualFleet(cls.switch, manifest, FLEET_SECONDS_MAX, compare=False)

    @classmethod
    def restart(cls):
        cls.appliance.stop()
        cls.serve()

    @classmethod
    def follow(cls, page):
        """Does what the page's driver asks for until it ends; what each check found."""
        asked = 0
        results = {}
        steps = {"boot": cls.boot, "restart": cls.restart}

        def on_output():
            nonlocal asked
            lines = page.output().splitlines()
            requests = [line[1:] for line in lines if line.startswith("@")]
            for request in requests[asked:]:
                steps[request]()
                asked += 1
                page._process.stdin.write(b"done\n")
                page._process.stdin.flush()
            return page.exit_code is not None
        if not eventually(on_output, SECONDS_MAX):
            raise LabError(f"the browser did not come to its end:\n{page.output()[-3000:]}")
        page.wait(10)
        for line in page.output().splitlines():
            if line.startswith("ok "):
                results[line[3:]] = ""
            elif line.startswith("failed "):
                name, _, why = line[7:].partition(": ")
                results[name] = why
        return results


def add_check(name):
    def test(self):
        if name not in self.results:
            self.fail(f"it was not looked at:\n{self.output[-2000:]}")
        self.assertEqual(self.results[name], "", f"\n{self.appliance.log()[-1500:]}")
    setattr(Page, f"test_{CHECKS.index(name):02}_" + "".join(c if c.isalnum() else "_" for c in name), test)


for check in CHECKS:
    add_check(check)


if __name__ == "__main__":
    unittest.main()
