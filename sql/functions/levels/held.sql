-- Files as their versions are to be read: which product's they are, on which of its lines, and what its rules read out of them.

create or replace function evenkeel.version_number(level_kind text, version evenkeel.version)
returns integer language sql immutable parallel safe
as $$
    select case level_kind when 'cumulative update' then evenkeel.version_revision(version)
                           when 'build' then (version & 2147483647)::integer end
$$;
comment on function evenkeel.version_number(text, evenkeel.version) is
  'The ordinal that a version carries itself where a product''s levels are numbers: UBR, or third part << 16 | fourth; null where they '
  'are service packs.';

create or replace function evenkeel.release_number(version evenkeel.version)
returns integer language sql immutable parallel safe
as $$
    -- 4.8.4515.0 and 2.0.50727.9164: what rises from update to update is the third part or, where that is the release's, the fourth.
    select evenkeel.version_minor(version) << 16 | coalesce(nullif(evenkeel.version_revision(version), 0), evenkeel.version_build(version))
$$;
comment on function evenkeel.release_number(evenkeel.version) is
  'A number that rises with the updates of a product that stands beside Windows: minor version << 16 | the part that they count up.';

create or replace function evenkeel.is_product_name(product integer, name text, location text)
returns boolean language sql stable parallel safe
as $$
    -- What is learned is what hosts have in common, which may be anybody's program.
    select exists (select from evenkeel.statement s where s.product_id = product and s.file in (name, location) and s.kind <> 'learned')
           or exists (select from evenkeel.known_file k where k.product_id = product and k.file = name)
           or exists (select from evenkeel.patch_file pf join evenkeel.patch t using (patch_id)
                      where t.product_id = product and pf.file in (name, location))
$$;
comment on function evenkeel.is_product_name(integer, text, text) is
  'Whether a file''s name, or name and place, is known as the product''s own: from a list, a capture, an article, or the names shipped.';

create or replace function evenkeel.held_files(files integer[])
returns table (file_id integer, product_id integer, component_id integer, level_kind text, name text, location text, machine integer,
               version bigint, revision integer, number integer, at_release boolean, on_line boolean, blind boolean, damaged boolean)
language sql stable
as $$
    with held as materialized (
        select f.file_id, pc.product_id, pc.component_id, p.name, p.location, i.machine, i.file_version as version,
          evenkeel.imports_unread(i.has_symbols, i.defects) as blind,
          -- It may have a version that could not be read. What is cut counts under any name; what is whole but for its version counts
          -- where its name is the product's, for damaged files of others lie about, too.
          case when i.file_version is not null then false
               when i.defects & evenkeel.pe_defect_cut() <> 0 then true
               when i.defects & evenkeel.pe_defect_unread_version() <> 0 then evenkeel.is_product_name(pc.product_id, p.name, p.location)
               else false end as damaged
        from evenkeel.file f
        join evenkeel.path_component pc using (path_id)
        -- What keeps a schedule of its own says nothing of the product's level.
        join evenkeel.component c on c.component_id = pc.component_id and c.declared
        join evenkeel.product q on q.product_id = pc.product_id
        join evenkeel.path p using (path_id)
        join evenkeel.image i using (image_id)
        where f.file_id = any (files)
          -- Drivers of others are given the version of the kit that they were built with, which is a Windows build.
          and (q.level_kind <> 'cumulative update' and not q.beside or i.company_name = '' or i.company_name ~* 'microsoft'
               or evenkeel.is_product_name(pc.product_id, p.name, p.location))
    ), spread as materialized (
        select version, evenkeel.version_major(version) as major, evenkeel.version_minor(version) as minor,
               evenkeel.version_build(version) as build, evenkeel.version_revision(version) as revision
        from (select distinct version from held where version is not null) v
    ), placed as materialized (
        select distinct s.version, l.product_id, s.revision
        from spread s
        join evenkeel.line l
          on s.major = coalesce(l.major, s.major) and s.minor = coalesce(l.minor, s.minor) and s.build = coalesce(l.build, s.build)
         and s.revision between l.revision_from and l.revision_to
    )
    select h.file_id, h.product_id, h.component_id, q.level_kind, h.name, h.location, h.machine, h.version, h.revision,
           case when h.on_line then evenkeel.version_number(q.level_kind, h.version) end,
           coalesce(h.revision = q.rtm_revision, false), h.on_line, h.blind, h.damaged
    from (select h.*, p.revision, p.product_id is not null as on_line,
                 bool_or(p.product_id is not null) over (partition by h.file_id) as on_some_line
          from held h left join placed p using (version, product_id)) h
    join evenkeel.product q using (product_id)
    -- What is on another product's line (Terminal Server's beside NT 4.0's) is that product's.
    where h.on_line or not h.on_some_line
$$;
comment on function evenkeel.held_files(integer[]) is
  'A row per file and product whose components hold its path, but for files on other products'' lines: its version''s parts, whether it '
  'is on a line of the product, and whether it is as the product was released; damaged: what version it has could not be read.';

create or replace function evenkeel.hold_files(files integer[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform content_open();
    delete from content_held;
    insert into content_held select * from held_files(files);
    analyze content_held;
end
$$;
comment on function evenkeel.hold_files(integer[]) is 'Fills content_held with the held_files(): all who judge a file look at the same.';
