-- The way back of one host: what to reapply, restore and restart, in order.

create or replace function evenkeel.plan_levels(planned uuid)
returns table (product_id integer, ordinal integer, declared integer, because text, why text) language sql stable
as $$
    with needing as (
        -- A product whose files must move together again, and why.
        select p.product_id, 1 as place, f.summary as because
        from ops.finding f join evenkeel.product p on p.code = f.subject
        where f.host_id = planned and f.check_name = 'mixed-level' and f.waived_until is null
        union all
        select t.product_id, 2, f.summary
        from ops.finding f
        join evenkeel.patch t on t.code = f.subject
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, t.product_id)
        where f.host_id = planned and f.check_name = 'patch-below-prerequisite' and f.waived_until is null
        union all
        -- Setup brings the files of the disk that it is given, so the service pack has to follow.
        select p.product_id, 3, 'IIS is installed anew, and comes at the level of its disk'
        from evenkeel.host_product hp join evenkeel.product p using (product_id)
        where hp.host_id = planned and p.follows_os
          and exists (select from ops.finding f join evenkeel.host_facts_current c using (host_id)
                      where f.host_id = planned and f.check_name = 'cloned-identity' and f.waived_until is null
                        and c.inetstp_major in (4, 5))
        union all
        -- A file from media is at the level of the media.
        select pc.product_id, 4, f.summary
        from ops.finding f
        join evenkeel.path p on p.path = f.evidence ->> 'path'
        join evenkeel.path_component pc using (path_id)
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, pc.product_id)
        where f.host_id = planned and f.check_name = 'missing-file' and f.waived_until is null
        union all
        select hp.product_id, 4, f.summary
        from ops.finding f
        join evenkeel.product p on p.code = f.subject
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, p.product_id)
        where f.host_id = planned and f.check_name = 'missing-file' and f.waived_until is null
        union all
        select pc.product_id, 5, f.summary
        from ops.finding f
        join evenkeel.path p on p.path = f.evidence #>> '{importer,path}'
        join evenkeel.path_component pc using (path_id)
        join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, pc.product_id)
        where f.host_id = planned and f.check_name = 'unresolved-import' and f.waived_until is null
    ), chosen as (
        select n.product_id, (array_agg(n.because order by n.place, n.because))[1] as because from needing n group by n.product_id
    )
    select c.product_id, t.ordinal, t.declared, c.because, t.why
    from chosen c join evenkeel.target_levels(planned) t using (product_id)
$$;
comment on function evenkeel.plan_levels(uuid) is
    'The products of a host whose level has to be reapplied, to which level (evenkeel.target_levels()), why it has to be, and why that '
    'one.';

create or replace function evenkeel.date_written(written text)
returns date language sql immutable strict parallel safe
as $$
    -- Whatever a host calls a date: counted from the first of a month, so that no day of it is an error.
    select case when written ~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'
                then make_date(left(written, 4)::integer, substr(written, 6, 2)::integer, 1) + right(written, 2)::integer - 1 end
$$;
comment on function evenkeel.date_written(text) is 'The day that a host tells as 2009-12-08; null: it is none.';

create or replace function evenkeel.plan_unknown_hotfixes(planned uuid, product integer)
returns table (code text, counted integer, installed_on date, service_pack text) language sql stable
as $$
    select distinct on (evenkeel.patch_number(x.id)) x.id as code, counted.ordinal as counted,
           evenkeel.date_written(x.install_date) as installed_on, x.service_pack
    from evenkeel.host_facts_current f
    cross join jsonb_to_recordset(f.facts -> 'hotfixes') x (id text, source text, service_pack text, install_date text)
    join evenkeel.product p on p.product_id = product and p.follows_os and p.level_kind = 'service pack'
    left join evenkeel.level counted on counted.product_id = product and counted.code = x.service_pack
    where f.host_id = planned
      and not exists (select from evenkeel.patch t
                      join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (planned, t.product_id)
                      where evenkeel.patch_number(t.code) = evenkeel.patch_number(x.id))
      and not exists (select from evenkeel.level l where l.product_id = product and l.marker_hotfix <> ''
                      and evenkeel.patch_number(l.marker_hotfix) = evenkeel.patch_number(x.id))
    order by evenkeel.patch_number(x.id), counted.ordinal nulls last
$$;
comment on function evenkeel.plan_unknown_hotfixes(uuid, integer) is
    'The hotfixes that the registry lists for the Windows that a product is, and that are no patch of the catalogue; counted: the level '
    'that Windows itself counts one towards.';

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
          -- Nor is the cumulative update that the level is, and what is listed of those before it went into it.
          and (t.level_ordinal is null or t.level_ordinal > target)
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
                    else format('the service pack takes its files back; %s',
                                coalesce('it brings ' || evenkeel.version_text(m.version), 'which these are is not known')) end
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
    )
    select c.code, c.verdict, c.because, c.version, c.released, c.restart from catalogued c
    union all
    select u.code, case when u.counted <= target then 'contained' else 'reapply' end,
           case when u.counted <= target then format('Windows itself counts it towards %s', u.service_pack)
                else 'the registry lists it; the catalogue does not know its files, so compare their versions before' end,
           null, u.installed_on, true
    from evenkeel.plan_unknown_hotfixes(planned, product) u
$$;
comment on function evenkeel.plan_hotfixes(uuid, integer, integer) is
    'The hotfixes of a product that the registry lists or files prove, and what becomes of each once a level is reapplied: reapply, '
    'contained (its files would be older), or replaced by another.';

