"""The frame of a test with a real client: one lab, one `bramble serve` with boot files, for all tests of a file.

It refuses to know any client. A client that is missing is skipped aloud; tests/run counts that as a failure in CI.
"""

import pathlib
import shutil
import sys
import unittest

from appliance import DHCP_PORT, SERVER, TFTP_PORT, Appliance, fleet_yaml, payload, sha256
from guest import missing
from lab import Lab, end_on_signals

CLIENT_ADDRESS = "172.16.1.20"
CLIENT_MAC = "52:54:00:00:00:20"


class ClientCase(unittest.TestCase):
    """Subclasses say which files are published, which boards there are and how DHCP works."""

    files = {}
    boards = f'  - {{name: client, mac: "{CLIENT_MAC}", address: {CLIENT_ADDRESS}, profile: files}}'
    profile = "  files: {image: boot, model: generic, root: {mode: none}}"
    mode = "authoritative"
    unknown = "hold"
    ports = (TFTP_PORT, DHCP_PORT)
    programs = ()
    virtual_machine = ()

    @classmethod
    def setUpClass(cls):
        for name in cls.programs:
            if not shutil.which(name):
                raise unittest.SkipTest(f"{name} is not installed: run 'sudo deploy/setup --for test'")
        reason = missing(*cls.virtual_machine) if cls.virtual_machine else ""
        if reason:
            raise unittest.SkipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.boot = cls.lab.folder / "boot"
        cls.boot.mkdir()
        for path, content in cls.files.items():
            target = cls.boot / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        cls.make_files()
        cls.switch = cls.lab.switch()
        cls.server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        cls.make_hosts()
        cls.appliance = Appliance(cls.server, fleet_yaml(
            cls.lab.folder / "store", f"  boot: {{source: {{directory: {{boot: {cls.boot}}}}}}}", cls.profile, cls.boards,
            cls.mode, cls.unknown))
        cls.appliance.apply()
        cls.appliance.serve(cls.ports)

    @classmethod
    def make_files(cls):
        """Files that need the lab's folder; called before the appliance starts."""

    @classmethod
    def make_hosts(cls):
        """Further hosts of the lab; called before the appliance starts."""

    def run(self, result=None):
        """As unittest's, and what the server said is printed with a failure."""
        before = len(result.failures) + len(result.errors) if result else 0
        outcome = super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print(f"  the server's last words:\n{self.appliance.log()[-3000:]}", file=sys.stderr)
        return outcome


class TftpCase(ClientCase):
    """A client host with a reserved address of its own that fetches files by TFTP."""

    files = {
        "empty": b"",
        "one-byte": payload(1, "one"),
        "one-block": payload(512, "one block"),
        "odd": payload(100_001, "odd"),
        "kernel.img": payload(6 << 20, "kernel"),
        "overlays/disable-bt.dtbo": payload(1073, "overlay"),
    }

    @classmethod
    def make_hosts(cls):
        cls.client = cls.lab.namespace("client").join(cls.switch, "eth0", CLIENT_MAC, f"{CLIENT_ADDRESS}/24")

    def assert_same(self, name, fetched):
        """What arrived at `fetched` is what was published as `name`."""
        content = pathlib.Path(fetched).read_bytes()
        self.assertEqual(len(content), len(self.files[name]), f"{name}: length")
        self.assertEqual(sha256(content), sha256(self.files[name]), f"{name}: digest")
