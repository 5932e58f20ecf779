"""A tree with one of everything that a root may hold, and all that the system says of a tree, to compare it with its copies.

It refuses to know how a tree was copied.
"""

import os
import pathlib
import socket
import stat
import struct

from appliance import payload

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw=ep
# user::rwx, user:1234:r--, group::r-x, mask::r-x, other::r--: acl(5) as getxattr(2) has it
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (
    (1, 7, 0xFFFFFFFF), (2, 4, 1234), (4, 5, 0xFFFFFFFF), (16, 5, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)))


def make_root(top):
    """One of everything that a root may hold."""
    for folder in ("etc", "usr/bin", "usr/lib/modules/6.6.0-v8", "dev", "deep/" + "/".join("d" * 60), "home/user"):
        (top / folder).mkdir(parents=True)
    (top / "etc/hostname").write_text("raspberrypi\n")
    (top / "etc/fstab").write_text("PARTUUID=1234-01 /boot/firmware vfat defaults 0 2\nPARTUUID=1234-02 / ext4 defaults 0 1\n")
    (top / "usr/bin/su").write_bytes(payload(70_000, "su"))
    os.chmod(top / "usr/bin/su", 0o4755)
    (top / "usr/bin/ping").write_bytes(payload(30_000, "ping"))
    os.setxattr(top / "usr/bin/ping", "security.capability", CAPABILITY)
    os.setxattr(top / "usr/bin/ping", "user.note", b"\0binary\xff")
    os.setxattr(top / "home/user", "system.posix_acl_access", ACL)
    os.setxattr(top / "home/user", "system.posix_acl_default", ACL)
    (top / "home/user/acl").write_text("acl")
    os.setxattr(top / "home/user/acl", "system.posix_acl_access", ACL)
    os.chown(top / "home/user", 70_000, 100_001)
    os.chmod(top / "home", 0o3775)
    os.link(top / "usr/bin/su", top / "etc/su-again")
    os.link(top / "usr/bin/su", top / "deep/su-thrice")
    os.mknod(top / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(top / "dev/large", stat.S_IFBLK | 0o660, os.makedev(259, 70_000))
    os.mkfifo(top / "dev/fifo", 0o620)
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(top / "dev")
        one.bind("socket")
        os.chdir(here)
    with open(top / "sparse", "wb") as sparse:
        sparse.truncate(300_000_000)
        sparse.seek(40_000_000)
        sparse.write(b"in the middle")
    (top / "empty").touch()
    (top / "dense").write_bytes(bytes(200_000) + b"x")
    (top / "short-link").symlink_to("/etc/../../../etc/passwd")
    (top / "long-link").symlink_to("x/" * 150 + "end")
    os.chown(top / "long-link", 5, 6, follow_symlinks=False)
    for name in (b"caf\xe9", "F\u0151tan\u00fas\u00edtv\u00e1ny".encode(), b"new\nline", b"-rf *", b" ", b"@@1024", b"n" * 255):
        (pathlib.Path(os.fsdecode(os.fsencode(top) + b"/etc/" + name))).write_text("odd")
    for number, path in enumerate(sorted(top.rglob("*"), key=os.fsencode, reverse=True)):
        os.utime(path, ns=(1_600_000_000_000_000_001 + number, 1_500_000_000_123_456_789 + number), follow_symlinks=False)
    os.utime(top / "empty", ns=(5_000_000_000_000_000_007, 5_000_000_000_000_000_009))  # beyond 2038


def describe(top, exact, without=()):
    """Every entry below `top`: all that lstat(2), getxattr(2) and read(2) say, and which names are one file."""
    found, names = {}, {}
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in folders + files:
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, os.fsencode(top))
            status = os.lstat(path)
            attributes = {key: os.getxattr(path, key, follow_symlinks=False)
                          for key in os.listxattr(path, follow_symlinks=False) if key not in without}
            content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as stream:
                    content = stream.read()
            names.setdefault(status.st_ino, []).append(shown)
            found[shown] = (
                oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns if exact else int(status.st_mtime) % 2**32,
                status.st_rdev, attributes, content,
                status.st_blocks < 1000 if shown == b"sparse" else None)
    found.pop(b"lost+found", None)
    return found, sorted(sorted(group) for group in names.values() if len(group) > 1)
