"""Random hosts of real DLLs, patches for them, and what Wine's loader says of both: the parts of the test risk-oracle.

    risk_oracle.py build SEED DIR      makes DIR: hosts, payloads, a catalogue, and hosts as each patch would leave them
    risk_oracle.py load DIR WINE       loads every host's DLLs by Wine, before and after: DIR/wine.json
    risk_oracle.py compare DIR         compares DIR/findings.json and DIR/risk-*.json with that; exit 0 only on full agreement

A universe has DLLs d0 to d9 at three levels and at one build per patch. What a build exports (names, ordinals, forwarders to
DLLs of a higher number, so never in a circle) and imports (some with delay) is drawn per build; a host is a folder of them, most at one
level, some mixed, some with a DLL missing. c0 to c2 are new with a patch.
"""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pefile

HOSTS, PATCHES, DLLS, LEVELS = 60, 3, 10, 3
APP = "Program Files/App"
WINE_SYSTEM = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows"
REVISIONS = [0, 1000, 2000]

LOADER = r"""
#include <windows.h>
static char text[1 << 16];
static void say(const char *words)
{
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), words, lstrlenA(words), &written, 0);
}
void start(void)
{
    DWORD length = 0;
    HANDLE file = CreateFileA("orders.txt", GENERIC_READ, FILE_SHARE_READ, 0, OPEN_EXISTING, 0, 0);
    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, text, sizeof text - 1, &length, 0))
        ExitProcess(2);
    for (char *line = text; line < text + length;) {
        char *end = line, *symbol = 0;
        for (; *end != '\n'; end++)
            if (*end == ' ')
                *end = 0, symbol = end + 1;
        *end = 0;
        HMODULE dll = LoadLibraryA(line);
        unsigned ordinal = 0;
        for (char *digit = symbol && *symbol == '#' ? symbol + 1 : ""; *digit; digit++)
            ordinal = ordinal * 10 + (*digit - '0');
        say("ORDER ");
        say(line);
        say(" ");
        say(symbol ? symbol : "-");
        say(!dll ? " gone\n" : !symbol || GetProcAddress(dll, ordinal ? (char *)(ULONG_PTR)ordinal : symbol) ? " ok\n" : " missing\n");
        line = end + 1;
    }
    ExitProcess(0);
}
"""


def run(*command, **options):
    subprocess.run(command, check=True, **options)


class Build:
    """One build of one DLL: exports {symbol: None, or (DLL, symbol) it is forwarded to} and imports {DLL: (delay, symbols)}."""

    def __init__(self, name, version, exports, imports):
        self.name, self.version, self.exports, self.imports = name, version, exports, imports


class Universe:
    def __init__(self, seed):
        self.random = draw = random.Random(seed)
        self.names = ["d%d" % i for i in range(DLLS)]
        self.new = ["c%d" % i for i in range(PATCHES)]
        self.symbols = {n: ["%s_n%d" % (n, i) for i in range(8)] + ["#%d" % (11 + i) for i in range(5)] for n in self.names + self.new}
        born = {(n, s): draw.choice([0, 0, 0, 0, 1, 2]) for n in self.names for s in self.symbols[n]}
        died = {key: draw.choice([1, 2]) if draw.random() < 0.03 else 9 for key in born}
        # Imports lead upwards, or are delayed, but for one circle of two: through larger ones, with a DLL missing, Wine loads and
        # unloads every way round before it gives up.
        order = self.names + self.new
        self.delayed = {(a, b): draw.random() < 0.25 or (order.index(b) < order.index(a) and (a, b) != ("d1", "d0")) for a in order for b in order}
        self.forwards = {}
        for place, n in enumerate(self.names[:-1]):
            for s in self.symbols[n]:
                if draw.random() < 0.2:
                    target = draw.choice(self.names[place + 1:])
                    sound = [t for t in self.symbols[target] if born[target, t] <= born[n, s] and died[target, t] >= died[n, s]]
                    self.forwards[n, s] = (target, draw.choice(sound if sound and draw.random() < 0.9 else self.symbols[target]))
        self.builds = {}
        for level in range(LEVELS):
            there = {n: [s for s in self.symbols[n] if born[n, s] <= level < died[n, s]] for n in self.names}
            for n in self.names:
                self.add(n, level, "1.0.0.%d" % REVISIONS[level], there[n], there, 0.02)
        self.patches = []
        for k in range(PATCHES):
            level = draw.choice([1, 2])
            there = {n: [s for s in self.symbols[n] if born[n, s] <= level < died[n, s]] for n in self.names}
            files = draw.sample(self.names, draw.randint(2, 4))
            if draw.random() < 0.7:
                there[self.new[k]] = draw.sample(self.symbols[self.new[k]], 9)
                files.append(self.new[k])
            for n in files:
                kept = [s for s in there[n] if draw.random() > 0.01]
                self.add(n, "p%d" % k, "1.0.0.%d" % (REVISIONS[level] + draw.choice([-300, 400])), kept, there, 0.02)
            self.patches.append((files, draw.random() < 0.5))

    def add(self, name, build, version, symbols, there, stray):
        draw = self.random
        exports = {s: self.forwards.get((name, s)) for s in symbols}
        exports["%s_always" % name] = None
        imports = {}
        others = [n for n in there if n != name]
        for other in draw.sample(others, draw.randint(2, 4)):
            drawn = draw.sample(self.symbols[other], draw.randint(1, 4))
            drawn = [s if s in there[other] or draw.random() < stray else draw.choice(there[other] + ["%s_always" % other]) for s in drawn]
            imports[other] = (self.delayed[name, other], sorted(set(drawn)))
        self.builds[name, build] = Build(name, version, exports, imports)


