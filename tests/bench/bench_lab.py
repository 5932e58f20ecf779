"""What the benchmarks share: two namespaces and a wire, a server pinned to the first core, what it cost."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER_IP = "10.99.0.1"
CLIENT_IP = "10.99.255.250"


def sh(*words, check=True, **kwargs):
    return subprocess.run(words, check=check, text=True, capture_output=True, **kwargs)


class Link:
    """A server's and a client's namespace and the wire between them."""

    def __init__(self):
        tag = f"bench{os.getpid()}"
        self.server, self.client = f"{tag}s", f"{tag}c"

    def __enter__(self):
        sh("ip", "netns", "add", self.server)
        sh("ip", "netns", "add", self.client)
        sh("ip", "-n", self.server, "link", "add", "boards", "type", "veth", "peer", "name", "load", "netns", self.client)
        sh("ip", "-n", self.server, "addr", "add", f"{SERVER_IP}/16", "dev", "boards")
        sh("ip", "-n", self.client, "addr", "add", f"{CLIENT_IP}/16", "dev", "load")
        for name, device in ((self.server, "lo"), (self.server, "boards"), (self.client, "load")):
            sh("ip", "-n", name, "link", "set", device, "up")
        sh("ip", "netns", "exec", self.server, "ethtool", "-K", "boards", "tx", "off", check=False)
        return self

    def __exit__(self, *_):
        sh("ip", "netns", "del", self.server, check=False)
        sh("ip", "netns", "del", self.client, check=False)


class CoreShare:
    """A control group whose processes get a share of one core, so that the server and not the load generator is what a benchmark measures."""

    PERIOD_US = 10_000

    def __init__(self, share):
        self.quota = int(share * self.PERIOD_US)

    def __enter__(self):
        name = f"bramble-bench-{os.getpid()}"
        root = pathlib.Path("/sys/fs/cgroup")
        if (root / "cgroup.controllers").exists():
            self.group, limits = root / name, {"cpu.max": f"{self.quota} {self.PERIOD_US}"}
            (root / "cgroup.subtree_control").write_text("+cpu")
        else:
            self.group = root / "cpu" / name
            limits = {"cpu.cfs_period_us": str(self.PERIOD_US), "cpu.cfs_quota_us": str(self.quota)}
        self.group.mkdir()
        for file, value in limits.items():
            (self.group / file).write_text(value)
        return self

    def take(self, pids):
        for pid in pids:
            (self.group / "cgroup.procs").write_text(str(pid))

    def __exit__(self, *_):
        self.group.rmdir()


class Server:
    """One server process on the first core (or `cores`), in the server's namespace; with `share`, on that share of the core."""

    def __init__(self, link, argv, share=None, cores="0"):
        self.argv = ["taskset", "-c", cores, "ip", "netns", "exec", link.server, *map(str, argv)]
        self.share = CoreShare(share) if share else None

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log, start_new_session=True)
        time.sleep(1.0)
        if self.process.poll() is not None:
            self.log.seek(0)
            raise RuntimeError(f"{self.argv[7]} ended at once: {self.log.read().decode(errors='replace')[-600:]}")
        if self.share:
            self.share.__enter__()
            self.share.take(self._children())
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.share:
            self.share.__exit__()

    def _children(self):
        pids, seen = [self.process.pid], []
        while pids:
            pid = pids.pop()
            seen.append(pid)
            with contextlib.suppress(OSError):
                pids += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return seen

    def cpu_seconds(self):
        total = 0
        for pid in self._children():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += sum(map(int, fields[11:15]))
        return total / os.sysconf("SC_CLK_TCK")

    def peak_kib(self):
        peak = 0
        for pid in self._children():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("RssAnon"):
                        peak += int(line.split()[1])
        return peak
