"""U-Boot, arm64 and arm, with no hands: DHCP, its boot script by TFTP, then every block size with every window.

What arrived is read back from the guest's memory at the address that the script loaded it to.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import make_boot_script, payload, sha256  # noqa: E402
from client_case import ClientCase  # noqa: E402
from guest import ARM, ARM64, U_BOOT_ARM, U_BOOT_ARM64, Guest  # noqa: E402

BLOCK_SIZES, WINDOWS = (512, 1024, 1468), (1, 8, 16)
SIZE = (3 << 20) + 77  # no multiple of any block size: the last block is a short one
FIRST_ADDRESS, STEP = 0x44000000, 4 << 20
COMBINATIONS = [(block, window) for block in BLOCK_SIZES for window in WINDOWS]


def name_of(block, window):
    return f"block-{block}-window-{window}"


def script():
    lines = ["echo BRAMBLE script runs on ${ipaddr}"]
    for n, (block, window) in enumerate(COMBINATIONS):
        lines += [
            f"setenv tftpblocksize {block}", f"setenv tftpwindowsize {window}",
            f"if tftpboot {FIRST_ADDRESS + n * STEP:#x} {name_of(block, window)}; "
            f"then echo BRAMBLE got {name_of(block, window)} ${{filesize}}; else echo BRAMBLE lost {name_of(block, window)}; fi"]
    return lines + [
        "if tftpboot 0x43000000 no-such-file; then echo BRAMBLE wrong; else echo BRAMBLE refused; fi",
        "echo BRAMBLE script done"]


class UBoot(ClientCase):
    files = {name_of(*combination): payload(SIZE, name_of(*combination)) for combination in COMBINATIONS}
    profile = "  files: {image: boot, model: generic, root: {mode: none}, dhcp: {bootfile: boot.scr.uimg}}"
    boards = ('  - {name: arm64, mac: "52:54:00:00:00:31", address: 172.16.1.31, profile: files}\n'
              '  - {name: arm, mac: "52:54:00:00:00:32", address: 172.16.1.32, profile: files}')
    virtual_machine = (ARM64, U_BOOT_ARM64, U_BOOT_ARM)
    programs = ("mkimage", ARM[0])

    @classmethod
    def make_files(cls):
        make_boot_script(cls.boot, "boot.scr.uimg", script())

    def boot_and_compare(self, machine, firmware, mac, address, name):
        guest = Guest(self.switch, machine, mac, memory_mib=512, firmware=firmware, name=name)
        self.addCleanup(guest.stop)
        guest.wait_for(f"BRAMBLE script runs on {address}", 60)
        for combination in COMBINATIONS:
            guest.wait_for(f"BRAMBLE got {name_of(*combination)} {SIZE:x}", 60)
        guest.wait_for("BRAMBLE refused", 30)
        guest.wait_for("BRAMBLE script done", 10)
        for n, combination in enumerate(COMBINATIONS):
            with self.subTest(block=combination[0], window=combination[1]):
                arrived = guest.memory(FIRST_ADDRESS + n * STEP, SIZE)
                self.assertEqual(sha256(arrived), sha256(self.files[name_of(*combination)]))

    def test_arm64(self):
        self.boot_and_compare(ARM64, U_BOOT_ARM64, "52:54:00:00:00:31", "172.16.1.31", "u-boot-arm64")

    def test_arm(self):
        self.boot_and_compare(ARM, U_BOOT_ARM, "52:54:00:00:00:32", "172.16.1.32", "u-boot-arm")


if __name__ == "__main__":
    unittest.main()
