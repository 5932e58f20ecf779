"""EDK2 (UEFI) on arm64: PXE alone and beside a foreign DHCP server; it learns the size with a transfer that it aborts.

It loads a program of ours, whose words on the console and whose payload in the guest's memory are the proof.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import DHCP_PORT, PXE_PORT, TFTP_PORT, payload  # noqa: E402
from client_case import ClientCase  # noqa: E402
from foreign_dhcp import start_foreign_dhcp  # noqa: E402
from guest import ARM64, EDK2_ARM64, Guest  # noqa: E402
from lab import run  # noqa: E402

MAC, ADDRESS = "52:54:00:00:00:51", "172.16.1.51"
PAYLOAD = payload((600 << 10) + 5, "edk2")


class Edk2(ClientCase):
    profile = "  files: {image: boot, model: generic, root: {mode: none}, dhcp: {bootfile: witness.efi}}"
    boards = f'  - {{name: uefi, mac: "{MAC}", address: {ADDRESS}, profile: files}}'
    virtual_machine = (ARM64, EDK2_ARM64)
    programs = ("clang", "lld-link")

    @classmethod
    def make_files(cls):
        blob = cls.lab.folder / "payload.bin"
        blob.write_bytes(PAYLOAD)
        run("clang", "--target=aarch64-unknown-windows", "-ffreestanding", "-fshort-wchar", "-nostdlib", "-fuse-ld=lld",
            "-Wl,-entry:efi_main", "-Wl,-subsystem:efi_application", f'-DPAYLOAD_FILE="{blob}"',
            str(pathlib.Path(__file__).with_name("efi_witness.c")), "-o", str(cls.boot / "witness.efi"))

    def test_its_program_runs(self):
        guest = Guest(self.switch, ARM64, MAC, memory_mib=512, firmware=EDK2_ARM64, network="virtio-net-pci", name="edk2")
        self.addCleanup(guest.stop)
        guest.wait_for("BRAMBLE EFI program runs", 120)
        self.assertTrue(guest.holds(PAYLOAD), "the payload is not in the guest's memory")


class Edk2BesideAForeignServer(Edk2):
    mode = "proxy"
    ports = (TFTP_PORT, DHCP_PORT, PXE_PORT)

    @classmethod
    def make_hosts(cls):
        start_foreign_dhcp(cls.lab, cls.switch, {MAC: ADDRESS})


if __name__ == "__main__":
    unittest.main()
