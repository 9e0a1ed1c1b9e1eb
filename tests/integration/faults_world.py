"""The made-up fleet of tests/integration/faults: what every host holds, what its agent said of that, and whether the
database agrees. tests/unit/fault_agents.c reads the same file."""

import collections
import mmap
import struct

HOSTS = 200
GROUPS = 8  # processes of agents
FILES = 96
KNOWN = FILES - 1  # iisutil.dll; revision 1 makes the host mixed, 2 makes it level
WORDS = FILES + 2  # of a host: its files' revisions, its facts', its times'
HEAD = 16 * 8 + 8

Take = collections.namedtuple("Take", "epoch taken inventory facts times")


def host_name(number):
    return f"host-{number:03}"


class World:
    def __init__(self, path, random):
        self.random = random
        with open(path, "wb") as file:
            file.truncate(HEAD + HOSTS * WORDS * 4)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        for host in range(HOSTS):
            for file in range(KNOWN):
                self.set(host, file, 1 if file % 8 else random.randint(0, 3))
            self.set(host, KNOWN, 2)

    def set(self, host, word, value):
        struct.pack_into("=I", self.memory, HEAD + (host * WORDS + word) * 4, value)

    def get(self, host, word):
        return struct.unpack_from("=I", self.memory, HEAD + (host * WORDS + word) * 4)[0]

    def set_clock(self, group, microseconds):
        struct.pack_into("=q", self.memory, group * 8, microseconds)

    def freeze(self):
        """Every snapshot taken from now on shows the end."""
        struct.pack_into("=Q", self.memory, 16 * 8, 1)

    def change(self):
        """Some host changes: to what others hold, to what it held before, or to what nobody ever had."""
        random = self.random
        host = random.randrange(HOSTS)
        if random.random() < 0.1:
            self.set(host, KNOWN, random.randint(1, 2))
        for _ in range(random.randint(1, 3)):
            revision = random.randint(0, 5) if random.random() < 0.7 else random.randint(10, 60000)
            self.set(host, random.randrange(KNOWN), revision)
        if random.random() < 0.15:
            self.set(host, FILES, random.randint(0, 9))
        if random.random() < 0.1:
            self.set(host, FILES + 1, random.randint(1, 1000000))

    def files(self, host):
        """Path and version of each file that the host holds."""
        held = set()
        for file in range(FILES):
            revision = self.get(host, file)
            if revision != 0 and file != KNOWN:
                held.add((f"c:/windows/system32/harness{file:03}.dll", f"5.2.3790.{revision}"))
            elif revision != 0:
                held.add(("c:/windows/system32/inetsrv/iisutil.dll", f"6.0.3790.{0 if revision == 1 else 3959}"))
        return held


class Ledger:
    """What the agents said, in order."""

    def __init__(self):
        self.takes = collections.defaultdict(list)  # host -> Take
        self.accepted = collections.defaultdict(list)  # host -> Take, of epoch -1
        self.at_rest = set()  # hosts whose last state was accepted
        self.said = collections.Counter()
        self.unknown = []

    def read(self, line):
        kind, _, rest = line.partition(" ")
        words = rest.split(" ")
        if kind == "took" and len(words) == 6:
            self.takes[words[0]].append(Take(int(words[1]), int(words[2]), *words[3:]))
        elif kind == "accepted" and len(words) == 5:
            take = Take(-1, int(words[1]), *words[2:])
            self.accepted[words[0]].append(take)
            if any(t.epoch == 1 and t[1:] == take[1:] for t in self.takes[words[0]][-3:]):
                self.at_rest.add(words[0])
        elif kind == "said":
            self.said[rest.partition(" ")[2]] += 1
        else:
            self.unknown.append(line)

    def count(self):
        return sum(len(takes) for takes in self.accepted.values())


class Harm:
    """What those that mean harm were told, by what they tried."""

    LET_IN = ("enrolled", "accepted")
    WANTED = (("odd", "accepted"), ("other-name", "pending"), ("other-host", "refused OTHER_HOST"), ("too-long", "refused OVER_LIMIT"))

    def __init__(self):
        self.answers = collections.Counter()  # (what was tried, the first words of the answer)

    def read(self, line):
        what, _, answer = line.partition(" ")
        words = answer.split(" ")
        self.answers[what, " ".join(words[:2] if words[0] == "refused" else words[:1])] += 1

    def took(self, what, answer):
        return sum(number for (tried, said), number in self.answers.items() if tried == what and said == answer)

    def has_tried_all(self):
        return all(self.took(*wanted) > 0 for wanted in self.WANTED)

    def check(self):
        """A sentence for each thing that they should not have had, or that they never came to try."""
        for (what, answer), number in sorted(self.answers.items()):
            if what in ("other-name", "other-host", "too-long") and answer in self.LET_IN:
                yield f"one that means harm was {answer} with '{what}' {number} times"
        for what, answer in self.WANTED:
            if self.took(what, answer) == 0:
                yield f"'{what}' was never answered '{answer}': nothing was shown by it"


