"""Options of a real kernel's sources: tinyconfig, presets and options merged by the sources' own kconfig, and each that
got lost told with what it depends on. Nothing is compiled: the run ends where the compiler would begin.
"""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from kernel_sources import VIRT_OPTIONS, missing_programs, options, unpack  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402

# All that configuring reads.
PARTS = ("*/Makefile", "*/Kconfig*", "*/scripts/*", "*/arch/arm64/*", "*/kernel/configs/*", "*/Kbuild", "*/tools/include/*")


class KernelOptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = missing_programs("aarch64-linux-gnu-gcc", "flex", "bison", "bc")
        if reason:
            raise unittest.SkipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.sources = unpack(cls.lab.folder, *PARTS)
        cls.boot = cls.lab.folder / "boot"
        cls.boot.mkdir()
        (cls.boot / "start4.elf").write_bytes(b"stand-in for firmware")
        cls.server = cls.lab.namespace("server").join(cls.lab.switch(), "eth1", address=f"{SERVER}/24")

    def refusal(self, presets, more=""):
        """What `bramble apply` says; it cannot succeed, for no source of the kernel itself is there."""
        text = fleet_yaml(
            self.lab.folder / "store", f"  lab: {{source: {{directory: {{boot: {self.boot}}}}}}}",
            "  lab: {model: generic, image: lab, kernel: small, root: {mode: none}}",
            '  - {name: guest, mac: "52:54:00:00:00:41", address: 172.16.1.41, profile: lab}')
        kernel = (f"kernels:\n  small:\n    source: {{path: {self.sources}}}\n    defconfig: tinyconfig\n    presets: {presets}\n"
                  f"    options: {options(VIRT_OPTIONS + more)}\n")
        appliance = Appliance(self.server, text.replace("profiles:", kernel + "profiles:", 1))
        with self.assertRaises(LabError) as refused:
            appliance.bramble("apply", timeout=600)
        self.assertEqual(list((self.lab.folder / "store/tmp").iterdir()), [], "a run that failed leaves nothing half-made")
        return str(refused.exception)

    def test_options_that_survive_let_the_build_begin(self):
        said = self.refusal("[nfsroot, verity, netconsole, kdump]")
        self.assertNotIn("did not survive", said)
        self.assertIn("building Image, modules, dtbs", said)
        self.assertRegex(said, r"make Image modules dtbs ended with exit code 2 \(the whole log: \S+/logs/kernel-small\.log\)")

    def test_each_that_got_lost_names_what_it_depends_on_and_the_line_that_asks(self):
        said = self.refusal("[nfsroot, livepatch]", "      SLUB_DEBUG: y\n      PHYS_ADDR_T_64BIT: n\n")
        self.assertIn("options that were asked for did not survive:", said)
        self.assertRegex(said, r"appliance\.yaml:\d+:24: LIVEPATCH=y \(preset livepatch\) came out as n: these sources have no such "
                               r"option for this architecture")
        self.assertRegex(said, r"appliance\.yaml:\d+:\d+: SLUB_DEBUG=y \(options\) came out as n: it depends on SLUB \(n\) "
                               r"\[mm/Kconfig\.debug:\d+\]")
        self.assertRegex(said, r"PHYS_ADDR_T_64BIT=n \(options\) came out as y: ")
        self.assertNotIn("ROOT_NFS", re.sub(r"(?s).*did not survive", "", said))
        self.assertNotIn("building Image", said)


if __name__ == "__main__":
    unittest.main()
