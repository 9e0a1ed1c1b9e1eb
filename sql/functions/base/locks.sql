-- The advisory locks: their names, what each keeps apart, and the order in which a transaction may take several of them. Who holds one
-- takes only what stands below it here, and never makes a shared one exclusive; so no two sessions wait for each other.
--
--   init          one 'evenkeel init' at a time; command_init.c takes it by itself, before any function is there
--   learning      one session learns from the fleet
--   judging       one session judges the queue; nobody waits for it
--   slow judging  one session judges, one at a time, the hosts that take long; nobody waits for it
--   clock         one session judges what depends on the time alone; nobody waits for it
--   change        one session changes the catalogue, or takes content away; nobody else waits for it
--   catalogue     shared: catalogue and stored content stay as they are. Exclusive: they are changed or taken away
--   content       one session judges files and chunks that are new, or makes files that no host has
--   imports       one session adds to the caches of imports
--   fleet checks  one session changes fleet keys and what is found by them
--
-- A lock on a row that others wait for (a new file's, a host's) is taken under the lock that its writer holds, never before it.

create or replace function evenkeel.lock_order()
returns table (place bigint, lock text) language sql immutable
as $$
    select o.place, o.lock
    from unnest(array['init', 'learning', 'judging', 'slow judging', 'clock', 'change', 'catalogue', 'content', 'imports', 'fleet checks'])
         with ordinality o (lock, place)
$$;
comment on function evenkeel.lock_order() is 'The names of the advisory locks, in the order in which one transaction may take them.';

create or replace function evenkeel.lock_key(lock text)
returns bigint language sql immutable strict
as $$ select hashtext('evenkeel ' || lock)::bigint $$;
comment on function evenkeel.lock_key(text) is 'The number by which PostgreSQL knows a lock of lock_order().';

create or replace function evenkeel.lock_learning(wait boolean)
returns boolean language plpgsql
as $$
begin
    if not wait then
        return pg_try_advisory_xact_lock(evenkeel.lock_key('learning'));
    end if;
    perform pg_advisory_xact_lock(evenkeel.lock_key('learning'));
    return true;
end
$$;
comment on function evenkeel.lock_learning(boolean) is
    'Keeps others from learning until the transaction ends; false where somebody else is at it, for whom it waits only if told to.';

create or replace function evenkeel.lock_judging()
returns boolean language sql
as $$ select pg_try_advisory_xact_lock(evenkeel.lock_key('judging')) $$;
comment on function evenkeel.lock_judging() is
    'Keeps others from judging the queue until the transaction ends; false where somebody else is at it.';

create or replace function evenkeel.lock_slow_judging()
returns boolean language sql
as $$ select pg_try_advisory_xact_lock(evenkeel.lock_key('slow judging')) $$;
comment on function evenkeel.lock_slow_judging() is
    'Keeps others from judging the hosts that take long until the transaction ends; false where somebody else is at it.';

create or replace function evenkeel.lock_clock()
returns boolean language sql
as $$ select pg_try_advisory_xact_lock(evenkeel.lock_key('clock')) $$;
comment on function evenkeel.lock_clock() is
    'Keeps others from judging by the clock until the transaction ends; false where somebody else is at it.';

create or replace function evenkeel.lock_change()
returns void language sql
as $$ select pg_advisory_xact_lock(evenkeel.lock_key('change')) $$;
comment on function evenkeel.lock_change() is
    'Keeps others from changing the catalogue, and from taking content away, until the transaction ends; readers and hosts go on.';

create or replace function evenkeel.lock_catalogue()
returns void language sql
as $$ select pg_advisory_xact_lock(evenkeel.lock_key('catalogue')) $$;
comment on function evenkeel.lock_catalogue() is
    'To change the catalogue, or to take content away: waits for all who read or store, and keeps them out until the transaction ends.';

create or replace function evenkeel.catalogue_is_wanted()
returns boolean language sql
as $$
    select exists (select from pg_locks l
                   where l.locktype = 'advisory' and not l.granted and l.mode = 'ExclusiveLock' and l.objsubid = 1
                     and l.database = (select d.oid from pg_database d where d.datname = current_database())
                     and (l.classid::bigint << 32 | l.objid::bigint) = evenkeel.lock_key('catalogue'))
$$;
comment on function evenkeel.catalogue_is_wanted() is
    'Whether somebody waits to change the catalogue, or to take content away: all who come after wait behind.';

create or replace function evenkeel.lock_catalogue_shared()
returns void language sql
as $$ select pg_advisory_xact_lock_shared(evenkeel.lock_key('catalogue')) $$;
comment on function evenkeel.lock_catalogue_shared() is 'Keeps catalogue and content as they are until the transaction ends.';

create or replace function evenkeel.lock_catalogue_shared_by_session()
returns void language sql
as $$ select pg_advisory_lock_shared(evenkeel.lock_key('catalogue')) $$;
comment on function evenkeel.lock_catalogue_shared_by_session() is
    'Keeps catalogue and content as they are until the session ends, over several transactions.';

create or replace function evenkeel.lock_content()
returns void language sql
as $$ select pg_advisory_xact_lock(evenkeel.lock_key('content')) $$;
comment on function evenkeel.lock_content() is 'Waits for who judges new content, and keeps others from it until the transaction ends.';

create or replace function evenkeel.lock_imports()
returns void language sql
as $$ select pg_advisory_xact_lock(evenkeel.lock_key('imports')) $$;
comment on function evenkeel.lock_imports() is
    'One session at a time adds to the caches of imports, so that two that add the same rows can''t wait for each other.';

create or replace function evenkeel.lock_fleet_checks()
returns void language sql
as $$ select pg_advisory_xact_lock(evenkeel.lock_key('fleet checks')) $$;
comment on function evenkeel.lock_fleet_checks() is
    'One session at a time judges fleet checks: two that share a key would not see each other''s hosts before both are committed.';
