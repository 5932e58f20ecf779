"""What came of a quickstart: each claim with what was expected and what was seen, as text and as JSON.

It refuses to take anyone's word: expectations come from the fleet file and the published manifest, sightings from the
boards' side.
"""

import json
import re

CMDLINE_OF_THE_FLEET_FILE = ("console=ttyAMA0", "bramble.lab=quickstart")


class Summary:
    def __init__(self):
        self.checks, self.boards, self.left_out, self.guest = [], [], [], {}

    def check(self, what, good, seen):
        self.checks.append({"what": what, "good": bool(good), "seen": seen})

    def good(self):
        return bool(self.checks) and all(check["good"] for check in self.checks)

    def add_boards(self, reports, cache):
        """The virtual boards' own reports, held against the manifest."""
        expected = {board["name"]: board for board in manifest_of(cache)["boards"] if board.get("serial")}
        self.boards = sorted(reports, key=lambda board: board["name"])
        booted = [board for board in reports if board.get("booted")]
        self.check(f"{len(expected)} virtual Raspberry Pi 4 boards booted", len(booted) == len(expected),
                   f"{len(booted)} of {len(expected)}")
        damaged = [board["name"] for board in booted if not board.get("verified")]
        self.check("each file as it was published", booted and not damaged, ", ".join(damaged) or "all, by digest")
        strays = [board["name"] for board in booted if not self._own_tree(board, expected.get(board["name"]))]
        self.check("each from its own tree and its own root", booted and not strays, ", ".join(strays) or "all")

    @staticmethod
    def _own_tree(report, entry):
        if entry is None:
            return False
        own_prefix = report.get("prefix", "").rstrip("/") == entry["serial"]
        return own_prefix and f"/boards/{entry['name']}/" in report.get("cmdline", "")

    def add_guest(self, status, console, cache, seconds):
        """What the guest's console said, held against the manifest; and what its report told Bramble."""
        entry = next(board for board in manifest_of(cache)["boards"] if board["name"] == "guest")
        release = entry.get("kernel_release", "")
        words = console.cmdline.split()
        nfsroot = next((word for word in words if word.startswith("nfsroot=")), "")
        self.guest = {"seconds": round(seconds, 1), "hostname": console.hostname, "kernel_release": console.kernel_release,
                      "cmdline": console.cmdline, "status": status}
        self.check("the real Linux reached userspace and reported in", status.get("condition") == "up",
                   status.get("condition", "unknown"))
        self.check("no unit of its systemd failed", console.hostname and not console.failed_units,
                   "; ".join(console.failed_units) or "none")
        self.check("its hostname is the board's name", console.hostname == "guest", console.hostname)
        self.check("its kernel is the image's", release and console.kernel_release == release, console.kernel_release)
        self.check("its command line is the fleet file's", all(word in words for word in CMDLINE_OF_THE_FLEET_FILE), console.cmdline)
        self.check("its root is its own, over NFS", re.search(r"/boards/guest/", nfsroot), nfsroot)

    def text(self):
        lines = []
        for board in self.boards:
            state = "booted" if board.get("booted") else f"did not boot: {board.get('failure')}"
            lines.append(f"   {board['name']}  {board.get('serial', ''):<9} {board.get('address', ''):<13} {state:<8} "
                         f"{board.get('seconds', 0):6.1f} s  {board.get('files', 0):3} files  {board.get('bytes', 0) / 1e6:6.1f} MB")
        if self.guest:
            lines.append(f"   guest  {self.guest['kernel_release']} on its NFS root after {self.guest['seconds']} s")
        lines += [f"   {'yes' if check['good'] else 'NO '}  {check['what']} ({check['seen']})" for check in self.checks]
        lines += [f"   left out: {what}" for what in self.left_out]
        return "\n".join(lines)

    def as_json(self):
        return {"good": self.good(), "checks": self.checks, "boards": self.boards, "guest": self.guest, "left_out": self.left_out}


def manifest_of(cache):
    return json.loads((cache / "store/current/manifest.json").read_text())