class Linker:
    """Real DLLs by GNU as and lld, which fills delay import directories."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)

    def code_name(self, name, symbol):
        return "%s_o%s" % (name, symbol[1:]) if symbol.startswith("#") else symbol

    def link(self, name, path, definition, code, libraries, options):
        base = path[:-4]
        with open(base + ".def", "w") as file:
            file.write("LIBRARY %s.dll\nEXPORTS\n%s" % (name, "".join(line + "\n" for line in definition)))
        with open(base + ".s", "w") as file:
            file.write(code)
        run("x86_64-w64-mingw32-as", "-o", base + ".o", base + ".s")
        run("lld-link", "/dll", "/machine:x64", "/entry:entry", "/nodefaultlib", "/def:" + base + ".def", "/out:" + path,
            "/implib:" + base + ".lib", "/timestamp:1000000000", base + ".o", *libraries, *options, stdout=subprocess.DEVNULL)
        return path

    def library(self, name, symbols):
        """An import library that knows every symbol that any build may have."""
        lines = []
        for s in symbols + ["%s_always" % name]:
            lines.append("%s = function%s" % (self.code_name(name, s), " @%s NONAME" % s[1:] if s.startswith("#") else ""))
        self.link(name, "%s/%s-all.dll" % (self.folder, name), lines, ".text\n.globl entry, function\nentry: function: ret\n", [], [])

    def exports(self, build):
        """The export directory in a section of its own, in assembly: lld takes forwarders by name only, whatever the ordinal that is asked for."""
        ordinals = {s: int(s[1:]) for s in build.exports if s.startswith("#")}
        names = sorted(s for s in build.exports if not s.startswith("#"))
        numbers = {**ordinals, **{s: number for number, s in enumerate(names, max(ordinals.values(), default=0) + 1)}}
        base, last = min(numbers.values()), max(numbers.values())
        symbols = {number: s for s, number in numbers.items()}
        forwards = {s: "%s.%s" % forward for s, forward in build.exports.items() if forward}
        lines = ['.section .expo,"dr"', "expo: .long 0, 0, 0", ".rva dll_name", ".long %d, %d, %d" % (base, last - base + 1, len(names)),
                 ".rva addresses, names, places", "addresses:"]
        lines += [".long 0" if n not in symbols else ".rva forward%d" % n if symbols[n] in forwards else ".rva function" for n in range(base, last + 1)]
        lines += ["names:"] + [".rva name%d" % numbers[s] for s in names]
        lines += ["places:"] + [".word %d" % (numbers[s] - base) for s in names]
        lines += ['dll_name: .asciz "%s.dll"' % build.name] + ['name%d: .asciz "%s"' % (numbers[s], s) for s in names]
        lines += ['forward%d: .asciz "%s"' % (numbers[s], target) for s, target in sorted(forwards.items())]
        return "".join(line + "\n" for line in lines)

    def build(self, build, path):
        code = ".text\n.globl entry, function, __delayLoadHelper2\nentry: mov $1, %eax\nfunction: __delayLoadHelper2: ret\n.data\n.globl uses\nuses:\n"
        libraries, options = [], ["/include:uses"]
        for other, (delay, symbols) in sorted(build.imports.items()):
            code += "".join(".quad __imp_%s\n" % self.code_name(other, s) for s in symbols)
            libraries.append("%s/%s-all.lib" % (self.folder, other))
            options += ["/delayload:%s.dll" % other] if delay else []
        commas = build.version.replace(".", ",")
        with open(path[:-4] + ".rc", "w") as file:
            file.write("1 VERSIONINFO FILEVERSION %s PRODUCTVERSION %s FILEOS 0x40004 FILETYPE 2\nBEGIN\nEND\n" % (commas, commas))
        run("x86_64-w64-mingw32-windres", "--preprocessor=cat", "-O", "res", path[:-4] + ".rc", path[:-4] + ".res")
        self.link(build.name, path, [], code + self.exports(build), libraries + [path[:-4] + ".res"], options)
        image = pefile.PE(path)
        section, = (s for s in image.sections if s.Name.rstrip(b"\0") == b".expo")
        with open(path, "r+b") as file:
            file.seek(image.OPTIONAL_HEADER.DATA_DIRECTORY[0].get_file_offset())
            file.write(struct.pack("<II", section.VirtualAddress, section.Misc_VirtualSize))


def catalogue(folder):
    os.makedirs(folder)
    tables = {
        "products": ["code,name,os_version,os_build,inetstp_major,follows_os,level_kind,coverage_share,source",
                     "oracle,Oracle,,,,false,service pack,,test"],
        "levels": ["product,ordinal,code,name,service_pack,marker_hotfix,ubr,released,source"]
                  + ["oracle,%d,L%d,Level %d,,,,,test" % (i, i, i) for i in range(LEVELS)],
        "lines": ["product,major,minor,build,revision_from,revision_to,source", "oracle,1,0,0,,,test"],
        "components": ["product,code,name,include,exclude,source", "oracle,app,App,c:/program files/app/**,,test"],
        "rules": ["product,level,relation,revision,source", "oracle,L0,=,0,test", "oracle,L1,>=,1000,test", "oracle,L2,>=,2000,test"],
    }
    for name, lines in tables.items():
        with open("%s/%s.csv" % (folder, name), "w") as file:
            file.write("\n".join(lines) + "\n")


def forwards_of(path):
    """The forwarders of a DLL, {symbol: (DLL, symbol)}; each has an ordinal, too, if it has a name."""
    forwards = {}
    for export in pefile.PE(path).DIRECTORY_ENTRY_EXPORT.symbols:
        if export.forwarder:
            target = tuple(export.forwarder.decode().split(".", 1))
            forwards["#%d" % export.ordinal] = target
            if export.name:
                forwards[export.name.decode()] = target
    return forwards


def version_key(build):
    return [int(part) for part in build.version.split(".")]


def fill(folder, held, universe, made):
    """A folder of DLLs with the program and what it is to do: load each, and look up what they import with delay."""
    os.makedirs(folder)
    shutil.copy(made["loader"], folder + "/loader.exe")
    orders = []
    for name, build in sorted(held.items()):
        shutil.copy(made[name, build], "%s/%s.dll" % (folder, name))
        orders.append("%s.dll" % name)
    for name, build in sorted(held.items()):
        for other, (delay, symbols) in sorted(universe.builds[name, build].imports.items()):
            orders += ["%s.dll %s" % (other, s) for s in symbols if delay]
    with open(folder + "/orders.txt", "w") as file:
        file.write("".join(order + "\n" for order in orders))


def build_all(seed, out):
    universe = Universe(seed)
    draw = universe.random
    linker = Linker(out + "/link")
    made = {"loader": out + "/link/loader.exe"}
    with open(out + "/link/loader.c", "w") as file:
        file.write(LOADER)
    run("x86_64-w64-mingw32-gcc", "-Os", "-nostdlib", "-fno-builtin", "-Wl,--entry,start", "-o", made["loader"], out + "/link/loader.c", "-lkernel32")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: linker.library(*item), universe.symbols.items()))
        for key in universe.builds:
            made[key] = "%s/link/%s-%s.dll" % (out, *key)
        list(pool.map(lambda key: linker.build(universe.builds[key], made[key]), universe.builds))
    forwards = {key: forwards_of(made[key]) for key in universe.builds}
    catalogue(out + "/catalogue")

    for k, (files, placed) in enumerate(universe.patches):
        folder = "%s/payloads/KB%d%s" % (out, 100000 + k, "/" + APP if placed else "")
        os.makedirs(folder)
        for name in files:
            shutil.copy(made[name, "p%d" % k], "%s/%s.dll" % (folder, name))

    hosts = {}
    for number in range(HOSTS):
        host = "host-%02d" % number
        level, k = draw.randrange(LEVELS), number % PATCHES
        held = {name: level for name in universe.names}
        for name in draw.sample(universe.names, draw.choice([0, 0, 0, 0, 1, 2])):
            held[name] = draw.randrange(LEVELS)
        if draw.random() < 0.2:
            # Of three the one that keeps fewest others from loading, or little could be compared.
            del held[min(draw.sample(universe.names, 3), key=lambda name: len(unloadable(
                {n: {"imports": universe.builds[n, b].imports} for n, b in held.items() if n != name})))]
        files, placed = universe.patches[k]
        after = dict(held)
        for name in files:
            patched = universe.builds[name, "p%d" % k]
            there = name in held
            if (there and version_key(universe.builds[name, held[name]]) <= version_key(patched)) or (not there and placed):
                after[name] = "p%d" % k
        root = "%s/hosts/%s" % (out, host)
        fill("%s/%s" % (root, APP), held, universe, made)
        fill("%s/after/%s" % (out, host), after, universe, made)
        os.makedirs(root + "/WINDOWS/system32")
        for name in ("kernel32", "ntdll", "kernelbase"):
            shutil.copy("%s/%s.dll" % (WINE_SYSTEM, name), root + "/WINDOWS/system32")
        hosts[host] = {"patch": "KB%d" % (100000 + k),
                       **{when: {name: {"forwards": forwards[name, build],
                                        "imports": universe.builds[name, build].imports} for name, build in files_then.items()}
                          for when, files_then in (("before", held), ("after", after))}}
    with open(out + "/hosts.json", "w") as file:
        json.dump(hosts, file)


GONE = re.compile(r'Library (\w+)\.dll \(which is needed by L"[^"]*\\(\w+)\.dll"\) not found')
STUB = re.compile(r'No implementation for (\w+)\.dll\.(\w+) imported from L"[^"]*\\(\w+)\.dll"')
ORDER = re.compile(r"^ORDER (\w+)\.dll (\S+) (ok|missing|gone)", re.M)


def unloadable(files):
    """What needs a DLL that is not there, itself or through others; in a circle of imports the loader may say that it was loaded."""
    failed, grown = set(), True
    while grown:
        grown = {name for name, content in files.items() if name not in failed
                 and any(not delay and (dll not in files or dll in failed) for dll, (delay, _) in content["imports"].items())}
        failed |= grown
    return failed


def loaded(folder, wine, files):
    """What the loader leaves unresolved: (importer, DLL, symbol), '*' for a DLL that is not there; and what it could not see."""
    program = subprocess.run([wine, "loader.exe"], cwd=folder, capture_output=True, text=True, errors="replace",
                             env={**os.environ, "WINEDEBUG": "warn+module"}, timeout=60)
    text = program.stderr
    orders = ORDER.findall(program.stdout)
    with open(folder + "/orders.txt") as file:
        if len(orders) != len(file.readlines()):
            raise SystemExit("%s: the program did not end: %s" % (folder, text[-2000:]))
    answer = {(dll, symbol): how for dll, symbol, how in orders}
    failed = {dll for dll, symbol, how in orders if symbol == "-" and how == "gone"} | unloadable(files)
    found = {(importer, dll, "*") for dll, importer in GONE.findall(text) if dll not in files}
    found |= {(importer, dll, "#" + symbol if symbol.isdigit() else symbol) for dll, symbol, importer in STUB.findall(text)}
    for importer, content in files.items():
        for dll, (delay, symbols) in content["imports"].items():
            for symbol in symbols if delay else ():
                if answer[dll, symbol] != "ok" and dll not in failed:
                    found.add((importer, dll, "*" if dll not in files else symbol))

    def hidden(dll, symbol):
        """Where the DLL, or one that it forwards to, does not load for want of another DLL, the loader tells nothing of the symbol."""
        while dll in files and dll not in failed and symbol in files[dll]["forwards"]:
            dll, symbol = files[dll]["forwards"][symbol]
        return dll in failed

    unseen = {(importer, dll, symbol) for importer, content in files.items()
              for dll, (delay, symbols) in content["imports"].items() for symbol in symbols if hidden(dll, symbol)}
    return found, unseen


def load_all(out, wine):
    with open(out + "/hosts.json") as file:
        hosts = json.load(file)
    tasks = [(host, when, "%s/hosts/%s/%s" % (out, host, APP) if when == "before" else "%s/after/%s" % (out, host))
             for host in hosts for when in ("before", "after")]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda task: loaded(task[2], wine, hosts[task[0]][task[1]]), tasks))
    answers = {}
    for (host, when, _), (found, unseen) in zip(tasks, results):
        answers.setdefault(host, {})[when] = {"found": sorted(found), "unseen": sorted(unseen)}
    with open(out + "/wine.json", "w") as file:
        json.dump(answers, file)


def unresolved(findings):
    """(importer, DLL, symbol) of findings of unresolved-import."""
    stem = lambda path: re.sub(r"\.dll$", "", path.rpartition("/")[2])
    return {(stem(f["evidence"]["importer"]["path"]), stem(f["evidence"]["dll"]), symbol)
            for f in findings for symbol in f["evidence"]["symbols"] or ["*"]}


def flat_names(out, patch):
    """The DLLs that a payload holds without their folders: where one lands that a host has nowhere is not known."""
    return {name[:-4] for name in os.listdir("%s/payloads/%s" % (out, patch)) if name.endswith(".dll")}


def compare(out):
    with open(out + "/hosts.json") as file:
        hosts = json.load(file)
    with open(out + "/wine.json") as file:
        wine = json.load(file)
    with open(out + "/findings.json") as file:
        findings = [f for f in json.load(file) if f["check"] == "unresolved-import"]
    risk = {}
    for k in range(PATCHES):
        with open("%s/risk-KB%d.json" % (out, 100000 + k)) as file:
            risk["KB%d" % (100000 + k)] = {row["host"]: row for row in json.load(file)["hosts"]}
    flat = {patch: flat_names(out, patch) for patch in risk}
    symbols = misses = alarms = unseen = new = 0
    verdicts = {}
    for host, content in hosts.items():
        row = risk[content["patch"]][host]
        verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
        before = unresolved(f for f in findings if f["host"] == host)
        come = unresolved(f for f in row["findings"] if f["check"] == "unresolved-import" and f["new"]) - before
        real = {when: {tuple(i) for i in wine[host][when]["found"]} for when in ("before", "after")}
        blind = {when: {tuple(i) for i in wine[host][when]["unseen"]} for when in ("before", "after")}
        for what, predicted, actual, beyond in (
                ("now", before, real["before"], blind["before"]),
                ("with " + content["patch"], come, real["after"] - real["before"], blind["after"] | blind["before"])):
            # What imports a DLL that the payload brings to no known place is unknown, and is not to be called anything else but at risk.
            open_end = {i for i in actual if what != "now" and i[2] == "*" and i[1] in flat[content["patch"]]}
            if row["verdict"] in ("unknown", "at risk"):
                beyond = beyond | open_end
            seen = actual - beyond
            for kind, wrong in (("miss", seen - predicted), ("false alarm", predicted - beyond - actual)):
                for importer, dll, symbol in sorted(wrong):
                    print("%s: %s %s: %s.dll %s.dll!%s" % (host, what, kind, importer, dll, symbol))
                misses += len(wrong) if kind == "miss" else 0
                alarms += len(wrong) if kind == "false alarm" else 0
            unseen += len(beyond)
            new += len(seen) if what != "now" else 0
        worse = real["after"] - real["before"] - blind["before"] - blind["after"]
        if row["verdict"] == "unknown":
            worse = {i for i in worse if i[2] != "*" or i[1] not in flat[content["patch"]]}
        if worse and row["verdict"] != "at risk":
            print("%s: Wine finds more unresolved with %s, but it is said to be %s" % (host, content["patch"], row["verdict"]))
            misses += 1
        symbols += sum(len(s) for f in content["after"].values() for _, s in f["imports"].values())
        symbols += sum(len(s) for f in content["before"].values() for _, s in f["imports"].values())
    print("verdicts: " + ", ".join("%d %s" % (n, v) for v, n in sorted(verdicts.items())))
    print("hosts %d, symbols %d (%d newly unresolved by patches, %d that the loader can't see), misses %d, false alarms %d"
          % (len(hosts), symbols, new, unseen, misses, alarms))
    return misses + alarms == 0


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build_all(int(sys.argv[2]), os.path.abspath(sys.argv[3]))
    elif sys.argv[1] == "load":
        load_all(os.path.abspath(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(not compare(sys.argv[2]))
