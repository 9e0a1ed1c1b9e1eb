"""A month of a small fleet, and what its reports tell: month.py SEED NIGHTS.

Real collectors push real folders to a running aggregator; people retire, restore, rename, merge; 'evenkeel report drift --since
last-report' runs late, twice, not at all, under two names. Beside that this file keeps its own account of what was made to happen, and
holds it against what was told: each change in exactly one report of each name."""

import json
import os
import random
import shutil
import subprocess
import sys
import uuid

seed, nights = sys.argv[1], int(sys.argv[2])
dice = random.Random(seed)
scratch, build = os.environ["SCRATCH"], os.environ["BUILD"]
fleet, url, psql_program = os.environ["FLEET"], os.environ["URL"], os.environ["PSQL"]
account = []  # what happened, for a person who looks into a failure
clock = 0  # rises with all that happens


def fail(sentence):
    print("\n".join(account[-60:]), file=sys.stderr)
    sys.exit("seed %s: %s" % (seed, sentence))


def run(*words, expect=0):
    ran = subprocess.run(words, text=True, capture_output=True, timeout=300)
    if ran.returncode != expect:
        fail("status %d: %s\n%s%s" % (ran.returncode, " ".join(words), ran.stdout, ran.stderr))
    return ran


def evenkeel(*words):
    return run(build + "/aggregator/evenkeel", *words)


def psql(query):
    return run(psql_program, "-XAtq", "-v", "ON_ERROR_STOP=1", os.environ["EVENKEEL_DSN"], "-c", query).stdout.strip()


def tell(what):
    global clock
    clock += 1
    account.append("night %d, %d: %s" % (night, clock, what))


# ---- The fleet as folders, and the account of it.
INETSRV = "WINDOWS/system32/inetsrv/"
KEYS = "Documents and Settings/All Users/Application Data/Microsoft/Crypto/RSA/MachineKeys/"
BUILDS = {"iisutil.dll": {"SP2": "web-03", "SP1": "web-06", "RTM": "web-05"}, "asp.dll": {"SP2": "web-03", "SP1": "web-06"}}
TEMPLATE = open(fleet + "/web-03.reg", encoding="utf-16").read()
TEMPLATE_GUID = "47c7f59e-2075-451d-8f2c-ed1ea5b98299"
hosts, findings, count = [], [], 0


class Host:
    def __init__(self, name, like=None):
        global count
        count += 1
        self.number, self.levels, self.extra, self.state = count, {f: "SP2" for f in BUILDS}, False, 0
        self.name = self.computer = name  # what people call it, and what it calls itself
        self.named = False  # by a person
        self.history = []  # (moment, files, GUID) as reported
        self.present, self.retired, self.merged, self.seen, self.away_until = False, False, False, night, night
        self.root = "%s/hosts/%d" % (scratch, count)
        shutil.copytree(fleet + "/web-03", self.root, copy_function=os.link)
        if like:
            self.guid, self.sid = like.guid, like.sid
        else:
            self.new_identity()
        self.write_identity()
        hosts.append(self)

    def new_identity(self):
        self.guid = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        self.sid = tuple(dice.randrange(1 << 28, 1 << 31) for _ in range(3))

    def write_identity(self):
        """The registry's export, and the machine keys, which bear the GUID."""
        shutil.rmtree(self.root + "/" + KEYS)
        os.makedirs(self.root + "/" + KEYS)
        for name in os.listdir(fleet + "/web-03/" + KEYS):
            os.link(fleet + "/web-03/" + KEYS + name, self.root + "/" + KEYS + name.replace(TEMPLATE_GUID, self.guid))
        text = TEMPLATE.replace(TEMPLATE_GUID, self.guid).replace('"WEB-03"', '"%s"' % self.computer.upper())
        before = ",".join("%02x" % b for n in (1868279076, 1884371790, 1341441014) for b in n.to_bytes(4, "little"))
        after = ",".join("%02x" % b for n in self.sid for b in n.to_bytes(4, "little"))
        assert TEMPLATE_GUID in TEMPLATE and before in TEMPLATE and '"WEB-03"' in TEMPLATE, "the fixture's identity"
        with open(self.root + ".reg", "w", encoding="utf-16") as out:
            out.write(text.replace(before, after))

    def write_files(self):
        for file, level in self.levels.items():
            os.unlink(self.root + "/" + INETSRV + file)
            os.link(fleet + "/" + BUILDS[file][level] + "/" + INETSRV + file, self.root + "/" + INETSRV + file)
        extra = self.root + "/WINDOWS/system32/vendor.dll"
        if os.path.exists(extra):
            os.unlink(extra)
        if self.extra:
            os.link(fleet + "/web-03/" + INETSRV + "w3core.dll", extra)

    def push(self, expect=0):
        return run(build + "/collector/evenkeel-collector", "push", "--host", self.computer, "--root", self.root, "--facts",
                   self.root + ".reg", "--aggregator", url, "--state", "%s/collectors/%d-%d" % (scratch, self.number, self.state), expect=expect)

    def holds(self):
        """What a report compares."""
        return dict(self.levels, **({"vendor.dll": "there"} if self.extra else {}))


