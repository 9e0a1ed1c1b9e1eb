-- The way back of one host: what to reapply, restore and restart, in order.

create or replace function evenkeel.plan_targets(planned uuid)
returns table (product_id integer, ordinal integer, declared integer, because text) language sql stable
as $$
    with needing as (
        -- A product whose files must move together again, and why.
        select p.product_id, 1 as place, f.summary as because,
               case when f.evidence ->> 'above' is not null then (f.evidence ->> 'target_ordinal')::integer end as needed
        from ops.finding f join evenkeel.product p on p.code = f.subject
        where f.host_id = planned and f.check_name = 'mixed-level' and f.waived_until is null
        union all
        select t.product_id, 2, f.summary,
               (select l.ordinal from evenkeel.level l where l.product_id = t.product_id and l.code = f.evidence ->> 'required')
        from ops.finding f
        join evenkeel.patch t on t.code = f.subject
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, t.product_id)
        where f.host_id = planned and f.check_name = 'patch-below-prerequisite' and f.waived_until is null
        union all
        -- Setup brings the files of the disk that it is given, so the service pack has to follow.
        select p.product_id, 3, 'IIS is installed anew, and comes at the level of its disk', null
        from evenkeel.host_product hp join evenkeel.product p using (product_id)
        where hp.host_id = planned and p.follows_os
          and exists (select from ops.finding f join evenkeel.host_facts_current c using (host_id)
                      where f.host_id = planned and f.check_name = 'cloned-identity' and f.waived_until is null
                        and c.inetstp_major in (4, 5))
        union all
        -- A file from media is at the level of the media.
        select pc.product_id, 4, f.summary, null
        from ops.finding f
        join evenkeel.path p on p.path = f.evidence ->> 'path'
        join evenkeel.path_component pc using (path_id)
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, pc.product_id)
        where f.host_id = planned and f.check_name = 'missing-file' and f.waived_until is null
        union all
        select hp.product_id, 4, f.summary, null
        from ops.finding f
        join evenkeel.product p on p.code = f.subject
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, p.product_id)
        where f.host_id = planned and f.check_name = 'missing-file' and f.waived_until is null
        union all
        select pc.product_id, 5, f.summary, null
        from ops.finding f
        join evenkeel.path p on p.path = f.evidence #>> '{importer,path}'
        join evenkeel.path_component pc using (path_id)
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, pc.product_id)
        where f.host_id = planned and f.check_name = 'unresolved-import' and f.waived_until is null
    ), chosen as (
        select n.product_id, max(n.needed) as needed, (array_agg(n.because order by n.place, n.because))[1] as because,
               (array_agg(n.because order by n.needed desc nulls last, n.place, n.because))[1] as because_needed
        from needing n group by n.product_id
    )
    select c.product_id, greatest(c.needed, coalesce(d.declared, proven.ordinal, last.ordinal)), d.declared,
           case when c.needed > coalesce(d.declared, c.needed) then c.because_needed else c.because end
    from chosen c
    left join lateral (select upper(hp.declared) - 1 as declared from evenkeel.host_product hp
                       where (hp.host_id, hp.product_id) = (planned, c.product_id)) d on true
    left join lateral (
        -- Nothing is declared: what some file proves to be at least there.
        select max(lower(fl.levels)) as ordinal
        from evenkeel.host_inventory_current i
        cross join unnest(i.chunk_ids) u (chunk_id)
        join evenkeel.chunk k using (chunk_id)
        join evenkeel.file_level fl on fl.file_id = any (k.file_ids) and fl.product_id = c.product_id
        where i.host_id = planned and d.declared is null) proven on true
    left join lateral (select max(l.ordinal) as ordinal from evenkeel.level l where l.product_id = c.product_id) last on true
$$;
comment on function evenkeel.plan_targets(uuid) is
    'The products of a host whose level has to be reapplied, and which level: the one that the registry declares, or a higher one that '
    'most files are already at (as the finding says), or that an installed patch needs; else the greatest that a file proves.';

