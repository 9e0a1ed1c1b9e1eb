-- Locks: empty tables, one per lock that evenkeel.lock_order() names. Only who may write one can lock it, and readers may not.

do $$
declare
    lock text;
begin
    foreach lock in array array['learning', 'judging', 'slow_judging', 'clock', 'change', 'catalogue', 'content', 'imports',
                                'fleet_checks'] loop
        execute format('create table evenkeel.%I ()', 'lock_on_' || lock);
        execute format('comment on table evenkeel.%I is %L', 'lock_on_' || lock,
                       format('Holds nothing: who locks it has the lock ''%s''.', replace(lock, '_', ' ')));
    end loop;
end
$$;
