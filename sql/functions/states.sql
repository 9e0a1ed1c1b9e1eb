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
    create temporary table state_overlay_chunk (chunk_id bigint primary key, file_ids integer[] not null) on commit delete rows;
    create temporary table state_overlay_chunk_level (like evenkeel.chunk_level including indexes) on commit delete rows;
    create temporary table state_level (like evenkeel.chunk_level) on commit delete rows;
    create temporary table state_component (like evenkeel.host_component including indexes) on commit delete rows;
    create temporary table state_foreign (
        host_id uuid not null, product_id integer not null, file_id integer not null, levels int4range not null, basis text not null
    ) on commit delete rows;
    create temporary table state_product (like evenkeel.host_product including indexes) on commit delete rows;
    create temporary table state_finding (
        host_id uuid not null, check_code text not null, subject text not null, severity text not null,
        summary text not null, evidence jsonb not null
    ) on commit delete rows;
    create temporary table state_key (key text primary key) on commit delete rows;
    perform evenkeel.patch_state_open();

    create temporary view state_chunk as
        select chunk_id, file_ids from evenkeel.chunk
        union all select chunk_id, file_ids from state_overlay_chunk;
    create temporary view state_chunk_level as
        select * from evenkeel.chunk_level
        union all select * from state_overlay_chunk_level;
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
        join evenkeel.host_facts_current f using (host_id)
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

create or replace function evenkeel.judge_state()
returns void language plpgsql
as $$
begin
    perform evenkeel.judge_content();
    analyze state_host;
    -- Each chunk is looked up once, however many hosts hold it; counted, so that all of a fleet is not joined by lookups either.
    delete from state_level;
    insert into state_level
    select cl.*
    from (select distinct c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id)) held
    join state_chunk_level cl using (chunk_id);
    analyze state_level;
    insert into state_component (host_id, component_id, product_id, levels, files, covered)
    select h.host_id, cl.component_id, cl.product_id, range_intersect_agg(cl.levels), sum(cl.files), sum(cl.covered)
    from state_host h
    cross join unnest(h.chunk_ids) c (chunk_id)
    join state_level cl using (chunk_id)
    group by h.host_id, cl.component_id, cl.product_id;
    analyze state_component;
    perform evenkeel.find_foreign_files();

    with gated as (
        select c.host_id, c.product_id, range_intersect_agg(c.levels) as levels, sum(c.files)::integer as files,
               sum(c.covered)::integer as covered
        from (select host_id, product_id, levels, files, covered from state_component
              union all
              select host_id, product_id, levels, 1, (upper(levels) is not null)::integer from state_foreign) c
        join evenkeel.product p using (product_id)
        left join evenkeel.host_facts_current f using (host_id)
        where (p.os_version = '' or coalesce(f.os_version, '') in ('', p.os_version))
          and (p.os_build is null or coalesce(f.os_build, 0) in (0, p.os_build))
          and (p.inetstp_major is null or coalesce(f.inetstp_major, 0) in (0, p.inetstp_major))
        group by c.host_id, c.product_id
    ), declaration as (
        select g.*, p.follows_os, p.level_kind, p.coverage_share, coalesce(f.has_registry, false) as has_registry,
               coalesce(f.os_version, '') as os_version, coalesce(f.service_pack, '') as service_pack, f.ubr, d.declared,
               (select max(l.ordinal) + 1 from evenkeel.level l where l.product_id = g.product_id) as level_count
        from gated g
        join evenkeel.product p using (product_id)
        left join evenkeel.host_facts_current f using (host_id)
        left join lateral (
            select int4range(min(l.ordinal), max(l.ordinal) + 1) as declared
            from (select l.ordinal, l.marker_hotfix <> '' and f.hotfix_ids ? l.marker_hotfix as marked,
                         bool_or(l.marker_hotfix <> '' and f.hotfix_ids ? l.marker_hotfix) over () as any_marked
                  from evenkeel.level l
                  where p.follows_os and f.has_registry and f.os_version <> '' and l.product_id = g.product_id
                    and case p.level_kind when 'service pack' then l.service_pack = f.service_pack else l.ubr = f.ubr end) l
            where l.marked or not l.any_marked
            having count(*) > 0
        ) d on true
    ), combined as (
        select d.*, d.levels * int4range(0, d.level_count) * coalesce(d.declared, int4range(null, null)) as agreed
        from declaration d
    )
    insert into state_product (host_id, product_id, levels, declared, files, covered, verdict, missing)
    select c.host_id, c.product_id, c.agreed, c.declared, c.files, c.covered,
           case when isempty(c.agreed) then 'mixed'
                when c.covered = 0 or c.covered < c.coverage_share::numeric * c.files
                     or (c.follows_os and c.declared is null) then 'unknown'
                else 'level' end,
           concat_ws('; ',
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
    from combined c;
    analyze state_product;
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
