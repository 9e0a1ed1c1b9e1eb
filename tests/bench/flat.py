"""The design that most inventories have, to compare with: one row per host and file, in the same cluster."""

import os

# What the two uses need: a host's files, and who has which version of a file.
TABLES = """
create table flat (host integer not null, path text not null, version bigint, primary key (host, path));
create index flat_path_version on flat (path, version);
"""

# The levels of mixed-level's rules for flat rows: what a version says, by the same catalogue, once per path and version. The
# paths of components are looked up once and kept beside, as anybody would.
EVALUATION = """
with told as (
    select f.host, c.product_id, c.component_id, f.version, r.levels
    from flat f
    join flat_component c using (path)
    join flat_range r on r.product_id = c.product_id and r.path = f.path and r.version = f.version
    union all
    select host, product_id, null, null, levels from flat_declared
), judged as (
    select host, product_id, range_intersect_agg(levels) as levels, count(*) as files
    from told group by host, product_id
)
select distinct host from judged where isempty(levels)
"""


class Flat:
    """A database 'flat' filled with what an Evenkeel database holds of some hosts."""

    def __init__(self, cluster, directory):
        self.cluster, self.directory = cluster, directory
        os.chmod(directory, 0o777)
        cluster.create("flat")
        cluster.query(TABLES, database="flat")

    def export(self, name, first, hosts):
        """Rows of simulated hosts first... into a file, by their numbers; returns the file and how many rows it has."""
        path = os.path.join(self.directory, name)
        self.cluster.query(f"""\\copy (
            select substring(h.name from '[0-9]+$')::integer, p.path, i.file_version
            from evenkeel.host h join evenkeel.host_inventory_current v using (host_id)
            cross join unnest(v.chunk_ids) c (chunk_id) join evenkeel.chunk k on k.chunk_id = c.chunk_id
            cross join unnest(k.file_ids) u (file_id) join evenkeel.file f on f.file_id = u.file_id
            join evenkeel.path p on p.path_id = f.path_id join evenkeel.image i on i.image_id = f.image_id
            where substring(h.name from '[0-9]+$')::integer between {first} and {first + hosts - 1}
        ) to '{path}'""".replace("\n", " "))
        with open(path, "rb") as file:
            return path, sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

    def copy(self, path):
        self.cluster.query(f"\\copy flat from '{path}'", database="flat")

    def copy_ranges(self):
        """The paths of components and what each of their versions says, as Evenkeel computed them."""
        self.cluster.query(
            """create table flat_component (path text not null, product_id integer not null, component_id integer not null,
                   primary key (path, product_id));
               create table flat_range (path text not null, version bigint, product_id integer not null, levels int4range);
               create table flat_declared (host integer not null, product_id integer not null, levels int4range);
               create index on flat_range (path, version)""",
            database="flat",
        )
        for table, query in (
            ("flat_component", "select p.path, c.product_id, c.component_id from evenkeel.path_component c join evenkeel.path p using (path_id)"),
            ("flat_range", """select distinct p.path, i.file_version, l.product_id, l.levels from evenkeel.file_level l
                              join evenkeel.file f using (file_id) join evenkeel.path p using (path_id)
                              join evenkeel.image i using (image_id)"""),
            ("flat_declared", f"""select substring(h.name from '[0-9]+$')::integer, s.product_id, s.declared
                                  from evenkeel.host_product s join evenkeel.host h using (host_id)
                                  where substring(h.name from '[0-9]+$')::integer < {self.hosts} and s.declared is not null"""),
        ):
            path = os.path.join(self.directory, table)
            self.cluster.query(f"\\copy ({' '.join(query.split())}) to '{path}'")
            self.cluster.query(f"\\copy {table} from '{path}'", database="flat")
        self.cluster.query("vacuum analyze", database="flat")
