-- Judging what can be judged: a batch that fails is halved until what makes it fail stands alone. That is set aside with its error, and
-- the rest goes on.

create or replace function evenkeel.is_passing(sqlstate_code text)
returns boolean language sql immutable strict
as $$
    -- Rolled back for another's sake, no room on the disk or for a connection, a lock that was not had, an operator, the system; and a
    -- statement that reads what a migration is just changing.
    select left(sqlstate_code, 2) in ('40', '55', '57', '58') or sqlstate_code in ('53000', '53100', '53300', '53400')
$$;
comment on function evenkeel.is_passing(text) is
    'Whether an error (SQLSTATE) comes from how things are at the moment rather than from what was worked on: then nothing is set '
    'aside for it.';

create or replace function evenkeel.failure_text(message text, context text)
returns text language sql immutable
as $$
    select message || coalesce(' in check ' || substring(context from 'select host_id, ''([a-z-]+)'', subject'),
                               ' in ' || substring(context from 'PL/pgSQL function (?:evenkeel\.)?(?!work_apart)(\w+)\('), '')
$$;
comment on function evenkeel.failure_text(text, text) is 'An error''s message, and the check or the innermost function that it comes from.';

create or replace function evenkeel.work_apart(items text[], work text, aside text)
returns void language plpgsql
as $$
declare
    half integer := cardinality(items) / 2;
    failure text;
    code text;
    place text;
begin
    begin
        execute work using items;
        return;
    exception when others then
        get stacked diagnostics failure = message_text, code = returned_sqlstate, place = pg_exception_context;
        if evenkeel.is_passing(code) then
            raise;
        end if;
    end;
    if half = 0 then
        execute aside using items[1], evenkeel.failure_text(failure, place);
    else
        perform evenkeel.work_apart(items[:half], work, aside);
        perform evenkeel.work_apart(items[half + 1:], work, aside);
    end if;
end
$$;
comment on function evenkeel.work_apart(text[], text, text) is
    'Works on all items at once (the statement work, with the items as $1); where that fails, on each half of them, and so on, until '
    'the one that makes it fail stands alone: then with the statement aside, which has the item as $1 and the error as $2.';

create or replace function evenkeel.judge_apart(hosts uuid[])
returns void language plpgsql
as $$
begin
    perform evenkeel.work_apart(hosts::text[], 'select evenkeel.judge_hosts($1::uuid[])', 'select evenkeel.set_aside($1::uuid, $2)');
end
$$;
comment on function evenkeel.judge_apart(uuid[]) is
    'Judges hosts; one that makes that fail is set aside, and the others are judged all the same.';

create or replace function evenkeel.not_judged_text(error text)
returns text language sql immutable parallel safe
as $$ select format('it could not be judged (%s)', left(error, 300)) $$;
comment on function evenkeel.not_judged_text(text) is 'What a host that is set aside lacks for a verdict.';

create or replace function evenkeel.set_aside(host uuid, failure text)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.state_open();
    insert into evenkeel.not_judged as n (host_id, error) values (host, failure)
    on conflict (host_id) do update set tried_at = clock_timestamp(), tries = n.tries + 1, error = excluded.error;
    update evenkeel.host h
    set verdict = 'unknown', judged_at = clock_timestamp(),
        judged_state = (select c.state_at from evenkeel.host_checkin c where c.host_id = h.host_id)
    where h.host_id = host;
    -- What was last found of its products is no verdict on what it is now; what was found wrong stays open, for nobody saw it mended.
    update evenkeel.host_product p set verdict = 'unknown', missing = evenkeel.not_judged_text(failure) where p.host_id = host;
    perform evenkeel.peers_changed(array[host]);
    delete from state_host; delete from state_product;
    insert into state_host values (host, '{}');
    insert into state_product select * from evenkeel.host_product p where p.host_id = host;
    perform evenkeel.record_verdicts();
    -- Nobody's findings may rest on it: of those that shared a key with it one waits for the fleet checks, which judge all that share it.
    with gone as (
        delete from evenkeel.fleet_key k where k.host_id = host returning k.check_code, k.key
    )
    insert into evenkeel.fleet_change (host_id)
    select distinct o.host_id
    from gone g
    cross join lateral (
        (select k.host_id from evenkeel.fleet_key k
         where (k.check_code, k.key) = (g.check_code, g.key) and k.host_id <> host limit 1)
        union all
        -- group-skew compares hosts of different keys, too: these begin with the same, as its file says.
        (select k.host_id from evenkeel.fleet_key k
         where g.check_code = 'group-skew' and k.check_code = 'group-skew' and left(k.key, -37) = left(g.key, -37) and k.host_id <> host
         limit 1)) o;
end
$$;
comment on function evenkeel.set_aside(uuid, text) is 'A host can''t be judged: its verdict is unknown, with the reason, until it can.';

create or replace function evenkeel.set_object_aside(object_kind text, object_name text, failure text)
returns void language sql
as $$
    insert into evenkeel.not_judged_object as n (kind, object, error) values (object_kind, object_name, failure)
    on conflict (kind, object) do update set tries = n.tries + 1, error = excluded.error
$$;
comment on function evenkeel.set_object_aside(text, text, text) is 'Notes content or a lesson that could not be judged.';

create or replace function evenkeel.retry_not_judged()
returns void language sql
as $$
    -- Hosts follow by the queue, into which whoever calls this puts them; those set aside alone need not be in it.
    insert into evenkeel.unjudged_file select object::integer from evenkeel.not_judged_object where kind = 'file' on conflict do nothing;
    insert into evenkeel.unjudged_chunk select object::bigint from evenkeel.not_judged_object where kind = 'chunk' on conflict do nothing;
    insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.not_judged order by host_id on conflict do nothing;
    delete from evenkeel.not_judged_object;
$$;
comment on function evenkeel.retry_not_judged() is
    'Everything that was set aside is tried again: after evenkeel init, and after a change of the catalogue.';

create or replace function evenkeel.run_check_apart(fleet_check text)
returns void language plpgsql
as $$
declare
    hosts uuid[];
    half integer;
    failure text;
    code text;
    place text;
begin
    begin
        perform evenkeel.run_check(fleet_check);
        return;
    exception when others then
        get stacked diagnostics failure = message_text, code = returned_sqlstate, place = pg_exception_context;
        if evenkeel.is_passing(code) then
            raise;
        end if;
    end;
    select array_agg(host_id order by host_id) into hosts from state_host;
    half := cardinality(hosts) / 2;
    if half = 0 then
        perform evenkeel.set_object_aside('check', format('%s of host %s', fleet_check, hosts[1]), evenkeel.failure_text(failure, place));
        return;
    end if;
    delete from state_host where host_id = any (hosts[half + 1:]);
    perform evenkeel.run_check_apart(fleet_check);
    delete from state_host;
    insert into state_host select h.host_id, '{}' from unnest(hosts[half + 1:]) h (host_id);
    perform evenkeel.run_check_apart(fleet_check);
    delete from state_host;
    insert into state_host select h.host_id, '{}' from unnest(hosts) h (host_id);
end
$$;
comment on function evenkeel.run_check_apart(text) is
    'Runs a check that reads nothing of state_host but who is in it; a host that makes it fail has no findings of it, which is noted.';