class Finding:
    def __init__(self, host, check, subject, weight):
        self.host, self.check, self.subject, self.opened, self.closed, self.with_host = host, check, subject, clock, None, False
        self.weights = [(clock, weight)]

    def weight_at(self, moment):
        return [w for at, w in self.weights if at <= moment][-1]

    def __repr__(self):
        return "%s %s %s" % (self.host.name, self.check, self.subject)


def wanted(host):
    """The findings that a host gives reason for: (check, subject) -> how much of it."""
    found = {}
    if not host.present:
        return found
    below = sum(level != "SP2" for level in host.pushed_levels.values())
    if below:
        found["mixed-level", "windows-2003"] = below
    if any(o.present and o is not host and o.pushed_guid == host.pushed_guid for o in hosts):
        found["cloned-identity", "machine-guid " + host.pushed_guid] = 1
        found["cloned-identity", "machine-sid S-1-5-21-%d-%d-%d" % host.pushed_sid] = 1
    if night - host.seen > 2:
        found["silent-host", "host"] = 0
    return found


def settle():
    """Lets the aggregator judge, and writes into the account what it should find."""
    for _ in range(3000):
        if psql("select (select count(*) from evenkeel.judge_queue) + (select count(*) from evenkeel.fleet_change)") == "0":
            break
    else:
        fail("hosts still wait to be judged")
    psql("select evenkeel.judge_clock()")
    for host in hosts:
        now = wanted(host)
        for f in findings:
            if f.host is host and f.closed is None:
                weight = now.pop((f.check, f.subject), None)
                if weight is None:
                    f.closed, f.with_host = clock, not host.present
                elif weight != f.weights[-1][1]:
                    f.weights.append((clock, weight))
        findings.extend(Finding(host, check, subject, weight) for (check, subject), weight in now.items())
    mine = sorted("%s|%s|%s" % (f.host.name, f.check, f.subject) for f in findings if f.closed is None)
    theirs = psql("select host, check_name, subject from ops.finding").splitlines()
    if mine != sorted(theirs):
        fail("the findings are others than the account's:\n%s\n%s" % (sorted(set(mine) - set(theirs)), sorted(set(theirs) - set(mine))))


lives = []  # (clock, host, event, detail): what the report calls the life of hosts


def report_in(host):
    """The host reports what it holds."""
    host.write_files()
    host.push()
    if host.retired:
        lives.append((clock, host, "came back"))
    host.present, host.retired, host.seen = True, False, night
    host.pushed_levels, host.pushed_guid, host.pushed_sid = dict(host.levels), host.guid, host.sid
    host.history.append((clock, host.holds(), host.guid))


def state_at(host, moment):
    """What was last known of its files and GUID at that moment; None: nothing."""
    known = [(files, guid) for at, files, guid in host.history if at <= moment]
    return known[-1] if known else None