create or replace function evenkeel.plan_hotfixes(planned uuid, product integer, target integer)
returns table (code text, verdict text, because text, version evenkeel.version, released date, restart boolean) language sql stable
as $$
    with marker as (
        -- A key that tells a level from another is that level, no hotfix on it.
        select evenkeel.patch_number(l.marker_hotfix) as number from evenkeel.level l where l.product_id = product and l.marker_hotfix <> ''
    ), known as (
        select t.patch_id, t.code, t.required_levels, t.supersedes, t.contained_in, t.released, t.restart, u.state, u.listed
        from evenkeel.host_patch hp
        cross join lateral unnest(hp.patch_ids, hp.states, hp.listed) u (patch_id, state, listed)
        join evenkeel.patch t using (patch_id)
        where hp.host_id = planned and t.product_id = product and (u.listed or u.state in ('installed', 'partial'))
          and not exists (select from marker m where m.number = evenkeel.patch_number(t.code))
    ), here as materialized (
        select distinct p.name, p.location
        from evenkeel.host_inventory_current i
        cross join unnest(i.chunk_ids) c (chunk_id)
        join evenkeel.chunk k using (chunk_id)
        cross join unnest(k.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        join evenkeel.path_component pc on pc.path_id = f.path_id and pc.product_id = product
        join evenkeel.path p on p.path_id = f.path_id
        where i.host_id = planned
    ), brought as (
        select k.patch_id, pf.file, pf.version, h.file is not null as here,
               -- What a level ships at least, every later one does.
               (select max(b.version) from evenkeel.baseline b
                where b.product_id = product and b.ordinal <= target and b.relation in ('=', '>=')
                  and substring(b.file from '[^/]*$') = substring(pf.file from '[^/]*$')
                  and (b.machine is null or pf.machine is null or b.machine = pf.machine)) as shipped
        from known k
        join evenkeel.patch_file pf using (patch_id)
        left join lateral (select pf.file from here where pf.file in (here.name, here.location) limit 1) h on true
        where pf.version is not null
    ), measured as (
        select patch_id, (array_agg(version order by evenkeel.version_build(version) desc, evenkeel.version_revision(version) desc))[1]
          as version,
               bool_and(coalesce(version <= shipped, false)) filter (where here) as all_shipped
        from brought group by patch_id
    ), catalogued as (
        select k.code,
               case when replaced.by is not null then 'replaced' when k.contained_in <= target
                 or coalesce(m.all_shipped, false) then 'contained'
                    else 'reapply' end as verdict,
               case when replaced.by is not null then format('%s, which is installed too, replaces it', replaced.by)
                    when k.contained_in <= target
                    then (select format('%s is the first level that contains it', l.code) from evenkeel.level l
                          where (l.product_id, l.ordinal) = (product, k.contained_in))
                    when m.all_shipped
                    then format('none of its files is newer than those of %s: it would put older ones back',
                                (select l.code from evenkeel.level l where (l.product_id, l.ordinal) = (product, target)))
                    when k.state = 'partial' then 'it is installed, but some of its files are older than it brings'
                    else format('the service pack takes its files back; it brings %s', evenkeel.version_text(m.version)) end
               || case when replaced.by is null and k.contained_in is null and not coalesce(m.all_shipped, false)
                            and cardinality(k.required_levels) > 0 and target > (select max(r) from unnest(k.required_levels) r)
                       then format('; it is stated for %s, so see whether it may be installed on %s',
                                   (select string_agg(l.code, ', ' order by l.ordinal) from evenkeel.level l
                                    where l.product_id = product and l.ordinal = any (k.required_levels)),
                                   (select l.code from evenkeel.level l where (l.product_id, l.ordinal) = (product, target)))
                       else '' end as because,
               m.version, k.released, k.restart
        from known k
        left join measured m using (patch_id)
        left join lateral (select o.code as by from known o
                           where o.patch_id <> k.patch_id
                             and exists (select from unnest(o.supersedes) s (code)
                                         where evenkeel.patch_number(s.code) = evenkeel.patch_number(k.code))
                           order by o.released desc nulls last, o.code limit 1) replaced on true
    ), uncatalogued as (
        select distinct on (evenkeel.patch_number(x.id)) x.id as code, counted.ordinal as counted,
               case when x.install_date ~ '^\d{4}-\d\d-\d\d$' then x.install_date::date end as installed_on, x.service_pack
        from evenkeel.host_facts_current f
        cross join jsonb_to_recordset(f.facts -> 'hotfixes') x (id text, source text, service_pack text, install_date text)
        join evenkeel.product p on p.product_id = product and p.follows_os and p.level_kind = 'service pack'
        left join evenkeel.level counted on counted.product_id = product and counted.code = x.service_pack
        where f.host_id = planned
          and not exists (select from evenkeel.patch t
                          join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, t.product_id)
                          where evenkeel.patch_number(t.code) = evenkeel.patch_number(x.id))
          and not exists (select from marker m where m.number = evenkeel.patch_number(x.id))
        order by evenkeel.patch_number(x.id), counted.ordinal nulls last
    )
    select c.code, c.verdict, c.because, c.version, c.released, c.restart from catalogued c
    union all
    select u.code, case when u.counted <= target then 'contained' else 'reapply' end,
           case when u.counted <= target then format('Windows itself counts it towards %s', u.service_pack)
                else 'the registry lists it; the catalogue does not know its files, so compare their versions before' end,
           null, u.installed_on, true
    from uncatalogued u
