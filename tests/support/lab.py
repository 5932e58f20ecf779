"""An isolated lab: network namespaces joined by a bridge, the processes in them, and their end.

Nothing of a lab touches the machine's own network: the bridge lives in a namespace of its own. Everything is removed
when the lab closes, also after a failure or a signal, and what a killed lab left is swept by the next. It refuses to
know what runs in the lab.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

NAME_PREFIX = "bramble-lab-"


class LabError(Exception):
    """The machine could not give the lab what it asked for; the message says what to do."""


def run(*command, check=True, timeout=30):
    """Runs a command to its end; its output as text. Raises LabError with the output when it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=timeout, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: run 'sudo deploy/setup --for test'") from None
    except subprocess.TimeoutExpired as expired:
        raise LabError(f"{' '.join(command)}: no end after {timeout} s\n{_text(expired.stdout)}") from None
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def _text(output):
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _die_with_parent():
    """In the child: SIGKILL when the thread that started it ends, so that a killed harness leaves nothing running."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A program that runs in the lab until it ends or is stopped; its output is kept and can be waited for."""

    def __init__(self, command, log_path, on_line=None, stdin=subprocess.DEVNULL, environment=None):
        self.command, self.log_path = command, log_path
        self._on_line, self._lines, self._changed = on_line, [], threading.Condition()
        self._rest = b""  # a line that has not ended
        self._process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=_die_with_parent, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log_path, "ab") as log:
            while chunk := os.read(self._process.stdout.fileno(), 65536):
                log.write(chunk)
                log.flush()
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for raw in lines:
                    self._take(raw)
                # A prompt ends without a newline and waits for an answer.
                if self._rest.endswith(b"login: "):
                    raw, self._rest = self._rest, b""
                    self._take(raw)
            if self._rest:
                self._take(self._rest)
        with self._changed:
            self._changed.notify_all()

    def _take(self, raw):
        line = raw.decode(errors="replace").rstrip()
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()
        if self._on_line:
            self._on_line(line)

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        return self._process.poll()

    def output(self):
        with self._changed:
            return "\n".join(self._lines)

    def last_words(self, characters=2500):
        """The end of the output, with a line that has not ended: a prompt, or where it hangs."""
        return f"{self.output()}\n{self._rest.decode(errors='replace')}"[-characters:]

    def wait_for(self, text, timeout):
        """Waits for a line that holds `text`; returns it. Raises LabError at the end of time or of the process."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if text in line:
                        return line
                seen = len(self._lines)
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._reader.is_alive():
                    state = f"no such line after {timeout} s" if remaining <= 0 else f"it ended with {self._process.poll()}"
                    tail = "\n".join(self._lines[-25:])
                    raise LabError(f"{self.command[-1]}: waiting for '{text}': {state}; its last words:\n{tail}")
                self._changed.wait(min(remaining, 0.5))

    def wait(self, timeout):
        """Waits for the process to end; its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{' '.join(self.command)}: still running after {timeout} s\n{self.output()[-2000:]}") from None
        self._reader.join(5)
        return code

    def signal(self, number):
        if self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, grace=5):
        """SIGTERM, then SIGKILL for its whole group; never raises."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._reader.join(2)
        if not self._reader.is_alive():
            self._process.stdout.close()


class Namespace:
    """One host of the lab: a network namespace with loopback up, and mounts of its own that go with it."""

    def __init__(self, lab, role):
        self.lab, self.role, self.name = lab, role, f"{lab.name}-{role}"
        run("ip", "netns", "add", self.name)
        self._holder = self._hold_mounts()
        self.ip("link", "set", "lo", "up")
        # The boards speak IPv4 alone; without IPv6 no router solicitation delays or clutters a trace.
        self.command("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1", check=False)

    def ip(self, *arguments):
        return run("ip", "-n", self.name, *arguments)

    def _hold_mounts(self):
        """What one program mounts here the next one finds: a process keeps the mount namespace that `ip` makes."""
        holder = subprocess.Popen(["ip", "netns", "exec", self.name, "sleep", "infinity"], stdin=subprocess.DEVNULL,
                                  start_new_session=True, preexec_fn=_die_with_parent)
        self.lab.at_close(lambda: (holder.kill(), holder.wait()))
        deadline = time.monotonic() + 10
        while pathlib.Path(f"/proc/{holder.pid}/comm").read_text() != "sleep\n":
            if holder.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"{self.name}: no process keeps its mounts")
            time.sleep(0.002)
        return holder

    def inside(self, *command):
        """The argument list that runs `command` here."""
        return ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", f"--wdns={os.getcwd()}", *map(str, command)]

    def with_mounts(self, *command):
        """The argument list that runs `command` with this host's mounts and the machine's own network."""
        return ["nsenter", f"--target={self._holder.pid}", "--mount", f"--wdns={os.getcwd()}", *map(str, command)]

    def path(self, path):
        """A path of this host, as the test itself reaches it: with the mounts that programs made here."""
        return pathlib.Path(f"/proc/{self._holder.pid}/root{path}")

    def command(self, *command, check=True, timeout=30):
        """Runs a command here to its end; its output."""
        return run(*self.inside(*command), check=check, timeout=timeout)

    def start(self, *command, log=None, **options):
        """Starts a program here that the lab ends with itself."""
        log = log or f"{self.role}-{pathlib.Path(str(command[0])).name}.log"
        return self.lab.adopt(Process(self.inside(*command), self.lab.folder / log, **options))

    def join(self, switch, device="eth0", mac=None, address=None):
        """Plugs this host into a switch: `device` here, a port on the switch's bridge there."""
        port = switch.next_port()
        switch.host.ip("link", "add", port, "type", "veth", "peer", "name", device, "netns", self.name)
        if mac:
            self.ip("link", "set", device, "address", mac)
        # A veth leaves checksums undone, and clients on raw sockets take that for damage.
        for host, name in ((self, device), (switch.host, port)):
            host.command("ethtool", "-K", name, "tx", "off", check=False)
        switch.host.ip("link", "set", port, "master", switch.bridge, "up")
        if address:
            self.ip("address", "add", address, "broadcast", "+", "dev", device)
        self.ip("link", "set", device, "up")
        return self


