"""What happens beside a measured load: an operator's disturbances, and a look at the server's memory."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time

from bench_lab import sh

METRICS_URL = "http://127.0.0.1:8080/metrics"
# A Prometheus runs all the time and mostly elsewhere: what it costs to start a program for each scrape is none of the server's.
SCRAPER = f"""
import time, urllib.request
while True:
    time.sleep(1)
    urllib.request.urlopen({METRICS_URL!r}, timeout=5).read()
    print(end='.', flush=True)
"""


class Watcher:
    """A thread that does something in the server's namespace until the load has ended."""

    def __init__(self, link, server):
        self.link, self.server = link, server
        self.over = threading.Event()
        self.error = None

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(60)
        if self.error:
            raise RuntimeError(f"{type(self).__name__}: {self.error}")

    def _run(self):
        try:
            self.run()
        except (OSError, RuntimeError) as error:
            self.error = error

    def inside(self, *words):
        done = sh("ip", "netns", "exec", self.link.server, *map(str, words), check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stderr[-300:]}")
        return done.stdout

    def scrape(self):
        return self.inside("curl", "-sSf", "--max-time", "5", METRICS_URL)


class Disturbance(Watcher):
    """What an operator does while boards load: a scrape of /metrics each second, a reload, a publication.

    `apply` runs at the priority that its systemd unit gives it.
    """

    def __init__(self, link, server, apply):
        super().__init__(link, server)
        self.apply = apply

    @contextlib.contextmanager
    def scraping(self):
        words = ["ip", "netns", "exec", self.link.server, sys.executable, "-c", SCRAPER]
        scraper = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield
        finally:
            scraper.terminate()
            scrapes, complaint = scraper.communicate(timeout=10)
        if not scrapes:
            raise RuntimeError(f"nothing was scraped: {complaint[-300:]}")

    def run(self):
        with self.scraping():
            self.disturb()

    def disturb(self):
        second = 0
        while not self.over.wait(1.0):
            second += 1
            if second % 4 == 2:
                self.server.process.send_signal(signal.SIGHUP)
            if second % 4 == 3:
                self.inside("nice", "-n", "19", *self.apply)
        if second < 4:
            raise RuntimeError(f"the load ended after {second} s, before everything was done")


class Memory(Watcher):
    """How much the server's memory grew while its open transfers were at their most."""

    def __init__(self, link, server):
        super().__init__(link, server)
        self.scrape()  # the listener's own memory is there before the transfers are
        self.before = server.peak_kib()
        self.open, self.kib = 0, 0

    def run(self):
        while not self.over.wait(0.5):
            transfers = int(float(re.search(r"^bramble_tftp_transfers_open(?:\{.*\})? (\S+)$", self.scrape(), re.MULTILINE).group(1)))
            if transfers > self.open:
                self.open, self.kib = transfers, self.server.peak_kib()
            time.sleep(0.1)

    def kib_per_transfer(self):
        if self.open < 9_900:
            raise RuntimeError(f"only {self.open} transfers were open at once")
        return (self.kib - self.before) / self.open
