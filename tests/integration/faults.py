"""The driver of tests/integration/faults: starts the database, two aggregators behind a proxy each, and the agents of 200
hosts; lets things fail by a seeded plan, while two that mean harm report and hold connections as nobody should; then waits for
rest and compares what was said with what is stored."""

import asyncio
import collections
import os
import random
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from faults_proxy import Proxy, Traffic  # noqa: E402
from faults_world import GROUPS, HOSTS, Harm, Ledger, World, check, host_name  # noqa: E402

SCHEDULE = 4  # seconds between two snapshots of a host
CHANGES_PER_SECOND = 50  # of the whole fleet
GAP = 0.8  # seconds between two faults, on average
REST_SECONDS = 120  # in which everything has to arrive once nothing fails any more
JUDGED_SECONDS = 240  # and to be judged
DAY = 86400
AGGREGATORS = 2
FAILED = 99  # exit status of a program that a sanitizer ended

# What connections are held with, each for some seconds: kind, count and bytes of tests/integration/hostile.py.
HOLDS = [("unread", "3", ""), ("half", "540", ""), ("partial", "60", ""), ("drip", "30", ""), ("half", "540", "0053500000300000")]
HOLD_SECONDS = 8

# How often each kind comes among as many faults as these add up to.
KINDS = {
    "aggregator killed": 4, "database stopped": 3, "agents killed": 4, "disk full": 3, "agents' clock": 2, "servers' clock": 2,
    "request cut": 4, "answer cut": 5, "request repeated": 2, "answer repeated": 1, "request reordered": 4, "answer late": 2,
    "old requests sent again": 3, "network silent": 2, "connections refused": 2,
}


class Child:
    """A program that is started again whenever it ends, until it is told to stop."""

    def __init__(self, driver, name, command, environment=None, pause=0.2, read=None):
        self.driver, self.name, self.command, self.pause, self.read = driver, name, command, pause, read
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.wanted = True
        self.killed = False
        self.task = asyncio.ensure_future(self.supervise())

    async def supervise(self):
        while self.wanted:
            self.killed = False
            self.process = await asyncio.create_subprocess_exec(
                *self.command, env=self.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                cwd=self.driver.scratch)
            if not self.wanted:
                self.kill()  # told so while it was being started
            async for line in self.process.stdout:
                self.driver.line(self, line.decode(errors="replace").rstrip("\n"))
            status = await self.process.wait()
            if status != 0 and not (self.killed and status == -signal.SIGKILL) and not self.driver.may_end(self, status):
                self.driver.problem(f"{self.name} ended by itself with status {status}")
            await asyncio.sleep(self.pause)

    def kill(self):
        if self.process is not None and self.process.returncode is None:
            self.killed = True
            self.process.kill()

    async def stop(self):
        self.wanted = False
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
        await self.task


