"""What the guest's console says, line by line: the milestones of its boot, and the evidence that the summary needs.

It refuses to ask Bramble: what stands here, the guest said itself.
"""

import re

# A line of the console that a reader wants to see, and how it is told.
MILESTONES = (
    (re.compile(r"^U-Boot (\S+)"), "firmware: U-Boot {0}"),
    (re.compile(r"DHCP client bound to address (\S+)"), "firmware has address {0}"),
    (re.compile(r"Bytes transferred = (\d+)"), "firmware fetched {0} bytes by TFTP"),
    (re.compile(r"^Starting kernel"), "kernel starts"),
    (re.compile(r"Linux version (\S+)"), "kernel {0}"),
    (re.compile(r"bramble: (?:\[[^]]*\] )?(.*)"), "initramfs: {0}"),
    (re.compile(r"systemd\[1\]: Hostname set to <(.+?)>"), "systemd: hostname {0}"),
    (re.compile(r"Reached target .*?(multi-user\.target|Multi-User System)"), "systemd: multi-user"),
    (re.compile(r"^(\S+) login:"), "login prompt of {0}"),
    (re.compile(r"(Kernel panic.*|^\[FAILED\].*)"), "{0}"),
)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x00]")


class GuestConsole:
    def __init__(self, tell):
        self._tell, self._told = tell, set()
        self.kernel_release = self.cmdline = self.hostname = ""
        self.failed_units = []

    def on_line(self, raw):
        line = ESCAPES.sub("", raw)
        if match := re.search(r"Linux version (\S+)", line):
            self.kernel_release = match.group(1)
        if match := re.search(r"Kernel command line: (.*)", line):
            self.cmdline = match.group(1).strip()
        if match := re.match(r"\[FAILED\] (.*)", line):
            self.failed_units.append(match.group(1))
        if match := re.match(r"(\S+) login:", line):
            self.hostname = match.group(1)
        for pattern, words in MILESTONES:
            if match := pattern.search(line):
                text = words.format(*match.groups())
                if text not in self._told:
                    self._told.add(text)
                    self._tell(text)
                return
