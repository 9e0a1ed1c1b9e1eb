-- The way back of a host, for people and dashboards that know hosts by name.

create or replace function ops.plan(host_name text)
returns table (host text, step integer, action text, what text, why text)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.host_ids(plan.host_name);
    select h.name, p.step, p.action, p.what, p.why
    from host h
    cross join lateral evenkeel.plan(h.host_id) p
    where h.host_id = any (evenkeel.host_ids(plan.host_name))
    order by h.host_id, p.step
$$;
comment on function ops.plan(text) is
    'What to reapply, restore and restart on a host, in order, and then what is found after that; no rows: nothing. '
    'select * from ops.plan(''web-05'')';
