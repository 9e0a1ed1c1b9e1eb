"""The collector against other programs that walk, read and hash the same files."""

import itertools
import json
import os
import random
import shutil
import statistics
import struct
import subprocess

from fleet import Fleet
from measure import SOURCE, Line, at_least, at_most, cpu_seconds, medians, number, peak_bytes, times_less, under, wall_seconds

WINE = "/usr/lib/x86_64-linux-gnu/wine"
FOLDERS = [os.path.join(WINE, name) for name in ("x86_64-windows", "i386-windows")]

# What python3-pefile takes for the version alone: the resource directory and nothing else.
PEFILE = """
import os, sys, pefile
for start in sys.argv[1:]:
    for top, _, names in os.walk(start):
        for name in names:
            try:
                pe = pefile.PE(os.path.join(top, name), fast_load=True)
            except pefile.PEFormatError:
                continue
            pe.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
            for fixed in getattr(pe, "VS_FIXEDFILEINFO", [])[:1]:
                print(os.path.join(top, name), fixed.FileVersionMS, fixed.FileVersionLS)
            pe.close()
"""


def wine_folders(setting):
    """All of libwine's PE files; for a small run some of them, copied."""
    if not setting.small:
        return FOLDERS
    folder = setting.directory("some-wine")
    for name in sorted(n for n in os.listdir(FOLDERS[0]) if n.endswith(".dll"))[:20]:
        shutil.copy(os.path.join(FOLDERS[0], name), folder)
    return [folder]


def find(folders):
    return ["find", *folders, "-type", "f", "-printf", "%s %p\n"]


def scan(setting):
    """scan, versions only: CPU against the walk alone, exiftool and pefile."""
    folders = wine_folders(setting)
    ours, walk = medians(
        setting.size(15, 1), lambda: cpu_seconds([setting.collector, "scan", *folders]), lambda: cpu_seconds(find(folders))
    )
    exiftool, pefile = medians(
        setting.size(5, 1),
        lambda: cpu_seconds(["exiftool", "-q", "-q", "-r", "-csv", *folders], stderr=subprocess.DEVNULL),
        lambda: cpu_seconds(["/usr/bin/python3", "-c", PEFILE, *folders]),
    )
    yield times_less("scan against exiftool -r -csv", ours * 1e3, exiftool * 1e3, "ms CPU", 200)
    yield times_less("scan against pefile", ours * 1e3, pefile * 1e3, "ms CPU", 100)
    yield at_most("scan against find -printf", ours * 1e3, walk * 1e3, "ms CPU", 3)


def symbols(setting):
    """scan with exports and imports against scan with versions only."""
    folders = wine_folders(setting)
    ours, versions = medians(
        setting.size(15, 1),
        lambda: cpu_seconds([setting.collector, "scan", "--symbols", *folders]),
        lambda: cpu_seconds([setting.collector, "scan", *folders]),
    )
    yield at_most("scan with exports and imports", ours * 1e3, versions * 1e3, "ms CPU", 4)


def rescan(setting):
    """scan of what the cache knows unchanged, against the walk alone."""
    folders = wine_folders(setting)
    cache = os.path.join(setting.directory("rescan"), "cache")
    ours, walk = medians(
        setting.size(25, 1),
        lambda: cpu_seconds([setting.collector, "scan", "--cache", cache, *folders]),
        lambda: cpu_seconds(find(folders)),
    )
    yield at_most("rescan, nothing changed", ours * 1e3, walk * 1e3, "ms CPU", 1.5)


def sha256(setting):
    """scan --hash against openssl over the same files, in bytes a second of wall time."""
    folder = setting.directory("sha256")
    files, size = setting.size((64, 16 << 20), (3, 1 << 20))
    names = []
    for i in range(files):
        names.append(os.path.join(folder, f"{i:03}.bin"))
        with open(names[-1], "wb") as file:
            file.write(random.Random(i).randbytes(1 << 20) * (size >> 20))
    openssl = ["openssl", "dgst", "-sha256", *names]
    seen = subprocess.run(openssl, capture_output=True, text=True, check=True).stdout.split()[1::2]
    table = subprocess.run([setting.collector, "scan", "--hash", folder], capture_output=True, text=True, check=True).stdout
    if sorted(seen) != sorted(line.split("\t")[7] for line in table.splitlines()[1:]):
        raise SystemExit("sha256: openssl and the collector differ over the same files")
    ours, reference = medians(
        setting.samples,
        lambda: wall_seconds(lambda: cpu_seconds([setting.collector, "scan", "--hash", folder])),
        lambda: wall_seconds(lambda: cpu_seconds(openssl)),
    )
    yield at_least("scan with SHA-256, 1 GB", files * size / ours / 1e6, files * size / reference / 1e6, "MB/s", 0.9)
    shutil.rmtree(folder)


# Headers and a little more: what is cut off is told as a defect, and 200,000 whole files would be gigabytes.
KEPT_BYTES = 4096


