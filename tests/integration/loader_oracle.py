"""Random hosts, patches for them, and what a plain reading of the loader's rules says of both: the parts of the test loader-oracle.

    loader_oracle.py build SEED DIR    makes DIR: lists of hosts' and payloads' files for build-pe, registries, a catalogue, what to ask
    loader_oracle.py compare DIR       compares DIR/findings.json and DIR/risk-*.json with what is expected; exit 0 only on agreement

What Wine can't show: programs with DLLs of their own beside the system's, 32-bit programs on a 64-bit Windows, API sets of three versions of
Windows, and the branches of a payload, of which a host gets one. It is slow and simple: a host is {path: build}, and every rule is written
down here again, from what Windows does, and not from what is tested.
"""

import json
import os
import random
import sys

HOSTS, PATCHES = 24, 3
X86, X64 = "x86", "x64"
KINDS = {  # product: Windows as its version says, what levels are at, the last level, branches of patches, revisions of these
    "w52": dict(os="5.2", build="5.2.3790", base=2000, levels=["RTM", "SP1", "SP2"], branches=("SP2GDR/", "SP2QFE/"), sides=(2300, 2310)),
    "w61": dict(os="6.1", build="6.1.7601", base=17514, levels=["RTM", "SP1"],
                branches=("%s_part_1_6.1.7601.18100_none_0/", "%s_part_1_6.1.7601.22100_none_0/"), sides=(18100, 22100)),
    "w10": dict(os="10.0", build="10.0.17763", base=2000, levels=["RTM", "SP1", "SP2"], branches=None, sides=(2300, 2310)),
}
SETS = {  # API sets, and the first Windows that maps each; None: no Windows does, but from 8 on nothing says so
    "api-ms-win-core-file-l1-1-0": 601, "api-ms-win-core-file-l2-1-0": 602, "api-ms-win-crt-heap-l1-1-0": 1000, "api-ms-win-core-made-up-l1-1-0": None}
KNOWN = {"w61": {"api-ms-win-core-file-l1-1-0"}, "w10": {"api-ms-win-core-file-l1-1-0", "api-ms-win-crt-heap-l1-1-0"}}
SYSTEM = ["s0", "s1", "s2", "s3"]
SYMBOLS = {name: ["%s_%d" % (name, i) for i in range(6)] for name in SYSTEM + ["n0"]}
WINDOWS = "c:/windows/"


class Build:
    """A file's content: revision, machine, exports and imports {DLL: symbols}."""

    def __init__(self, revision, machine, exports, imports, kind="dll"):
        self.revision, self.machine, self.exports, self.imports, self.kind = revision, machine, sorted(exports), imports, kind

    def line(self, path, windows):
        fields = [path, self.kind, "%s.%d" % (KINDS[windows]["build"], self.revision), "-", "machine=" + self.machine]
        if self.exports:
            fields.append("exports=" + ",".join(self.exports))
        fields += ["imports=%s.dll!%s" % (dll, ",".join(sorted(symbols))) for dll, symbols in sorted(self.imports.items())]
        return " | ".join(fields)


def folder_of(path):
    return path.rpartition("/")[0] + "/"


def name_of(path):
    return path.rpartition("/")[2]


def system_of(host, machine):
    return WINDOWS + ("syswow64/" if host["wide"] and machine == X86 else "system32/")


def is_set(host, dll):
    """Whether the host's Windows takes the name for an API set."""
    since = SETS.get(dll, 9999)
    since = 602 if since is None else since
    return since <= {"w52": 502, "w61": 601, "w10": 1000}[host["windows"]]


def found(host, files, machine, dll, first):
    for folder in ([first] if first else []) + [system_of(host, machine), WINDOWS]:
        build = files.get("%s%s.dll" % (folder, dll))
        if build and build.machine == machine:
            return build
    return None


