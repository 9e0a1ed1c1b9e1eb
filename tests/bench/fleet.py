"""A private, durable PostgreSQL cluster with an aggregator in front of it, and a simulated fleet that reports to it."""

import glob
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from measure import SOURCE

# The same for Evenkeel and for what it is compared with: fsync and full page writes stay on, as PostgreSQL has them; memory
# as for a machine of 16 GiB that the database shares; checkpoints by time, so that none falls into one side only.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "lz4",
    "random_page_cost": "1.1",
    "max_connections": "60",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_database_user(command):
    """PostgreSQL refuses to run as root: then it runs as the user that Debian's package made."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "HOME=/", *command]


class Cluster:
    """A private cluster on a Unix socket; `with Cluster(...)` starts and stops it, and removes it at the end."""

    def __init__(self, setting, name):
        self.setting = setting
        # Of its own, though another had that name before.
        self.directory = tempfile.mkdtemp(prefix=name + "-", dir=setting.scratch)
        os.chmod(self.directory, 0o711)
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[0]
        self.run = os.path.join(self.directory, "run")
        self.data = os.path.join(self.directory, "data")

    def __enter__(self):
        os.makedirs(self.run)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
            shutil.chown(self.run, "postgres")
        settings = dict(SETTINGS, unix_socket_directories=self.run)
        if self.setting.small:
            settings.update(shared_buffers="64MB", fsync="off")
        self.control("initdb", "--pgdata", self.data, "--username=evenkeel", "--auth=trust", "--encoding=UTF8",
                     "--locale=C.UTF-8", "--no-instructions")  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self.control("pg_ctl", "start", "--pgdata", self.data, "--wait", "--silent", "--log",
                     os.path.join(self.directory, "log"), "--options", options)  # fmt: skip
        return self

    def __exit__(self, *_):
        self.control("pg_ctl", "stop", "--pgdata", self.data, "--mode=immediate", "--wait", "--silent")
        shutil.rmtree(self.directory)

    def control(self, program, *arguments):
        command = as_database_user([os.path.join(self.bin, program), *arguments])
        # A server that inherits a pipe would keep it open for as long as it lives.
        with open(os.path.join(self.setting.scratch, program + ".log"), "ab") as log:
            if subprocess.run(command, cwd="/", stdout=log, stderr=log).returncode != 0:
                raise SystemExit(f"{program} failed: see {log.name} and {self.directory}/log")

    def dsn(self, database="evenkeel"):
        return f"host={self.run} port=5432 dbname={database} user=evenkeel"

    def psql(self, *arguments, database="evenkeel", text=None):
        command = [os.path.join(self.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", self.dsn(database), *arguments]
        run = subprocess.run(command, capture_output=True, text=True, input=text)
        if run.returncode != 0:
            raise SystemExit(f"psql: {run.stderr}")
        return run.stdout.strip()

    def query(self, sql, database="evenkeel"):
        return self.psql("-c", sql, database=database)

    def milliseconds(self, sql, database="evenkeel"):
        """What one statement takes within a session that ran it once before, by psql's clock."""
        output = self.psql("-c", "\\o /dev/null", "-c", sql, "-c", "\\timing on", "-c", sql, database=database)
        return float(re.findall(r"Time: ([0-9.]+) ms", output)[-1])

    def create(self, database, template=None):
        self.query(f"create database {database}" + (f" template {template}" if template else ""), database="postgres")

    def drop(self, database):
        self.query(f"drop database if exists {database}", database="postgres")

    def size(self, database="evenkeel"):
        return int(self.query(f"select pg_database_size('{database}')", database="postgres"))

    def init(self, database="evenkeel"):
        environment = dict(os.environ, EVENKEEL_SQL=os.path.join(SOURCE, "sql"), EVENKEEL_DSN=self.dsn(database))
        self.create(database)
        subprocess.run([self.setting.evenkeel, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)


class Fleet(Cluster):
    """A cluster with an initialised database and an aggregator that trusts every new key."""

    def __init__(self, setting, name):
        super().__init__(setting, name)
        self.aggregator = self.url = self.http_port = None
        self.others = []  # further aggregators on the same database, and their addresses

    def __enter__(self):
        super().__enter__()
        try:
            self.init()
            self.serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *arguments):
        self.stop()
        super().__exit__(*arguments)

    def serve(self, *options, database="evenkeel"):
        self.url = f"tcp://127.0.0.1:{free_port()}"
        self.http_port = free_port()
        self.aggregator = self.started(self.url, "--http", f"http://127.0.0.1:{self.http_port}", *options, database=database)

    def serve_another(self, *options):
        """One more aggregator on the same database; its address."""
        url = f"tcp://127.0.0.1:{free_port()}"
        self.others.append(self.started(url, "--http", "off", *options))
        return url

    def started(self, url, *options, database="evenkeel"):
        ready = os.path.join(self.directory, "..", f"ready-{free_port()}")
        environment = dict(os.environ, EVENKEEL_DSN=self.dsn(database))
        log = open(os.path.join(self.setting.scratch, "serve.log"), "ab")
        aggregator = subprocess.Popen(
            [self.setting.evenkeel, "serve", "--listen", url, "--trust-on-first-use", "--ready-file", ready, *options],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        while not os.path.exists(ready):
            if aggregator.poll() is not None:
                raise SystemExit(f"the aggregator ended at its start: see {log.name}")
            time.sleep(0.02)
        return aggregator

    def stop(self):
        running = [*self.others, *([self.aggregator] if self.aggregator is not None else [])]
        self.aggregator, self.others = None, []
        for aggregator in running:
            aggregator.terminate()
        statuses = [aggregator.wait() for aggregator in running]
        if any(statuses):
            raise SystemExit(f"an aggregator ended with status {max(statuses, key=abs)}")

    def cpu_seconds(self):
        """What the aggregator has used so far."""
        with open(f"/proc/{self.aggregator.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def round_of(line):
        name, *pairs = line.split()
        return {"round": name, **{key: float(value) for key, value in (pair.split("=") for pair in pairs)}}

    def simulate_stepwise(self, *arguments):
        """Runs the simulator; each of its rounds as a dictionary, the next one begins when it is asked for."""
        with subprocess.Popen([self.setting.simulate, "--url", self.url, "--stepwise", *map(str, arguments)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
            for _ in arguments[arguments.index("--rounds") + 1].split(","):
                process.stdin.write("\n")
                process.stdin.flush()
                yield self.round_of(process.stdout.readline())
        if process.returncode != 0:
            raise SystemExit(f"simulate: status {process.returncode}")

    def simulate(self, *arguments):
        """Runs the simulator; its rounds as dictionaries, in order."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([self.setting.simulate, "--url", self.url, *map(str, arguments)], stdout=subprocess.PIPE,
                             text=True, check=True)  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rounds = [self.round_of(line) for line in run.stdout.splitlines()]
        rounds[-1]["cpu"] = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return rounds

    def wait_judged(self, seconds=3600):
        """Until no host waits to be judged any more."""
        deadline = time.monotonic() + seconds
        while self.query("select exists (select from evenkeel.judge_queue) or exists (select from evenkeel.fleet_change)") == "t":
            if time.monotonic() > deadline:
                raise SystemExit("the aggregator does not get done with judging")
            time.sleep(0.05)

    def wait_learnt(self, seconds=3600):
        """Until the aggregator has learnt from the fleet what was due, and judged the hosts on which that bears."""
        deadline = time.monotonic() + seconds
        while self.query("""select exists (select from evenkeel.peer_refresh p cross join evenkeel.peer_round r
                                          where r.under_way or p.judged > 0 and clock_timestamp()
                                              >= p.refreshed_at + greatest(p.took * 100, interval '1 second'))
                                or exists (select from evenkeel.version_evidence where judged > 0 and judged::bigint * 1000 >= hosts)
                                or exists (select from evenkeel.judge_queue) or exists (select from evenkeel.fleet_change)""") == "t":
            if time.monotonic() > deadline:
                raise SystemExit("the aggregator does not get done with learning")
            time.sleep(0.1)

    def push_command(self, host, root, state):
        return [self.setting.collector, "push", "--host", host, "--root", root, "--aggregator", self.url, "--state", state]