class Verdicts:
    """Level or mixed, as it changed; a host that is not there has none, and one that is restored had it all the time."""

    def __init__(self):
        self.changes = {}

    def note(self):
        for host in hosts:
            is_now = None if not host.present else "mixed" if any(level != "SP2" for level in host.pushed_levels.values()) else "level"
            past = self.changes.setdefault(host, [])
            if not past or past[-1][1] != is_now:
                past.append((clock, is_now))

    def forget_retirement(self, host):
        if self.changes[host] and self.changes[host][-1][1] is None:
            self.changes[host].pop()

    def at(self, host, moment):
        past = [verdict for at, verdict in self.changes.get(host, []) if at <= moment]
        return past[-1] if past else None


verdicts = Verdicts()
marks = {}  # name of a report -> the moment until which it has told
told_openings, told_closings = {}, {}  # (report's name, finding) -> how often


def compare(what, mine, theirs, once=False):
    mine, theirs = sorted(mine), sorted(theirs)
    if once:
        mine, theirs = sorted(set(mine)), sorted(set(theirs))
    if mine != theirs:
        missing = [x for x in mine if x not in theirs]
        strange = [x for x in theirs if x not in mine or theirs.count(x) > mine.count(x)]
        fail("%s\n  never told: %s\n  told, though it did not happen since: %s" % (what, missing, strange))


def report(name):
    """A report since the last one of that name, held against the account."""
    tell("report %s" % name)
    document = json.loads(evenkeel("report", "drift", "--quiet", "--since", "last-report", "--name", name, "--format", "json").stdout)
    if name not in marks:
        marks[name] = -1
    since = marks[name]
    what = "report %s of night %d" % (name, night)

    # Of two hosts that were joined, findings that opened at the same moment are one.
    joined = any(at > since and event == "merged" for at, host, event, *detail in lives)

    def line(f):
        return (f["host"], f["check_code"], f["subject"])

    def mine(f):
        return (f.host.name, f.check, f.subject)

    opened = [f for f in findings if f.opened > since and f.closed is None]
    passed = [f for f in findings if f.opened > since and f.closed is not None]
    closed = [f for f in findings if f.opened <= since and f.closed is not None and f.closed > since and not f.with_host]
    worsened = [f for f in findings if f.opened <= since and f.closed is None and f.weights[-1][1] > f.weight_at(since)]
    compare(what + ": opened", map(mine, opened), [line(f) for s in ("new", "outliers", "silent", "waived") for f in document[s] if f["is_new"]], joined)
    compare(what + ": came and went", map(mine, passed), map(line, document["passed"]), joined)
    compare(what + ": closed", map(mine, closed), map(line, document["closed"]), joined)
    compare(what + ": worsened", map(mine, worsened), map(line, document["worsened"]))
    for f in opened + passed:
        told_openings[name, f] = told_openings.get((name, f), 0) + 1
    for f in closed:
        told_closings[name, f] = told_closings.get((name, f), 0) + 1

    there = [h for h in hosts if h.present]
    compare(what + ": became mixed", [h.name for h in there if verdicts.at(h, since) != "mixed" == verdicts.at(h, clock)],
            document["verdicts"]["became_mixed"])
    compare(what + ": mended", [h.name for h in there if (verdicts.at(h, since), verdicts.at(h, clock)) == ("mixed", "level")],
            document["verdicts"]["mended"])
    compare(what + ": no longer judged", [], document["verdicts"]["lost"])

    files, guids = [], []
    for host in hosts:
        before, now = state_at(host, since), state_at(host, clock)
        if host.merged or before is None or now is None:
            continue
        files += [(host.name, file, now[0].get(file)) for file in set(before[0]) | set(now[0]) if before[0].get(file) != now[0].get(file)]
        guids += [(host.name, before[1], now[1])] if before[1] != now[1] else []
    versions = {"SP2": "6.0.3790.3959", "SP1": "6.0.3790.1830", "RTM": "6.0.3790.0", "there": "6.0.3790.3959"}
    files = [(host, file, versions.get(level, "")) for host, file, level in files]
    # A line is of several hosts and files: each of the hosts has some of them, each of the files some of the hosts.
    told = []
    for change in document["changes"]:
        line = [(f["file"].split("/")[-1], f["new"] or "") for f in change["files"]]
        true = [(host, *f) for host in change["host_names"] for f in line if (host, *f) in files]
        if {t[0] for t in true} != set(change["host_names"]) or {t[1:] for t in true} != set(line):
            fail("%s: files that did not change since are told: %s" % (what, change))
        told += true
    compare(what + ": files", files, told)
    compare(what + ": identity", guids, [(host, f["old_value"], f["new_value"]) for f in document["facts"] for host in f["host_names"]
                                         if f["what"] == "machine_guid"])

    last = {}
    for at, host, event, *detail in lives:
        if at > since and not host.merged:
            kind = event if event in ("renamed", "first reported", "merged") else "retired"
            last.setdefault((host, kind), []).append((event, *detail))
    events = []
    for (host, kind), happened in last.items():
        events.append((host.name, happened[-1][0], ", then ".join(d for e, d in happened) if kind in ("renamed", "merged") else ""))
    compare(what + ": life", events, [(host, e["event"], e["detail"] if e["event"] in ("renamed", "merged") else "")
                                      for e in document["life"] for host in e["host_names"]])
    marks[name] = clock


