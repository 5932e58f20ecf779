"""Who takes part in the TFTP benchmark, and with what: the boot set, the fleet file of as many boards as clients, each server's command line."""

import hashlib
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench_lab import SERVER_IP, sh  # noqa: E402

BASE_IP = "10.99.1.1"
# What a Pi 4 with Raspberry Pi OS reads in a boot: the firmware's first stage is start4.elf.
BOOT_SET = {"start4.elf": 2_303_680, "initramfs8": 16_040_912, "kernel8.img": 9_695_883,
            "config.txt": 2_000, "fixup4.dat": 5_352, "bcm2711-rpi-4-b.dtb": 47_484}
PEERS = ("dnsmasq", "atftpd", "tftpd-hpa")


def station_mac(number):
    return f"02:b7:00:00:{number >> 8:02x}:{number & 255:02x}"


def board_address(number):
    value = (10 << 24 | 99 << 16 | 1 << 8 | 1) + number
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def make_tree(directory, scale):
    """One boot set, its large files `scale` of their real sizes, filled with octets that no two files share."""
    directory.mkdir(parents=True)
    sizes = {}
    for name, size in BOOT_SET.items():
        size = max(1, int(size * scale)) if size > 100_000 else size
        block = hashlib.sha256(name.encode()).digest() * 2048
        with open(directory / name, "wb") as out:
            left = size
            while left > 0:
                out.write(block[:left])
                left -= len(block)
        sizes[name] = size
    return sizes


def write_fleet(directory, tree, boards, workers):
    """The fleet file of as many boards as there are stations, each with the boot set as its tree."""
    fleet = directory / f"fleet-{workers}.yaml"
    lines = ["version: 1", "appliance:", "  interface: boards", f"  address: {SERVER_IP}/16", f"  store: {directory / 'store'}",
             f"  tftp: {{workers: {workers}, retransmit_floor: 200ms}}", "  admission: {enabled: false}", "  admin: {listen: 127.0.0.1:8080}",
             f"images: {{bench: {{source: {{directory: {{boot: {tree}}}}}}}}}",
             "profiles: {bench: {image: bench, root: {mode: none}}}", "boards:"]
    for number in range(boards):
        lines.append(f'  - {{name: b{number}, serial: "{number:08x}", mac: "{station_mac(number)}", '
                     f"address: {board_address(number)}, profile: bench}}")
    fleet.write_text("\n".join(lines) + "\n")
    return fleet


def peer_binary(name, cache):
    """atftpd and tftpd-hpa exclude each other as packages: their binaries are taken out of the packages."""
    program = {"atftpd": "atftpd", "tftpd-hpa": "in.tftpd"}[name]
    target = cache / name / "usr/sbin" / program
    if not target.exists():
        with tempfile.TemporaryDirectory() as scratch:
            sh("apt-get", "download", name, cwd=scratch)
            package = next(pathlib.Path(scratch).glob("*.deb"))
            sh("dpkg", "-x", str(package), str(cache / name))
    return target


def argv(name, options, windowsize, tree, fleet):
    """A contender's command line. limit:PATH[:ADDRESS] are other paths of the limit responder."""
    if name.startswith("limit"):
        path, _, host = name.partition(":")[2].partition(":")
        return [options.build / "tests/bench/tftp/tftp_limit", "--windowsize", windowsize, "--path", path or "slices",
                "--bind", host or "0.0.0.0"]
    if name.startswith("bramble"):
        return [options.build / "services/bramble/bramble", "serve", "--fleet", fleet]
    if name == "dnsmasq":
        return ["dnsmasq", "-k", "-p0", "-i", "boards", "--enable-tftp", f"--tftp-root={tree}", "--tftp-max=2000",
                "--user=root", "--conf-file=/dev/null", "--log-facility=-"]
    if name == "atftpd":
        return [peer_binary(name, options.cache), "--daemon", "--no-fork", "--maxthread", "2000", "--verbose=0", "--logfile", "-", tree]
    return [peer_binary(name, options.cache), "-L", "-s", "-a", f"{SERVER_IP}:69", tree]


def requests(name, files, sizes):
    """How each contender is asked for the same files: by size, by the board's own prefix, by name."""
    if name.startswith("limit"):
        return [f"{file}/{sizes[file]}" for file in files]
    if name.startswith("bramble"):
        return ["{n}/" + file for file in files]
    return list(files)
