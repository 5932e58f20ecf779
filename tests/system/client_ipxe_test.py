"""iPXE in QEMU's boot ROM: the one whose DISCOVER looks most like a Raspberry Pi's, alone and beside a foreign DHCP server.

What its script fetched is looked for in the guest's memory.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import DHCP_PORT, PXE_PORT, TFTP_PORT, payload  # noqa: E402
from client_case import ClientCase  # noqa: E402
from foreign_dhcp import start_foreign_dhcp  # noqa: E402
from guest import PC, Guest  # noqa: E402

MAC, ADDRESS = "52:54:00:00:00:41", "172.16.1.41"
SCRIPT = b"""#!ipxe
echo BRAMBLE script runs on ${net0/ip}
imgfetch --name payload payload.img && echo BRAMBLE got payload || echo BRAMBLE lost payload
imgfetch no-such-file && echo BRAMBLE wrong || echo BRAMBLE refused
echo BRAMBLE script done
:stay
sleep 1
goto stay
"""


class Ipxe(ClientCase):
    files = {"boot.ipxe": SCRIPT, "payload.img": payload((1 << 20) + 13, "ipxe")}
    profile = "  files: {image: boot, model: generic, root: {mode: none}, dhcp: {bootfile: boot.ipxe}}"
    boards = f'  - {{name: pc, mac: "{MAC}", address: {ADDRESS}, profile: files}}'
    virtual_machine = (PC,)

    def test_its_script_runs_and_fetches(self):
        # virtio-net-pci with its default ROM; under KVM this iPXE hangs, so it is emulated.
        guest = Guest(self.switch, PC, MAC, memory_mib=128, network="virtio-net-pci", name="ipxe", extra=("-boot", "n"))
        self.addCleanup(guest.stop)
        guest.wait_for(f"BRAMBLE script runs on {ADDRESS}", 90)
        guest.wait_for("BRAMBLE got payload", 60)
        guest.wait_for("BRAMBLE refused", 60)
        guest.wait_for("BRAMBLE script done", 10)
        self.assertTrue(guest.holds(self.files["payload.img"]), "the payload is not in the guest's memory")


class IpxeBesideAForeignServer(Ipxe):
    mode = "proxy"
    ports = (TFTP_PORT, DHCP_PORT, PXE_PORT)

    @classmethod
    def make_hosts(cls):
        start_foreign_dhcp(cls.lab, cls.switch, {MAC: ADDRESS})


if __name__ == "__main__":
    unittest.main()