def broken(host, files):
    """(importer, DLL, symbol) that the loader misses: for certain, and in programs that may or may not load the importer."""
    certain, some = set(), set()
    programs = {folder_of(path) for path in files if path.endswith(".exe")}
    for path, build in files.items():
        for dll, symbols in build.imports.items():
            if is_set(host, dll):
                continue
            def misses(first):
                target = found(host, files, build.machine, dll, first)
                return {(path, dll, "*")} if target is None else {(path, dll, s) for s in symbols if s not in target.exports}
            if folder_of(path) in programs:
                certain |= misses(folder_of(path))
                continue
            certain |= misses(None)
            for program in programs:
                own = files.get("%s%s.dll" % (program, dll))
                if own and own.machine == build.machine:
                    some |= {miss + (program,) for miss in misses(program)}
    return certain, some


def api_unknown(host, files, landed, brought):
    """Whether what has landed wants something of an API set that nothing on the host vouches for."""
    for path, build in landed.items():
        for dll, symbols in build.imports.items():
            if not is_set(host, dll):
                continue
            old = files.get(path)
            users = [b.imports[dll] for b in files.values() if dll in b.imports]
            for symbol in symbols:
                if (old and symbol in old.imports.get(dll, ())) or any(symbol in used for used in users):
                    continue
                there = dll in KNOWN[host["windows"]] or users
                given = any(symbol in b.exports and b.machine == build.machine and folder_of(p) in (WINDOWS + "system32/", WINDOWS + "syswow64/")
                            for p, b in files.items()) or any(symbol in b.exports and b.machine == build.machine for _, _, b in brought)
                if not (there and given):
                    return True
    return False


def laid(host, files, brought, copies):
    """What lands where; with copies also on files of these names that lie elsewhere, of which it is not said whether they are replaced."""
    landed = {}
    for name, place, build in brought:
        there = [p for p, b in files.items() if name_of(p) == name and b.machine == build.machine]
        for path in ([place] if place else there) + [p for p in there if copies and p != place]:
            if path not in files or files[path].revision < build.revision:
                landed[path] = build
    return landed


def sides(host, patch):
    """The branches that the host may get: that of QFE where one of its files is of that, any where it is not known of one."""
    if not patch["branches"]:
        return [0]
    names = {name for name, _, _ in patch["files"][0]}
    known = [side_of(host, patch, build) for path, build in host["files"].items() if name_of(path) in names]
    return [1] if "qfe" in known else [0, 1] if None in known else [0]


def side_of(host, patch, build):
    kind = KINDS[host["windows"]]
    if host["windows"] == "w61":
        return "qfe" if build.revision >= 20000 else "gdr"
    return "gdr" if build.revision in (kind["base"], 2100) else "qfe" if build.revision == 2110 else None


