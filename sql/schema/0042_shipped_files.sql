-- What lists and indexes say of a file is one row: its builds and their levels in arrays, once for all the products that share them. An
-- interval a row took 80 bytes, and a client's and a server's lists are mostly the same.

drop index evenkeel.shipped_file;
create table evenkeel.shipped_file (
    stem bigint not null,
    architecture integer,
    edition_id integer references evenkeel.edition,
    file text not null,
    products integer[] not null check (products <> '{}'),
    first_ordinals integer[] not null,
    last_ordinals integer[] not null,
    revisions integer[] not null,
    check (cardinality(first_ordinals) > 0 and cardinality(first_ordinals) = cardinality(last_ordinals)
           and cardinality(first_ordinals) = cardinality(revisions))
);
comment on table evenkeel.shipped_file is
  'What lists say of a file: every level with a list of that architecture, from the first to the last of a place in the arrays, ships '
  'the file exactly so. Intervals of one file are the same or disjoint: where a level ships several builds of a name, one ends where any '
  'of them changes. Read as evenkeel.shipped.';
comment on column evenkeel.shipped_file.stem is 'The versions without their last part: version >> 16.';
comment on column evenkeel.shipped_file.architecture is 'As level_list.architecture; of an index the image''s own machine.';
comment on column evenkeel.shipped_file.edition_id is 'The index by file names that says so; null: lists of levels do.';
comment on column evenkeel.shipped_file.file is 'The file''s name in lower case.';
comment on column evenkeel.shipped_file.products is 'The products that it is said of, rising.';
comment on column evenkeel.shipped_file.first_ordinals is 'The first levels, in order: each one with a list.';
comment on column evenkeel.shipped_file.last_ordinals is 'The last levels: each one with a list.';
comment on column evenkeel.shipped_file.revisions is 'The last parts of the versions.';

insert into evenkeel.shipped_file (stem, architecture, edition_id, file, products, first_ordinals, last_ordinals, revisions)
select stem, architecture, edition_id, file, array_agg(product_id order by product_id), first_ordinals, last_ordinals, revisions
from (select version::bigint >> 16 as stem, architecture, edition_id, file, product_id,
             array_agg(first_ordinal order by first_ordinal, version) as first_ordinals,
             array_agg(last_ordinal order by first_ordinal, version) as last_ordinals,
             array_agg((version::bigint & 65535)::integer order by first_ordinal, version) as revisions
      from evenkeel.shipped group by 1, 2, 3, 4, 5) s
group by stem, architecture, edition_id, file, first_ordinals, last_ordinals, revisions;
create index shipped_file_name on evenkeel.shipped_file (file);
create index shipped_file_edition on evenkeel.shipped_file (edition_id) where edition_id is not null;

-- Views that read the table, people's too, read the view in its place from now on.
alter table evenkeel.shipped rename to shipped_before;
create view evenkeel.shipped as
select p.product_id, s.architecture, i.first_ordinal, i.last_ordinal, (s.stem << 16 | i.revision)::evenkeel.version as version,
       s.edition_id, s.file
from evenkeel.shipped_file s
cross join unnest(s.products) p (product_id)
cross join unnest(s.first_ordinals, s.last_ordinals, s.revisions) i (first_ordinal, last_ordinal, revision);
comment on view evenkeel.shipped is
  'What lists say, an interval a row: every level with a list of that architecture, from the first to the last, ships the file exactly so.';
comment on column evenkeel.shipped.product_id is 'The product.';
comment on column evenkeel.shipped.architecture is 'As shipped_file.architecture.';
comment on column evenkeel.shipped.first_ordinal is 'The first level: one with a list.';
comment on column evenkeel.shipped.last_ordinal is 'The last level: one with a list.';
comment on column evenkeel.shipped.version is 'The version.';
comment on column evenkeel.shipped.edition_id is 'As shipped_file.edition_id.';
comment on column evenkeel.shipped.file is 'The file''s name in lower case.';
do $$
declare
    reader record;
begin
    for reader in select distinct c.relnamespace::regnamespace as schema, c.relname as name, pg_get_viewdef(c.oid) as definition
                  from pg_depend d join pg_rewrite w on w.oid = d.objid join pg_class c on c.oid = w.ev_class
                  where d.classid = 'pg_rewrite'::regclass and d.refobjid = 'evenkeel.shipped_before'::regclass
    loop
        execute format('create or replace view %s.%I as %s', reader.schema, reader.name,
                       replace(reader.definition, 'shipped_before', 'shipped'));
    end loop;
end
$$;
drop table evenkeel.shipped_before;
