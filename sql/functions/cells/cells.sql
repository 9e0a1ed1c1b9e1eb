-- Which cells a fleet has, and how they are now.

create or replace function evenkeel.cell_state()
returns table (identity text, schema integer, hosts bigint, level bigint, mixed bigint, unknown bigint, products jsonb, is_fleet boolean,
               error text)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select (select format('%s/%s', s.system_identifier, d.oid)
            from pg_control_system() s, pg_database d where d.datname = current_database()),
           evenkeel.schema_version(), count(*), count(*) filter (where h.shown = 'level'), count(*) filter (where h.shown = 'mixed'),
           count(*) filter (where h.shown not in ('level', 'mixed')),
           (select coalesce(jsonb_object_agg(p.code, n.hosts), '{}')
            from (select hp.product_id, count(*) as hosts from host_product hp group by 1) n join product p using (product_id)),
           evenkeel.is_fleet(), null::text
    from shown_host h
$$;
comment on function evenkeel.cell_state() is 'What a database says of itself to a fleet database that asks.';

create or replace function evenkeel.cells_now()
returns table (cell text, answers boolean, hosts bigint, level bigint, mixed bigint, unknown bigint, answered_at timestamptz, error text,
               products jsonb)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select c.name, a.identity is not null, coalesce(a.hosts, c.hosts), coalesce(a.level, 0), coalesce(a.mixed, 0),
           coalesce(a.unknown, c.hosts), case when a.identity is not null then now() else c.answered_at end, a.error, a.products
    from evenkeel.cell c
    join evenkeel.of_cells('select * from evenkeel.cell_state()', null::evenkeel.cell_answer, 'answer') a on a.cell = c.name
    order by c.name
$$;
comment on function evenkeel.cells_now() is 'A row per cell, asked now.';

create or replace function evenkeel.note_cells()
returns void language sql
as $$
    update evenkeel.cell c
    set answered_at = n.answered_at, error = n.error, hosts = n.hosts, products = coalesce(n.products, c.products)
    from evenkeel.cells_now() n where n.cell = c.name
$$;
comment on function evenkeel.note_cells() is 'Remembers how many hosts each cell that answers has, for when it does not.';

create or replace function evenkeel.add_cell(wanted text, where_it_is text)
returns bigint language plpgsql
as $$
declare
    asked evenkeel.cell;
    state evenkeel.cell_answer;
begin
    if wanted !~ '^[a-z0-9][a-z0-9._-]{0,62}$' then
        raise exception '''%'' can''t be a cell''s name: up to 63 small letters, digits, dots, hyphens and underscores are, such as emea',
            wanted;
    elsif exists (select from evenkeel.cell c where c.name = wanted) then
        raise exception 'there is a cell ''%'' already: ''evenkeel fleet list'' names all', wanted;
    end if;
    perform evenkeel.make_fleet();
    -- Where it is not yet known which database it is.
    insert into evenkeel.cell (name, dsn, identity) values (wanted, where_it_is, 'new ' || wanted) returning * into asked;
    select s.* into state
    from evenkeel.of_cells('select * from evenkeel.cell_state()', null::evenkeel.cell_answer, 'answer', chosen => array[wanted]) s;
    if state.identity is null then
        raise exception 'the database server can''t ask cell ''%'': %', wanted, state.error;
    elsif state.is_fleet then
        raise exception 'that is a fleet database itself: a cell is one that holds hosts';
    elsif exists (select from evenkeel.cell c where c.identity = state.identity) then
        raise exception 'that database is cell ''%'' already', (select c.name from evenkeel.cell c where c.identity = state.identity);
    end if;
    update evenkeel.cell c
    set identity = state.identity, answered_at = now(), hosts = state.hosts, products = state.products
    where c.name = wanted;
    return state.hosts;
end
$$;
comment on function evenkeel.add_cell(text, text) is
    'Adds a cell, which makes this a fleet database where it was none; how many hosts it has. It must answer, and be no cell yet.';

create or replace function evenkeel.remove_cell(wanted text)
returns void language plpgsql
as $$
begin
    delete from evenkeel.cell c where c.name = wanted;
    if not found then
        raise exception 'there is no cell ''%'': ''evenkeel fleet list'' names all', wanted using errcode = 'no_data_found';
    end if;
end
$$;
comment on function evenkeel.remove_cell(text) is 'Takes a cell out of the fleet; nothing changes in the cell itself.';