# ---- What happens.
def present():
    return [h for h in hosts if h.present and night >= h.away_until]


def some(choice):
    return dice.choice(choice) if choice else None


def break_it(host):
    file = dice.choice(["iisutil.dll", "iisutil.dll", "asp.dll"])
    host.levels[file] = dice.choice([level for level in BUILDS[file] if level != "SP2"])
    tell("%s gets %s of %s" % (host.name, file, host.levels[file]))
    report_in(host)


def mend(host):
    host.levels = {f: "SP2" for f in BUILDS}
    tell("%s is mended" % host.name)
    report_in(host)


def vendor(host):
    host.extra = not host.extra
    tell("%s: vendor.dll %s" % (host.name, "comes" if host.extra else "goes"))
    report_in(host)


def rename(host):
    taken = {h.name for h in hosts} | {h.computer for h in hosts}
    name = dice.choice([name for name in ("web-%03d" % n for n in range(1, 1000)) if name not in taken])
    in_windows = dice.random() < 0.6
    tell("%s is renamed %s %s" % (host.name, name, "in Windows" if in_windows else "by a person"))
    if in_windows:
        host.computer = name
        host.write_identity()
    # What a person called it stays.
    if not in_windows or not host.named:
        lives.append((clock, host, "renamed", "from " + host.name))
        before, host.name = host.name, name
    if in_windows:
        report_in(host)
    else:
        host.named = True
        evenkeel("hosts", "rename", before, name)


def retire(host):
    tell("%s is retired" % host.name)
    evenkeel("hosts", "retire", host.name, "--reason", "sold")
    lives.append((clock, host, "retired"))
    host.present, host.retired = False, True


def restore(host):
    tell("%s is restored" % host.name)
    evenkeel("hosts", "restore", host.name)
    lives.append((clock, host, "restored"))
    host.present, host.retired = True, False
    verdicts.forget_retirement(host)
    for f in findings:
        if f.host is host and f.with_host and f.closed == max(at for at, h, event, *_ in lives if h is host and event == "retired"):
            f.closed, f.with_host = None, False
    report_in(host)


def come_back(host):
    tell("%s comes back" % host.name)
    report_in(host)


def arrive(like=None):
    host = Host("new-%03d" % count, like)
    tell("%s is new%s" % (host.name, ", a clone of " + like.name if like else ""))
    if like:
        host.levels, host.extra = dict(like.levels), like.extra
    lives.append((clock, host, "first reported"))
    report_in(host)


