-- Contradictions that prove nothing: by ends that are only likely, by builds that a hotfix may have brought, by files that wait for a
-- restart, by a registry that is out of date.

create or replace function evenkeel.find_hints()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into state_doubt (host_id, product_id, kind, sentence)
    with hinted as materialized (
        select r.host_id, r.product_id, r.hint, least(r.least_upper, upper(r.declared)) as upper_end
        from state_range r
        where not isempty(r.levels) and r.hint >= least(r.least_upper, coalesce(upper(r.declared), 2147483647))
          and not (r.base_ordinal is not null and r.hint < upper(r.declared))
    ), chunk_of as materialized (
        select distinct on (h.host_id, h.product_id) h.host_id, h.product_id, h.hint, sl.chunk_id
        from hinted h
        join state_host s using (host_id)
        cross join unnest(s.chunk_ids) with ordinality c (chunk_id, place)
        join state_level sl on sl.chunk_id = c.chunk_id and sl.product_id = h.product_id and sl.hint = h.hint
        order by h.host_id, h.product_id, c.place
    )
    select distinct on (c.host_id, c.product_id) c.host_id, c.product_id, 'hint',
           format('%s %s would be %s: %s; name it a file of the product''s (known_files.csv), or import what its levels ship',
                  pa.path, version_text(i.file_version), level_name_at_least(c.product_id, c.hint), fl.hint_basis)
    from chunk_of c
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file_level fl on (fl.file_id, fl.product_id) = (u.file_id, c.product_id) and fl.hint = c.hint
    join file f on f.file_id = u.file_id
    join path pa using (path_id)
    join image i using (image_id)
    order by c.host_id, c.product_id, pa.path;
end
$$;
comment on function evenkeel.find_hints() is
  'Adds to state_doubt the hosts that would be mixed if what is likely of a file were proven, naming the first such file.';

create or replace function evenkeel.find_trouble()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into state_trouble (host_id, product_id, doubt_from, hotfix, renames)
    select r.host_id, r.product_id, h.doubt_from, h.hotfix, nullif(f.facts -> 'pending_renames', '[]')
    from state_range r
    join product p using (product_id)
    join state_lead_facts f using (host_id)
    left join lateral (
        -- Hotfixes of whose files the catalogue knows nothing, and the pack that each counts towards: the least of them.
        select x.pack as doubt_from, x.id as hotfix
        from (select x.id, coalesce((select min(l.ordinal) from level l where l.product_id = r.product_id and x.pack <> ''
                                     and l.code = x.pack), 0) as pack
              from jsonb_to_recordset(f.facts -> 'hotfixes') h (id text, service_pack text)
              cross join lateral (select h.id, coalesce(h.service_pack, '') as pack) x) x
        where not exists (select from patch t join patch_file pf using (patch_id)
                          where t.product_id = r.product_id and patch_number(t.code) = patch_number(x.id) and pf.version is not null)
          and not exists (select from level l where l.product_id = r.product_id and l.marker_hotfix = x.id)
        order by x.pack, x.id limit 1) h on p.level_kind = 'service pack'
    where isempty(r.levels) and (h.hotfix is not null or f.facts -> 'pending_renames' <> '[]');
    if not found then
        return;
    end if;
    insert into state_trouble_file (host_id, product_id, path_id, file_id, levels, exact_from, upper_basis, lower_basis)
    select t.host_id, t.product_id, f.path_id, f.file_id, fl.levels, fl.exact_from, fl.upper_basis, fl.lower_basis
    from state_trouble t
    join state_host s using (host_id)
    cross join unnest(s.chunk_ids) c (chunk_id)
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file_level fl on (fl.file_id, fl.product_id) = (u.file_id, t.product_id)
    join file f on f.file_id = u.file_id
    union all
    select t.host_id, t.product_id, f.path_id, f.file_id, s.levels, null, s.basis, ''
    from state_trouble t join state_foreign s using (host_id, product_id) join file f using (file_id);
    analyze state_trouble_file;
end
$$;
comment on function evenkeel.find_trouble() is
  'Fills state_trouble and state_trouble_file: hosts that contradict themselves, where a hotfix or a restart may be all that is to it.';

