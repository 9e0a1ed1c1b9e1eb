"""What it costs to judge a fleet again, in one session and in several that share the hosts, and what a night of updates takes."""

import os
import statistics
import subprocess
import time

from fleet import Fleet
from measure import at_least, at_most, over, told

# What a thread of the aggregator does for as long as hosts wait, on a session of its own; it rests where others have them in hand.
LOOP = """
do $$
begin
    while exists (select from evenkeel.judge_queue) {more} loop
        if coalesce({step}, 0) = 0 then
            perform pg_sleep(0.05);
        end if;
        commit;
    end loop;
end
$$
"""
JUDGE = LOOP.format(more="", step="evenkeel.judge_batch(evenkeel.judge_choose(500, {sessions}))")
COMPARE = LOOP.format(more="or exists (select from evenkeel.fleet_change)", step="evenkeel.reduce_fleet(500)")


class Session:
    """A session of psql that does one thing whenever it is told to."""

    def __init__(self, fleet, query):
        self.query = query
        self.psql = subprocess.Popen([os.path.join(fleet.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", fleet.dsn()],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        self.pid = int(self.ask("select pg_backend_pid();"))

    def tell(self, query):
        self.psql.stdin.write(query + "\n")
        self.psql.stdin.flush()

    def ask(self, query):
        self.tell(query)
        return self.psql.stdout.readline().strip()

    def begin(self):
        self.tell(self.query + "; select 'done';")

    def end(self):
        if self.psql.stdout.readline().strip() != "done":
            raise SystemExit("judges: a session failed")

    def processor_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def judge_all(fleet, sessions):
    """Judges all hosts again: hosts a second, and milliseconds of processor a host. What a session does once is done before."""
    running = [Session(fleet, query) for query in [JUDGE.format(sessions=sessions)] * sessions + [COMPARE]]
    for _ in range(2):
        fleet.query("insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current")
        fleet.query("vacuum analyze evenkeel.judge_queue, evenkeel.fleet_change, evenkeel.fleet_key, evenkeel.host, evenkeel.host_product")
        hosts = int(fleet.query("select count(*) from evenkeel.judge_queue"))
        before, started = sum(session.processor_seconds() for session in running), time.monotonic()
        for session in running:
            session.begin()
        for session in running:
            session.end()
    seconds, used = time.monotonic() - started, sum(session.processor_seconds() for session in running) - before
    for session in running:
        session.close()
    if fleet.query("select exists (select from evenkeel.judge_queue) or exists (select from evenkeel.fleet_change)") == "t":
        raise SystemExit("judges: hosts wait still")
    return hosts / seconds, used * 1e3 / hosts


def judges(setting):
    """Hosts judged a second by two sessions against one, and the processor time of a host with two and eight."""
    with Fleet(setting, "judges") as fleet:
        fleet.simulate("--hosts", setting.size(4_000, 40), "--files", setting.size(3_000, 200), "--in-flight", 64, "--differ", "chunks",
                       "--rounds", "first")  # fmt: skip
        fleet.wait_judged()
        fleet.wait_learnt()
        fleet.stop()
        fleet.query("vacuum analyze")
        seen = {1: [], 2: [], 8: []}
        for _ in range(setting.samples):
            for sessions, samples in seen.items():
                samples.append(judge_all(fleet, sessions))
    speed, processor = ({sessions: statistics.median(column) for sessions, column in
                         ((sessions, list(zip(*samples))[part]) for sessions, samples in seen.items())} for part in (0, 1))  # fmt: skip
    yield at_least("hosts judged again, two sessions against one", speed[2], speed[1], "hosts/s", 1.7)
    for sessions in (2, 8):
        yield at_most(f"processor time of a host, {sessions} sessions against one", processor[sessions], processor[1], "ms", 1.2)


def night(setting):
    """A night in which one update of 2,000 files comes to 100,000 hosts: hosts a second, from the first offer to the last verdict."""
    hosts, files = setting.size((100_000, 3_000), (40, 300))
    with Fleet(setting, "night") as fleet:
        rounds = fleet.simulate_stepwise("--hosts", hosts, "--files", files, "--in-flight", 256, "--differ", "chunks", "--rounds",
                                         "first,patch")  # fmt: skip
        for seen in rounds:
            fleet.wait_judged()
            speed = hosts / (time.time() - seen["began"])
            if seen["round"] == "first":
                fleet.wait_learnt()
                fleet.query("vacuum analyze")
    yield over(f"one update for {hosts:,} hosts, from offer to verdict", speed, 300, "hosts/s")


def month(setting):
    """What a host takes in the database, and what a month adds: an update of Windows for all, and four of a browser."""
    few, many = setting.size((500, 1_500), (10, 30))
    for files in setting.size((3_000, 10_000), (300,)):
        sizes = {}
        for hosts in (few, many):
            with Fleet(setting, "month") as fleet:
                rounds = fleet.simulate_stepwise("--hosts", hosts, "--files", files, "--in-flight", 64, "--differ", "chunks", "--rounds",
                                                 "first,browser,patch,browser,browser,browser")  # fmt: skip
                for place, seen in enumerate(rounds):
                    fleet.wait_judged()
                    fleet.wait_learnt()
                    fleet.query("vacuum analyze")
                    sizes[hosts, place] = fleet.size()
        # What the hosts have in common is in either, and falls out.
        now, after = ((sizes[many, place] - sizes[few, place]) / (many - few) for place in (0, 5))
        yield told(f"database, a host of {files:,} files", now, "bytes")
        yield told(f"database, a month of a host of {files:,} files", after - now, "bytes")
        yield told(f"database, what all hosts of {files:,} files have in common, after a month",
                   sizes[few, 5] - few * after, "bytes")  # fmt: skip


BENCHES = {"judges": judges, "night": night, "month": month}
