-- The fleet in numbers. A small fleet is counted when it is asked for; of a large one that takes seconds, so the aggregator's clock
-- does it now and then, and the page tells when that was.

create or replace function evenkeel.fleet_summary_now()
returns jsonb language plpgsql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    hosts jsonb;
    products jsonb;
    groups jsonb;
    checks jsonb;
begin
    select jsonb_build_object('hosts', count(*), 'mixed', count(*) filter (where h.shown = 'mixed'),
                              'unknown', count(*) filter (where h.shown = 'unknown'), 'level', count(*) filter (where h.shown = 'level'),
                              'waiting', count(*) filter (where h.pending))
        into hosts from shown_host h;
    select coalesce(jsonb_agg(jsonb_build_object('product', p.code, 'name', p.name, 'hosts', n.hosts, 'mixed', n.mixed,
                                                 'unknown', n.unknown, 'level', n.level)
                              order by n.mixed desc, n.unknown desc, n.hosts desc, p.code), '[]') into products
    from (select hp.product_id, count(*) as hosts, count(*) filter (where hp.verdict = 'mixed') as mixed,
                 count(*) filter (where hp.verdict = 'unknown' or (hp.verdict = 'level' and h.pending)) as unknown,
                 count(*) filter (where hp.verdict = 'level' and not h.pending) as level
          from host_product hp join shown_host h using (host_id) group by 1) n
    join product p using (product_id);
    select coalesce(jsonb_agg(jsonb_build_object('group', n.label, 'hosts', n.hosts, 'mixed', n.mixed, 'unknown', n.unknown,
                                                 'level', n.level)
                              order by n.mixed desc, n.unknown desc, n.hosts desc, n.label), '[]') into groups
    from (select g.label, count(*) as hosts, count(*) filter (where h.shown = 'mixed') as mixed,
                 count(*) filter (where h.shown = 'unknown') as unknown, count(*) filter (where h.shown = 'level') as level
          from group_host g
          join shown_host h using (host_id)
          group by g.label
          order by mixed desc, unknown desc, hosts desc, g.label limit 1000) n;
    select coalesce(jsonb_agg(jsonb_build_object('check', d.code, 'title', d.title, 'high', coalesce(n.high, 0),
                                                 'medium', coalesce(n.medium, 0), 'low', coalesce(n.low, 0), 'hosts', coalesce(n.hosts, 0),
                                                 'waived', coalesce(n.waived, 0))
                              order by coalesce(n.high, 0) desc, coalesce(n.medium, 0) desc, coalesce(n.low, 0) desc, d.rank, d.code), '[]')
        into checks
    from check_definition d
    left join (select f.check_code, count(*) filter (where f.severity = 'high' and not f.waived) as high,
                      count(*) filter (where f.severity = 'medium' and not f.waived) as medium,
                      count(*) filter (where f.severity = 'low' and not f.waived) as low,
                      count(distinct f.host_id) filter (where not f.waived) as hosts, count(*) filter (where f.waived) as waived
               from (select f.host_id, f.check_code, f.severity, w.host_id is not null as waived
                     from finding f
                     join host h on h.host_id = f.host_id and h.merged_into is null
                     left join waiver w on (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now()
                     where f.closed_at = 'infinity') f
               group by 1) n on n.check_code = d.code;
    return hosts || jsonb_build_object(
        'made_at', now(), 'products', products, 'groups', groups, 'checks', checks,
        'silent', (select coalesce(sum((c ->> 'hosts')::bigint), 0) from jsonb_array_elements(checks) c
                   where c ->> 'check' = 'silent-host'),
        'dangerous', (select d.hosts from report_dangers() d where d.check_code is null),
        'level_history', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from ops.level_history(30) l),
        'mixed_history', (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from ops.mixed_history(30) m),
        'levels', (select coalesce(jsonb_agg(jsonb_build_object('product', p.code, 'name', p.name, 'levels',
                                             (select jsonb_agg(l.code order by l.ordinal) from level l where l.product_id = p.product_id))
                                   order by n.place), '[]')
                   from jsonb_array_elements(products) with ordinality n (product, place)
                   join product p on p.code = n.product ->> 'product'));
end
$$;
comment on function evenkeel.fleet_summary_now() is
    'Hosts by verdict, by product and by group, findings by check, levels by night: what the page of the fleet shows beside its hosts.';

create or replace function evenkeel.refresh_fleet_summary()
returns boolean language plpgsql set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    began timestamptz := clock_timestamp();
    told jsonb;
begin
    -- Of several aggregators the one that comes first does it.
    perform from fleet_summary where made_at + greatest(took * 50, interval '1 minute') <= clock_timestamp() for update skip locked;
    if not found then
        return false;
    end if;
    told := fleet_summary_now();
    update fleet_summary set made_at = now(), took = clock_timestamp() - began, summary = told;
    return true;
end
$$;
comment on function evenkeel.refresh_fleet_summary() is
    'Works the summary out anew if a minute has passed, and fifty times as long as it took; whether it did.';

create or replace function evenkeel.fleet_summary()
returns jsonb language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select case when s.made_at > now() - greatest(s.took * 200, interval '5 minutes')
                     and (select c.reltuples from pg_class c where c.oid = 'evenkeel.host'::regclass) > 5000
                then s.summary else fleet_summary_now() end
    from fleet_summary s
$$;
comment on function evenkeel.fleet_summary() is
    'The fleet in numbers: as it is now, or as last worked out where there are more than some 5,000 hosts and that was not long '
    'ago; made_at says when.';