create or replace function evenkeel.find_hotfix_doubts()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- A service pack ships the very build that an earlier hotfix brought: under such a hotfix an exact match proves no level.
    insert into state_doubt (host_id, product_id, kind, sentence)
    select r.host_id, r.product_id, 'hotfix',
           format('%s %s is what %s ships, but the host lists %s, whose files the catalogue does not know and which may have brought it: '
                  'import its table (evenkeel catalog import-kb)', d.path, version_text(d.version), level_name(r.product_id, d.exact_from),
                    t.hotfix)
    from state_trouble t
    join state_range r using (host_id, product_id)
    join lateral (
        select max(range_lower_end(f.levels)) filter (where coalesce(f.exact_from, -1) < t.doubt_from) as lower_end,
               min(range_upper_end(f.levels)) as upper_end
        from state_trouble_file f where (f.host_id, f.product_id) = (t.host_id, t.product_id)) e on true
    join lateral (
        select p.path, i.file_version as version, f.exact_from
        from state_trouble_file f
        join file x on x.file_id = f.file_id
        join path p on p.path_id = x.path_id
        join image i on i.image_id = x.image_id
        where (f.host_id, f.product_id) = (t.host_id, t.product_id) and f.exact_from >= t.doubt_from
        order by lower(f.levels) desc nulls last, p.path limit 1) d on true
    where t.hotfix is not null
      and greatest(e.lower_end, 0, lower(r.declared)) < least(e.upper_end, upper(r.declared))
$$;
comment on function evenkeel.find_hotfix_doubts() is
  'Adds to state_doubt the hosts of state_trouble that contradict themselves only where a hotfix of unknown files may have brought the '
  'build that a level ships.';

create or replace function evenkeel.find_restarted()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    followed constant integer := 2000; -- renames of a host
    fresh integer[];
begin
    drop table if exists restart_file;
    create temporary table restart_file on commit drop as
    select t.host_id, t.product_id, r.source_path, r.target_path, s.image_id, null::integer as file_id
    from state_trouble t
    cross join lateral (select x."from" as source, nullif(x."to", '') as target
                        from jsonb_to_recordset(t.renames) x ("from" text, "to" text) limit followed) n
    join state_host h using (host_id)
    left join path sp on sp.path = n.source
    left join path tp on tp.path = n.target
    cross join lateral (select sp.path_id as source_path, tp.path_id as target_path) r
    left join lateral (select f.image_id from unnest(h.chunk_ids) c (chunk_id) join state_chunk k using (chunk_id)
                       cross join unnest(k.file_ids) u (file_id) join file f on f.file_id = u.file_id
                       where f.path_id = r.source_path limit 1) s on true
    where t.renames is not null;
    if not exists (select from restart_file) then
        return;
    end if;
    insert into file (path_id, image_id)
    select distinct target_path, image_id from restart_file where target_path is not null and image_id is not null
    order by 1, 2 on conflict do nothing;
    update restart_file r set file_id = f.file_id from file f where (f.path_id, f.image_id) = (r.target_path, r.image_id);
    select array_agg(distinct r.file_id) into fresh from restart_file r
    where r.file_id is not null and not exists (select from file_level l where l.file_id = r.file_id);
    perform judge_files(fresh);
    insert into state_doubt (host_id, product_id, kind, sentence)
    select r.host_id, r.product_id, 'restart', 'files wait for a restart, and are of one level once it is done: restart the host'
    from (select distinct host_id, product_id from restart_file) n
    join state_range r using (host_id, product_id)
    join lateral (
        select max(range_lower_end(x.levels)) as lower_end, min(range_upper_end(x.levels)) as upper_end
        from (select f.levels from state_trouble_file f
              where (f.host_id, f.product_id) = (n.host_id, n.product_id)
                and not exists (select from restart_file g where g.host_id = f.host_id and f.path_id in (g.source_path, g.target_path))
              union all
              select l.levels from restart_file g join file_level l using (file_id, product_id)
              where (g.host_id, g.product_id) = (n.host_id, n.product_id)) x) e on true
    where greatest(e.lower_end, 0, lower(r.declared)) < least(e.upper_end, upper(r.declared));
    insert into state_doubt (host_id, product_id, kind, sentence)
    select t.host_id, t.product_id, 'restart',
           format('%s for a restart, of which %s are followed: restart the host',
                  evenkeel.counted(jsonb_array_length(t.renames), 'file waits', 'files wait'), followed)
    from state_trouble t
    where jsonb_array_length(t.renames) > followed
      and not exists (select from state_doubt d where (d.host_id, d.product_id, d.kind) = (t.host_id, t.product_id, 'restart'));
