"""What a database of 100,000 hosts costs, and how fast it answers, against a flat design and against itself when small."""

import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from flat import EVALUATION, Flat
from fleet import Fleet
from measure import BENCH, at_most, number, times_less, under

PREFIX = "sim-"

# All hosts judged anew, and thrown away: from the versions that chunks stand for, and what registries declare, to the findings with
# their evidence. What the check does not need (patches, missing files) is left out, as it is of the flat design's query.
EVALUATE = """
begin;
select evenkeel.state_open();
set local search_path = pg_temp, evenkeel, pg_catalog, public;
insert into state_host select host_id, chunk_ids from evenkeel.host_inventory_current where {hosts};
select evenkeel.judge_levels();
select evenkeel.run_check('mixed-level');
"""

# Says when the host's mixed-level finding opened or closed, as another session sees it, until the end of its time.
WATCH = """
do $$
declare
    mixed boolean;
    was boolean := false;
    stop timestamptz := clock_timestamp() + interval '{seconds} seconds';
begin
    while clock_timestamp() < stop loop
        mixed := exists (select from evenkeel.host h join evenkeel.finding f using (host_id)
                         where h.name = '{host}' and f.check_code = 'mixed-level' and f.closed_at = 'infinity');
        if mixed <> was then
            raise notice 'seen %', extract(epoch from clock_timestamp());
        end if;
        was := mixed;
        perform pg_sleep(0.001);
    end loop;
end
$$
"""

# A dashboard's queries: one filter, an order, 100 rows.
VIEWS = {
    "ops.host by verdict": "select * from ops.host where verdict = 'mixed' order by host limit 100",
    "ops.host by name": "select * from ops.host where host like 'sim-0512%' order by host limit 100",
    "ops.host by time": "select * from ops.host where last_seen > now() - interval '1 day' order by last_seen desc limit 100",
    "ops.mixed_level": "select * from ops.mixed_level where product = 'windows-2003' order by host limit 100",
    "ops.level_matrix": "select * from ops.level_matrix where product = 'windows-2003' order by hosts desc limit 100",
    "ops.finding": "select * from ops.finding where check_name = 'mixed-level' order by opened_at desc limit 100",
}


def hosts_of(setting):
    return setting.size(100_000, 400)


def files_of(setting):
    return setting.size(3_000, 200)


def fill(setting, name, hosts, times=1):
    """A fleet of so many hosts, each different in two chunks, that reported and were judged; then `times` as large."""
    fleet = Fleet(setting, name)
    fleet.__enter__()
    setting.closers.append(lambda: fleet.__exit__())
    fleet.simulate("--hosts", hosts, "--files", files_of(setting), "--in-flight", 64, "--differ", "chunks", "--rounds", "first")
    fleet.wait_judged()
    if times > 1:
        fleet.stop()
        fleet.psql("-v", f"times={times}", "-f", os.path.join(BENCH, "multiply.sql"))
        fleet.serve()
    fleet.query("vacuum analyze")
    fleet.wait_learnt()
    return fleet


def counts(fleet):
    """How many rows each table has that grows with the fleet. Without peers, which are counted when there is time for it, and without what
    is kept of chunks as judging asks for it: version sets of those that several hosts of a batch hold, and proofs of those of hosts that
    were judged for others. Who is judged in one batch is chance."""
    tables = fleet.query("""select distinct c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid
                            where c.relnamespace = 'evenkeel'::regnamespace and c.relkind = 'r'
                              and a.attname in ('host_id', 'chunk_id', 'file_id', 'image_id', 'public_key')
                              and c.relname not in ('peer_host', 'peer_change', 'peer_was', 'chunk_version_set', 'chunk_proof')""")
    return {table: int(fleet.query(f"select count(*) from {table}")) for table in tables.splitlines()}


