-- Hosts of which it is plain without judging what the patch would do.

create or replace function evenkeel.risk_superseding(host uuid)
returns text language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Superseded is a patch for several products only where it is for all of them that are here.
    select case when bool_and(x.code is not null) then string_agg(distinct x.code, ', ') end
    from overlay_patch p
    join host_product here on here.host_id = host and here.product_id = p.product_id
    left join lateral (
        select min(s.code) as code
        from patch own
        join patch s on s.product_id = p.product_id and own.code = any (s.supersedes) and s.code <> own.code
        join host_patch hp on hp.host_id = host
        cross join unnest(hp.patch_ids, hp.states, hp.same_files, hp.newer_files) st (patch_id, state, same_files, newer_files)
        -- Listed is not enough: its files must be there.
        where own.patch_id = p.patch_id and st.patch_id = s.patch_id and st.state = 'installed'
          and st.same_files + st.newer_files > 0) x on true
$$;
comment on function evenkeel.risk_superseding(uuid) is
    'The patches, installed on the host, that replace the one that was asked for; null: none.';

create or replace function evenkeel.risk_products_known(host uuid, unreadable integer)
returns boolean language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- What could not be read, or was not seen, may be the files of another product.
    select (coalesce(unreadable, 0) = 0 and exists (select from deciding_product p where p.host_id = host and p.verdict <> 'unknown')
            and not exists (select from host_facts_current f where f.host_id = host and evenkeel.not_seen_doubt(f.facts) is not null))
           or exists (select from host_facts_current f
                      where f.host_id = host and f.has_registry
                        and exists (select from product p where p.os_version <> '' and p.os_version = f.os_version
                                      and (p.os_build is null or p.os_build = f.os_build))
                        and not exists (select from overlay_patch op join product p using (product_id)
                                        where (p.os_version = '' or p.os_version = f.os_version)
                                          and (p.os_build is null or p.os_build = coalesce(f.os_build, p.os_build))))
$$;
comment on function evenkeel.risk_products_known(uuid, integer) is
    'Whether a host on which no product of the patch was found is known to have none.';

create or replace function evenkeel.risk_grounds(hosts uuid[], max_age interval)
returns table (host_id uuid, plan text, kept jsonb, same integer, touched boolean, idle boolean, already boolean, waiting text, stale text,
               here boolean, known boolean, other_level text, superseding text, doubt text, open_doubt boolean)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with already as materialized (
        select distinct a.host_id from evenkeel.risk_already() a
    ), demand as materialized (
        -- Of a patch for several products that are here, all must be for other levels.
        select d.host_id, min(format('it %s, and %s is %s here', d.required, d.product, d.level)) as says
        from evenkeel.risk_demands(hosts) d
        where d.fit = 'other'
        group by d.host_id
        having count(*) = (select count(*) from overlay_patch p join host_product hp using (product_id) where hp.host_id = d.host_id)
    )
    select o.host_id, o.plan, coalesce(t.kept, '[]'), t.same, t.host_id is not null,
           o.plan is null or t.host_id is null or (t.replaced = 0 and t.added = '{}'), a.host_id is not null,
           case when c.seen_at is null or not exists (select from host_inventory_current i where i.host_id = o.host_id)
                then 'no snapshot yet: push one'
                when k.waiting or exists (select from judge_queue q where q.host_id = o.host_id) then 'not judged yet' end,
           evenkeel.risk_stale(c.taken_at, c.seen_at, max_age),
           exists (select from overlay_patch p join host_product hp using (product_id) where hp.host_id = o.host_id),
           evenkeel.risk_products_known(o.host_id, c.unreadable), d.says, evenkeel.risk_superseding(o.host_id),
           coalesce(t.doubt, o.doubt, untold.says, evenkeel.unreadable_text(c.unreadable)), t.doubt is not null
    from overlay_host o
    join risk_kind k using (host_id)
    left join overlay_touch t using (host_id)
    left join host_checkin c using (host_id)
    left join already a using (host_id)
    left join demand d using (host_id)
    cross join lateral (select min(format(case when own.level_ordinal is null
                                                then 'what %1$s brings is not known: add its payload (evenkeel patch add)'
                                                else 'what %1$s brings is not known: import its list of files (evenkeel catalog update)'
                                                  end, own.code)) as says
                        from overlay_patch p
                        join patch own using (patch_id)
                        join host_product here on here.host_id = o.host_id and here.product_id = p.product_id
                        where not exists (select from patch_table pf where pf.patch_id = p.patch_id)) untold
    where o.host_id = any (hosts)
$$;
comment on function evenkeel.risk_grounds(uuid[], interval) is
    'What is plain of these hosts. idle: the patch would change nothing; here: a product of it is there; known: whether one is; '
    'other_level: it is for other levels; doubt: why it can''t be judged, open_doubt: that it is for what lands there; null each: not '
    'so.';

create or replace function evenkeel.risk_passed_over(hosts uuid[], max_age interval)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_result (host_id, verdict, reason, kept)
    select g.host_id, v.verdict, v.reason, g.kept
    from evenkeel.risk_grounds(hosts, max_age) g
    cross join lateral (
        -- The first that holds; without a verdict it must be judged.
        select w.verdict, w.reason
        from (values
            (1, 'unknown', g.waiting is not null, g.waiting),
            (2, 'unknown', g.stale is not null, g.stale),
            (3, 'unknown', not g.here and not g.known, 'which products are here is not known: no product of it could be judged'),
            (4, 'not applicable', not g.here,
                format('another product: %s is not here',
                       (select string_agg(distinct p.name, ', ') from overlay_patch join product p using (product_id)))),
            (5, 'not applicable', g.other_level is not null, g.other_level),
            (6, null, g.open_doubt and (g.superseding is null or g.already), null),
            (7, 'unknown', g.idle and g.doubt is not null and g.superseding is null, g.doubt),
            (8, 'not applicable', g.idle and g.plan is null, 'brings nothing for the level of this host'),
            (9, 'not applicable', g.superseding is not null and (g.idle or not g.already),
                format('superseded by %s, which is installed', g.superseding)),
            (10, null, not g.idle, null),
            (11, 'not applicable', not g.touched, 'none of its files is here'),
            (12, 'not applicable', g.same > 0 and g.kept = '[]',
             format('already there: %s of %s', g.same, evenkeel.counted(g.same, 'file'))),
            (13, 'not applicable', g.same > 0,
                format('already there: %s, %s newer', evenkeel.counted(g.same, 'file as it brings it', 'files as it brings them'),
                       jsonb_array_length(g.kept))),
            (14, 'not applicable', true,
                format('superseded: %s of its files are here, all newer, such as %s %s', jsonb_array_length(g.kept), g.kept -> 0 ->> 'path',
                       g.kept -> 0 ->> 'version'))) w (place, verdict, holds, reason)
        where w.holds order by w.place limit 1) v
    where v.verdict is not null
$$;
comment on function evenkeel.risk_passed_over(uuid[], interval) is
    'Hosts of which it is plain without judging: the patch does not apply, or their snapshot is too old.';
