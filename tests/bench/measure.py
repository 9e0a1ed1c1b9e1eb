"""What all benches share: samples and their medians, processor time of a program, and the lines of the table."""

import os
import resource
import statistics
import subprocess
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(BENCH))


class Setting:
    """How large a run is; small ones show that the benches work, and nothing about time."""

    def __init__(self, build, scratch, small):
        self.build, self.scratch, self.small = build, scratch, small
        self.samples = 1 if small else 5
        self.closers = []  # what ends things that several benches share, in order of their making
        self.collector = os.path.join(build, "collector", "evenkeel-collector")
        self.evenkeel = os.path.join(build, "aggregator", "evenkeel")
        self.simulate = os.path.join(build, "tests", "simulate")
        self.echo = os.path.join(build, "tests", "echo")
        self.peak_memory = os.path.join(build, "tests", "peak_memory")

    def size(self, full, small):
        return small if self.small else full

    def directory(self, name):
        path = os.path.join(self.scratch, name)
        os.makedirs(path, mode=0o711, exist_ok=True)
        return path


class Line:
    """One line of the table. `ratio` is said so that it reads like the goal."""

    def __init__(self, bench, ours, reference, ratio, goal, met):
        self.bench, self.ours, self.reference, self.ratio, self.goal, self.met = bench, ours, reference, ratio, goal, met

    def cells(self):
        met = "-" if self.met is None else "yes" if self.met else "NO"
        return [self.bench, self.ours, self.reference, self.ratio, self.goal, met]


def number(value, unit):
    if unit == "bytes":
        for step, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if value >= step:
                return f"{value / step:.2f} {name}"
        return f"{value:.0f} bytes"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def at_most(bench, ours, reference, unit, factor):
    ratio = ours / reference
    return Line(bench, number(ours, unit), number(reference, unit), f"{ratio:.2f}x", f"at most {factor:g}x", ratio <= factor)


def at_least(bench, ours, reference, unit, factor):
    ratio = ours / reference
    return Line(bench, number(ours, unit), number(reference, unit), f"{ratio:.2f}x", f"at least {factor:g}x", ratio >= factor)


def times_less(bench, ours, reference, unit, factor):
    ratio = reference / ours
    goal = f"1/{factor:g} or less" if unit == "bytes" else f"{factor:g}x less"
    said = f"1/{ratio:.1f}" if unit == "bytes" else f"{ratio:,.1f}x less"
    return Line(bench, number(ours, unit), number(reference, unit), said, goal, ratio >= factor)


def under(bench, ours, limit, unit):
    return Line(bench, number(ours, unit), "-", "-", f"at most {number(limit, unit)}", ours <= limit)


def over(bench, ours, limit, unit):
    return Line(bench, number(ours, unit), "-", "-", f"at least {number(limit, unit)}", ours >= limit)


def told(bench, ours, unit):
    return Line(bench, number(ours, unit), "-", "-", "-", None)


def cpu_seconds(command, **options):
    """User and system time of one run, its output thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def wall_seconds(action):
    started = time.monotonic()
    action()
    return time.monotonic() - started


def peak_bytes(setting, command):
    """The most memory that a program held, as the kernel counts it; its output is thrown away."""
    run = subprocess.run([setting.peak_memory, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {run.stderr}")
    return int(run.stderr.splitlines()[-1])


def medians(samples, *measures):
    """Calls the measures in turn, so that what else the machine does meets all of them alike: the median of each."""
    for measure in measures:
        measure()
    seen = [[measure() for measure in measures] for _ in range(samples)]
    return [statistics.median(column) for column in zip(*seen)]


def machine():
    """What the numbers were taken on."""
    model = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown processor")
    memory = int(next(l for l in open("/proc/meminfo") if l.startswith("MemTotal")).split()[1]) / (1 << 20)
    system = os.uname()
    load = " ".join(f"{l:.1f}" for l in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system.sysname} {system.release}, load {load}"
