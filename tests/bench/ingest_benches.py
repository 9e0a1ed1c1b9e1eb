"""What an aggregator takes in, against nng and Ed25519 alone, against plain COPY, against a flat design."""

import os
import re
import statistics
import subprocess

from flat import Flat
from fleet import Fleet, free_port
from measure import at_least, wall_seconds

# Every table that is filled before a snapshot is accepted, with the columns that are not computed by the table itself; levels are
# judged apart, afterwards, on either side.
FILLED = """
    select c.oid::regclass, string_agg(quote_ident(a.attname), ', ' order by a.attnum)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    where c.relnamespace = 'evenkeel'::regnamespace and c.relkind = 'r' and c.relname = any ('{path, image, image_import, file,
          chunk, path_component, unjudged_file, unjudged_chunk, host_inventory_current, host_facts_current, host_times,
          host_checkin}')
    group by c.oid, c.relname order by c.relname
"""


def checkins(setting):
    """Durable check-ins a second of unchanged hosts, against an echo that signs and verifies."""
    hosts, in_flight = setting.size((10_000, 1_024), (200, 16))
    ours, reference = [], []
    with Fleet(setting, "checkins") as fleet:
        for sample in range(setting.samples):
            seen = fleet.simulate("--hosts", hosts, "--first", sample * hosts, "--files", 20, "--in-flight", in_flight,
                                  "--rounds", "first,unchanged,unchanged", "--pause", setting.size(1, 0))  # fmt: skip
            ours.append(seen[-1]["hosts_per_second"])
            sent, received = (round(seen[-1][name] / seen[-1]["requests"]) for name in ("sent", "received"))
            output = subprocess.run(
                [setting.echo, f"tcp://127.0.0.1:{free_port()}", "--request", str(sent), "--reply", str(received),
                 "--requests", str(2 * hosts), "--in-flight", str(in_flight)],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            reference.append(float(re.search(r"per_second=([0-9]+)", output)[1]))
    yield at_least(f"durable check-ins, {sent} and {received} bytes", statistics.median(ours), statistics.median(reference),
                   "a second", 0.5)  # fmt: skip


def ingest(setting):
    """Distinct inventories, rows a second, against psql's \\copy of the same rows into the same tables."""
    hosts, files = setting.size((500, 3_000), (10, 300))
    ours, reference = [], []
    for sample in range(setting.samples):
        with Fleet(setting, "ingest") as fleet:
            # Hosts are known before: what is measured is content.
            first = fleet.simulate("--hosts", hosts, "--files", files, "--in-flight", 64, "--differ", "random", "--prepared",
                                   "--rounds", "enroll,first")[1]  # fmt: skip
            fleet.stop()
            tables = [line.split("|") for line in fleet.query(FILLED).splitlines()]
            rows = sum(int(fleet.query(f"select count(*) from {table}")) for table, _ in tables)
            folder = setting.directory("ingest-rows")
            os.chmod(folder, 0o777)
            fleet.init("copied")
            for table, columns in tables:
                fleet.query(f"\\copy (select {columns} from {table}) to '{folder}/{table}'")
            copies = [f"\\copy {table} ({columns}) from '{folder}/{table}'" for table, columns in tables]
            seconds = wall_seconds(lambda: fleet.psql(*(word for copy in copies for word in ("-c", copy)), database="copied"))
            ours.append(rows / first["seconds"])
            reference.append(rows / seconds)
    yield at_least("first-time ingest, all different", statistics.median(ours), statistics.median(reference), "rows/s", 0.6)


# What the hosts themselves do to know their files is made ready before the clock starts, as the flat design's rows are in a file.
def first_hosts(setting, differ, hosts, in_flight, flat_hosts, factor, what):
    files = setting.size(3_000, 300)
    with Fleet(setting, "first-" + differ) as fleet:
        ours = []
        for sample in range(setting.samples):
            ours.append(fleet.simulate("--hosts", hosts, "--files", files, "--in-flight", in_flight, "--differ", differ, "--first",
                                       sample * hosts, "--prepared", "--rounds", "enroll,first")[1]["hosts_per_second"])  # fmt: skip
            fleet.wait_judged()
        fleet.stop()
        flat = Flat(fleet, setting.directory("flat-" + differ))
        reference = []
        for sample in range(setting.samples):
            path, rows = flat.export("rows", sample * flat_hosts, flat_hosts)
            if rows != flat_hosts * files:
                raise SystemExit(f"first: {rows} rows of {flat_hosts} hosts with {files} files each")
            reference.append(flat_hosts / wall_seconds(lambda: flat.copy(path)))
            os.remove(path)
    yield at_least(f"first-time hosts, {what}", statistics.median(ours), statistics.median(reference), "hosts/s", factor)


def first(setting):
    """First-time hosts a second, each different in two chunks, against a flat design."""
    yield from first_hosts(setting, "chunks", setting.size(2_000, 20), 1_024, setting.size(200, 4), 20, "2 chunks differ")


def worst(setting):
    """First-time hosts a second, 5 % of the files different at random, against a flat design."""
    yield from first_hosts(setting, "random", setting.size(400, 20), 256, setting.size(200, 4), 3, "5 % of files differ")


def through(setting, urls, first, hosts):
    """First-time hosts a second of two simulators with half the hosts each, from the first that began to the last that ended."""
    running = [subprocess.Popen(
        [setting.simulate, "--url", url, "--name", f"at-{place}-", "--hosts", str(hosts // 2), "--first", str(first + place * hosts // 2),
         "--files", str(setting.size(3_000, 300)), "--in-flight", "64", "--differ", "random", "--prepared", "--rounds", "enroll,first"],
        stdout=subprocess.PIPE, text=True) for place, url in enumerate(urls)]  # fmt: skip
    rounds = [process.communicate()[0].splitlines()[-1] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("aggregators: not all hosts were accepted")
    began, seconds = ([float(re.search(f" {name}=([0-9.]+)", line)[1]) for line in rounds] for name in ("began", "seconds"))
    return hosts / (max(map(sum, zip(began, seconds))) - min(began))


def aggregators(setting):
    """First-time hosts a second through two aggregators on one database, against one; as many judges in all."""
    hosts = setting.size(200, 20)
    ours, reference = [], []
    with Fleet(setting, "aggregators") as fleet:
        for sample in range(2 * setting.samples):
            fleet.stop()
            both = sample % 2 == 1
            fleet.serve("--judges", "1" if both else "2")
            urls = [fleet.url, fleet.serve_another("--judges", "1") if both else fleet.url]
            (ours if both else reference).append(through(setting, urls, sample * hosts, hosts))
            fleet.wait_judged()
    yield at_least("first-time hosts, two aggregators against one", statistics.median(ours), statistics.median(reference),
                   "hosts/s", 1.0)  # fmt: skip


BENCHES = {"checkins": checkins, "ingest": ingest, "first": first, "worst": worst, "aggregators": aggregators}
