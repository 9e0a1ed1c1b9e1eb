-- A state: the hosts that are to be judged, what they hold, and what follows. Checks read these relations only, so that they give
-- findings over what is, and risk over what would be: state_chunk may hold chunks that a patch would make.

create or replace function evenkeel.state_open()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', false), set_config('jit', 'off', false);
    if to_regclass('pg_temp.state_host') is not null then
        return;
    end if;
    create temporary table state_host (host_id uuid primary key, chunk_ids bigint[] not null) on commit delete rows;
    -- No plan depends on which chunks are held.
    alter table state_host alter chunk_ids set statistics 0;
    create temporary table state_overlay_chunk (chunk_id bigint primary key, file_ids integer[] not null) on commit delete rows;
    create temporary table state_overlay_chunk_level (like evenkeel.chunk_level including indexes) on commit delete rows;
    create temporary table state_level (
        chunk_id bigint not null, component_id integer not null, product_id integer not null, files integer not null, covered integer not null,
        unread integer not null, greatest_lower integer not null, least_upper integer not null
    ) on commit delete rows;
    create temporary table state_component (like evenkeel.host_component including defaults) on commit delete rows;
    create temporary table state_declaration (
        host_id uuid not null, os_version text not null, os_build integer not null, inetstp_major integer not null, has_registry boolean not null,
        service_pack text not null, ubr integer, markers text[]
    ) on commit delete rows;
    create temporary table state_foreign (
        host_id uuid not null, product_id integer not null, file_id integer not null, levels int4range not null, basis text not null
    ) on commit delete rows;
    create temporary table state_unread (
        host_id uuid not null, product_id integer not null, files integer not null, path text not null
    ) on commit delete rows;
    create temporary table state_product (like evenkeel.host_product including defaults) on commit delete rows;
    create temporary table state_finding (
        host_id uuid not null, check_code text not null, subject text not null, severity text not null,
        summary text not null, evidence jsonb not null
    ) on commit delete rows;
    create temporary table state_key (key text primary key) on commit delete rows;
    perform evenkeel.patch_state_open();

    create temporary view state_chunk as select chunk_id, file_ids from evenkeel.chunk;
    create temporary view state_chunk_level as select * from evenkeel.chunk_level;
    create temporary view state_facts as
        select f.* from evenkeel.host_facts_current f join state_host h using (host_id);
    create temporary view state_file as
        select h.host_id, f.file_id, f.path_id, f.image_id
        from state_host h
        cross join unnest(h.chunk_ids) c (chunk_id)
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f using (file_id);
end
$$;
comment on function evenkeel.state_open() is 'Prepares a session for judging: the temporary relations of a state, all empty.';

create or replace function evenkeel.state_overlay_open()
returns void language plpgsql
as $$
begin
    -- Only a session that lays patches over hosts pays for it: the planner knows the size of a table, and not that of a union.
    if pg_get_viewdef('pg_temp.state_chunk'::regclass) ~ 'state_overlay_chunk' then
        return;
    end if;
    create or replace temporary view state_chunk as
        select chunk_id, file_ids from evenkeel.chunk
        union all select chunk_id, file_ids from state_overlay_chunk;
    create or replace temporary view state_chunk_level as
        select * from evenkeel.chunk_level
        union all select * from state_overlay_chunk_level;
end
$$;
comment on function evenkeel.state_overlay_open() is 'Lets state_chunk and state_chunk_level hold the chunks that a patch would make, too, from now on.';

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
        join evenkeel.product p on p.os_version = v.os_version and (p.os_build is null or p.os_build = v.os_build)
    ), stranger as materialized (
        select s.chunk_id, s.product_id, f.file_id, min(b.ordinal) filter (where b.relation <> '<=' and i.file_version < b.version) as bound,
               min(evenkeel.version_text(b.version)) filter (where b.relation <> '<=' and i.file_version < b.version) as shipped
        from (select distinct chunk_id, product_id, os_version from suspect) s
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f on f.file_id = u.file_id
        join evenkeel.path pa on pa.path_id = f.path_id
        join evenkeel.path_component pc on pc.path_id = f.path_id and pc.product_id = s.product_id
        join evenkeel.image i on i.image_id = f.image_id
        join evenkeel.baseline b on b.product_id = s.product_id and b.file in (pa.name, pa.location)
        where exists (select from evenkeel.file_level fl join evenkeel.product q using (product_id)
                      where fl.file_id = f.file_id and q.os_version not in ('', s.os_version))
          and not exists (select from evenkeel.file_level fl where (fl.file_id, fl.product_id) = (f.file_id, s.product_id))
        group by s.chunk_id, s.product_id, f.file_id
    )
    select s.host_id, s.product_id, t.file_id, int4range(null, t.bound),
           case when t.bound is null then 'a build of another Windows'
                else format('a build of another Windows; %s ships %s', l.code, t.shipped) end
    from suspect s
    join stranger t using (chunk_id, product_id)
    left join evenkeel.level l on l.product_id = t.product_id and l.ordinal = t.bound;
    analyze state_foreign;
