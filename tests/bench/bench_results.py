"""Figures of a benchmark as they are kept: one JSON file a benchmark, one row a case, server and metric.

A run replaces the rows that it measured again and leaves the others, so that a long benchmark can be run case by case.
The shape, which tests/bench/report reads:

    {"bench": "dhcp",
     "rows": [{"case": "pool", "server": "kea", "metric": "exchanges per second", "better": "more",
               "median": 9300, "min": 9100, "max": 9500, "values": [9100, 9300, 9500],
               "machine": "2 × AMD EPYC, Linux 6.1", "date": "2026-11-26"}]}
"""

import datetime
import json
import os
import pathlib
import platform
import statistics

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def machine():
    """What a figure was measured on, in a few words."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
        if line.startswith(("model name", "Model")):
            model = line.partition(":")[2].strip()
            break
    kernel = platform.release().partition("-")[0]
    return f"{os.cpu_count()} × {model}, Linux {kernel}"


def row(case, server, metric, values, better="more"):
    """One row from the values of its rounds. `better` is "more" or "less"."""
    values = [round(float(value), 4) for value in values]
    return {"case": case, "server": server, "metric": metric, "better": better, "median": round(statistics.median(values), 4),
            "min": min(values), "max": max(values), "values": values}


def keep(path, bench, rows):
    """Merges rows into the file at `path`; creates it when it is not there. Raises OSError and ValueError."""
    path = pathlib.Path(path)
    kept = json.loads(path.read_text()) if path.exists() else {"bench": bench, "rows": []}
    if kept["bench"] != bench:
        raise ValueError(f"{path} holds the figures of '{kept['bench']}', not of '{bench}': name another file")
    where, today = machine(), datetime.date.today().isoformat()

    def key(one):
        return one["case"], one["server"], one["metric"]

    new = {key(one): one | {"machine": where, "date": today} for one in rows}
    merged = [new.pop(key(one), one) for one in kept["rows"]] + list(new.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps({"bench": bench, "rows": merged}, indent=1, ensure_ascii=False) + "\n")
    temporary.replace(path)
