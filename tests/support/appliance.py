"""A running Bramble in the lab: its fleet file, `bramble apply`, `bramble serve`, and what it says of itself.

It refuses to know the clients. BRAMBLE_PROGRAM names another program than the release build's.
"""

import hashlib
import json
import os
import pathlib
import random
import re
import signal

from guest import eventually
from lab import LabError, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = "172.16.1.1"
NETWORK = "172.16.1.0/24"
TFTP_PORT, DHCP_PORT, PXE_PORT = 69, 67, 4011


def program():
    path = pathlib.Path(os.environ.get("BRAMBLE_PROGRAM", ROOT / "build/release/services/bramble/bramble"))
    if not path.exists():
        raise LabError(f"{path} is not built: run 'cmake --preset release && ninja -C build/release bramble'")
    return str(path)


def payload(size, seed):
    """Bytes that compress to nothing and repeat nowhere, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Appliance:
    """One Bramble on a host of the lab, with a store in the lab's folder."""

    def __init__(self, host, fleet, name="appliance"):
        self.host = host
        self.fleet_file = host.lab.folder / f"{name}.yaml"
        self.process = None
        self._name = name
        if fleet is not None:
            self.write_fleet(fleet)

    @classmethod
    def of_file(cls, host, fleet_file):
        """An appliance whose fleet file lies where it is and stays so."""
        appliance = cls(host, None)
        appliance.fleet_file = fleet_file
        return appliance

    def write_fleet(self, text):
        self.fleet_file.write_text(text)

    def bramble(self, *arguments, check=True, timeout=120):
        return self.host.command(program(), *arguments, "--fleet", self.fleet_file, check=check, timeout=timeout)

    def apply(self):
        return self.bramble("apply")

    def serve(self, ports=(TFTP_PORT, DHCP_PORT), timeout=20):
        """Starts `bramble serve` and returns when its UDP ports are open."""
        self.process = self.host.start(program(), "serve", "--fleet", self.fleet_file, log=f"{self._name}.log")
        return self._wait_until_ready("serve", ports, timeout)

    def up(self, on_line=None, ports=(TFTP_PORT, DHCP_PORT), timeout=60):
        """Starts `bramble up`, which serves NFS as well, and returns when its UDP ports are open."""
        self.process = self.host.start(program(), "up", "--fleet", self.fleet_file, log=f"{self._name}.log", on_line=on_line)
        return self._wait_until_ready("up", ports, timeout)

    def nfs(self, timeout=30):
        """Starts the NFS server as its unit does, beside `serve` and not below it.

        libtirpc finds rpcbind by a path below /run, which network namespaces share: the pair gets a /run of its own.
        """
        store = self._store()
        words = ("mount -t tmpfs tmpfs /run && mkdir -p /run/rpcbind /run/ganesha && rpcbind -w && "
                 f"exec ganesha.nfsd -F -L STDERR -f {store}/nfs/ganesha.conf -p {store}/nfs/ganesha.pid")
        process = self.host.start("sh", "-c", words, log="ganesha.log")
        process.wait_for("NFS SERVER INITIALIZED", timeout)
        return process

    def _store(self):
        store = re.search(r"(?m)^  store: (\S+)", self.fleet_file.read_text()).group(1)
        return self.fleet_file.parent / store

    def _wait_until_ready(self, command, ports, timeout):
        if not eventually(lambda: self.process.exit_code is not None or self._listens(ports), timeout):
            raise LabError(f"bramble {command} did not open its ports {ports} in {timeout} s:\n{self.process.output()[-3000:]}")
        if self.process.exit_code is not None:
            raise LabError(f"bramble {command} ended with {self.process.exit_code}:\n{self.process.output()[-3000:]}")
        return self

    def _listens(self, ports):
        table = self.host.command("cat", "/proc/net/udp")
        return all(f":{port:04X} " in table for port in ports)

    def status(self):
        """What `bramble status --json` says."""
        return json.loads(self.bramble("status", "--json"))

    def log(self):
        return self.process.output() if self.process else ""

    def stop(self, number=signal.SIGTERM, timeout=15):
        self.process.signal(number)
        return self.process.wait(timeout)


def fleet_yaml(store, images, profiles, boards, mode="authoritative", unknown="hold", interface="eth1", more_dhcp=""):
    """A fleet file for the lab's network; each part is text in YAML's flow or block form, indented by two."""
    pool = f", pool: {{from: 172.16.1.100, to: 172.16.1.199}}, router: {SERVER}" if mode == "authoritative" else ""
    return f"""version: 1
appliance:
  interface: {interface}
  address: {SERVER}/24
  dhcp: {{mode: {mode}{pool}, lease: 10m{more_dhcp}}}
  admin: {{listen: "127.0.0.1:8080"}}
  store: {store}
  unknown_boards: {unknown}
images:
{images}
profiles:
{profiles}
boards:
{boards}
"""


def capture(host, interface, path, expression=""):
    """Records the wire until the lab ends; for a look after a failure."""
    return host.start("tcpdump", "-U", "-n", "-i", interface, "-w", path, *expression.split(), log="tcpdump.log")


def make_boot_script(folder, name, commands):
    """A U-Boot script image of `commands`; its path."""
    source = pathlib.Path(folder, name + ".txt")
    source.write_text("\n".join(commands) + "\n")
    target = pathlib.Path(folder, name)
    run("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-d", str(source), str(target))
    source.unlink()
    return target