end
$$;
comment on function evenkeel.find_foreign_files() is 'Fills state_foreign: files that lie where a product''s own should, by name and place, but are builds of another Windows. An older one is below what a level ships; of a newer one nothing is known.';

create or replace function evenkeel.find_levels()
returns void language plpgsql
as $$
declare
    entries bigint := (select sum(cardinality(chunk_ids)) from state_host);
    ranges real := (select reltuples from pg_class where oid = 'evenkeel.chunk_level'::regclass);
begin
    -- Each chunk is looked up once, however many hosts hold it; where they hold more than there is, all there is. The ends of ranges as
    -- numbers: the greatest and the least of these are found faster than ranges are intersected. An empty range has its ends crossed.
    delete from state_level;
    if entries < ranges then
        insert into state_level (chunk_id, component_id, product_id, files, covered, unread, greatest_lower, least_upper)
        select cl.chunk_id, cl.component_id, cl.product_id, cl.files, cl.covered, cl.unread, evenkeel.range_lower_end(cl.levels), evenkeel.range_upper_end(cl.levels)
        from (select distinct c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id)) held
        join state_chunk_level cl using (chunk_id);
    else
        insert into state_level (chunk_id, component_id, product_id, files, covered, unread, greatest_lower, least_upper)
        select cl.chunk_id, cl.component_id, cl.product_id, cl.files, cl.covered, cl.unread, evenkeel.range_lower_end(cl.levels), evenkeel.range_upper_end(cl.levels)
        from state_chunk_level cl;
    end if;
    analyze state_level;
    insert into state_component (host_id, component_id, product_id, levels, files, covered)
    select t.host_id, t.component_id, c.product_id, evenkeel.range_of_ends(t.greatest_lower, t.least_upper), t.files, t.covered
    from (select h.host_id, sl.component_id, max(sl.greatest_lower) as greatest_lower, min(sl.least_upper) as least_upper,
                 sum(sl.files) as files, sum(sl.covered) as covered
          from (select host_id, unnest(chunk_ids) as chunk_id from state_host) h
          join state_level sl using (chunk_id)
          group by h.host_id, sl.component_id) t
    join evenkeel.component c using (component_id);
    analyze state_component;
end
$$;
comment on function evenkeel.find_levels() is 'Fills state_component: what the chunks of each host of state_host say together.';

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
comment on function evenkeel.find_unread_files() is 'Fills state_unread: for the hosts and products that have such files, how many are without a version that could be read though levels ship them with one, and the first of them.';

create or replace function evenkeel.unreadable_text(entries integer)
returns text language sql immutable parallel safe
as $$
    select case when entries > 0 then format('%s of its disk could not be read: the collector says which; push again once it can read all',
                                             case when entries = 1 then '1 program or folder' else format('%s programs or folders', entries) end) end
$$;
comment on function evenkeel.unreadable_text(integer) is 'What is missing where the collector could not read that many programs or folders of a disk; null: it read all.';

create or replace function evenkeel.range_lower_end(levels int4range)
returns integer language sql immutable parallel safe
as $$ select case when isempty(levels) then 2147483647 else coalesce(lower(levels), -2147483648) end $$;
comment on function evenkeel.range_lower_end(int4range) is 'The lower end as a number of which the greatest counts: the least of all where it is open, the greatest where the range is empty.';

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

create or replace function evenkeel.find_declarations()
returns void language plpgsql
as $$
declare
    known_markers text[] := array(select distinct marker_hotfix from evenkeel.level where marker_hotfix <> '');