def expected(host, patch):
    """The verdicts that are right; what is newly broken for certain, and what of that must be told. None: another reason comes first."""
    before, some_before = broken(host, host["files"])
    worlds, doubtful = [], set()
    for side in sides(host, patch):
        brought = patch["files"][side]
        certain = laid(host, host["files"], brought, False)
        for landed in [certain] if laid(host, host["files"], brought, True) == certain else [certain, laid(host, host["files"], brought, True)]:
            after, some = broken(host, {**host["files"], **landed})
            still = {miss for miss in after & before if miss[0] in landed}
            worlds.append((landed, after - before, still, some - some_before or api_unknown(host, host["files"], landed, brought)))
            doubtful |= {folder_of(path) for path in set(landed) - set(certain)}
    if len(worlds) == 1:
        landed, new, still, unknown = worlds[0]
        return {"not applicable" if not landed else "at risk" if new or still else "unknown" if unknown else "safe"}, new, new
    # Which of them comes true isn't known: what is safe in each may be called so where it's the branch alone, and nothing else.
    new = set.intersection(*(w[1] for w in worlds))
    still = set.intersection(*(w[2] for w in worlds))
    must = {miss for miss in new | still if folder_of(miss[0]) not in doubtful} if len(sides(host, patch)) == 1 else set()
    if must:
        return {"at risk"}, new, must & new
    safe = not doubtful and not any(w[1] or w[2] or w[3] for w in worlds)
    return {"unknown"} | ({"at risk"} if new or any(w[2] for w in worlds) else set()) | ({"safe"} if safe else set()), new, set()


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.patches = {"%s-%s-%d" % (windows, machine, k): self.patch(windows, machine, k)
                        for windows in KINDS for machine in ((X64,) if windows == "w10" else (X86, X64)) for k in range(PATCHES)}
        self.hosts = {"host-%02d" % k: self.host(k) for k in range(HOSTS)}

    def chance(self, share):
        return self.random.random() < share

    def wants(self, name, stray=0.0, windows=None, sets=0.0):
        """Imports of the system's DLLs; with a stray share of symbols that only some builds have, and of API sets."""
        imports = {}
        for dll in self.random.sample([s for s in SYSTEM if s != name], self.random.randint(1, 2)):
            imports[dll] = {SYMBOLS[dll][5] if self.chance(stray) else self.random.choice(SYMBOLS[dll][:5])}
        if self.chance(sets):
            mapped = [dll for dll in SETS if self.chance(0.4) or (windows != "w52" and dll == "api-ms-win-core-file-l1-1-0")]
            imports.update({dll: {self.random.choice(["Given", "Given", "Made"])} for dll in mapped[:1]})
        return imports

    def system(self, machine, windows, sets):
        base = KINDS[windows]["base"]
        files = {name + ".dll": Build(base, machine, SYMBOLS[name][:5], self.wants(name)) for name in SYSTEM}
        files["kernel32.dll"] = Build(base, machine, ["Sleep"], {})
        files["ntdll.dll"] = Build(base, machine, ["NtClose"], {})
        files["kernelbase.dll"] = Build(base, machine, ["Given"], {dll: {"Given"} for dll in sets})
        return files

    def host(self, number):
        windows = ["w52", "w61", "w10"][number % 3]
        wide = windows == "w10" or self.chance(0.5)
        programs = self.random.choice(["c:/program files", "c:/program files", "c:/programme", "c:/apps"])
        host = dict(windows=windows, wide=wide, programs=programs, programs_x86=programs + " (x86)" if wide else programs, files={})
        files, base = host["files"], KINDS[windows]["base"]
        sets = [dll for dll in SETS if is_set(host, dll) and SETS[dll] and self.chance(0.3)]
        for machine in [X64, X86] if wide else [X86]:
            for name, build in self.system(machine, windows, sets).items():
                files[system_of(host, machine) + name] = build
            home = (programs if machine == X64 or not wide else host["programs_x86"]) + "/app/"
            files[home + "prog.exe"] = Build(base + 1, machine, [], {"kernel32": {"Sleep"}}, "exe")
            files[home + "p0.dll"] = Build(base + 1, machine, ["P"], self.wants("p0", 0.1))
            for own in SYSTEM:
                if self.chance(0.15):
                    files["%s%s.dll" % (home, own)] = Build(base + 10, machine, [s for s in SYMBOLS[own] if self.chance(0.8)], self.wants(own))
            # A hotfix that came before, of either branch.
            path = system_of(host, machine) + "s1.dll"
            if KINDS[windows]["branches"] and home + "s1.dll" not in files and self.chance(0.4):
                side = self.random.choice([0, 1])
                revision = [[2100, 2110], [18050, 22050]][windows == "w61"][side]
                files[path] = Build(revision, machine, SYMBOLS["s1"][:5], files[path].imports)
        return host

    def patch(self, windows, machine, k):
        """Brings builds of the system's DLLs, with symbols more and fewer; names are placed, flat, or in the folders of two branches."""
        kind = KINDS[windows]
        shape = self.random.choice(["flat", "placed", "app"] + (["branches"] * 2 if kind["branches"] else []))
        names = self.random.sample(SYSTEM, self.random.randint(1, 2))
        files, payload = ([], []), []
        for side in (0, 1) if shape == "branches" else (0,):
            for name in names if shape != "app" else ["p0", "n0"]:
                exports = {"p0": ["P"]}.get(name) or [s for s in SYMBOLS[name] if self.chance(0.93)]
                imports = self.wants(name, 0.1, windows, 0.4)
                if (shape == "placed" and self.chance(0.3)) or name == "p0":
                    imports["n0"] = {self.random.choice(SYMBOLS["n0"][:3])}
                revision = kind["sides"][side] + 20 * k
                build = Build(revision, machine, exports, imports)
                below = {"flat": "", "placed": "system32/", "app": "Program Files/App/",
                         "branches": (kind["branches"] or ("", ""))[side].replace("%s", "amd64" if machine == X64 else "x86")}[shape]
                files[side].append((name + ".dll", below if shape in ("placed", "app") else None, build))
                payload.append((below + name + ".dll", build))
                if shape == "placed" and machine == X64 and self.chance(0.6):
                    other = Build(revision, X86, [s for s in SYMBOLS[name] if self.chance(0.93)], self.wants(name, 0.1))
                    files[0].append((name + ".dll", "syswow64/", other))
                    payload.append((self.random.choice(["wow/w", "syswow64/"]) + name + ".dll", other))
        if shape == "placed" and any("n0" in build.imports for _, _, build in files[0]):
            build = Build(kind["sides"][0] + 20 * k, machine, SYMBOLS["n0"][:self.random.choice([2, 6])], {})
            files[0].append(("n0.dll", "system32/", build))
            payload.append(("system32/n0.dll", build))
        return dict(windows=windows, machine=machine, branches=shape == "branches", files=files, payload=payload, shape=shape)

    def on_host(self, patch, host):
        """The patch with its places as the host has them: a patch of 32-bit files alone is laid out as a 32-bit installer does."""
        narrow = host["wide"] and all(build.machine == X86 for _, build in patch["payload"])
        places = {"system32/": WINDOWS + ("syswow64/" if narrow else "system32/"), "syswow64/": WINDOWS + "syswow64/",
                  "Program Files/App/": (host["programs_x86"] if narrow else host["programs"]) + "/app/"}
        return dict(patch, files=[[(name, places[place] + name if place else None, build) for name, place, build in side] for side in patch["files"]])


