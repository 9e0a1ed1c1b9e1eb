-- What a database gives to everybody, and a reader of ours is not to have: temporary tables, large objects, statements without an end,
-- sessions without number. Done where the roles are there and whoever runs 'evenkeel init' may do it; what an administrator set
-- himself stays.

do $$
declare
    here constant name := current_database();
    is_super boolean := (select r.rolsuper from pg_roles r where r.rolname = current_user);
    given record;
begin
    if (select count(*) from pg_roles where rolname in ('evenkeel_owner', 'evenkeel_ingest', 'evenkeel_read')) < 3 then
        return;
    end if;

    -- Temporary tables cost disk, and could stand for ours where a search path is careless.
    if (select pg_has_role(d.datdba, 'usage') from pg_database d where d.datname = here)
       and has_database_privilege('evenkeel_read', here, 'temporary') then
        execute format('grant temporary on database %I to evenkeel_owner, evenkeel_ingest', here);
        execute format('revoke temporary on database %I from public, evenkeel_read', here);
    end if;

    -- Only a superuser can take these from everybody; we have no use for them.
    if is_super then
        for given in
            select p.oid::regprocedure as maker from pg_proc p
            where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in ('lo_create', 'lo_creat', 'lo_from_bytea')
              and has_function_privilege('evenkeel_read', p.oid, 'execute')
        loop
            execute format('revoke execute on function %s from public', given.maker);
        end loop;
    end if;

    -- Sessions that one password opens leave room for the aggregator's, whatever max_connections is by default.
    if (select r.rolconnlimit from pg_roles r where r.rolname = 'evenkeel_read') = -1 then
        begin
            alter role evenkeel_read connection limit 40;
        exception when insufficient_privilege then
            null;
        end;
    end if;

    -- It holds where evenkeel_read itself logs in; a login that is its member has settings of its own.
    if not exists (select from pg_db_role_setting s, unnest(s.setconfig) c (setting)
                   where s.setrole = 'evenkeel_read'::regrole and c.setting like 'statement_timeout=%') then
        begin
            execute format('alter role evenkeel_read in database %I set statement_timeout = ''5min''', here);
        exception when insufficient_privilege then
            null;
        end;
    end if;
end
$$;
