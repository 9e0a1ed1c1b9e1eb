"""How long honest hosts wait for an answer while others hold up the aggregator, against a quiet one."""

import os
import statistics
import subprocess
import sys

from fleet import Fleet
from measure import SOURCE, at_most

# What goes on, whether against the collectors' address or HTTP, by how many connections; tests/integration/hostile.py explains.
ATTACKS = {
    "one that never reads": ("unread", False, 1),
    "1,100 half-open connections": ("half", False, 1_100),
    "600 halves of a large message": ("partial", False, 600),
    "1,100 half-open connections over HTTP": ("half", True, 1_100),
}


def waits(fleet, setting, sample):
    """The 99th percentile of a check-in of unchanged hosts, in milliseconds."""
    hosts = setting.size(2_000, 100)
    return fleet.simulate("--name", f"waits{sample}-", "--hosts", hosts, "--files", 20, "--in-flight", 8, "--rounds",
                          "first,unchanged")[1]["p99_ms"]  # fmt: skip


def hostile(setting):
    """99th percentile of honest check-ins beside hostile clients, against a quiet aggregator."""
    with Fleet(setting, "hostile") as fleet:
        sample = 0
        quiet, beside = [], {what: [] for what in ATTACKS}
        for _ in range(setting.samples):
            quiet.append(waits(fleet, setting, sample))
            for what, (kind, http, count) in ATTACKS.items():
                sample += 1
                port = fleet.http_port if http else fleet.url.rsplit(":", 1)[1]
                client = os.path.join(SOURCE, "tests", "integration", "hostile.py")
                with subprocess.Popen([sys.executable, client, kind, str(port), str(count), ""], stdout=subprocess.PIPE,
                                      text=True) as process:  # fmt: skip
                    try:
                        while process.stdout.readline() not in ("ready\n", ""):
                            pass
                        beside[what].append(waits(fleet, setting, sample))
                    finally:
                        process.kill()
            sample += 1
        for what, seen in beside.items():
            yield at_most(f"99th percentile of check-ins beside {what}", statistics.median(seen), statistics.median(quiet), "ms", 10)


BENCHES = {"hostile": hostile}