def reinstall(host):
    host.new_identity()
    host.state += 1
    host.levels, host.computer = {f: "SP2" for f in BUILDS}, host.name
    tell("%s is made anew" % host.name)
    host.write_files()
    host.write_identity()
    if "waits" not in host.push(expect=1).stderr:
        fail("whoever takes the name of %s was not made to wait" % host.name)
    evenkeel("hosts", "approve", "--replace", host.name)
    report_in(host)


def merge(gone, kept):
    tell("%s is joined into %s" % (gone.name, kept.name))
    evenkeel("hosts", "merge", gone.name, kept.name)
    lives.append((clock, kept, "merged", "with " + gone.name))
    gone.present, gone.merged = False, True
    for f in findings:
        if f.host is gone:
            f.host = kept
            if f.closed is None:
                f.closed = clock
    kept.history = sorted(kept.history + gone.history, key=lambda h: h[0])
    for at, host, event, *detail in [l for l in lives if l[1] is gone]:
        lives.remove((at, host, event, *detail))
        if event != "first reported":
            lives.append((at, kept, event, *detail))
    report_in(kept)


def happen():
    here, gone = present(), [h for h in hosts if h.retired]
    clones = [(b, a) for a in here for b in here if a.number < b.number and a.guid == b.guid and a.levels == b.levels and a.extra == b.extra]
    mixed = [h for h in here if any(level != "SP2" for level in h.levels.values())]
    what = dice.choices(["break", "mend", "vendor", "rename", "retire", "restore", "back", "new", "clone", "reinstall", "merge", "away"],
                        [7, 6, 3, 3, 3, 3, 2, 1, 2, 2, 2, 2])[0]
    if what == "break" and here:
        break_it(some(here))
    elif what == "mend" and mixed:
        mend(some(mixed))
    elif what == "vendor" and here:
        vendor(some(here))
    elif what == "rename" and here:
        rename(some(here))
    elif what == "retire" and len(here) > 4:
        retire(some(here))
    elif what == "restore" and gone:
        restore(some(gone))
    elif what == "back" and gone:
        come_back(some(gone))
    elif what == "new" and len(here) < 9:
        arrive()
    elif what == "clone" and len(here) < 9:
        whole = [h for h in here if sum(o.guid == h.guid for o in hosts if not o.merged) == 1]
        if whole:
            arrive(some(whole))
    elif what == "reinstall" and here:
        reinstall(some(here))
    elif what == "merge" and clones:
        merge(*some(clones))
    elif what == "away" and len(here) > 4:
        host = some(here)
        host.away_until = night + dice.randint(4, 7)
        tell("%s is switched off until night %d" % (host.name, host.away_until))
    settle()
    verdicts.note()


night = 0
for _ in range(6):
    arrive()
settle()
evenkeel("baseline", "capture", "--product", "windows-2003", "--level", "SP2", "--host", hosts[0].name)
settle()
verdicts.note()
report("nightly")
report("others")
for night in range(1, nights + 1):
    psql("call month.a_day_passes()")
    tell("begins")
    settle()
    for host in hosts:
        if host.present and night >= host.away_until and night - host.seen >= 2:
            tell("%s reports" % host.name)
            report_in(host)
    settle()
    verdicts.note()
    # A report is early, late, repeated or missing; the other one is made twice a week.
    runs = dice.choices([["nightly"], ["nightly", "nightly"], []], [6, 2, 3])[0] + (["others"] if dice.random() < 0.3 else [])
    todo = ["happens"] * dice.randint(1, 4) + runs
    dice.shuffle(todo)
    for step in todo:
        happen() if step == "happens" else report(step)
for name in ("nightly", "others"):
    report(name)
    report(name)
    wrong = [f for f in findings if told_openings.get((name, f), 0) != 1]
    if wrong:
        fail("report %s told other than once that there is %s" % (name, wrong))
    wrong = [f for f in findings if f.closed is not None and not f.with_host and told_closings.get((name, f), 0) > 1]
    if wrong:
        fail("report %s told more than once that there is no more %s" % (name, wrong))
evenkeel("fsck", "--quiet")
print("%d nights, %d things happened, %d findings of %d hosts, %d events" % (nights, clock, len(findings), len(hosts), len(lives)))