class Driver:
    def __init__(self, seed, faults):
        self.seed, self.faults = seed, faults
        self.scratch = os.environ["SCRATCH"]
        self.build = os.environ["BUILD"]
        self.random = random.Random(seed)
        self.happened = collections.Counter()
        self.problems = []
        self.ledger = Ledger()
        self.world = World(f"{self.scratch}/world", random.Random(seed + 1))
        self.traffic = Traffic(random.Random(seed + 2), self.count)
        self.log = open(f"{self.scratch}/programs.log", "w", encoding="utf-8")
        self.started = time.monotonic()
        self.proxies, self.aggregators, self.agents = [], [], []
        self.harm = Harm()
        self.hostile, self.ports, self.dropped = [], [], 0
        self.database = asyncio.Lock()
        self.repairs = set()
        self.moving = True

    def count(self, kind):
        self.happened[kind] += 1

    def problem(self, sentence):
        self.problems.append(sentence)

    def say(self, what):
        print(f"{time.monotonic() - self.started:6.1f} s: {what}; {self.ledger.count()} snapshots accepted", flush=True)

    def line(self, child, line):
        if "Sanitizer" in line or "runtime error" in line:
            self.problem(f"{child.name}: {line}")
        if child.read is not None:
            child.read(line)
        if "event=connections-dropped" in line:
            self.dropped += 1
        if child.read is None or not line.startswith(("took ", "accepted ")):
            self.log.write(f"{time.monotonic() - self.started:.1f} {child.name}: {line}\n")
            self.log.flush()

    def may_end(self, child, status):
        """An aggregator that finds no database at its start says so and ends; whoever started it tries again. Those that mean harm
        have no patience."""
        if child in self.hostile:
            return status == 3 or child.name == "holder"
        return child in self.aggregators and status == 1 and not os.path.exists(f"{self.scratch}/{child.name}.ready")

    # ---- the database ----

    def set_server_clock(self, seconds):
        with open(f"{self.scratch}/clock.next", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.chmod(file.name, 0o644)
        os.replace(file.name, f"{self.scratch}/clock")

    async def pg_ctl(self, *arguments):
        cluster = os.environ["CLUSTER"]
        clock = {"LD_PRELOAD": os.environ["CLOCK_LIBRARY"], "FAKETIME_TIMESTAMP_FILE": f"{self.scratch}/clock",
                 "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1", "NO_FAKE_STAT": "1"}
        command = ["env", *(f"{name}={value}" for name, value in clock.items()), "HOME=/", f"{os.environ['PG_BIN']}/pg_ctl",
                   f"--pgdata={cluster}/data", "--wait", "--timeout=300", "--silent", *arguments]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        process = await asyncio.create_subprocess_exec(*command, cwd="/", stdout=asyncio.subprocess.DEVNULL)
        if await process.wait() != 0:
            raise RuntimeError(f"pg_ctl {' '.join(arguments)} failed")

    async def database_start(self):
        cluster = os.environ["CLUSTER"]
        await self.pg_ctl("start", f"--log={cluster}/postgresql.log",
                          f"--options=-c listen_addresses= -c unix_socket_directories={cluster}/run -c max_connections=60 -c shared_buffers=64MB")

    async def query(self, statement):
        """Rows of text."""
        process = await asyncio.create_subprocess_exec(
            f"{os.environ['PG_BIN']}/psql", "-XAtq", "-F\t", "-v", "ON_ERROR_STOP=1", "-c", statement, os.environ["EVENKEEL_DSN"],
            stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"psql failed: {statement}")
        return [line.split("\t") for line in output.decode().splitlines()]

    # ---- faults ----

    def repair(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.repairs.add(task)
        task.add_done_callback(self.repaired)

    def repaired(self, task):
        self.repairs.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.problem(f"what had failed could not be mended: {task.exception()}")

    async def stop_database(self, seconds):
        async with self.database:
            await self.pg_ctl("stop", "--mode=immediate")
            await asyncio.sleep(seconds)
            await self.database_start()

    async def jump(self, seconds):
        async with self.database:  # pg_ctl takes a server for its own by the time of its start
            self.set_server_clock(seconds)

    async def fill_disk(self, child, size, seconds):
        """No file of these agents may grow beyond `size`: their writes fail as on a full disk, some of them half done."""
        process = child.process
        try:
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
            await asyncio.sleep(seconds)
            if process.returncode is None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        except ProcessLookupError:
            pass  # killed meanwhile

    async def silence(self, proxy, seconds):
        proxy.silent.clear()
        await asyncio.sleep(seconds)
        proxy.cut_all()
        proxy.silent.set()

    async def refuse(self, proxy, seconds):
        await proxy.close()
        await asyncio.sleep(seconds)
        await proxy.open()

    def fail(self, kind):
        """Lets one fault happen; those of messages wait for as many messages as they take."""
        draw = self.random
        child = draw.choice(self.agents)
        proxy = draw.choice(self.proxies)
        seconds = draw.uniform(0.2, 5)
        if kind in ("request cut", "answer cut", "request repeated", "answer repeated", "request reordered", "answer late"):
            self.traffic.armed[kind] += 1
            return
        if kind == "database stopped" and self.database.locked():
            kind = "aggregator killed"
        if kind in ("network silent", "connections refused") and not (proxy.silent.is_set() and proxy.server.is_serving()):
            kind = "agents killed"
        if kind == "aggregator killed":
            child = draw.choice(self.aggregators)
            child.pause = draw.uniform(0, 3)
            child.kill()
        elif kind == "database stopped":
            self.repair(self.stop_database(draw.uniform(0, 3)))
        elif kind == "agents killed":
            child.pause = draw.uniform(0, 2)
            child.kill()
        elif kind == "disk full":
            self.repair(self.fill_disk(child, draw.randrange(0, 24000), seconds))
        elif kind == "agents' clock":
            self.world.set_clock(self.agents.index(child), draw.choice((-1, 0, 1)) * DAY * 1000000)
        elif kind == "servers' clock":
            self.repair(self.jump(draw.choice((-DAY, 0, DAY))))
        elif kind == "old requests sent again":
            requests = list(self.traffic.requests)
            self.traffic.later(proxy.send_again(draw.sample(requests, min(20, len(requests)))))
        elif kind == "network silent":
            self.repair(self.silence(proxy, seconds))
        elif kind == "connections refused":
            self.repair(self.refuse(proxy, seconds))
        self.count(kind)

    def plan(self):
        """Kinds for ever, each as often as it should come."""
        while True:
            deck = [kind for kind, times in KINDS.items() for _ in range(times)]
            self.random.shuffle(deck)
            yield from deck

    # ---- the run ----

    async def change(self):
        while self.moving:
            for _ in range(CHANGES_PER_SECOND // 20):
                self.world.change()
            await asyncio.sleep(0.05)

    async def until(self, seconds, condition):
        deadline = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.3)
        return True

    async def start(self):
        self.set_server_clock(0)
        await self.database_start()
        sanitizers = {name: os.environ.get(name, "") + f":exitcode={FAILED}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        for number in range(AGGREGATORS):
            name = f"aggregator-{number}"
            socket = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
            port = socket.sockets[0].getsockname()[1]
            socket.close()
            self.aggregators.append(Child(self, name, [
                "sh", "-c", 'rm -f "$1"; shift; exec "$@"', "sh", f"{self.scratch}/{name}.ready", f"{self.build}/aggregator/evenkeel",
                "serve", "--listen", f"tcp://127.0.0.1:{port}", "--trust-on-first-use", "--http", "off", "--ready-file",
                f"{self.scratch}/{name}.ready"], sanitizers))
            self.ports.append(port)
            self.proxies.append(Proxy(self.traffic, port))
            await self.proxies[-1].open()
        urls = [f"tcp://127.0.0.1:{proxy.port}" for proxy in self.proxies]
        # nng ends its connections in the background; what it still holds at the end is no leak.
        agents = {**sanitizers, "ASAN_OPTIONS": sanitizers["ASAN_OPTIONS"] + ":detect_leaks=0"}
        each = HOSTS // GROUPS
        for group in range(GROUPS):
            self.agents.append(Child(self, f"agents-{group}", [
                f"{self.build}/tests/fault_agents", f"{self.scratch}/world", f"{self.scratch}/agents", str(group), str(group * each), str(each),
                str(SCHEDULE), *urls], agents, read=self.ledger.read))

    # ---- two that mean harm ----

    async def mean_harm(self):
        """One reports what costs most and is not its own to say, through a proxy; one holds connections, now at one aggregator and now at
        the other."""
        victim = self.random.randrange(HOSTS)
        host_id = (await self.query(f"select host_id from evenkeel.host where name = '{host_name(victim)}'"))[0][0]
        reporter = holder = None
        for turn in range(1 << 30):
            proxy = self.proxies[turn % AGGREGATORS]
            command = [f"{self.build}/tests/report_client", f"tcp://127.0.0.1:{proxy.port}", "hostile", str(self.seed * 1000 + turn), host_id,
                       host_name(victim).upper()]  # fmt: skip
            if reporter is None:
                reporter = Child(self, "reporter", command, pause=1, read=self.harm.read)
                self.hostile.append(reporter)
            reporter.command = command  # once it finds nobody there
            kind, count, more = HOLDS[turn % len(HOLDS)]
            command = [sys.executable, "-B", os.path.join(os.path.dirname(__file__), "hostile.py"), kind,
                       str(self.ports[turn // 2 % AGGREGATORS]), count, more]  # fmt: skip
            if holder is None:
                holder = Child(self, "holder", command, pause=1)
                self.hostile.append(holder)
            else:
                holder.command = command
                holder.kill()
            await asyncio.sleep(HOLD_SECONDS)

    async def all_harm_is_tried(self):
        return self.harm.has_tried_all()

    async def end_harm(self, harm):
        await self.until(REST_SECONDS, self.all_harm_is_tried)
        harm.cancel()
        for child in self.hostile:
            child.wanted = False
            child.kill()
        await asyncio.gather(harm, *(child.task for child in self.hostile), return_exceptions=True)
        self.problems += list(self.harm.check())
        if self.dropped == 0:
            self.problem("no connection of those that mean harm was dropped")

    async def everybody_is_heard(self):
        return len(self.ledger.accepted) == HOSTS

    async def everybody_is_at_rest(self):
        return len(self.ledger.at_rest) == HOSTS

    async def everybody_is_judged(self):
        waiting = "select (select count(*) from evenkeel.judge_queue) + (select count(*) from evenkeel.fleet_change)"
        return (await self.query(waiting))[0] == ["0"]

    async def break_things(self):
        moving = asyncio.ensure_future(self.change())
        if not await self.until(REST_SECONDS, self.everybody_is_heard):
            self.problem(f"only {len(self.ledger.accepted)} hosts were heard of before anything failed")
        self.say("every host was heard of")
        harm = asyncio.ensure_future(self.mean_harm())
        for number, kind in enumerate(self.plan()):
            if number == self.faults:
                break
            self.fail(kind)
            await asyncio.sleep(self.random.expovariate(1 / GAP))
        if not await self.until(REST_SECONDS, self.all_happened):
            self.problem(f"faults that waited for a message in vain: {dict(self.traffic.armed)}")
        self.moving = False
        await asyncio.gather(moving, *self.repairs, return_exceptions=True)
        await asyncio.gather(*self.traffic.errands)
        await self.end_harm(harm)

    async def all_happened(self):
        return sum(self.happened.values()) >= self.faults

    async def come_to_rest(self):
        self.say("nothing fails any more")
        self.world.freeze()
        await self.until(REST_SECONDS, self.everybody_is_at_rest)
        self.say("every host is at rest" if len(self.ledger.at_rest) == HOSTS else "not every host is at rest")
        if not await self.until(JUDGED_SECONDS, self.everybody_is_judged):
            self.problem("hosts still wait to be judged")
        for child in self.agents + self.aggregators:
            await child.stop()
        for proxy in self.proxies:
            await proxy.close()

    async def compare(self):
        answers = {}

        def query(statement):
            return answers[statement]

        # check() is plain code: its statements are collected by asking until none is missing.
        while True:
            try:
                self.problems += list(check(self.world, self.ledger, query))
                break
            except KeyError as missing:
                answers[missing.args[0]] = await self.query(missing.args[0])
        process = await asyncio.create_subprocess_exec(f"{self.build}/aggregator/evenkeel", "fsck", stdout=asyncio.subprocess.PIPE,
                                                       stderr=asyncio.subprocess.STDOUT)
        output, _ = await process.communicate()
        print("fsck:", output.decode().strip().replace("\n", "\n      "))
        if process.returncode != 0:
            self.problem(f"evenkeel fsck ends with status {process.returncode}")

    def report(self):
        for kind in KINDS:
            print(f"{self.happened[kind]:5} {kind}")
        print(f"{self.traffic.messages} messages; requests sent again were answered:",
              ", ".join(f"{number} {answer}" for answer, number in self.traffic.answers.most_common()))
        for sentence, number in self.ledger.said.most_common(12):
            print(f"{number:5} times an agent said: {sentence}")
        for (what, answer), number in sorted(self.harm.answers.items()):
            print(f"{number:5} times one that means harm tried '{what}' and was told: {answer}")
        for line in self.ledger.unknown[:20]:
            print("an agent's program said:", line)
        for problem in self.problems[:40]:
            print("LOST:", problem)
        print(f"seed {self.seed}: {sum(self.happened.values())} faults, {self.ledger.count()} snapshots accepted, {len(self.problems)} lost",
              flush=True)

    async def run(self):
        try:
            await self.start()
            await self.break_things()
            await self.come_to_rest()
            await self.compare()
        finally:
            everybody = self.agents + self.aggregators + self.hostile
            for child in everybody:
                child.wanted = False
                child.kill()
            await asyncio.gather(*(child.task for child in everybody), return_exceptions=True)
        self.report()
        return 1 if self.problems else 0


async def main():
    driver = Driver(int(sys.argv[1]), int(sys.argv[2]))
    task = asyncio.ensure_future(driver.run())
    for name in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    return await task


sys.exit(asyncio.run(main()))
