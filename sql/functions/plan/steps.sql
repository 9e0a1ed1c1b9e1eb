-- What a host's findings ask for, in order: what is laid over the host before it is called its plan.

create or replace function evenkeel.plan_level_text(product text, level_kind text, os_build integer, ordinal integer, declared integer,
                                                    level_name text, service_pack text, kb text)
returns text language sql immutable
as $$
    select case when level_kind = 'cumulative update'
                -- What has no number in the catalogue is told by the build that it makes.
                then concat_ws(' ', coalesce(nullif(kb, ''), 'the cumulative update of'),
                               format(case when coalesce(kb, '') = '' then '%s, for %s' else '(%s), for %s' end,
                                      concat_ws('.', os_build, ordinal), product))
                else coalesce(level_name, product) || case when coalesce(service_pack, '') = '' and level_kind = 'service pack'
                                                           then ', from its media' else '' end end
           || case when ordinal > coalesce(declared, ordinal) then ' or later' else '' end
$$;
comment on function evenkeel.plan_level_text(text, text, integer, integer, integer, text, text, text) is
    'What a step installs that brings a product to a level: Windows Server 2003 Service Pack 2; KB4577668 (17763.1518), for ...';

-- Planning these takes longer than running them, and is the same for every host.
create or replace function evenkeel.plan_identity_steps(planned uuid)
returns table (stage integer, place bigint, action text, what text, why text, product_id integer, ordinal integer,
               restart boolean, file_path text, subject text)
language plpgsql stable set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with found as materialized (
        select f.check_name as code, f.subject, f.summary, f.evidence
        from ops.finding f where f.host_id = planned and f.waived_until is null
    ), facts as materialized (
        select f.* from evenkeel.host_facts_current f where f.host_id = planned
    )
    select 10, 0::bigint, 'restart', 'restart the host before anything else', summary, null::integer,
           null::integer, null::boolean, null, subject from found where code = 'pending-reboot'
    union all
    select 20, 0, 'back up', 'copy the folder RSA\MachineKeys and the metabase to a safe place, with their permissions; stop the IIS '
                             'services',
           'the next step renames key files', null, null, null, null, ''
    where exists (select from found where code = 'machine-key-mismatch')
    union all
    select 21, row_number() over (order by subject), 'rename machine key',
           format('in RSA\MachineKeys give the older file %s_%s the host''s present MachineGuid: %s_%s%s', evidence ->> 'container',
                  coalesce(evidence ->> 'was_own', evidence #>> '{foreign,0,guid}', 'GUID'), evidence ->> 'container',
                    evidence ->> 'machine_guid',
                  case when jsonb_array_length(evidence -> 'foreign') > 1 and evidence -> 'was_own' = 'null'
                       then ' (of several older files, the one that IIS was installed with)' else '' end),
           summary, null, null, null, null, subject
    from found where code = 'machine-key-mismatch'
    union all
    select 22, 0, 'restart', 'restart the host, and see that the IIS Admin service starts',
           'the key is read when the service starts', null, null, null, null, ''
    where exists (select from found where code = 'machine-key-mismatch')
    union all
    select 23, 0, 'install hotfix', k.code, 'it keeps MachineGuid from being reset again', k.product_id, null, k.restart, null, k.code
    from evenkeel.patch k
    join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, k.product_id)
    where evenkeel.patch_number(k.code) = '884872' and exists (select from found
                                                               where code = 'machine-key-mismatch' and evidence -> 'was_own' <> 'null')
      and not exists (select from evenkeel.host_patch p cross join lateral unnest(p.patch_ids, p.states) u (patch_id, state)
                      where p.host_id = planned and u.patch_id = k.patch_id and u.state in ('installed', 'superseded'))
    union all
    select 30, row_number() over (order by c.what), 'renew identity', c.what, c.why, null, null, null, null, ''
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
           'install IIS afterwards', null, null, null, null, ''
    from facts f where f.inetstp_major in (4, 5) and exists (select from found
                                                             where code = 'cloned-identity' and evidence ->> 'identity' <> 'agent-key');
end
$$;
comment on function evenkeel.plan_identity_steps(uuid) is
    'The steps of plan_steps() before any file: the restart that is waited for, keys and identities.';