begin
    delete from state_declaration;
    insert into state_declaration (host_id, os_version, os_build, inetstp_major, has_registry, service_pack, ubr, markers)
    select host_id, f.os_version, f.os_build, f.inetstp_major, f.has_registry, f.service_pack, f.ubr,
           case when f.hotfix_ids ?| known_markers then array(select m from unnest(known_markers) m where f.hotfix_ids ? m) end
    from evenkeel.host_facts_current f join state_host h using (host_id);
    analyze state_declaration;
end
$$;
comment on function evenkeel.find_declarations() is 'Fills state_declaration: what registries declare that levels are told by; of hotfixes those alone that mark a level.';

create or replace function evenkeel.find_products()
returns void language plpgsql
as $$
begin
    insert into state_product (host_id, product_id, levels, declared, files, covered, verdict, missing)
    with said as (
        select c.host_id, c.product_id, evenkeel.range_lower_end(c.levels) as greatest_lower, evenkeel.range_upper_end(c.levels) as least_upper,
               c.files, c.covered
        from (select host_id, product_id, levels, files, covered from state_component
              union all
              select host_id, product_id, levels, 1, (upper(levels) is not null)::integer from state_foreign) c
    ), combined as materialized (
        select host_id, product_id, evenkeel.range_of_ends(max(greatest_lower), min(least_upper)) as levels, sum(files)::integer as files,
               sum(covered)::integer as covered
        from said group by host_id, product_id
    ), declaration as materialized (
        -- Once per product and what is declared, however many hosts declare it.
        select p.product_id, f.service_pack, f.ubr, f.markers, d.declared
        from evenkeel.product p
        cross join (select distinct service_pack, ubr, markers from state_declaration where has_registry and os_version <> '') f
        cross join lateral (
            select int4range(min(l.ordinal), max(l.ordinal) + 1) as declared
            from (select l.ordinal, l.marker_hotfix <> '' and coalesce(l.marker_hotfix = any (f.markers), false) as marked,
                         bool_or(l.marker_hotfix <> '' and coalesce(l.marker_hotfix = any (f.markers), false)) over () as any_marked
                  from evenkeel.level l
                  where l.product_id = p.product_id
                    and case p.level_kind when 'service pack' then l.service_pack = f.service_pack else l.ubr = f.ubr end) l
            where l.marked or not l.any_marked
            having count(*) > 0
        ) d
        where p.follows_os
    ), known as materialized (
        select p.*, int4range(0, (select max(l.ordinal) + 1 from evenkeel.level l where l.product_id = p.product_id)) as all_levels
        from evenkeel.product p
    ), agreed as materialized (
        select c.host_id, c.product_id, c.files, c.covered, p.follows_os, p.level_kind, p.coverage_share,
               coalesce(f.has_registry, false) as has_registry, coalesce(f.os_version, '') as os_version,
               coalesce(f.service_pack, '') as service_pack, f.ubr, d.declared,
               c.levels * p.all_levels * coalesce(d.declared, int4range(null, null)) as agreed, u.files as unread, u.path as unread_path, k.unreadable
        from combined c
        join known p using (product_id)
        left join state_declaration f using (host_id)
        left join state_unread u on (u.host_id, u.product_id) = (c.host_id, c.product_id)
        left join evenkeel.host_checkin k on k.host_id = c.host_id and k.unreadable > 0
        left join declaration d on d.product_id = c.product_id and f.has_registry and f.os_version <> '' and d.service_pack = f.service_pack
             and coalesce(d.ubr, -1) = coalesce(f.ubr, -1) and coalesce(d.markers, '{}') = coalesce(f.markers, '{}')
        where (p.os_version = '' or coalesce(f.os_version, '') in ('', p.os_version))
          and (p.os_build is null or coalesce(f.os_build, 0) in (0, p.os_build))
          and (p.inetstp_major is null or coalesce(f.inetstp_major, 0) in (0, p.inetstp_major))
    )
    select c.host_id, c.product_id, c.agreed, c.declared, c.files, c.covered,
           case when isempty(c.agreed) then 'mixed'
                when c.covered = 0 or c.covered < c.coverage_share::numeric * c.files or c.unread > 0 or c.unreadable > 0
                     or (c.follows_os and c.declared is null) then 'unknown'
                else 'level' end,
           concat_ws('; ',
                evenkeel.unreadable_text(c.unreadable),
                case when c.unread > 0
                     then format('cannot read the version of %s%s: collect it again, or replace the file', c.unread_path,
                                 case when c.unread > 1 then format(' and of %s more', c.unread - 1) end) end,
                case when c.covered = 0 then format('no baseline for any of the %s files: capture one (evenkeel baseline capture)', c.files)
                     when c.covered < c.coverage_share::numeric * c.files
                     then format('baselines for only %s of %s files: capture one (evenkeel baseline capture)', c.covered, c.files) end,
                case when c.follows_os and c.has_registry and c.os_version = ''
                     then 'the registry says nothing of the Windows version: export SOFTWARE\Microsoft\Windows NT\CurrentVersion too'
                     when c.follows_os and c.has_registry and c.declared is null
                     then case c.level_kind
                          when 'service pack' then format('the catalogue has no level for the declared ''%s''', c.service_pack)
                          else format('the catalogue has no level for UBR %s: import that update''s file list', coalesce(c.ubr::text, '(none)')) end end,
                case when c.follows_os and not c.has_registry then 'no registry was read: not compared with what it declares' end)
    from agreed c;
    analyze state_product;
