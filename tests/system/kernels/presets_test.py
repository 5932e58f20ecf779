"""Each preset on the configurations that boards' kernels begin with, arm64's `defconfig` and arm's `multi_v7_defconfig` of
Linux 6.1: what `bramble apply` has made of them when the compiler would begin is held against the preset's file, option
by option. Nothing is built: the run is cancelled there.
"""

import pathlib
import re
import signal
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/support"))
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import eventually  # noqa: E402
from kernel_sources import missing_programs, unpack  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

PRESETS = sorted((ROOT / "provisioning/kernel/presets").glob("*.config"))
BASES = {"arm64": "defconfig", "arm": "multi_v7_defconfig"}
# All that configuring reads.
PARTS = ("*/Makefile", "*/Kconfig*", "*/scripts/*", "*/arch/arm/*", "*/arch/arm64/*", "*/kernel/configs/*", "*/Kbuild", "*/tools/include/*")
CONFIGURING_SECONDS_MAX = 300
# What Linux 6.1 has for neither, and why.
ABSENT = {"livepatch": ("LIVEPATCH", "these sources have no such option for this architecture")}


def options(text):
    """{name: value} of a .config or a fragment of one."""
    found = dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M))
    found.update({name: "n" for name in re.findall(r"^# CONFIG_(\w+) is not set$", text, re.M)})
    return found


class Presets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = missing_programs("aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc", "flex", "bison", "bc", "pahole")
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

    def configured(self, arch, preset):
        """What the program says until it would build, and the configuration that it would build."""
        text = fleet_yaml(
            self.lab.folder / "store", f"  lab: {{source: {{directory: {{boot: {self.boot}}}}}}}",
            "  lab: {model: pi4, image: lab, kernel: small, root: {mode: none}}",
            '  - {name: pi-01, serial: 5b154510, mac: "dc:a6:32:00:00:01", address: 172.16.1.3, profile: lab}')
        kernel = (f"kernels:\n  small:\n    source: {{path: {self.sources}}}\n    arch: {arch}\n"
                  f"    defconfig: {BASES[arch]}\n    presets: [{preset}]\n")
        appliance = Appliance(self.server, text.replace("profiles:", kernel + "profiles:", 1))
        process = self.server.start(program(), "apply", "--fleet", appliance.fleet_file, log="apply.log")
        ended = lambda: process.exit_code is not None or "  building " in process.output()  # noqa: E731
        self.assertTrue(eventually(ended, CONFIGURING_SECONDS_MAX), process.output())
        final = "".join(path.read_text() for path in (self.lab.folder / "store/tmp").glob("*/build/.config"))
        process.signal(signal.SIGINT)
        process.wait(30)
        self.assertEqual(list((self.lab.folder / "store/tmp").iterdir()), [], "a cancelled run leaves nothing half-made")
        return process.output(), options(final)

    def test_every_option_of_each_preset_is_in_the_final_configuration(self):
        for arch, base in BASES.items():
            for file in PRESETS:
                if file.stem in ABSENT:
                    continue
                with self.subTest(arch=arch, preset=file.stem):
                    started = time.monotonic()
                    said, final = self.configured(arch, file.stem)
                    self.assertIn("  building ", said)
                    asked = options(file.read_text())
                    self.assertEqual({name: final.get(name, "n") for name in asked}, asked)
                    print(f"  {arch} {base} with {file.stem}: {len(asked)} options, {time.monotonic() - started:.0f} s", flush=True)

    def test_what_these_sources_do_not_have_is_told_with_its_reason(self):
        for arch in BASES:
            for preset, (option, reason) in ABSENT.items():
                with self.subTest(arch=arch, preset=preset):
                    said, _ = self.configured(arch, preset)
                    self.assertNotIn("  building ", said)
                    self.assertRegex(said, rf"appliance\.yaml:\d+:15: {option}=y \(preset {preset}\) came out as n: {reason}")


if __name__ == "__main__":
    unittest.main()