$$;
comment on function evenkeel.plan_hotfixes(uuid, integer, integer) is
    'The hotfixes of a product that the registry lists or files prove, and what becomes of each once a level is reapplied: reapply, '
    'contained (its files would be older), or replaced by another.';

-- Planning it takes longer than running it, and is the same for every host.
create or replace function evenkeel.plan(planned uuid)
returns table (step integer, action text, what text, why text) language plpgsql stable set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    with found as materialized (
        select f.check_name as code, f.subject, f.summary, f.evidence
        from ops.finding f where f.host_id = planned and f.waived_until is null
    ), facts as materialized (
        select f.* from evenkeel.host_facts_current f where f.host_id = planned
    ), target as materialized (
        select t.*, p.name as product_name, p.level_kind, l.name as level_name, l.code as level_code, l.service_pack
        from evenkeel.plan_targets(planned) t
        join evenkeel.product p using (product_id)
        left join evenkeel.level l on (l.product_id, l.ordinal) = (t.product_id, t.ordinal)
    ), hotfix as materialized (
        select x.*, row_number() over (order by evenkeel.version_build(x.version) nulls last,
                                       evenkeel.version_revision(x.version) nulls last,
                                                x.released nulls last, x.code) as place
        from (select h.*, true as after_pack from target t cross join lateral evenkeel.plan_hotfixes(planned, t.product_id, t.ordinal) h
              union all
              -- The level stands; a hotfix of which a part was put back is installed again by itself.
              select h.*, false
              from found f
              join evenkeel.patch k on k.code = f.subject
              join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, k.product_id)
              cross join lateral evenkeel.plan_hotfixes(planned, k.product_id, coalesce(upper(hp.levels) - 1, upper(hp.declared) - 1)) h
              where f.code = 'partial-patch' and h.code = k.code
                and not exists (select from target t where t.product_id = k.product_id)) x
    ), chosen as (
        select h.code, h.because, h.place, h.restart,
               case when h.after_pack then h.verdict else 'reapply' end as verdict,
               case when not h.after_pack and h.verdict <> 'reapply' then 'some of its files are older than it brings'
                 else h.because end as reason
        from hotfix h
    ), stepped (stage, place, action, what, why) as (
        select 10, 0::bigint, 'restart', 'restart the host before anything else', summary from found where code = 'pending-reboot'
        union all
        select 20, 0, 'back up', 'copy the folder RSA\MachineKeys and the metabase to a safe place, with their permissions; stop the IIS '
                                 'services',
               'the next step renames key files' where exists (select from found where code = 'machine-key-mismatch')
        union all
        select 21, row_number() over (order by subject), 'rename machine key',
               format('in RSA\MachineKeys give the older file %s_%s the host''s present MachineGuid: %s_%s%s', evidence ->> 'container',
                      coalesce(evidence ->> 'was_own', evidence #>> '{foreign,0,guid}', 'GUID'), evidence ->> 'container',
                        evidence ->> 'machine_guid',
                      case when jsonb_array_length(evidence -> 'foreign') > 1 and evidence -> 'was_own' = 'null'
                           then ' (of several older files, the one that IIS was installed with)' else '' end),
               summary
        from found where code = 'machine-key-mismatch'
        union all
        select 22, 0, 'restart', 'restart the host, and see that the IIS Admin service starts', 'the key is read when the service starts'
        where exists (select from found where code = 'machine-key-mismatch')
        union all
        select 23, 0, 'install hotfix', k.code, 'it keeps MachineGuid from being reset again'
        from evenkeel.patch k
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, k.product_id)
        where evenkeel.patch_number(k.code) = '884872' and exists (select from found
                                                                   where code = 'machine-key-mismatch' and evidence -> 'was_own' <> 'null')
          and not exists (select from evenkeel.host_patch p cross join lateral unnest(p.patch_ids, p.states) u (patch_id, state)
                          where p.host_id = planned and u.patch_id = k.patch_id and u.state in ('installed', 'superseded'))
        union all
        select 30, row_number() over (order by c.what), 'renew identity', c.what, c.why
        from (select case when evidence ->> 'identity' = 'agent-key'
                          then 'on the host that was copied, remove the collector''s key file and run ''evenkeel-collector enroll'''
                          else format('leave the identity to one of %s and give every other one its own: prepare the system that was '
                                      'cloned again, with Sysprep, or install it anew',
                                      (select string_agg(h ->> 'host', ', ' order by h ->> 'host')
                                       from jsonb_array_elements(evidence -> 'hosts') h)) end as what,
                     string_agg(summary, '; ' order by subject) as why
              from found where code = 'cloned-identity' and evidence ->> 'identity' <> 'metabase'
              group by 1) c
        union all
        select 31, 0, 'reinstall IIS',
               format('remove IIS and install it anew on the host as it is now%s; restore sites from an export, not from the metabase file',
                      case f.inetstp_major when 4 then ' (an unattended installation of the Option Pack)' else '' end),
               'the metabase was encrypted with a key of the machine that was cloned, and IIS is not made to be cloned: clone first, '
               'install IIS afterwards'
        from facts f where f.inetstp_major in (4, 5) and exists (select from found
                                                                 where code = 'cloned-identity' and evidence ->> 'identity' <> 'agent-key')
        union all
        select 40, row_number() over (order by subject), 'restore file',
               format('%s from the media of %s', coalesce(evidence ->> 'path',
                          (select string_agg(coalesce(x ->> 'location', x #>> '{}'), ', ')
                           from jsonb_array_elements(evidence -> 'files') x)),
                      coalesce((select string_agg(coalesce(l.name, p.name), ', ')
                                from evenkeel.host_product hp
                                join evenkeel.product p using (product_id)
                                left join evenkeel.level l on l.product_id = p.product_id and l.ordinal = upper(hp.declared) - 1
                                where hp.host_id = planned and p.follows_os), 'the host''s level')),
               summary
        from found where code = 'missing-file'
        union all
        -- Where the level that it needs was there and only files fell behind, reapplying is enough.
        select 45, row_number() over (order by f.subject), 'remove hotfix', f.subject, f.summary
        from found f
        where f.code = 'patch-below-prerequisite'
          and exists (select from target t join evenkeel.patch k on k.product_id = t.product_id and k.code = f.subject
                      where t.ordinal > t.declared)
        union all
        select 50, row_number() over (order by t.product_name),
               case when t.declared is not null and t.ordinal > t.declared then 'install' else 'reapply' end
               || case when t.level_kind = 'cumulative update' then ' cumulative update' when t.service_pack <> '' then ' service pack'
                 else ' product files' end,
               format('%s%s', coalesce(t.level_name, t.product_name),
                      case when t.ordinal > coalesce(t.declared, t.ordinal) then ' or later' when coalesce(t.service_pack, '') = ''
                        and t.level_kind = 'service pack' then ', from its media' else '' end),
               t.because
        from target t
        union all
        select 51, 0, 'restart', 'restart the host', 'files in use are replaced at the restart only' where exists (select from target)
        union all
        select 60, c.place, 'leave out', c.code, c.because from chosen c where c.verdict <> 'reapply'
        union all
        select 61, c.place, 'reapply hotfix', c.code, c.reason from chosen c where c.verdict = 'reapply'
        union all
        select 62, 0, 'restart', 'restart the host',
               format('%s takes effect with it', (select string_agg(c.code, ', ' order by c.place) from chosen c
                                                  where c.verdict = 'reapply' and coalesce(c.restart, true)))
        where exists (select from chosen c where c.verdict = 'reapply' and coalesce(c.restart, true))
        union all
        select 70, row_number() over (order by f.subject), 'check imports',
               format('collect the host again; if %s still finds no %s, bring it and %s to builds that belong together, or take the '
                      'patch that brought it off',
                      f.evidence #>> '{importer,path}',
                      coalesce(nullif((select string_agg(s ->> 0, ', ')
                                       from (select jsonb_build_array(x) as s
                                             from jsonb_array_elements_text(f.evidence -> 'symbols') x limit 5) y), ''), 'such DLL'),
                      f.evidence ->> 'dll'),
               f.summary
        from found f where f.code = 'unresolved-import'
        union all
        select 71, row_number() over (order by f.subject), 'compare files',
               format('bring %s and %s to versions that go together: %s with %s, or %s with %s', f.evidence #>> '{odd,path}',
                      f.evidence #>> '{against,path}',
                      f.evidence #>> '{usual,0,version}', f.evidence #>> '{usual,0,with,version}',
                      f.evidence #>> '{usual,1,with,version}', f.evidence #>> '{usual,1,version}'),
               f.summary
        from found f where f.code = 'outlier' and not exists (select from target)
        union all
        select 72, row_number() over (order by f.subject), 'level the group',
               format('bring the %s of all hosts of group %s to one version set', f.evidence ->> 'component', f.evidence ->> 'group'),
                 f.summary
        from found f where f.code = 'group-skew'
        union all
        select 80, row_number() over (order by f.code, f.subject), 'look into', f.code || ' ' || f.subject, f.summary
        from found f
        where f.code not in ('pending-reboot', 'machine-key-mismatch', 'cloned-identity', 'missing-file', 'mixed-level', 'partial-patch',
                             'patch-below-prerequisite', 'unresolved-import', 'outlier', 'group-skew')
    )
    select row_number() over (order by s.stage, s.place)::integer, s.action, s.what, s.why from stepped s order by 1;
end
$$;
comment on function evenkeel.plan(uuid) is
    'The way back of a host as ordered steps: what its findings that are not waived ask for. No rows: nothing to do.';
