"""What the project asks of itself in the TFTP benchmark, and whether a run shows it."""

GOODPUT, RTT_P50, RTT_P99, SLOWEST = "goodput, MB/s", "block round trip p50, µs", "block round trip p99, µs", "slowest client, s"
PEERS = ("dnsmasq", "atftpd", "tftpd-hpa")


class Rows:
    """Medians of one case by server and metric."""

    def __init__(self, rows):
        self.case = rows[0]["case"] if rows else ""
        self.medians = {(row["server"], row["metric"]): row["median"] for row in rows}
        self.lines = []

    def get(self, server, metric):
        return self.medians.get((server, metric))

    def peers(self, metric):
        """Of the peers that served every client."""
        values = [self.get(peer, metric) for peer in PEERS if self.get(peer, "clients not served") == 0]
        return [value for value in values if value]

    def check(self, what, value, bar, more):
        if value is not None:
            good = value >= bar if more else value <= bar
            self.lines.append(f"{'yes' if good else 'NO '}  {what}: {value:.2f} ({'at least' if more else 'at most'} {bar:g})")

    def ratio(self, what, metric, servers, bar, more):
        over, under = self.get(servers[0], metric), self.get(servers[1], metric)
        if over is not None and under:
            self.check(what, over / under, bar, more)


def verdicts(rows):
    """Lines of 'yes' or 'NO' for the bars of the case that `rows` belong to."""
    at = Rows(rows)
    pair = ("bramble", "limit")
    clients = at.case.partition(" client")[0]
    if at.case in ("64 clients", "256 clients", "1000 clients"):
        at.ratio("goodput ÷ the limit's", GOODPUT, pair, 0.90, True)
        if at.peers(GOODPUT):
            best = max(at.peers(GOODPUT))
            at.check("goodput ÷ the best peer's", (at.get("bramble", GOODPUT) or 0) / best, {"64": 1.7, "256": 1.8, "1000": 1.0}[clients], True)
        at.check("RRQ sent again", at.get("bramble", "RRQ sent again"), 0, False)
        at.check("clients not served", at.get("bramble", "clients not served"), 0, False)
    if at.case == "1000 clients":
        at.check("slowest client ÷ fastest", at.get("bramble", "slowest client ÷ fastest"), 1.15, False)
    if at.case == "1 client":
        at.ratio("round trip p50 ÷ the limit's", RTT_P50, pair, 1.15, False)
    if "window 16" in at.case:
        at.ratio("goodput ÷ the GSO limit's", GOODPUT, pair, 0.85, True)
        at.ratio("goodput ÷ atftpd's", GOODPUT, ("bramble", "atftpd"), 6, True)
    if "loss" in at.case:
        if at.peers(SLOWEST):
            at.check("slowest client ÷ the best peer's", at.get("bramble", SLOWEST) / min(at.peers(SLOWEST)), 0.35, False)
        at.check("DATA sent again without need", at.get("bramble", "DATA sent again without need"), 0, False)
    if "both cores" in at.case:
        at.ratio("two workers ÷ one", GOODPUT, ("bramble:2", "bramble:1"), 1.7, True)
    at.check("memory per open transfer, KiB", at.get("bramble:memory", "memory per open transfer, KiB"), 2, False)
    at.ratio("disturbed round trip p99 ÷ undisturbed", RTT_P99, ("bramble:disturbed", "bramble"), 1.2, False)
    return at.lines
