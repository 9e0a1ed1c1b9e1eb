"""What it costs to judge a fleet again, in one session and in several that share the hosts."""

import os
import statistics
import subprocess
import time

from fleet import Fleet
from measure import at_least, at_most

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


def processor_seconds(fleet):
    """What the sessions of the cluster that ended have used so far."""
    with open(os.path.join(fleet.data, "postmaster.pid")) as file:
        postmaster = file.readline().strip()
    with open(f"/proc/{postmaster}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def judge_all(fleet, sessions):
    """Judges all hosts again in so many sessions, and compares them in one more: hosts a second, and milliseconds of processor a host."""
    fleet.query("insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current")
    hosts = int(fleet.query("select count(*) from evenkeel.judge_queue"))
    before, started = processor_seconds(fleet), time.monotonic()
    running = [subprocess.Popen([os.path.join(fleet.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", fleet.dsn(), "-c", query])
               for query in [JUDGE.format(sessions=sessions)] * sessions + [COMPARE]]  # fmt: skip
    if any([session.wait() for session in running]):
        raise SystemExit("judges: a session failed")
    seconds = time.monotonic() - started
    time.sleep(0.2)  # until the last session is gone, whose time counts then
    if fleet.query("select exists (select from evenkeel.judge_queue) or exists (select from evenkeel.fleet_change)") == "t":
        raise SystemExit("judges: hosts wait still")
    return hosts / seconds, (processor_seconds(fleet) - before) * 1e3 / hosts


def judges(setting):
    """Hosts judged a second by two sessions against one, and the processor time of a host with two and eight."""
    with Fleet(setting, "judges") as fleet:
        fleet.simulate("--hosts", setting.size(int(os.environ.get("EK","4000")), 40), "--files", setting.size(3_000, 200), "--in-flight", 64, "--differ", "chunks",
                       "--rounds", "first")  # fmt: skip
        fleet.wait_judged()
        fleet.wait_learnt()
        fleet.stop()
        fleet.query("vacuum analyze")
        judge_all(fleet, 1)
        seen = {1: [], 2: [], 8: []}
        for _ in range(int(os.environ.get("EKS", setting.samples))):
            for sessions, samples in seen.items():
                samples.append(judge_all(fleet, sessions))
    speed, processor = ({sessions: statistics.median(column) for sessions, column in
                         ((sessions, list(zip(*samples))[part]) for sessions, samples in seen.items())} for part in (0, 1))  # fmt: skip
    yield at_least("hosts judged again, two sessions against one", speed[2], speed[1], "hosts/s", 1.7)
    for sessions in (2, 8):
        yield at_most(f"processor time of a host, {sessions} sessions against one", processor[sessions], processor[1], "ms", 1.2)


BENCHES = {"judges": judges}