class Switch:
    """A bridge in a namespace of its own; virtual machines run in that namespace and take a tap each."""

    def __init__(self, lab, role):
        self.host, self.bridge, self._ports = Namespace(lab, role), "br0", 0
        self.host.ip("link", "add", self.bridge, "type", "bridge", "forward_delay", "0", "stp_state", "0")
        self.host.ip("link", "set", self.bridge, "up")

    def next_port(self):
        self._ports += 1
        return f"port{self._ports}"

    def tap(self):
        """A new tap on the bridge; its name, for a program that runs in this switch's namespace."""
        name = self.next_port()
        self.host.ip("tuntap", "add", "dev", name, "mode", "tap")
        self.host.ip("link", "set", name, "master", self.bridge, "up")
        return name


class Lab:
    """Namespaces, processes and a folder for files, all gone when the `with` block ends."""

    def __init__(self, keep_folder=False):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run it with sudo")
        sweep()
        self.name = f"{NAME_PREFIX}{os.getpid()}-{next_number()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        os.chmod(self.folder, 0o755)
        self._keep_folder, self._namespaces, self._processes, self._callbacks = keep_folder, [], [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, role):
        self._namespaces.append(f"{self.name}-{role}")
        return Namespace(self, role)

    def switch(self, role="switch"):
        self._namespaces.append(f"{self.name}-{role}")
        return Switch(self, role)

    def adopt(self, process):
        self._processes.append(process)
        return process

    def at_close(self, callback):
        """Called when the lab closes, after its processes have ended and before its folder goes; last in, first out."""
        self._callbacks.append(callback)

    def close(self):
        for process in reversed(self._processes):
            process.stop()
        for callback in reversed(self._callbacks):
            callback()
        for name in reversed(self._namespaces):
            remove_namespace(name)
        self._processes, self._namespaces, self._callbacks = [], [], []
        if not self._keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


_count = 0


def next_number():
    global _count
    _count += 1
    return _count


def remove_namespace(name):
    """Ends what still runs in a namespace of ours and removes it; nothing happens when it is gone already."""
    for _ in range(3):
        pids = run("ip", "netns", "pids", name, check=False).split()
        if not pids or not all(pid.isdigit() for pid in pids):
            break
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.1)
    run("ip", "netns", "delete", name, check=False)


def sweep():
    """Removes the namespaces and folders of labs whose process is no more."""
    for line in run("ip", "netns", "list", check=False).splitlines():
        name = line.split()[0] if line.split() else ""
        owner = name.removeprefix(NAME_PREFIX).split("-")[0]
        if name.startswith(NAME_PREFIX) and owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            remove_namespace(name)
    for folder in pathlib.Path(tempfile.gettempdir()).glob(NAME_PREFIX + "*"):
        owner = folder.name.removeprefix(NAME_PREFIX).split("-")[0]
        if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


def end_on_signals():
    """Turns SIGINT, SIGTERM and SIGHUP into an ordinary exit, so that every lab closes.

    SIGINT too: a shell that starts a program in the background has it ignored, and Python leaves that as it is.
    """

    def leave(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
