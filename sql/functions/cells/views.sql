-- The schema ops of a fleet database: the views and functions of a cell, asked in all cells, with a last column `cell`. They are made out
-- of those that are there, so a view that is new needs nothing here; those that count add the cells up, and name them.

create or replace function evenkeel.added_up(name text)
returns text language sql immutable
as $$
    select a.says
    from (values
        ('level_matrix', 'product, component, level, sum(hosts)::bigint, min(lowest_ordinal), max(highest_ordinal) | 1, 2, 3'),
        ('finding_trend', 'night, check_name, severity, sum(open)::bigint, sum(opened)::bigint, sum(closed)::bigint | 1, 2, 3'),
        ('compliance', 'night, product, sum(hosts)::bigint, sum(level)::bigint, sum(mixed)::bigint, sum(unknown)::bigint, '
                       'sum(silent)::bigint | 1, 2'),
        ('group_compliance', 'night, min("group"), product, sum(hosts)::bigint, sum(level)::bigint, sum(mixed)::bigint, '
                             'sum(unknown)::bigint, sum(silent)::bigint | 1, lower("group"), 3'),
        ('file_version', 'file, file_version, product, level_range, lowest_ordinal, highest_ordinal, sum(hosts)::bigint, '
                         'case when product is not null then evenkeel.version_text(max(evenkeel.version_of(file_version)) '
                         'over (partition by file, product)) end, case when product is not null then evenkeel.version_of(file_version) '
                         '< max(evenkeel.version_of(file_version)) over (partition by file, product) end | 1, 2, 3, 4, 5, 6'),
        ('level_history', 'night, product, level, verdict, sum(hosts)::bigint | 1, 2, 3, 4'),
        ('mixed_history', 'night, sum(hosts)::bigint | 1'),
        ('patch_progress', 'night, state, sum(hosts)::bigint | 1, 2')) a (name, says)
    where a.name = added_up.name
$$;
comment on function evenkeel.added_up(text) is
    'How the rows of several cells become one where a view or function of ops counts: the columns, and by what they are gathered; null: '
    'rows stay as they are.';

create or replace function evenkeel.asked_of_cells(name text, columns text[], rows text)
returns text language sql immutable
as $$
    select case when a.says is null then 'select * from ' || rows
                else format('select %s, string_agg(distinct cell, '', '' order by cell) from (select %s, cell from %s) r group by %s',
                            split_part(a.says, ' | ', 1),
                            -- 'Now' is a little later in each cell.
                            (select string_agg(case when c = 'night'
                                                    then 'case when night > date_trunc(''day'', now()) then now() else night end as night'
                                                    else quote_ident(c) end, ', ') from unnest(columns) c),
                            rows, split_part(a.says, ' | ', 2)) end
    from (select evenkeel.added_up(name)) a (says)
$$;
comment on function evenkeel.asked_of_cells(text, text[], text) is 'The query of a view or function of ops over the rows that cells give.';

create or replace function evenkeel.make_fleet_view(view regclass, name text)
returns void language plpgsql
as $$
declare
    columns text[];
    types text;
begin
    select array_agg(a.attname::text order by a.attnum),
           string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
        into columns, types
    from pg_attribute a where a.attrelid = view and a.attnum > 0 and not a.attisdropped;
    execute format('create type evenkeel.%I as (%s, cell text)', 'cells_' || name, types);
    execute format('create function evenkeel.%1$I() returns setof evenkeel.%1$I language sql security definer '
                   'set search_path = evenkeel, pg_catalog, pg_temp as %2$L', 'cells_' || name,
                   format('select * from evenkeel.of_cells(%L, null::evenkeel.%I, %L)',
                          format('select %s from ops.%I', (select string_agg(quote_ident(c), ', ') from unnest(columns) c), name),
                          'cells_' || name, name));
    execute format('comment on function evenkeel.%I() is %L', 'cells_' || name, 'The rows of ops.' || name || ' of all cells.');
    execute format('create or replace view ops.%I (%s, cell) as %s', name,
                   (select string_agg(quote_ident(c), ', ') from unnest(columns) c),
                   evenkeel.asked_of_cells(name, columns, format('evenkeel.%I()', 'cells_' || name)));
    execute format('comment on column ops.%I.cell is %L', name,
                   case when evenkeel.added_up(name) is null then 'The cell that this is of.'
                        else 'The cells that are added up in this.' end);
end
$$;
comment on function evenkeel.make_fleet_view(regclass, text) is 'Makes a view of ops ask all cells.';

create or replace function evenkeel.make_fleet_function(routine regprocedure, name text)
returns void language plpgsql
as $$
declare
    f pg_proc;
    columns text[];
    types text;
    arguments text := pg_get_function_arguments(routine);
    identity text := pg_get_function_identity_arguments(routine);
    says text := obj_description(routine, 'pg_proc');
    given text;
