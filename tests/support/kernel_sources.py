"""Debian's linux-source as a tree, and a small root for a kernel to hand over to. It refuses to know who builds."""

import os
import pathlib
import shutil
import subprocess

from lab import run

SOURCE = pathlib.Path("/usr/src/linux-source-6.1.tar.xz")

# What QEMU's `virt` has, and what a small userspace needs; tinyconfig has none of it.
VIRT_OPTIONS = """
      ARCH_BCM: y
      ARCH_BCM2835: y
      BINFMT_ELF: y
      BINFMT_SCRIPT: y
      MODULES: y
      MODULE_UNLOAD: y
      IKCONFIG: y
      IKCONFIG_PROC: y
      PRINTK: y
      TTY: y
      SERIAL_AMBA_PL011: y
      SERIAL_AMBA_PL011_CONSOLE: y
      EMBEDDED: y
      SMP: y
      PROC_FS: y
      SYSFS: y
      FUTEX: y
      EPOLL: y
      SIGNALFD: y
      TIMERFD: y
      EVENTFD: y
      POSIX_TIMERS: y
      HIGH_RES_TIMERS: y
      AIO: y
      SHMEM: y
      FHANDLE: y
      INOTIFY_USER: y
      CGROUPS: y
      NAMESPACES: y
      SECCOMP: y
      CRYPTO_HMAC: y
      PCI: y
      PCI_HOST_GENERIC: y
      VIRTIO_MENU: y
      VIRTIO_MMIO: y
      VIRTIO_PCI: y
      VIRTIO_NET: y
      NET_CORE: y
      DUMMY: m
      BLK_DEV_LOOP: m
      OVERLAY_FS: m
"""
ARM_OPTIONS = """
      ARCH_MULTI_V7: y
      ARCH_VIRT: y
      MMU: y
      AEABI: y
      VFP: y
      NEON: y
"""


def options(text):
    """The lines as YAML's flow form, for an `options:` on one line."""
    return "{" + ", ".join(line.strip() for line in text.splitlines() if line.strip()) + "}"


def missing_programs(*programs):
    """Why nothing can be configured or built here, or ''."""
    if not SOURCE.exists():
        return f"{SOURCE} is not installed"
    return next((f"{program} is not installed" for program in programs if not shutil.which(program)), "")


def unpack(folder, *only):
    """The sources below `folder`, or of them what the patterns name; the top directory."""
    given = os.environ.get("BRAMBLE_KERNEL_SOURCE")
    if given and not only:
        return pathlib.Path(given)
    patterns = ["--wildcards", *only] if only else []
    run("tar", "-xf", str(SOURCE), "-C", str(folder), *patterns, timeout=600)
    (top,) = folder.glob("linux-source-*")
    return top


INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
export PATH=/bin
busybox echo "BRAMBLE release $(busybox uname -r)"
busybox echo "BRAMBLE root $(busybox grep ' / ' /proc/mounts)"
busybox zcat /proc/config.gz | busybox grep -E '^CONFIG_(FS_VERITY|DM_VERITY|ROOT_NFS)[A-Z_]*=' | while read line; do
    busybox echo "BRAMBLE option $line"
done
busybox insmod /lib/modules/$(busybox uname -r)/kernel/drivers/net/dummy.ko && busybox echo "BRAMBLE module $(busybox grep dummy /proc/modules)"
busybox echo "BRAMBLE hostname $(busybox cat /etc/hostname)"
busybox echo "BRAMBLE customized $(busybox cat /etc/customized)"
busybox echo BRAMBLE done
busybox sleep 1
busybox poweroff -f
"""


def make_root(folder, architecture):
    """A root of one static busybox for `architecture`, fetched through this machine's package sources."""
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    settings = [f"APT::Architecture={architecture}", f"APT::Architectures={architecture}", f"Dir::State={apt}",
                f"Dir::State::lists={apt}/lists", f"Dir::State::status={apt}/status", f"Dir::Cache={apt}/cache",
                "APT::Sandbox::User=root", "Acquire::Languages=none"]
    words = [word for setting in settings for word in ("-o", setting)]
    for command in (["update"], ["download", f"busybox-static:{architecture}"]):
        subprocess.run(["apt-get", *words, "-q", *command], cwd=apt, check=True, capture_output=True, timeout=300)
    (package,) = apt.glob("*.deb")
    root = folder / "root"
    run("dpkg-deb", "--extract", str(package), str(root))
    shutil.rmtree(root / "usr/share", ignore_errors=True)
    for name in ("dev", "proc", "sys", "run", "etc", "sbin", "lib", "tmp", "root"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "bin/sh").symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/shadow").write_text("root:*:18000:0:99999:7:::\n")
    init = root / "sbin/init"
    init.write_text(INIT)
    init.chmod(0o755)
    shutil.rmtree(apt)
    return root
