"""Disk images as Raspberry Pi OS has them: a partition table, FAT with the boot files, a root behind it. It refuses to know what is in them."""

import struct
import subprocess

from lab import LabError

SECTOR = 512
BOOT_AT, BOOT_MB, ROOT_MB = 8192, 40, 96
TABLE_AT_END = 33  # sectors of a GPT's second copy
NO_LOOP_DEVICE = 9
FILL = f'mount -o loop "$1" "$2" || exit {NO_LOOP_DEVICE}; cp -a --sparse=always "$3/." "$2" && umount "$2"'


def tool(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def fill_ext4(ext, root):
    """By the kernel; where it has no loop device by mke2fs, which loses nanoseconds. Whether nothing was lost."""
    tool("mke2fs", "-q", "-t", "ext4", ext, f"{ROOT_MB}M")
    mounted = ext.with_suffix(".mounted")
    mounted.mkdir()
    # In a mount namespace of its own: one that is made meanwhile would hold a copy of the mount, and the journal would stay open.
    filled = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", FILL, "sh", ext, mounted, root], capture_output=True)
    if filled.returncode == 0:
        return True
    if filled.returncode != NO_LOOP_DEVICE:
        raise LabError(f"{ext} was not filled: {filled.stderr.decode()}")
    print("no loop device here: times are compared in whole seconds")
    ext.unlink()
    tool("mke2fs", "-q", "-t", "ext4", "-d", root, ext, f"{ROOT_MB}M")
    return False


def fill_squashfs(file, root):
    """Times in whole seconds, and no ACLs: the filesystem has neither."""
    tool("mksquashfs", root, file, "-noappend", "-no-progress", "-quiet", "-xattrs")
    return False


def fill_erofs(file, root):
    (root / "etc" / ("n" * 255)).unlink()  # mkfs.erofs 1.5 cannot
    tool("mkfs.erofs", "--quiet", "-zlz4", "-x", "255", file, root)
    return True


def write_mbr(file, partitions):
    table = b"".join(struct.pack("<B3sB3sII", 0, b"", kind, b"", first, count)
                     for kind, (first, count) in zip((0x0C, 0x83), partitions))
    with open(file, "r+b") as disk:
        disk.write(bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa")


def write_gpt(file, partitions):
    lines = ["label: gpt", *(f"start={first}, size={count}, type={kind}"
                             for kind, (first, count) in zip(("uefi", "linux"), partitions))]
    subprocess.run(["sfdisk", "--quiet", str(file)], input="\n".join(lines), text=True, check=True, capture_output=True)


def make_image(file, root, boot, fill=fill_ext4, write_table=write_mbr):
    """FAT at sector 8192, the root behind it: the layout of Raspberry Pi OS."""
    fat, ext = file.with_suffix(".fat"), file.with_suffix(".ext")
    tool("mkfs.vfat", "-C", "-F", "32", "-s", "1", fat, BOOT_MB * 1024)
    if any(boot.iterdir()):
        tool("mcopy", "-s", "-Q", "-i", fat, *sorted(boot.iterdir()), "::/")
    exact = fill(ext, root)
    root_at = BOOT_AT + BOOT_MB * 2048
    with open(file, "wb") as disk:
        disk.truncate((root_at + ROOT_MB * 2048 + TABLE_AT_END) * SECTOR)
        for part, first in ((fat, BOOT_AT), (ext, root_at)):
            disk.seek(first * SECTOR)
            disk.write(part.read_bytes())
    write_table(file, ((BOOT_AT, BOOT_MB * 2048), (root_at, ROOT_MB * 2048)))
    fat.unlink()
    ext.unlink()
    return exact