begin
    select p.* into strict f from pg_proc p where p.oid = routine;
    select array_agg(n.name order by n.place), string_agg(format('%I %s', n.name, format_type(n.type, null)), ', ' order by n.place)
        into columns, types
    from unnest(f.proargnames, f.proargmodes, f.proallargtypes) with ordinality n (name, mode, type, place) where n.mode = 't';
    select coalesce(string_agg(format('quote_nullable($%s) || %L', n.place, '::' || format_type(n.type, null)), ' || '', '' || '
                               order by n.place), '''''') into given
    from unnest(f.proargtypes::oid[]) with ordinality n (type, place);
    execute format('create type evenkeel.%I as (%s, cell text)', 'cells_' || name, types);
    execute format('drop function %s', routine);
    execute format('create function ops.%I(%s) returns table (%s, cell text) language sql security definer set datestyle = ''ISO'' '
                   'set intervalstyle = ''postgres'' set search_path = evenkeel, pg_catalog, pg_temp as %L', name, arguments, types,
                   evenkeel.asked_of_cells(name, columns, format(
                       'evenkeel.of_cells(%L || %s || %L, null::evenkeel.%I, %L, %s)',
                       format('select %s from ops.%I(', (select string_agg(quote_ident(c), ', ') from unnest(columns) c), name),
                       given, ')', 'cells_' || name, name, case name when 'risk' then 300 else 20 end)));
    execute format('comment on function ops.%I(%s) is %L', name, identity, says);
end
$$;
comment on function evenkeel.make_fleet_function(regprocedure, text) is 'Makes a function of ops ask all cells.';

create or replace function evenkeel.make_fleet()
returns void language plpgsql
as $$
declare
    shown record;
begin
    if evenkeel.is_fleet() then
        return;
    end if;
    if exists (select from evenkeel.host) then
        raise exception 'this database has hosts of its own, and a fleet database holds none: make another (createdb, evenkeel init)';
    end if;
    if not exists (select from pg_extension e where e.extname = 'dblink' and e.extnamespace = 'evenkeel'::regnamespace) then
        create extension dblink schema evenkeel;
    end if;
    -- Whoever reads asks cells through what is made here, and connects nowhere himself, least of all by a connection of ours.
    for shown in
        select p.oid::regprocedure as routine
        from pg_extension e
        join pg_depend d on (d.refclassid, d.refobjid, d.classid, d.deptype)
                            = ('pg_extension'::regclass, e.oid, 'pg_proc'::regclass, 'e')
        join pg_proc p on p.oid = d.objid
        where e.extname = 'dblink' and p.proacl is null and pg_has_role(p.proowner, 'usage')
    loop
        execute format('revoke execute on function %s from public', shown.routine);
    end loop;
    for shown in
        select p.oid::regprocedure as routine, p.proname::text as name
        from pg_proc p where p.pronamespace = 'ops'::regnamespace and p.proretset and 't' = any (p.proargmodes)
    loop
        perform evenkeel.make_fleet_function(shown.routine, shown.name);
    end loop;
    for shown in
        select c.oid::regclass as view, c.relname::text as name
        from pg_class c where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v' and c.relname not in ('manual', 'cell')
    loop
        perform evenkeel.make_fleet_view(shown.view, shown.name);
    end loop;
    for shown in
        select p.oid::regprocedure as routine, substr(p.proname::text, 12) as name, p.proretset,
               (select string_agg('$' || n, ', ') from generate_series(1, p.pronargs) n) as given
        from pg_proc p where p.pronamespace = 'evenkeel'::regnamespace and p.proname ~ '^over_cells_'
          and exists (select from pg_proc o where o.pronamespace = p.pronamespace and o.proname = substr(p.proname::text, 12))
    loop
        execute format('create or replace function evenkeel.%I(%s) returns %s language sql volatile security definer '
                       'set search_path = evenkeel, pg_catalog, pg_temp as %L', shown.name, pg_get_function_arguments(shown.routine),
                       pg_get_function_result(shown.routine),
                       format('select %s evenkeel.over_cells_%s(%s)', case when shown.proretset then '* from' else '' end, shown.name,
                              shown.given));
    end loop;
end
$$;
comment on function evenkeel.make_fleet() is
    'Makes this database, which has no host, a fleet database: its ops views and functions ask cells.';

create or replace function evenkeel.unmake_fleet()
returns void language plpgsql
as $$
declare
    shown record;
begin
    for shown in
        select v.oid::regclass as view from pg_class v
        where v.relnamespace = 'ops'::regnamespace and v.relkind = 'v'
          and exists (select from pg_attribute a where a.attrelid = v.oid and a.attname = 'cell')
    loop
        execute format('drop view if exists %s', shown.view);
    end loop;
    for shown in
        select p.oid::regprocedure as routine from pg_proc p
        where p.pronamespace = 'ops'::regnamespace and p.proretset and p.proargnames[cardinality(p.proargnames)] = 'cell'
    loop
        execute format('drop function %s', shown.routine);
    end loop;
    for shown in
        select t.oid::regtype as type from pg_type t
        where t.typnamespace = 'evenkeel'::regnamespace and t.typtype = 'c' and t.typname ~ '^cells_'
    loop
        execute format('drop type %s cascade', shown.type);
    end loop;
end
$$;
comment on function evenkeel.unmake_fleet() is
    'Takes the views and functions that ask cells away, so that evenkeel init makes them anew out of those that there are now.';
