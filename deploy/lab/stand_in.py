"""Files that stand in for a Raspberry Pi OS in the lab: true names and sizes, no true content.

They are marked as stand-ins in their first bytes, and refuse to boot any real board. The sizes are those of a current
64-bit Raspberry Pi OS; the content repeats nowhere, so that a mixed-up block would show.
"""

import pathlib
import random

BOOT_SIZES = {
    "start4.elf": 2_303_680,
    "fixup4.dat": 5_352,
    "kernel8.img": 9_695_883,
    "bcm2711-rpi-4-b.dtb": 47_484,
    "overlays/overlay_map.dtb": 5_971,
    "overlays/disable-bt.dtbo": 1_073,
    "overlays/vc4-kms-v3d-pi4.dtbo": 3_306,
}
# A root that is just enough for a virtual board, which reads these two files and reports in.
ROOT_FILES = {
    "sbin/init": (0o755, "#!/bin/sh\n# Bramble's stand-in for an init: virtual boards read it and run nothing.\n"),
    "etc/fstab": (0o644, "# Bramble's stand-in root.\n"),
    "etc/hostname": (0o644, "stand-in\n"),
}
ROOT_FOLDERS = ("bin", "boot", "dev", "etc/ssh", "etc/systemd/system", "home", "proc", "root", "run", "sys", "tmp", "usr", "var/lib")


def content_of(path, size):
    mark = f"Bramble stand-in for {path}: not Raspberry Pi firmware, no board boots it.\n".encode()
    return (mark + random.Random(path).randbytes(size))[:size]


def make(folder):
    """Writes boot/ and root/ below `folder`; files that are there already stay untouched."""
    folder = pathlib.Path(folder)
    for path, size in BOOT_SIZES.items():
        target = folder / "boot" / path
        if not target.exists() or target.stat().st_size != size:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content_of(path, size))
    for name in ROOT_FOLDERS:
        (folder / "root" / name).mkdir(parents=True, exist_ok=True)
    for path, (mode, text) in ROOT_FILES.items():
        target = folder / "root" / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
