-- What hosts' files say together, component by component; and what is apart from that: files of another Windows, files without a version.

create or replace function evenkeel.find_chunk_levels()
returns void language plpgsql
as $$
declare
    entries bigint := (select sum(cardinality(chunk_ids)) from state_host);
    ranges real := (select reltuples from pg_class where oid = 'evenkeel.chunk_level'::regclass);
begin
    -- Each chunk is looked up once, however many hosts hold it; where they hold more than there is, all there is. The ends of ranges as
    -- numbers: the greatest and the least of these are found faster than ranges are intersected. An empty range has its ends crossed.
    -- A chunk with files whose version was not read is like none but itself, for they are named.
    delete from state_level;
    insert into state_level (chunk_id, component_id, product_id, files, covered, unread, greatest_lower, least_upper, hint, revision,
                             likeness_high, likeness_low)
    select cl.chunk_id, cl.component_id, cl.product_id, cl.files, cl.covered, cl.unread, evenkeel.range_lower_end(cl.levels),
           evenkeel.range_upper_end(cl.levels), cl.hint, cl.revision,
           case when cl.unread > 0 or cl.likeness_high is null then hashint8extended(cl.chunk_id, cl.component_id)
                else cl.likeness_high end,
           case when cl.unread > 0 or cl.likeness_high is null then hashint8extended(cl.chunk_id, cl.component_id + (1::bigint << 32))
                else cl.likeness_low end
    from state_chunk_level cl
    where entries >= ranges or cl.chunk_id in (select c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id));
    analyze state_level;
end
$$;
comment on function evenkeel.find_chunk_levels() is 'Fills state_level: what the chunks of the hosts of state_host say, each by itself.';

create or replace function evenkeel.find_levels()
returns void language plpgsql
as $$
begin
    delete from state_component;
    insert into state_component (host_id, component_id, product_id, levels, files, covered, hint, revision)
    select t.host_id, t.component_id, c.product_id, evenkeel.range_of_ends(t.greatest_lower, t.least_upper), t.files, t.covered, t.hint,
      t.revision
    from (select h.host_id, sl.component_id, max(sl.greatest_lower) as greatest_lower, min(sl.least_upper) as least_upper,
                 sum(sl.files) as files, sum(sl.covered) as covered, max(sl.hint) as hint, max(sl.revision) as revision
          from (select s.host_id, unnest(s.chunk_ids) as chunk_id
                from state_host s where s.host_id in (select a.lead from state_alike a)) h
          join state_level sl using (chunk_id)
          group by h.host_id, sl.component_id) t
    join evenkeel.component c using (component_id);
    analyze state_component;
end
$$;
comment on function evenkeel.find_levels() is
  'Fills state_component: what the chunks of each host of state_host say together that is judged for itself.';

create or replace function evenkeel.find_foreign_files()
returns void language plpgsql
as $$
begin
    delete from state_foreign;
    insert into state_foreign (host_id, product_id, file_id, levels, basis)
    with visited as materialized (
        select distinct c.host_id, f.os_version, f.os_build
        from state_component c
        join evenkeel.product q using (product_id)
        join state_declaration f using (host_id)
        where q.os_version <> '' and f.os_version <> '' and f.os_version <> q.os_version
    ), suspect as materialized (
        select distinct v.host_id, sl.chunk_id, p.product_id, p.os_version
        from visited v
        join state_host h using (host_id)
        cross join unnest(h.chunk_ids) c (chunk_id)
        join state_level sl using (chunk_id)
        join evenkeel.product q on q.product_id = sl.product_id and q.os_version not in ('', v.os_version)
        join evenkeel.product p on p.os_version = v.os_version
             and (p.os_build is null or v.os_build between p.os_build and coalesce(p.os_build_to, p.os_build))
    ), stranger as materialized (
        select distinct s.chunk_id, s.product_id, f.file_id, pa.name, pa.location, i.machine, i.file_version as version
        from (select distinct chunk_id, product_id, os_version from suspect) s
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f on f.file_id = u.file_id
        join evenkeel.path pa on pa.path_id = f.path_id
        join evenkeel.path_component pc on pc.path_id = f.path_id and pc.product_id = s.product_id
        join evenkeel.image i on i.image_id = f.image_id
        where exists (select from evenkeel.file_level fl join evenkeel.product q using (product_id)
                      where fl.file_id = f.file_id and q.os_version not in ('', s.os_version))
          and not exists (select from evenkeel.file_level fl where (fl.file_id, fl.product_id) = (f.file_id, s.product_id))
    ), named as materialized (
        select n.chunk_id, n.product_id, n.file_id, min(b.first_ordinal) filter (where b.relation <> '<=' and n.version < b.version)
          as bound
        from stranger n
        join evenkeel.statement b on b.product_id = n.product_id and b.file in (n.name, n.location)
          and (b.machine is null or b.machine = n.machine)
        group by n.chunk_id, n.product_id, n.file_id
    )
    select s.host_id, s.product_id, t.file_id, int4range(null, t.bound),
           case when t.bound is null then 'a build of another Windows'
                else format('a build of another Windows; %s ships %s', evenkeel.level_name(t.product_id, t.bound),
                            (select evenkeel.version_text(min(b.version))
                             from stranger n join evenkeel.statement b
                               on b.product_id = n.product_id and b.file in (n.name, n.location)
                                 and (b.machine is null or b.machine = n.machine)
                             where (n.file_id, n.product_id) = (t.file_id, t.product_id) and b.relation <> '<='
                               and t.bound between b.first_ordinal and b.last_ordinal)) end
    from suspect s
    join named t using (chunk_id, product_id);
    analyze state_foreign;