end
$$;
comment on function evenkeel.find_restarted() is
  'Adds to state_doubt the hosts of state_trouble whose files are of one level once the renames that wait for a restart are done, or of '
  'which more wait than are followed.';

create or replace function evenkeel.find_crowded()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Hosts share most chunks, and few hosts have such a product: each of their chunks is looked into once.
    with wanted as materialized (
        select r.host_id, r.product_id, h.chunk_ids
        from state_range r
        join state_host h using (host_id)
        join product p on p.product_id = r.product_id and p.unit_of is null
        where exists (select from component c cross join unnest(c.include) g (glob)
                      where c.product_id = p.product_id and g.glob like '%{%')
    ), held as materialized (
        select distinct c.chunk_id, pc.product_id, pc.instance
        from (select distinct u.chunk_id from wanted w cross join unnest(w.chunk_ids) u (chunk_id)) c
        join state_chunk using (chunk_id)
        cross join unnest(file_ids) u (file_id)
        join file f using (file_id)
        join path_component pc using (path_id)
        where pc.instance <> '' and pc.product_id in (select product_id from wanted)
    )
    insert into state_doubt (host_id, product_id, kind, sentence)
    select n.host_id, n.product_id, 'instances',
           format('%s of its instances, such as %s and %s, could not be judged apart: their names are none that an instance has, or more '
                  'are known of this host or in all than are told apart (settings units.host and units.most)', n.many,
                  upper(n.one), upper(n.other))
    from (select w.host_id, w.product_id, count(distinct e.instance) as many, min(e.instance) as one, max(e.instance) as other
          from wanted w
          cross join unnest(w.chunk_ids) u (chunk_id)
          join held e on (e.chunk_id, e.product_id) = (u.chunk_id, w.product_id)
          group by w.host_id, w.product_id) n
    where n.many > 1
$$;
comment on function evenkeel.find_crowded() is
  'Adds to state_doubt the hosts on which files of several instances of a product count together: they may be at several levels, and all '
  'be well; or one be behind that the others hide.';

create or replace function evenkeel.find_stale_declarations()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into state_doubt (host_id, product_id, kind, sentence)
    with torn as materialized (
        select r.host_id, r.product_id, r.declared, f.facts
        from state_range r join state_lead_facts f using (host_id)
        where isempty(r.levels) and r.declared is not null and not isempty(range_of_ends(greatest(r.greatest_lower, 0), r.least_upper))
    )
    select t.host_id, t.product_id, 'registry',
           format('its files contradict %s, which the registry declares and which may be no longer so: collect it again',
                  level_range_text(t.product_id, t.declared))
    from torn t
    where exists (select from not_seen_entries(t.facts) n where n.kind in ('stale_hive', 'damaged_hive') and n.what = 'SOFTWARE')
$$;
comment on function evenkeel.find_stale_declarations() is
  'Adds to state_doubt the hosts whose files agree with each other, and contradict only what a registry declares that is older than its '
  'host or damaged.';

create or replace function evenkeel.find_doubts()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from state_doubt; delete from state_trouble; delete from state_trouble_file;
    if exists (select from state_range where hint is not null) then
        perform find_hints();
    end if;
    if exists (select from state_outside where older) then
        perform find_store_doubts();
    end if;
    perform find_crowded();
    if exists (select from state_range where isempty(levels)) then
        perform find_hotpatched();
        perform find_stale_declarations();
        perform find_trouble();
        if exists (select from state_trouble) then
            perform find_hotfix_doubts();
            perform find_restarted();
        end if;
    end if;
    analyze state_doubt;
end
$$;
comment on function evenkeel.find_doubts() is 'Fills state_doubt: hosts that are neither mixed nor level, and why.';
