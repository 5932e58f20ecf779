"""Starts the wire runner of virtual boards on a switch of the lab, and reads what it reports.

It refuses to know how a board boots: that is virtual_fleet's, the program's, affair.
"""

import json
import os
import pathlib

from lab import LabError

ROOT = pathlib.Path(__file__).resolve().parents[2]


def runner():
    """The built program; VIRTUAL_FLEET names another."""
    named = os.environ.get("VIRTUAL_FLEET")
    found = [pathlib.Path(named)] if named else sorted(
        path for path in (ROOT / "build/release/tests").rglob("virtual_fleet") if path.is_file())
    if not found:
        raise LabError("virtual_fleet is not built: run 'ninja -C build/release virtual_fleet'")
    return found[0]


class VirtualFleet:
    """Boards of a published manifest, powered on together; each file is held against it unless `compare` is false."""

    def __init__(self, switch, manifest, timeout, options=(), on_line=None, compare=True):
        self._report = switch.host.lab.folder / "virtual-fleet.json"
        boards = [word for board in json.loads(pathlib.Path(manifest).read_text())["boards"] if board.get("serial")
                  for word in ("--board", f"{board['name']},{board['serial']},{board['mac']}")]
        self.process = switch.host.start(
            runner(), "--bridge", switch.bridge, *boards, *(["--manifest", manifest] if compare else []), "--timeout", timeout,
            "--json", self._report, *options, on_line=on_line)
        self._timeout = timeout

    def wait(self):
        """Waits for the last board; the exit code: 0 when all booted."""
        return self.process.wait(self._timeout + 30)

    def reports(self):
        """One dictionary for each board; none when the runner did not come to its end."""
        return json.loads(self._report.read_text()) if self._report.exists() else []