HISTORY = """
select h.name, encode(i.digest, 'hex'), (extract(epoch from i.taken_at) * 1000000)::bigint, i.valid_from, i.valid_to
from evenkeel.host h join evenkeel.host_{kind} i using (host_id) where h.name not like 'hostile-%' order by h.name, i.valid_from, i.valid_to"""

CURRENT = """
select h.name, encode(c.inventory, 'hex'), encode(c.facts, 'hex'), encode(c.times, 'hex'), encode(i.digest, 'hex'),
       encode(f.digest, 'hex'), encode(t.digest, 'hex'), f.facts ->> 'edition'
from evenkeel.host h left join evenkeel.host_checkin c using (host_id) left join evenkeel.host_inventory_current i using (host_id)
left join evenkeel.host_facts_current f using (host_id) left join evenkeel.host_times t using (host_id)
where h.name not like 'hostile-%' order by h.name"""

# Keys of honest hosts: those that mean harm have some of their own.
KEYS = """
select count(*), count(*) filter (where status = 'approved') from evenkeel.collector_key k
where not exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id) where hk.key_id = k.key_id and h.name like 'hostile-%')"""


def check_history(host, kind, rows, takes, accepted):
    """The rows of one host's history against what was taken and accepted of it: a sentence per problem."""
    order = {take.taken: number for number, take in enumerate(takes)}
    stated = [getattr(take, kind) for take in takes]
    places = []
    for number, (digest, taken, valid_from, valid_to) in enumerate(rows):
        place = order.get(int(taken))
        if place is None or stated[place] != digest:
            yield f"{host}: its {kind} of {valid_from} was never taken"
            continue
        if places and place <= places[-1][0]:
            yield f"{host}: its {kind} of {valid_from} is older than the one before it"
        places.append((place, digest))
        if valid_from >= valid_to:
            yield f"{host}: its {kind} of {valid_from} ends before it begins"
        if number + 1 < len(rows):
            if rows[number + 1][2] != valid_to:
                yield f"{host}: its {kind} has a gap or an overlap at {valid_to}"
            if rows[number + 1][0] == digest:
                yield f"{host}: its {kind} of {valid_from} stands there twice"
        elif valid_to != "infinity":
            yield f"{host}: its {kind} ends at {valid_to}"
    for take in accepted:
        place = order.get(take.taken)
        before = [digest for other, digest in places if place is not None and other <= place]
        if not before or before[-1] != getattr(take, kind):
            yield f"{host}: its {kind}, taken at {take.taken} and accepted, is not in the database"


def check(world, ledger, query):
    """Everything that is wrong, a sentence each; `query` gives a statement's rows as lists of text."""
    names = [host_name(number) for number in range(HOSTS)]
    found = [row[0] for row in query("select name from evenkeel.host where name not like 'hostile-%' order by name")]
    if found != names:
        yield f"the database has {len(found)} hosts, {len(set(found))} of them distinct, instead of {HOSTS}"
    keys = query(KEYS)[0]
    if keys != [str(HOSTS)] * 2:
        yield f"of {keys[0]} keys {keys[1]} are approved, instead of {HOSTS}"

    for kind in "inventory", "facts":
        rows = collections.defaultdict(list)
        for name, *row in query(HISTORY.format(kind=kind)):
            rows[name].append(row)
        for name in names:
            yield from check_history(name, kind, rows[name], ledger.takes[name], ledger.accepted[name])

    current = {row[0]: row[1:] for row in query(CURRENT)}
    files = collections.defaultdict(set)
    for name, path, version in query("select distinct host, path, file_version from ops.host_file where host not like 'hostile-%'"):
        files[name].add((path, version))
    for name, error in query("select h.name, n.error from evenkeel.not_judged n join evenkeel.host h using (host_id)"):
        yield f"{name}: it could not be judged: {error}"
    mixed = {row[0] for row in query("select host from ops.host where verdict = 'mixed'")}
    for number, name in enumerate(names):
        if name not in ledger.at_rest:
            yield f"{name}: its last state was not accepted in time"
            continue
        last = ledger.takes[name][-1]
        wanted = [last.inventory, last.facts, last.times] * 2 + [f"revision {world.get(number, FILES)}"]
        if current.get(name) != wanted:
            yield f"{name}: its current state is not its last one"
        if files[name] != world.files(number):
            yield f"{name}: {len(files[name] ^ world.files(number))} of its files are not what it holds"
        if (name in mixed) != (world.get(number, KNOWN) == 1):
            yield f"{name}: it was not judged as it is"