end
$$;
comment on function evenkeel.find_foreign_files() is
  'Fills state_foreign: files that lie where a product''s own should, by name, place and machine, but are builds of another Windows. An '
  'older one is below what a level ships; of a newer one nothing is known.';

create or replace function evenkeel.find_unread_files()
returns void language plpgsql
as $$
begin
    delete from state_unread;
    if not exists (select from state_level where unread > 0) then
        return;
    end if;
    insert into state_unread (host_id, product_id, files, path)
    with held as materialized (
        select s.chunk_id, s.product_id, count(*) as files, min(p.path) as path
        from (select distinct chunk_id, product_id from state_level where unread > 0) s
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file_level fl on (fl.file_id, fl.product_id) = (u.file_id, s.product_id) and fl.unread
        join evenkeel.file f on f.file_id = u.file_id
        join evenkeel.path p using (path_id)
        group by s.chunk_id, s.product_id
    )
    select h.host_id, held.product_id, sum(held.files), min(held.path)
    from state_host h
    cross join unnest(h.chunk_ids) c (chunk_id)
    join held using (chunk_id)
    group by h.host_id, held.product_id;
    analyze state_unread;
end
$$;
comment on function evenkeel.find_unread_files() is
  'Fills state_unread: for the hosts and products that have such files, how many are without a version that could be read though levels '
  'ship them with one, and the first of them.';

create or replace function evenkeel.unreadable_text(entries integer)
returns text language sql immutable parallel safe
as $$
    select case when entries > 0 then format('%s of its disk could not be read: the collector says which; push again once it can read all',
                                             evenkeel.counted(entries, 'program or folder', 'programs or folders')) end
$$;
comment on function evenkeel.unreadable_text(integer) is
  'What is missing where the collector could not read that many programs or folders of a disk; null: it read all.';

create or replace function evenkeel.range_lower_end(levels int4range)
returns integer language sql immutable parallel safe
as $$ select case when isempty(levels) then 2147483647 else coalesce(lower(levels), -2147483648) end $$;
comment on function evenkeel.range_lower_end(int4range) is
  'The lower end as a number of which the greatest counts: the least of all where it is open, the greatest where the range is empty.';

create or replace function evenkeel.range_upper_end(levels int4range)
returns integer language sql immutable parallel safe
as $$ select case when isempty(levels) then -2147483648 else coalesce(upper(levels), 2147483647) end $$;
comment on function evenkeel.range_upper_end(int4range) is 'The upper end as a number of which the least counts.';

create or replace function evenkeel.range_of_ends(greatest_lower integer, least_upper integer)
returns int4range language sql immutable parallel safe
as $$
    select case when greatest_lower >= least_upper then 'empty'::int4range
                else int4range(nullif(greatest_lower, -2147483648), nullif(least_upper, 2147483647)) end
$$;
comment on function evenkeel.range_of_ends(integer, integer) is 'The range between such ends: empty where they cross.';

