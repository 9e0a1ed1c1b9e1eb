-- The locks: their names, what each keeps apart, and the order in which a transaction may take several of them. Who holds one takes only
-- what stands below it here, and never makes a shared one exclusive; so no two sessions wait for each other.
--
-- A lock is one on an empty table of its name, which only those may take who may write it: an advisory lock anybody could take who knows
-- its number, and so hold up all others. command_init.c locks the table 'migration' before all of them.
--
--   learning      one session learns from the fleet
--   slow judging  one session judges, one at a time, the hosts that take long; nobody waits for it
--   clock         one session judges what depends on the time alone; nobody waits for it
--   change        one session changes the catalogue, or takes content away; nobody else waits for it
--   catalogue     shared: catalogue and stored content stay as they are. Exclusive: they are changed or taken away
--   storing       one session stores content that is new, so that two that store the same never collide
--   content       one session judges files and chunks that are new, or makes files that no host has
--   imports       one session adds to the caches of imports
--   fleet checks  one session judges fleet checks by what judges left; nobody waits for it
--
-- Who judges hosts of the queue has the rows of their parts locked (judge_partition), for which nobody waits either, and takes them before
-- 'catalogue'.
--
-- A lock on a row that others wait for (a new file's, a host's) is taken under the lock that its writer holds, never before it.

create or replace function evenkeel.lock_order()
returns table (place bigint, lock text) language sql immutable
as $$
    select o.place, o.lock
    from unnest(array['learning', 'slow judging', 'clock', 'change', 'catalogue', 'storing', 'content', 'imports', 'fleet checks'])
         with ordinality o (lock, place)
$$;
comment on function evenkeel.lock_order() is 'The names of the locks, in the order in which one transaction may take them.';

create or replace function evenkeel.lock_table(lock text)
returns text language sql immutable strict
as $$ select 'lock_on_' || replace(lock, ' ', '_') $$;
comment on function evenkeel.lock_table(text) is 'The table whose lock a lock of lock_order() is.';

create or replace function evenkeel.take_lock(lock text, mode text, wait boolean)
returns boolean language plpgsql
as $$
begin
    if wait then
        execute format('lock table evenkeel.%I in %s mode', evenkeel.lock_table(lock), mode);
        return true;
    end if;
    begin
        execute format('lock table evenkeel.%I in %s mode nowait', evenkeel.lock_table(lock), mode);
        return true;
    exception when lock_not_available then
        return false;
    end;
end
$$;
comment on function evenkeel.take_lock(text, text, boolean) is
    'Takes a lock of lock_order(), share or exclusive, until the transaction ends; false where another session has it and it does not '
    'wait.';

create or replace function evenkeel.lock_learning(wait boolean)
returns boolean language sql
as $$ select evenkeel.take_lock('learning', 'exclusive', wait) $$;
comment on function evenkeel.lock_learning(boolean) is
    'Keeps others from learning until the transaction ends; false where somebody else is at it, for whom it waits only if told to.';

create or replace function evenkeel.lock_slow_judging()
returns boolean language sql
as $$ select evenkeel.take_lock('slow judging', 'exclusive', false) $$;
comment on function evenkeel.lock_slow_judging() is
    'Keeps others from judging the hosts that take long until the transaction ends; false where somebody else is at it.';

create or replace function evenkeel.lock_clock(wait boolean default false)
returns boolean language sql
as $$ select evenkeel.take_lock('clock', 'exclusive', wait) $$;
comment on function evenkeel.lock_clock(boolean) is
    'Keeps others from judging by the clock until the transaction ends; false where somebody else is at it, for whom it waits only if '
    'told to.';

create or replace function evenkeel.lock_change()
returns void language plpgsql
as $$
begin
    perform evenkeel.take_lock('change', 'exclusive', true);
end
$$;
comment on function evenkeel.lock_change() is
    'Keeps others from changing the catalogue, and from taking content away, until the transaction ends; readers and hosts go on.';

create or replace function evenkeel.lock_catalogue()
returns void language plpgsql
as $$
declare
    usual text := current_setting('lock_timeout');
    patience interval := case when usual = '0' then '10 minutes' else usual end;
    began timestamptz := clock_timestamp();
begin
    -- Who waits for it keeps all others waiting that come behind: so for a second at most, and then they have their turn.
    while clock_timestamp() - began < patience loop
        begin
            perform set_config('lock_timeout', '1s', true);
            perform evenkeel.take_lock('catalogue', 'exclusive', true);
            perform set_config('lock_timeout', usual, true);
            return;
        exception when lock_not_available then
            perform pg_sleep(0.2 + random() * 0.3);
        end;
    end loop;
    raise exception 'others read or store without a pause for % now: try again later', patience using errcode = 'lock_not_available';
end
$$;
comment on function evenkeel.lock_catalogue() is
    'To change the catalogue, or to take content away: waits for all who read or store, and keeps them out until the transaction ends.';

create or replace function evenkeel.catalogue_is_wanted()
returns boolean language sql
as $$
    select exists (select from pg_locks l
                   where l.locktype = 'relation' and not l.granted and l.mode = 'ExclusiveLock'
                     and l.database = (select d.oid from pg_database d where d.datname = current_database())
                     and l.relation = format('evenkeel.%I', evenkeel.lock_table('catalogue'))::regclass)
$$;
comment on function evenkeel.catalogue_is_wanted() is
    'Whether somebody waits to change the catalogue, or to take content away: all who come after wait behind.';

create or replace function evenkeel.lock_catalogue_shared()
returns void language plpgsql
as $$
begin
    perform evenkeel.take_lock('catalogue', 'share', true);
end
$$;
comment on function evenkeel.lock_catalogue_shared() is 'Keeps catalogue and content as they are until the transaction ends.';

create or replace function evenkeel.lock_storing()
returns void language plpgsql
as $$
begin
    perform evenkeel.take_lock('storing', 'exclusive', true);
end
$$;
comment on function evenkeel.lock_storing() is
    'Keeps others from storing new content until the transaction ends: what they stored meanwhile is seen by who looks for it then.';

create or replace function evenkeel.lock_content()
returns void language plpgsql
as $$
begin
    perform evenkeel.take_lock('content', 'exclusive', true);
end
$$;
comment on function evenkeel.lock_content() is 'Waits for who judges new content, and keeps others from it until the transaction ends.';

create or replace function evenkeel.lock_imports()
returns void language plpgsql
as $$
begin
    perform evenkeel.take_lock('imports', 'exclusive', true);
end
$$;
comment on function evenkeel.lock_imports() is
    'One session at a time adds to the caches of imports, so that two that add the same rows can''t wait for each other.';

create or replace function evenkeel.lock_fleet_checks()
returns boolean language sql
as $$ select evenkeel.take_lock('fleet checks', 'exclusive', false) $$;
comment on function evenkeel.lock_fleet_checks() is
    'Keeps others from judging fleet checks until the transaction ends; false where somebody else is at it.';
