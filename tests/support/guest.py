"""Virtual machines of the lab: QEMU with a real firmware on a tap, its console, and what lies in its memory.

It refuses to know what the guest boots. A client's transfer is judged by its memory: `holds` looks for the published
bytes in the guest's RAM, which works for every firmware alike and needs no help from it.
"""

import json
import pathlib
import shutil
import socket
import time

from lab import LabError

ARM64 = ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a53")
ARM = ("qemu-system-arm", "-machine", "virt,highmem=off", "-cpu", "cortex-a15")
PC = ("qemu-system-x86_64", "-machine", "pc,accel=tcg")

U_BOOT_ARM64 = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
U_BOOT_ARM = "/usr/lib/u-boot/qemu_arm/u-boot.bin"
EDK2_ARM64 = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"

# Where RAM begins in the guest's physical memory.
RAM_START = {ARM64[0]: 0x40000000, ARM[0]: 0x40000000, PC[0]: 0}


def missing(machine, *files):
    """Why such a guest cannot be started here, or ''."""
    if not shutil.which(machine[0]):
        return f"{machine[0]} is not installed"
    return next((f"{file} is not installed" for file in files if not pathlib.Path(file).exists()), "")


class Guest:
    """One running virtual machine."""

    def __init__(self, switch, machine, mac, memory_mib=256, firmware=None, network="virtio-net-device", extra=(),
                 name="guest", on_line=None):
        self.machine, self.memory_mib = machine, memory_mib
        self._qmp_path = switch.host.lab.folder / f"{name}.qmp"
        tap = switch.tap()
        command = [
            *machine, "-m", str(memory_mib), "-nographic", "-no-reboot", "-monitor", "none",
            "-serial", "stdio", "-qmp", f"unix:{self._qmp_path},server=on,wait=off",
            "-netdev", f"tap,id=net0,ifname={tap},script=no,downscript=no",
            "-device", f"{network},netdev=net0,mac={mac}", *extra]
        if firmware:
            command += ["-bios", firmware]
        # QEMU works in memory it maps lazily: a guest costs only what it touches.
        self.process = switch.host.start(*command, log=f"{name}.log", on_line=on_line)

    def wait_for(self, text, timeout):
        return self.process.wait_for(text, timeout)

    def holds(self, content, label="payload"):
        """Whether the guest's RAM holds `content` in one piece."""
        return self.holds_all({label: content})[label]

    def holds_all(self, contents):
        """For each label of `contents`, whether the guest's RAM holds its bytes in one piece."""
        memory = self.memory(RAM_START[self.machine[0]], self.memory_mib << 20)
        return {label: content in memory for label, content in contents.items()}

    def memory(self, address, size):
        """`size` bytes of the guest's physical memory, from `address` on."""
        dump = self._qmp_path.with_suffix(".memory")
        self._qmp("pmemsave", {"val": address, "size": size, "filename": str(dump)})
        content = dump.read_bytes()
        dump.unlink()
        return content

    def stop(self):
        self.process.stop(grace=2)

    def _qmp(self, command, arguments):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self._qmp_path))
            stream = connection.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline() or '{"error": "closed"}')
                    if "error" in answer:
                        raise LabError(f"QEMU refused {command}: {answer['error']}")
                    if "return" in answer:
                        break


def eventually(question, timeout, interval=0.2):
    """Asks until the answer is true or the time is over; the last answer."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(interval)