def registry(host):
    kind = KINDS[host["windows"]]
    current = {"w10": '"CurrentVersion"="6.3"\n"CurrentMajorVersionNumber"=dword:0000000a\n"CurrentMinorVersionNumber"=dword:00000000\n'}
    return ("Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n"
            + current.get(host["windows"], '"CurrentVersion"="%s"\n' % kind["os"]) + '"CurrentBuildNumber"="%s"\n' % kind["build"].split(".")[2]
            + '"SystemRoot"="C:\\\\WINDOWS"\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion]\n"ProgramFilesDir"="%s"\n'
            % host["programs"].replace("/", "\\\\") + ('"ProgramFilesDir (x86)"="%s"\n' % host["programs_x86"].replace("/", "\\\\") if host["wide"] else "")
            + "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:00000001\n"
            + "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager\\Environment]\n"
            + '"Path"="C:\\\\WINDOWS\\\\system32;C:\\\\WINDOWS"\n"PROCESSOR_ARCHITECTURE"="%s"\n' % ("AMD64" if host["wide"] else "x86"))


def catalogue(folder):
    os.makedirs(folder)
    products = KINDS.items()
    tables = {
        "products": ["code,name,os_version,os_build,inetstp_major,follows_os,level_kind,coverage_share,source"]
                    + ["%s,%s,%s,%s,,false,service pack,,test" % (code, code, k["os"], k["build"].split(".")[2]) for code, k in products],
        "levels": ["product,ordinal,code,name,service_pack,marker_hotfix,ubr,released,source"]
                  + ["%s,%d,%s,%s,,,,,test" % (code, i, level, level) for code, k in products for i, level in enumerate(k["levels"])],
        "lines": ["product,major,minor,build,revision_from,revision_to,source"]
                 + ["%s,%s,,,test" % (code, k["build"].replace(".", ",")) for code, k in products],
        "components": ["product,code,name,include,exclude,source"]
                      + ["%s,all,All,%%windir%%/**|?:/**/app/**,,test" % code for code, _ in products],
        "rules": ["product,level,relation,revision,source"]
                 + ["%s,%s,%s,%d,test" % (code, level, "=" if i == 0 else ">=", 0 if i == 0 else k["base"] if i == len(k["levels"]) - 1 else 1000)
                    for code, k in products for i, level in enumerate(k["levels"])],
    }
    for name, lines in tables.items():
        with open("%s/%s.csv" % (folder, name), "w") as file:
            file.write("\n".join(lines) + "\n")