create or replace function evenkeel.plan_half_hotfixes(planned uuid)
returns table (code text, verdict text, because text, version evenkeel.version, released date, restart boolean, product_id integer)
language sql stable
as $$
    -- Of several instances those that it is half on.
    select h.*, k.product_id
    from ops.finding f
    join evenkeel.patch k on k.code = f.subject
    join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, k.product_id)
    cross join lateral evenkeel.plan_hotfixes(planned, k.product_id, coalesce(upper(hp.levels) - 1, upper(hp.declared) - 1)) h
    where f.host_id = planned and f.waived_until is null and f.check_name = 'partial-patch' and h.code = k.code
      and exists (select from evenkeel.host_patch w cross join lateral unnest(w.patch_ids, w.states) u (patch_id, state)
                  where w.host_id = planned and u.patch_id = k.patch_id and u.state = 'partial')
$$;
comment on function evenkeel.plan_half_hotfixes(uuid) is
    'What evenkeel.plan_hotfixes() has of the patches that findings of a host which are not waived call partial, and for which product.';

create or replace function evenkeel.plan_level_steps(planned uuid)
returns table (stage integer, place bigint, action text, what text, why text, product_id integer, ordinal integer,
               restart boolean, file_path text, subject text)
language plpgsql stable set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with found as materialized (
        select f.check_name as code, f.subject, f.summary, f.evidence
        from ops.finding f where f.host_id = planned and f.waived_until is null
    ), facts as materialized (
        select f.* from evenkeel.host_facts_current f where f.host_id = planned
    ), target as materialized (
        select t.*, p.name as product_name, p.level_kind, p.os_build, l.name as level_name, l.code as level_code, l.service_pack, l.kb,
               -- Which of several instances.
               case when p.unit <> '' then format(' (%s)', upper(p.unit)) else '' end as unit
        from evenkeel.plan_levels(planned) t
        join evenkeel.product p using (product_id)
        left join evenkeel.level l on (l.product_id, l.ordinal) = (t.product_id, t.ordinal)
    ), hotfix as materialized (
        select x.*, row_number() over (order by evenkeel.version_build(x.version) nulls last,
                                       evenkeel.version_revision(x.version) nulls last, x.released nulls last, x.code) as place
        from (select h.*, t.product_id, true as after_pack
              from target t cross join lateral evenkeel.plan_hotfixes(planned, t.product_id, t.ordinal) h
              union all
              -- The level stands; a hotfix of which a part was put back is installed again by itself.
              select h.*, false from evenkeel.plan_half_hotfixes(planned) h
              where not exists (select from target t where t.product_id = h.product_id)) x
    ), chosen as (
        select h.code, h.because, h.place, coalesce(h.restart, true) as restart, h.product_id,
               (select h.code || case when p.unit <> '' then format(' (%s)', upper(p.unit)) else '' end
                from evenkeel.product p where p.product_id = h.product_id) as told,
               case when h.after_pack then h.verdict else 'reapply' end as verdict,
               case when not h.after_pack and h.verdict <> 'reapply' then 'some of its files are older than it brings'
                 else h.because end as reason
        from hotfix h
    )
    select 40, row_number() over (order by subject), 'restore file',
           format('%s from the media of %s', coalesce(evidence ->> 'path',
                      (select string_agg(coalesce(x ->> 'location', x #>> '{}'), ', ')
                       from jsonb_array_elements(evidence -> 'files') x)),
                  coalesce((select string_agg(coalesce(l.name, p.name), ', ')
                            from evenkeel.host_product hp
                            join evenkeel.product p using (product_id)
                            left join evenkeel.level l on l.product_id = p.product_id and l.ordinal = upper(hp.declared) - 1
                            where hp.host_id = planned and p.follows_os), 'the host''s level')),
           summary, null::integer, null::integer, null::boolean,
           coalesce(evidence ->> 'path',
                    (select string_agg(evenkeel.location_path(x ->> 'location', evenkeel.host_reading(f.facts)), E'\n')
                     from jsonb_array_elements(evidence -> 'files') x left join facts f on true)), subject
    from found where code = 'missing-file'
    union all
    -- Where the level that it needs was there and only files fell behind, reapplying is enough.
    select 45, row_number() over (order by f.subject), 'remove hotfix', f.subject, f.summary, null, null, null, null, f.subject
    from found f
    where f.code = 'patch-below-prerequisite'
      and exists (select from target t join evenkeel.patch k on k.product_id = t.product_id and k.code = f.subject
                  where t.ordinal > t.declared)
    union all
    select 50, row_number() over (order by t.product_name),
           case when t.declared is not null and t.ordinal > t.declared then 'install' else 'reapply' end
           || case when t.level_kind = 'cumulative update' then ' cumulative update' when t.service_pack <> '' then ' service pack'
             else ' product files' end,
           evenkeel.plan_level_text(t.product_name, t.level_kind, t.os_build, t.ordinal, t.declared, t.level_name, t.service_pack,
                                    t.kb) || t.unit,
           format('%s; %s is the level to reach: %s', t.because, evenkeel.level_name(t.product_id, t.ordinal), t.why),
           t.product_id, t.ordinal, true, null, coalesce(t.level_name, '')
    from target t
    union all
    select 51, 0, 'restart', 'restart the host', 'files in use are replaced at the restart only', null, null, null, null, ''
    where exists (select from target)
    union all
    select 60, c.place, 'leave out', c.told, c.because, c.product_id, null, null, null, c.code
    from chosen c where c.verdict <> 'reapply'
    union all
    select 61, c.place, 'reapply hotfix', c.told, c.reason, c.product_id, null, c.restart, null, c.code
    from chosen c where c.verdict = 'reapply'
    union all
    select 62, 0, 'restart', 'restart the host',
           format('%s takes effect with it', (select string_agg(c.code, ', ' order by c.place) from chosen c
                                              where c.verdict = 'reapply' and c.restart)), null, null, null, null, ''
    where exists (select from chosen c where c.verdict = 'reapply' and c.restart);
end
$$;
comment on function evenkeel.plan_level_steps(uuid) is
    'The steps of plan_steps() that change files: single ones, levels, and the hotfixes on them.';

create or replace function evenkeel.plan_other_steps(planned uuid)
returns table (stage integer, place bigint, action text, what text, why text, product_id integer, ordinal integer,
               restart boolean, file_path text, subject text)
language plpgsql stable set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with found as materialized (
        select f.check_name as code, f.subject, f.summary, f.evidence
        from ops.finding f where f.host_id = planned and f.waived_until is null
    )
    select 70, row_number() over (order by f.subject), 'check imports',
           format('collect the host again; if %s still finds no %s, bring it and %s to builds that belong together, or take the '
                  'patch that brought it off',
                  f.evidence #>> '{importer,path}',
                  coalesce(nullif((select string_agg(s ->> 0, ', ')
                                   from (select jsonb_build_array(x) as s
                                         from jsonb_array_elements_text(f.evidence -> 'symbols') x limit 5) y), ''), 'such DLL'),
                  f.evidence ->> 'dll'),
           f.summary, null::integer, null::integer, null::boolean, null::text, f.subject
    from found f where f.code = 'unresolved-import'
    union all
    select 71, row_number() over (order by f.subject), 'compare files',
           format('bring %s and %s to versions that go together: %s with %s, or %s with %s', f.evidence #>> '{odd,path}',
                  f.evidence #>> '{against,path}',
                  f.evidence #>> '{usual,0,version}', f.evidence #>> '{usual,0,with,version}',
                  f.evidence #>> '{usual,1,with,version}', f.evidence #>> '{usual,1,version}'),
           f.summary, null, null, null, null, f.subject
    from found f where f.code = 'outlier' and not exists (select from evenkeel.plan_levels(planned))
    union all
    select 72, row_number() over (order by f.subject), 'level the group',
           format('bring the %s of all hosts of group %s to one version set', f.evidence ->> 'component', f.evidence ->> 'group'),
             f.summary, null, null, null, null, f.subject
    from found f where f.code = 'group-skew'
    union all
    select 80, row_number() over (order by f.code, f.subject), 'look into', f.code || ' ' || f.subject, f.summary, null, null, null,
           null, f.subject
    from found f
    where f.code not in ('pending-reboot', 'machine-key-mismatch', 'cloned-identity', 'missing-file', 'mixed-level', 'partial-patch',
                         'patch-below-prerequisite', 'unresolved-import', 'outlier', 'group-skew');
end
$$;
comment on function evenkeel.plan_other_steps(uuid) is
    'The steps of plan_steps() that a person has to look into.';

create or replace function evenkeel.plan_steps(planned uuid)
returns table (number integer, stage integer, place bigint, action text, what text, why text, product_id integer, ordinal integer,
               restart boolean, file_path text, subject text)
language sql stable
as $$
    select row_number() over (order by s.stage, s.place)::integer, s.*
    from (select * from evenkeel.plan_identity_steps(planned) union all select * from evenkeel.plan_level_steps(planned)
          union all select * from evenkeel.plan_other_steps(planned)) s
    order by 1
$$;
comment on function evenkeel.plan_steps(uuid) is
    'What the findings of a host that are not waived ask for, as ordered steps that nobody laid over it yet. stage: 10 restart, 40 files, '
    '45 patches that go, 50 levels, 60 hotfixes left out, 61 hotfixes, 70 and above: by hand; product_id, ordinal: the level of a step '
    'of stage 50; restart: it takes effect with one; subject: the patch, or what the finding is about.';
