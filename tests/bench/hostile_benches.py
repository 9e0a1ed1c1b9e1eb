"""How long honest hosts wait, for an answer and for their verdict, while others hold up the aggregator, against a quiet one."""

import os
import statistics
import subprocess
import sys
import time

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


# What takes long to judge, of tests/unit/report_client.c: kind, how many at full size, and at a small one.
LARGE = [("forwarders", 20_000, 200), ("services", 30_000, 300), ("files", 1_000_000, 1_000)]


def verdicts(fleet, setting, name, number):
    """Seconds until ordinary hosts that report for the first time have their verdicts."""
    hosts = setting.size(1_000, 20)
    started = time.monotonic()
    fleet.simulate("--name", name, "--first", number * hosts, "--hosts", hosts, "--files", setting.size(300, 30), "--in-flight", 64,
                   "--rounds", "first")  # fmt: skip
    while fleet.query(f"""select exists (select from evenkeel.judge_queue q join evenkeel.host h using (host_id)
                                         where h.name like '{name}%')""") == "t":  # fmt: skip
        time.sleep(0.05)
    return time.monotonic() - started


def judged(setting):
    """Time until ordinary hosts are judged beside hosts that take long to judge, against without these."""
    client = os.path.join(setting.build, "tests", "report_client")
    with Fleet(setting, "judged") as fleet:
        quiet, beside = [], []
        for sample in range(setting.samples):
            quiet.append(verdicts(fleet, setting, f"quiet{sample}-", 2 * sample))
            fleet.wait_learnt()
            large = [subprocess.Popen([client, fleet.url, "kind", kind, str(setting.size(*counts)), f"{kind}{sample}"],
                                      stdout=subprocess.DEVNULL) for kind, *counts in LARGE]  # fmt: skip
            beside.append(verdicts(fleet, setting, f"beside{sample}-", 2 * sample + 1))
            for process in large:
                if process.wait() != 0:
                    raise SystemExit(f"{process.args}: status {process.returncode}")
            fleet.wait_judged()
            fleet.wait_learnt()
    yield at_most(f"{setting.size(1_000, 20):,} hosts judged beside hosts that take long", statistics.median(beside),
                  statistics.median(quiet), "s", 1.5)  # fmt: skip


BENCHES = {"hostile": hostile, "judged": judged}
