"""A kernel built from Debian's linux-source by `bramble apply`, and a QEMU guest that Bramble boots with it over NFS.

Takes half an hour of two cores, less with a warm ccache: `tests/run kernels` runs it, a plain `tests/run` does not.
BRAMBLE_KERNEL_SOURCE names a clean tree of Linux 6.1 to build instead of unpacking one.
"""

import json
import pathlib
import re
import sys
import time
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from appliance import SERVER, Appliance, fleet_yaml, make_boot_script  # noqa: E402
from disk_images import make_image  # noqa: E402
from guest import ARM64, U_BOOT_ARM64, Guest, missing  # noqa: E402
from kernel_sources import ARM_OPTIONS, VIRT_OPTIONS, make_root, missing_programs, options, unpack  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402

BUILD_SECONDS_MAX = 5000
MAC = "52:54:00:00:00:41"


class Kernels(unittest.TestCase):
    def setUp(self):
        reason = missing_programs("aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc", "flex", "bison", "bc", "mkimage")
        reason = reason or missing(ARM64, U_BOOT_ARM64)
        if reason:
            raise unittest.SkipTest(f"{reason}: run 'sudo deploy/setup --for test'")
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.folder = self.lab.folder
        self.sources = unpack(self.folder)
        self.switch = self.lab.switch()
        self.server = self.lab.namespace("server").join(self.switch, "eth1", address=f"{SERVER}/24")

    def boot_folder(self):
        boot = self.folder / "boot"
        boot.mkdir()
        return boot

    def appliance(self, arch, more_options, image, root):
        text = fleet_yaml(
            self.folder / "store", image,
            f"  lab: {{model: generic, image: lab, kernel: small, root: {root}, cmdline: [console=ttyAMA0, panic=5]}}",
            f'  - {{name: guest, mac: "{MAC}", address: 172.16.1.41, profile: lab}}')
        kernel = (f"kernels:\n  small:\n    source: {{path: {self.sources}}}\n    arch: {arch}\n    defconfig: tinyconfig\n"
                  f"    presets: [nfsroot, verity]\n    options: {options(VIRT_OPTIONS + more_options)}\n")
        return Appliance(self.server, text.replace("profiles:", kernel + "profiles:", 1))

    def build(self, appliance):
        started = time.monotonic()
        output = appliance.bramble("apply", timeout=BUILD_SECONDS_MAX)
        print(f"  built and published in {time.monotonic() - started:.0f} s", flush=True)
        for line in output.splitlines()[-12:]:
            print("  " + line, flush=True)
        (kernel,) = json.loads(appliance.bramble("kernel", "list", "--json"))["kernels"]
        self.assertEqual(kernel["state"], "built")
        self.assertRegex(kernel["release"], rf"^6\.1\.\d+-bramble-{kernel['key'][:12]}$")
        return kernel, self.folder / "store/kernels" / kernel["key"]

    def test_arm64_boots_over_nfs(self):
        """The whole recipe: a zipped disk image, customised, with a kernel of its own, as a board's root."""
        boot = self.boot_folder()
        make_boot_script(boot, "boot.scr.uimg", ["if pxe get; then pxe boot; fi"])
        root = make_root(self.folder, "arm64")
        disk = self.folder / "lab.img"
        make_image(disk, root, boot)
        with zipfile.ZipFile(self.folder / "lab.img.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(disk, disk.name)
        disk.unlink()
        image = (f"  lab:\n    source: {{file: {self.folder}/lab.img.zip}}\n    customize:\n"
                 "      files: {/etc/customized: {content: \"by the fleet file\"}}\n"
                 "      run: [busybox echo \" on $(busybox uname -m)\" >>/etc/customized]")
        appliance = self.appliance("arm64", "", image, "{nfs_version: 3}")
        kernel, place = self.build(appliance)
        self.assertFalse(kernel["needs_initramfs"])
        final = (place / "config").read_text()
        for option in ("ROOT_NFS", "IP_PNP_DHCP", "NFS_V4_2", "FS_VERITY_BUILTIN_SIGNATURES", "DM_VERITY_VERIFY_ROOTHASH_SIG"):
            self.assertIn(f"CONFIG_{option}=y\n", final)
        appliance.up()
        guest = Guest(self.switch, ARM64, MAC, memory_mib=512, firmware=U_BOOT_ARM64)
        self.addCleanup(guest.stop)
        guest.wait_for("BRAMBLE done", 300)
        said = re.findall(r"BRAMBLE (\w+) ([^\r\n]*)", guest.process.output())
        for line in said:
            print("  guest: " + " ".join(line), flush=True)
        said = {key: [value for name, value in said if name == key] for key, _ in said}
        self.assertEqual(said["release"], [kernel["release"]])
        self.assertIn("CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG=y", said["option"])
        self.assertIn("CONFIG_FS_VERITY=y", said["option"])
        self.assertIn("nfs", said["root"][0])
        self.assertIn("dummy", said["module"][0], "the kernel takes its own modules from its root")
        self.assertEqual(said["hostname"], ["guest"])
        self.assertEqual(said["customized"], ["by the fleet file on aarch64"])
        self.assertIn(kernel["release"], appliance.bramble("kernel", "which", "guest"))
        self.assertIn("nothing to do", appliance.bramble("plan"))

    def test_arm_is_built_to_image_modules_and_device_trees(self):
        boot = self.boot_folder()
        (boot / "start4.elf").write_bytes(b"stand-in for firmware")
        appliance = self.appliance("arm", ARM_OPTIONS, f"  lab: {{source: {{directory: {{boot: {boot}}}}}}}", "{mode: none}")
        kernel, place = self.build(appliance)
        self.assertEqual(kernel["arch"], "arm")
        manifest = json.loads((self.folder / "store/current/manifest.json").read_text())
        self.assertIn("kernel7l.img", json.dumps(manifest))
        self.assertIn("bcm2711-rpi-4-b.dtb", json.dumps(manifest))
        modules = {path.name for path in (place / "modules").rglob("*.ko")}
        self.assertLessEqual({"dummy.ko", "loop.ko", "overlay.ko"}, modules)


if __name__ == "__main__":
    unittest.main()