def fill_drive(root, files):
    """A host's drive with that many PE files, all different: a small one of libwine's with another link time in each."""
    folders = [os.path.join(root, "windows", "system32", f"part{i:03}") for i in range((files + 999) // 1000)]
    with open(os.path.join(FOLDERS[0], "version.dll"), "rb") as file:
        image = bytearray(file.read())
    at = int.from_bytes(image[0x3C:0x40], "little") + 8
    for i in range(files):
        if i % 1000 == 0:
            os.makedirs(folders[i // 1000])
        image[at : at + 4] = i.to_bytes(4, "little")
        with open(os.path.join(folders[i // 1000], f"module{i:06}.dll"), "wb") as file:
            file.write(image[:KEPT_BYTES])
    return root


def memory(setting):
    """The most memory that scan and push hold, over 200,000 files."""
    root = fill_drive(os.path.join(setting.directory("memory"), "drive"), setting.size(200_000, 2_000))
    samples = 1 if setting.small else 5
    scanned = statistics.median(peak_bytes(setting, [setting.collector, "scan", "--root", root]) for _ in range(samples))
    yield under("peak memory, scan of 200,000 files", scanned, 16 << 20, "bytes")
    with Fleet(setting, "memory") as fleet:
        pushed = []
        for i in range(samples):
            state = os.path.join(setting.directory("memory"), f"state{i}")
            pushed.append(peak_bytes(setting, fleet.push_command(f"host{i}", root, state)))
        yield under("peak memory, push of 200,000 files", statistics.median(pushed), 16 << 20, "bytes")
    shutil.rmtree(root)


def traffic(output):
    """Bytes both ways out of the line that push prints."""
    words = output.replace(",", "").split()
    return int(words[words.index("sent") + 1]) + int(words[words.index("received") + 1])


def wire(setting):
    """Bytes both ways: an unchanged host, one changed file, the first push of a host whose chunks are all known."""
    files, changes = setting.size(3_000, 300), setting.size(100, 3)
    root = fill_drive(os.path.join(setting.directory("wire"), "drive"), files)
    with Fleet(setting, "wire") as fleet:

        def push(name, state):
            command = fleet.push_command(name, root, os.path.join(setting.directory("wire"), state))
            return traffic(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

        push("one", "state-one")
        unchanged = statistics.median(push("one", "state-one") for _ in range(5))
        known = statistics.median(push(f"known{i}", f"state-known{i}") for i in range(5))
        changed = []
        for pick in random.Random(7).sample(range(files), changes):
            path = os.path.join(root, "windows", "system32", f"part{pick // 1000:03}", f"module{pick:06}.dll")
            with open(path, "r+b") as file:
                file.seek(0x3C)
                at = int.from_bytes(file.read(4), "little") + 8
                file.seek(at)
                file.write((0x40000000 + pick).to_bytes(4, "little"))
            changed.append(push("one", "state-one"))
    yield under("wire, unchanged host", unchanged, 400, "bytes")
    yield under("wire, one changed file, median of 100", statistics.median(changed), 12 << 10, "bytes")
    yield under("wire, first push, all chunks known", known, 4 << 10, "bytes")
    shutil.rmtree(root)


# What tells that this is a Windows with a component store.
EXPORT = r"""Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]
"SystemRoot"="C:\\Windows"
"CurrentVersion"="6.3"
"CurrentMajorVersionNumber"=dword:0000000a
"CurrentMinorVersionNumber"=dword:00000000
"CurrentBuildNumber"="17763"
"UBR"=dword:000017a6
"""


def store(setting):
    """A snapshot with what its component store says against one without: a host of 20,000 files, a store of 15,000 more components."""
    folder = setting.directory("store")
    root = fill_drive(os.path.join(folder, "drive"), setting.size(20_000, 40))
    # The part of a version resource that build-store looks for, behind what fill_drive() keeps.
    version = struct.pack("<IIII", 0xFEEF04BD, 0x10000, 10 << 16, 17763 << 16 | 6054)
    for top, _, names in os.walk(root):
        for name in names:
            with open(os.path.join(top, name), "ab") as file:
                file.write(version)
    exports = [os.path.join(folder, name) for name in ("plain.reg", "winners.reg")]
    for name in exports:
        with open(name, "w", encoding="utf-8") as file:
            file.write(EXPORT)
    build = [os.path.join(SOURCE, "tests", "fixtures", "build-store"), root, exports[1], "--fill", str(setting.size(15_000, 5))]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    with Fleet(setting, "store") as fleet:
        runs = itertools.count()

        def push(export):
            # Each is a host's first: nothing is in its cache.
            name = f"host{next(runs)}"
            return cpu_seconds([*fleet.push_command(name, root, os.path.join(folder, name)), "--facts", export])

        # The least that it takes to know what the winners' folders hold: others are of the version before, but for what fills.
        others = ["-name", "*_10.0.17763.1_*", "!", "-name", "*-filler-*"]
        winners = ["find", os.path.join(root, "windows", "WinSxS"), "-mindepth", "1", "-maxdepth", "2", *others, "-prune", "-o", "-type", "f",
                   "-printf", "%i %f\n"]  # fmt: skip
        without, ours, listed = medians(
            setting.samples, lambda: push(exports[0]), lambda: push(exports[1]), lambda: cpu_seconds(winners)
        )
    yield at_most("first snapshot with the component store", ours * 1e3, without * 1e3, "ms CPU", 1.5)
    added = ours - without
    yield Line("what the store adds to it, against find", number(added * 1e3, "ms CPU"), number(listed * 1e3, "ms CPU"),
               f"{added / listed:.2f}x", "-", None)  # fmt: skip
    shutil.rmtree(root)


BENCHES = {"store": store, "scan": scan, "symbols": symbols, "rescan": rescan, "sha256": sha256, "memory": memory, "wire": wire}
