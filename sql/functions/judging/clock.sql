-- Judging what depends on the time alone: hosts whose time has come, by the index of host_due, and those that may be acquitted.

create or replace function evenkeel.host_is_due()
returns trigger language plpgsql
as $$
begin
    insert into evenkeel.host_due (host_id) values (new.host_id)
    on conflict (host_id) do update set due_at = '-infinity';
    return null;
end
$$;
comment on function evenkeel.host_is_due() is
    'A host that is new, or reports by another schedule, or was heard of earlier than was known, is looked at by the next clock.';

create or replace trigger host_checkin_new after insert on evenkeel.host_checkin
    for each row execute function evenkeel.host_is_due();
create or replace trigger host_checkin_schedule after update of host_id, schedule_seconds, seen_at on evenkeel.host_checkin
    for each row when (old.schedule_seconds <> new.schedule_seconds or new.seen_at < old.seen_at or old.host_id <> new.host_id)
    execute function evenkeel.host_is_due();

create or replace function evenkeel.all_hosts_are_due()
returns trigger language plpgsql
as $$
begin
    update evenkeel.host_due set due_at = '-infinity' where due_at <> '-infinity';
    return null;
end
$$;
comment on function evenkeel.all_hosts_are_due() is 'What the checks of the clock go by changed, so they look at all hosts again.';

create or replace trigger setting_silent after update on evenkeel.setting
    for each row when (new.name like 'silent-host.%') execute function evenkeel.all_hosts_are_due();
create or replace trigger check_definition_clock after insert or update of key_query, query on evenkeel.check_definition
    for each row when (new.scope = 'clock') execute function evenkeel.all_hosts_are_due();

create or replace function evenkeel.hosts_silence()
returns table (host_id uuid, seen_at timestamptz, taken_at timestamptz, schedule_seconds integer, unplanned text, due_at timestamptz)
language sql stable
as $$
    with rule as materialized (
        -- Once, and not for every host.
        select evenkeel.setting('silent-host.grace')::interval as grace,
               1 + evenkeel.setting('silent-host.tolerance')::double precision as tolerance,
               evenkeel.setting('silent-host.default') as unplanned, evenkeel.setting('silent-host.default')::interval as unplanned_interval
    )
    select c.host_id, c.seen_at, c.taken_at, c.schedule_seconds, r.unplanned,
           c.seen_at + r.grace + case when c.schedule_seconds > 0 then make_interval(secs => c.schedule_seconds * r.tolerance)
                                      else r.unplanned_interval end
    from state_host
    cross join rule r
    join evenkeel.host_checkin c using (host_id)
    join evenkeel.host h using (host_id)
    where h.merged_into is null
$$;
comment on function evenkeel.hosts_silence() is 'Since when, or from when on, each host of state_host is silent if nothing is heard of it.';

create or replace function evenkeel.judge_clock(most integer default 5000)
returns integer language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    checks text[];
    definition record;
    hosts uuid[];
    -- A check that does not say when its hosts are due looks at all of them each time.
    everybody boolean := exists (select from evenkeel.check_definition d where d.scope = 'clock' and d.key_query = '');
begin
    if not evenkeel.lock_clock() then
        return 0;
    end if;
    select coalesce(array_agg(code order by code), '{}') into checks from evenkeel.check_definition where scope = 'clock';
    if everybody then
        select array_agg(d.host_id) into hosts from evenkeel.host_due d;
    else
        select array_agg(x.host_id) into hosts
        from (select d.host_id from evenkeel.host_due d where d.due_at <= now() order by d.due_at limit most) x;
        select array_agg(x.host_id) into hosts
        from (select unnest(hosts) as host_id
              union
              select f.host_id
              from evenkeel.finding f
              join evenkeel.host_due d using (host_id)
              join evenkeel.host_checkin c using (host_id)
              where f.closed_at = 'infinity' and f.check_code = any (checks) and c.seen_at >= d.looked_at) x;
    end if;
    if hosts is null then
        return 0;
    end if;
    perform evenkeel.state_open();
    create temporary table if not exists state_due (host_id uuid not null, due_at timestamptz not null) on commit delete rows;
    delete from state_host; delete from state_finding; delete from state_due;
    insert into state_host select i.host_id, '{}' from evenkeel.host_inventory_current i where i.host_id = any (hosts);
    analyze state_host;
    for definition in select code, key_query from evenkeel.check_definition where scope = 'clock' order by code loop
        perform evenkeel.run_check_apart(definition.code);
        if definition.key_query <> '' then
            execute format('insert into state_due select host_id, due_at from (%s) d', definition.key_query);
        end if;
    end loop;
    analyze state_due;
    perform evenkeel.bound_findings();
    perform evenkeel.store_findings(checks);
    -- Last, for whoever reports by another schedule waits for these rows; and in one order.
    perform from evenkeel.host_due d where d.host_id = any (hosts) order by d.host_id for update;
    update evenkeel.host_due d
    set looked_at = now(), due_at = greatest(coalesce(n.due_at, now() + interval '1 day'), now() + interval '50 seconds')
    from (select h.host_id, min(s.due_at) as due_at from unnest(hosts) h (host_id) left join state_due s using (host_id) group by 1) n
    where n.host_id = d.host_id;
    return case when everybody then 0 else cardinality(hosts) end;
end
$$;
comment on function evenkeel.judge_clock(integer) is
    'Judges the checks that depend on the time alone for up to so many hosts that are due, and those with such a finding that were heard '
    'of since; one aggregator at a time. Returns how many hosts it looked at; to be called again for as long as these are so many.';