def build_all(seed, out):
    world = World(seed)
    catalogue(out + "/catalogue")
    lines = []
    for name, host in world.hosts.items():
        lines += [build.line("hosts/%s/%s" % (name, path[3:]), host["windows"]) for path, build in sorted(host["files"].items())]
        with open("%s/%s.reg" % (out, name), "w") as file:
            file.write(registry(host))
    with open(out + "/patches", "w") as asked:
        for code, patch in world.patches.items():
            lines += [build.line("payloads/%s/%s" % (code, below), patch["windows"]) for below, build in patch["payload"]]
            asked.write("%s %s %s\n" % (code, patch["windows"], KINDS[patch["windows"]]["levels"][-1]))
        # The hotfix that some hosts have: its table says which builds are of which branch.
        for windows, revisions in (("w52", (2100, 2110)), ("w61", (18050, 22050))):
            for machine in X86, X64:
                for folder, revision in zip(KINDS[windows]["branches"], revisions):
                    below = folder.replace("%s", "amd64" if machine == X64 else "x86")
                    lines.append(Build(revision, machine, SYMBOLS["s1"], {}).line("payloads/%s-%s-old/%s%s" % (windows, machine, below, "s1.dll"), windows))
                asked.write("%s-%s-old %s %s\n" % (windows, machine, windows, KINDS[windows]["levels"][-1]))
    with open(out + "/files", "w") as file:
        file.write("".join(line + "\n" for line in lines))


def missed(findings):
    return {(f["evidence"]["importer"]["path"], f["evidence"]["dll"].removesuffix(".dll"), symbol)
            for f in findings for symbol in f["evidence"]["symbols"] or ["*"]}


def compare(seed, out):
    world = World(seed)
    with open(out + "/findings.json") as file:
        findings = [f for f in json.load(file) if f["check"] == "unresolved-import"]
    wrong, seen = 0, {}

    def tell(*words):
        nonlocal wrong
        wrong += 1
        print(*words)

    for name, host in world.hosts.items():
        now = missed(f for f in findings if f["host"] == name)
        certain, _ = broken(host, host["files"])
        if now != certain:
            tell(name, "now: told", sorted(now - certain), "not told", sorted(certain - now))
    for code, patch in world.patches.items():
        with open("%s/risk-%s.json" % (out, code)) as file:
            rows = {row["host"]: row for row in json.load(file)["hosts"]}
        for name, host in world.hosts.items():
            if host["windows"] != patch["windows"] or (patch["machine"] == X64 and not host["wide"]):
                continue
            verdicts, new, must = expected(host, world.on_host(patch, host))
            row = rows[name]
            seen[row["verdict"]] = seen.get(row["verdict"], 0) + 1
            if row["verdict"] not in verdicts:
                tell(code, patch["shape"], name, "is", row["verdict"], "and not", " or ".join(sorted(verdicts)), "-", row["reason"], sorted(new))
            come = missed(f for f in row["findings"] if f["check"] == "unresolved-import" and f["new"])
            come -= missed(f for f in findings if f["host"] == name)
            if row["verdict"] == "at risk" and not must <= come <= new:
                tell(code, patch["shape"], name, "would break: told", sorted(come - new), "not told", sorted(must - come))
    print("verdicts: " + ", ".join("%d %s" % (n, v) for v, n in sorted(seen.items())) + ", disagreements %d" % wrong)
    return wrong == 0


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build_all(int(sys.argv[2]), os.path.abspath(sys.argv[3]))
    else:
        sys.exit(not compare(int(sys.argv[2]), sys.argv[3]))