def big(setting):
    """The large fleet and the flat design of its first hosts, made once for all benches of a run that leave them as they are."""
    if not hasattr(setting, "big"):
        hosts = setting.size(1_000, 200)
        fleet = fill(setting, "big", hosts, hosts_of(setting) // hosts)
        if setting.small:
            seen, wanted = counts(fleet), counts(fill(setting, "real", hosts_of(setting)))
            differ = [f"{table}: {seen[table]} instead of {wanted[table]}" for table in wanted if seen[table] != wanted[table]]
            if differ:
                raise SystemExit("a fleet that was multiplied differs from one that reported: " + ", ".join(differ))
        flat = Flat(fleet, setting.directory("flat-big"))
        flat.hosts = setting.size(1_000, 100)
        path, _ = flat.export("rows", 0, flat.hosts)
        flat.copy(path)
        os.remove(path)
        flat.copy_ranges()
        setting.big = (fleet, flat)
    return setting.big


def size(setting):
    """Database size of 100,000 hosts, against the flat design's at 1,000, scaled."""
    fleet, flat = big(setting)
    flat_bytes = int(fleet.query("select pg_total_relation_size('flat')", database="flat"))
    yield times_less("database size, 100,000 hosts", fleet.size(), flat_bytes * hosts_of(setting) / flat.hosts, "bytes", 40)


def evaluate(fleet, hosts="true"):
    """Milliseconds of one evaluation of these hosts in one session, and the numbers of those that it finds mixed."""
    numbers = "select substring(h.name from '[0-9]+$')::integer from state_finding join evenkeel.host h using (host_id) order by 1"
    output = fleet.psql("-c", "\\timing on", *(word for line in EVALUATE.format(hosts=hosts).strip().splitlines() for word in ("-c", line)),
                        "-c", "\\timing off", "-c", numbers, "-c", "rollback")  # fmt: skip
    return (sum(float(found) for found in re.findall(r"Time: ([0-9.]+) ms", output)),
            [int(line) for line in output.splitlines() if line.isdigit()])  # fmt: skip


def evaluate_in_halves(fleet):
    """The same for all hosts, half of them in each of two sessions: until the later one is done."""
    middle = "'80000000-0000-0000-0000-000000000000'"
    with ThreadPoolExecutor() as pool:
        started = time.monotonic()
        halves = list(pool.map(lambda half: evaluate(fleet, half), (f"host_id < {middle}", f"host_id >= {middle}")))
        milliseconds = (time.monotonic() - started) * 1e3
    return milliseconds, sorted(number for _, mixed in halves for number in mixed)


def evaluation(setting):
    """Full evaluation of mixed-level for 100,000 hosts, against the flat design's query at 1,000, scaled."""
    fleet, flat = big(setting)
    hosts = hosts_of(setting)
    alone, halves, reference = [], [], []
    for _ in range(setting.samples):
        # The flat query is one that PostgreSQL runs on all cores by itself; so ours has two sessions, and one for comparison.
        seen = evaluate(fleet), evaluate_in_halves(fleet)
        alone.append(seen[0][0])
        halves.append(seen[1][0])
        reference.append(fleet.milliseconds(EVALUATION, database="flat") * hosts / flat.hosts)
    flat_mixed = [int(line) for line in fleet.query(EVALUATION + " order by 1", database="flat").splitlines()]
    for _, mixed in seen:
        if flat_mixed != [number for number in mixed if number < flat.hosts] or len(mixed) != (hosts + 92) // 100:
            raise SystemExit("evaluation: the designs differ over which hosts are mixed")
    for what, ours, goal in (("", halves, "30x faster"), (", one session", alone, "-")):
        line = times_less(f"evaluation of mixed-level, 100,000 hosts{what}", statistics.median(ours) / 1e3,
                          statistics.median(reference) / 1e3, "s", 30)  # fmt: skip
        line.goal = goal
        line.ratio = line.ratio.replace("less", "faster")
        if goal == "-":
            line.met = None
        yield line


def change_seconds(setting, fleet, number, flips):
    """From a changed host's offer to its updated finding, as another session sees it: one sample per flip."""
    pause = 2
    seconds = (flips + 2) * (pause + 0.5)
    watch = subprocess.Popen(
        [os.path.join(fleet.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", fleet.dsn(), "-c",
         WATCH.format(seconds=seconds, host=f"{PREFIX}{number:06}")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    rounds = fleet.simulate("--hosts", 1, "--first", number, "--files", files_of(setting), "--differ", "chunks", "--pause", pause,
                            "--rounds", ",".join(["first", *["mix"] * flips]))  # fmt: skip
    seen = [float(found) for found in re.findall(r"seen ([0-9.]+)", watch.communicate()[1])]
    if len(seen) != flips:
        # Findings that came too late for their flip, or not at all: it took at least as long as was waited.
        print(f"change: {flips} flips of one host, {len(seen)} seen in {seconds:.0f} s", file=sys.stderr)
        return [seconds]
    return [after - line["began"] for after, line in zip(seen, rounds[1:])]


def change(setting):
    """One changed host, from its offer to the updated finding, at 100,000 hosts against 1,000."""
    flips = setting.size(11, 2)
    fleet, _ = big(setting)
    with_many = change_seconds(setting, fleet, 2 * hosts_of(setting), flips)
    few = setting.size(1_000, 30)
    with_few = change_seconds(setting, fill(setting, "few", few), 2 * few, flips)
    yield at_most("one changed host to finding, 100,000 hosts against 1,000", statistics.median(with_many) * 1e3,
                  statistics.median(with_few) * 1e3, "ms", 1.5)  # fmt: skip


def views(setting):
    """A dashboard's query on each view at 100,000 hosts."""
    fleet, _ = big(setting)
    for name, query in VIEWS.items():
        seen = [fleet.milliseconds(query) for _ in range(setting.samples)]
        yield under(f"view {name}", statistics.median(seen), 200, "ms")


class CheckIns:
    """Some unchanged hosts that check in all the while; `longest()` ends them and says how long the one that waited longest did."""

    def __init__(self, setting, fleet, name):
        self.process = subprocess.Popen([setting.simulate, "--url", fleet.url, "--name", name, "--hosts", "50", "--files", "20",
                                         "--in-flight", "4", "--pause", "0.1", "--rounds", "first" + ",unchanged" * 10_000],
                                        stdout=subprocess.PIPE, text=True)  # fmt: skip
        self.process.stdout.readline()

    def longest(self):
        """Of the rounds until one that begins now, in seconds."""
        now, longest = time.time(), 0
        for line in self.process.stdout:
            seen = Fleet.round_of(line)
            longest = max(longest, seen["longest_ms"] / 1e3)
            if seen["began"] > now:
                self.process.kill()
                self.process.wait()
                return longest
        raise SystemExit(f"check-ins: the simulator ended with status {self.process.wait()}")


def catalogue(setting):
    """A list on files that 1 % of 100,000 hosts have: until these are judged by it, and how long check-ins wait meanwhile."""
    fleet, _ = big(setting)
    files, more = files_of(setting), setting.size(100, 20)
    fleet.simulate("--name", "listed-", "--first", 5 * hosts_of(setting), "--hosts", hosts_of(setting) // 100, "--files", files + more,
                   "--in-flight", 64, "--differ", "chunks", "--rounds", "first")  # fmt: skip
    fleet.wait_judged()
    fleet.wait_learnt()
    fleet.query("vacuum analyze")
    folder = setting.directory("list")
    seconds, waits = [], []
    for turn in range(setting.samples):
        with open(os.path.join(folder, "baselines.csv"), "w") as out:
            out.write("product,level,file,relation,version,machine,kind,source\n")
            # Another three quarters of the files each time, so that each time something is said otherwise of all.
            out.writelines(f"windows-2003,{level},sim{file:06}.dll,=,5.2.3790.{revision},,article,bench {turn}\n"
                           for file in range(files, files + more) if (file + turn) % 4 != 0
                           for level, revision in (("SP1", 1830), ("SP2", 3959)))  # fmt: skip
        check_ins = CheckIns(setting, fleet, f"beside{turn}-")
        began = fleet.query("select clock_timestamp()")
        started = time.monotonic()
        ask(setting, fleet, "catalog", "load", folder)
        fleet.wait_judged()
        seconds.append(time.monotonic() - started)
        waits.append(check_ins.longest())
        if fleet.query(f"select count(*) from evenkeel.host where name like 'listed-%' and judged_at < '{began}'") != "0":
            raise SystemExit("catalogue: hosts that hold what the list names were not judged again")
        fleet.wait_learnt()
    yield under("a list that touches 1 % of 100,000 hosts, until all are judged", statistics.median(seconds), 20, "s")
    yield under("the longest wait of a check-in meanwhile", max(waits), 1, "s")


def ask(setting, fleet, *arguments):
    """Seconds that one command of the aggregator takes; statuses 2 and 3 are verdicts."""
    environment = dict(os.environ, EVENKEEL_DSN=fleet.dsn())
    started = time.monotonic()
    run = subprocess.run([setting.evenkeel, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 2, 3):
        raise SystemExit(f"evenkeel {' '.join(arguments)}: {run.stderr}")
    return time.monotonic() - started


def night(setting, fleet, first):
    """Lets so many hosts come, be judged and change; returns when they began to change."""
    changed = setting.size(2_000, 20)
    rounds = fleet.simulate("--hosts", changed, "--first", first, "--files", files_of(setting), "--in-flight", 64, "--differ", "chunks",
                            "--rounds", "first,mix", "--pause", setting.size(60, 5))  # fmt: skip
    fleet.wait_judged()
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(rounds[-1]["began"])))


def drift(setting):
    """Drift report of a night in which 2,000 hosts changed, of 100,000 and of 2,000."""
    fleet, _ = big(setting)
    alone = Fleet(setting, "night")
    with alone:
        ways = [(each, night(setting, each, first)) for each, first in ((fleet, 3 * hosts_of(setting)), (alone, 0))]
        for each, _ in ways:
            each.query("vacuum analyze")
        seen = [[ask(setting, each, "report", "drift", "--quiet", "--since", since) for each, since in ways]
                for _ in range(setting.samples)]  # fmt: skip
    ours, reference = (statistics.median(column) for column in zip(*seen))
    yield at_most("drift report, 2 % of 100,000 hosts, against 2,000 hosts", ours, reference, "s", 3)


def risk(setting):
    """Risk check of a patch of 20 files with its payload over 100,000 hosts, against the full evaluation of mixed-level."""
    fleet, _ = big(setting)
    fleet.wait_judged()
    # Its files import from each other from now on, and the next change of the catalogue has all hosts judged by that: what comes after
    # this makes a fleet of its own.
    del setting.big
    fleet.psql("-f", os.path.join(BENCH, "patch.sql"))
    fleet.query("vacuum analyze")
    # Simulated snapshots are of long ago.
    risky = ["risk", "BENCH", "--quiet", "--format", "csv", "--max-age", "9999d"]
    ask(setting, fleet, *risky)
    seen = [(ask(setting, fleet, *risky), evaluate(fleet)[0] / 1e3) for _ in range(setting.samples)]
    verdicts = fleet.query("select verdict || ' ' || count(*) from ops.risk('BENCH', max_age => '9999 days') group by verdict order by 1")
    # The patch is one for SP2: beside those that are mixed already it would break hosts of SP1.
    risk = int(fleet.query("select count(*) from ops.host where verdict = 'mixed' or (verdict = 'level' and declared_level = 'SP1')"))
    safe = int(fleet.query("select count(*) from ops.host where verdict = 'level' and declared_level = 'SP2'"))
    if verdicts.splitlines() != [f"at risk {risk}", f"safe {safe}"]:
        raise SystemExit(f"risk: {risk} hosts are mixed or at SP1 and {safe} at SP2, but the check says: {verdicts}")
    ours, reference = (statistics.median(column) for column in zip(*seen))
    yield at_most("risk check, 20 files, 100,000 hosts, against evaluation", ours, reference, "s", 2)


BENCHES = {"size": size, "evaluation": evaluation, "change": change, "views": views, "drift": drift, "catalogue": catalogue,
           "risk": risk}