end
$$;
comment on function evenkeel.find_products() is 'Fills state_product: verdicts, from what components and foreign files say and registries declare.';

create or replace function evenkeel.judge_levels()
returns void language plpgsql
as $$
begin
    analyze state_host;
    perform evenkeel.find_levels();
    perform evenkeel.find_declarations();
    perform evenkeel.find_foreign_files();
    perform evenkeel.find_unread_files();
    perform evenkeel.find_products();
end
$$;
comment on function evenkeel.judge_levels() is 'Fills state_component and state_product for the hosts of state_host: what the check mixed-level needs.';

create or replace function evenkeel.judge_state()
returns void language plpgsql
as $$
begin
    while evenkeel.judge_content_of(array(select h.host_id from state_host h), 100000) > 0 loop
    end loop;
    perform evenkeel.judge_levels();
    perform evenkeel.judge_patches();
end
$$;
comment on function evenkeel.judge_state() is 'Fills state_component, state_product and state_patch for the hosts of state_host.';

create or replace function evenkeel.run_check(code text)
returns void language plpgsql
as $$
declare
    check_query text;
begin
    select d.query into strict check_query from evenkeel.check_definition d where d.code = run_check.code;
    execute format('insert into state_finding (host_id, check_code, subject, severity, summary, evidence)
                    select host_id, %L, subject, severity, summary, evidence from (%s) verdict', code, check_query);
end
$$;
comment on function evenkeel.run_check(text) is 'Runs one check over the state and adds its verdicts to state_finding.';

create or replace function evenkeel.store_findings(checks text[])
returns void language plpgsql
as $$
declare
    moment timestamptz := clock_timestamp();
begin
    analyze state_finding;
    update evenkeel.finding f set closed_at = greatest(moment, f.opened_at + interval '1 microsecond')
    from state_host h
    where f.host_id = h.host_id and f.closed_at = 'infinity' and f.check_code = any (checks)
      and not exists (select from state_finding s
                      where (s.host_id, s.check_code, s.subject) = (f.host_id, f.check_code, f.subject));
    insert into evenkeel.finding_past (host_id, check_code, subject, opened_at, valid_to, severity, weight, summary)
    select f.host_id, f.check_code, f.subject, f.opened_at, moment, f.severity, evenkeel.evidence_weight(f.evidence), f.summary
    from evenkeel.finding f
    join state_finding s on (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject)
    where f.closed_at = 'infinity'
      and (f.severity, evenkeel.evidence_weight(f.evidence)) is distinct from (s.severity, evenkeel.evidence_weight(s.evidence));
    update evenkeel.finding f set severity = s.severity, summary = s.summary, evidence = s.evidence, evidence_at = moment
    from state_finding s
    where (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity'
      and (f.severity, f.summary, f.evidence) is distinct from (s.severity, s.summary, s.evidence);
    insert into evenkeel.finding (host_id, check_code, subject, opened_at, severity, summary, evidence, evidence_at)
    select s.host_id, s.check_code, s.subject, moment, s.severity, s.summary, s.evidence, moment
    from state_finding s
    where s.check_code = any (checks)
      and not exists (select from evenkeel.finding f
                      where (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity');
end
$$;
comment on function evenkeel.store_findings(text[]) is 'Opens, updates and closes the findings of these checks for the hosts of state_host, as state_finding says.';
