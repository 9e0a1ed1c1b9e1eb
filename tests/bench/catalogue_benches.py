"""What many lists of updates cost: to load, and to judge by."""

import os
import random
import statistics
import subprocess

from fleet import SOURCE, Cluster
from measure import at_most, number, under, wall_seconds, Line

HEAD = 'Windows 10, version 1809 and Windows Server 2019 LCU x64-based\r\n"File name","File version","Date","Time","File size"\r\n'
FIRST = 20001  # a revision above those that the catalogue has

# As many files as a host has, each as one of the lists has it.
FILES = """
insert into evenkeel.image (digest, size, machine, time_date_stamp, size_of_image, checksum, characteristics, file_version, product_version,
    file_flags, file_version_string, product_version_string, product_name, company_name, original_filename, file_description, defects,
    has_symbols, export_names, export_ordinals, forwarders)
select sha256(convert_to(r::text, 'utf8')), 1, 34404, 0, 1, 0, 8192, evenkeel.version_of('10.0.17763.' || r), evenkeel.version_of('10.0.17763.' || r),
       0, '', '', '', '', '', '', 0, true, '{{}}', '{{}}', '{{}}'
from generate_series({first}, {first} + 100) r;
select count(*) from evenkeel.resolve_files(
    array(select sha256(convert_to('c:/windows/system32/f' || n || '.dll', 'utf8')) from generate_series(1, {files}) n),
    array(select 'c:/windows/system32/f' || n || '.dll' from generate_series(1, {files}) n),
    array(select (select image_id from evenkeel.image i where i.file_version = evenkeel.version_of('10.0.17763.' || ({first} + n % 100)))
          from generate_series(1, {files}) n));
analyze;
"""
JUDGE = "select count(*) from evenkeel.file_ranges(array(select file_id from evenkeel.file))"


def write_lists(folder, lists, files):
    """Each update builds a fifth of the files anew, and lists all that were ever built."""
    dice = random.Random(1)
    revisions = [FIRST] * files
    for update in range(lists):
        revision = FIRST + update * 10
        for file in dice.sample(range(files), files // 5):
            revisions[file] = revision
        revisions[0] = revision
        with open(os.path.join(folder, f"KB9{update:06}.csv"), "w", newline="") as out:
            out.write(HEAD)
            out.writelines(f'"f{n + 1}.dll","10.0.17763.{r}","01-Jan-2030","00:00","1,024"\r\n' for n, r in enumerate(revisions))


def lists(setting):
    """160 lists of 12,000 files: loading, what they take in the database, and judging by them against judging by 10."""
    count, files = setting.size((160, 12000), (6, 60))
    few = setting.size(10, 2)
    with Cluster(setting, "lists") as cluster:
        seconds, sizes = {}, {}
        for number_of in (few, count):
            folder = setting.directory(f"lists-{number_of}")
            write_lists(folder, number_of, files)
            database = f"lists_{number_of}"
            cluster.init(database)
            before = cluster.size(database)
            environment = dict(os.environ, EVENKEEL_DSN=cluster.dsn(database), EVENKEEL_SQL=os.path.join(SOURCE, "sql"))
            command = [setting.evenkeel, "catalog", "update", "--from", folder, "--quiet"]
            seconds[number_of] = wall_seconds(lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL))
            sizes[number_of] = cluster.size(database) - before
            cluster.psql(text=FILES.format(first=FIRST, files=setting.size(3000, 30)), database=database)
        turns = [{n: cluster.milliseconds(JUDGE, database=f"lists_{n}") for n in (few, count)} for _ in range(setting.samples)]
        judged = {n: statistics.median(turn[n] for turn in turns) for n in (few, count)}
        again = wall_seconds(lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL))
    yield under(f"loading {count} lists of {files:,} files", seconds[count], 60, "s")
    yield under("reading them again", again, 10, "s")
    yield Line("what they take in the database", number(sizes[count], "bytes"), "-", "-", "-", None)
    yield at_most(f"judging 3,000 files, {count} lists against {few}", judged[count], judged[few], "ms", 1.5)


BENCHES = {"lists": lists}
