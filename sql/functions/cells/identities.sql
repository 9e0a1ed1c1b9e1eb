-- cloned-identity across cells. Identities travel up as hashes, are reduced above to those that several cells have, and what one cell must
-- know of the others is handed down: evenkeel.foreign_identity, which the check reads.

create or replace function evenkeel.identity_hash(key text)
returns bytea language sql immutable parallel safe
as $$ select sha256(convert_to('evenkeel identity ' || key, 'UTF8')) $$;
comment on function evenkeel.identity_hash(text) is 'What stands for an identity (a key of cloned-identity) outside of its cell.';

create or replace function evenkeel.identity_hashes()
returns table (hash bytea) language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.identity_hash(k.key)
    from (select distinct f.key from fleet_key f where f.check_code = 'cloned-identity' and f.key like 'machine-%') k
$$;
comment on function evenkeel.identity_hashes() is 'The identities of this cell''s hosts, for the fleet database.';

create or replace function evenkeel.identities_of(hashes bytea[])
returns table (hash bytea, owners integer, sharers integer, others integer, hosts jsonb)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with wanted as materialized (
        select k.key, evenkeel.identity_hash(k.key) as hash
        from (select distinct f.key from fleet_key f where f.check_code = 'cloned-identity' and f.key like 'machine-%') k
        where evenkeel.identity_hash(k.key) = any (hashes)
    ), sharing as materialized (
        select s.*, row_number() over (partition by s.hash order by s.own desc, s.name, s.host_id) as place
        from (select w.hash, h.name, h.host_id, coalesce(f.facts ->> 'product_type', '') = 'domain_controller' as controller,
                     w.key not like 'machine-guid %' or 'machine-guid ' || lower(f.facts ->> 'machine_guid') = w.key as own
              from wanted w
              join fleet_key k on k.check_code = 'cloned-identity' and k.key = w.key
              join host h on h.host_id = k.host_id and h.merged_into is null and h.retired_at is null
              join host_facts_current f on f.host_id = k.host_id) s
    )
    select s.hash, count(*) filter (where s.own)::integer, count(*)::integer, count(*) filter (where not s.controller)::integer,
           coalesce(jsonb_agg(jsonb_build_object('host', s.name, 'host_id', s.host_id,
                                                 'holds', case when s.own then 'as its own' else 'in its machine keys' end)
                              order by s.place) filter (where s.place <= 100), '[]')
    from sharing s group by s.hash
$$;
comment on function evenkeel.identities_of(bytea[]) is
    'Of identities that several cells have: how many hosts of this one, and up to 100 of them, as in evenkeel.foreign_identity.';

create or replace function evenkeel.take_identities(told jsonb, answered text[], cells text[])
returns integer language plpgsql
as $$
declare
    changed bytea[];
    queued integer;
begin
    -- What a cell that did not answer said before stays: that it is silent mends nothing.
    with given as (
        select decode(t.hash, 'hex') as hash, t.cell, t.owners, t.sharers, t.others, t.hosts
        from jsonb_to_recordset(told) t (hash text, cell text, owners integer, sharers integer, others integer, hosts jsonb)
    ), gone as (
        delete from evenkeel.foreign_identity f
        where (f.cell = any (answered) or not f.cell = any (cells))
          and not exists (select from given g where (g.hash, g.cell) = (f.hash, f.cell))
        returning f.hash
    ), kept as (
        insert into evenkeel.foreign_identity as f (hash, cell, owners, sharers, others, hosts) select g.* from given g
        on conflict (hash, cell) do update set owners = excluded.owners, sharers = excluded.sharers, others = excluded.others,
                                               hosts = excluded.hosts
            where (f.owners, f.sharers, f.others, f.hosts) is distinct from (excluded.owners, excluded.sharers, excluded.others,
                                                                             excluded.hosts)
        returning f.hash
    )
    select array_agg(hash) into changed from (select hash from gone union select hash from kept) c;
    insert into evenkeel.judge_queue (host_id)
    select distinct i.host_id
    from evenkeel.fleet_key k join evenkeel.host_inventory_current i using (host_id)
    where k.check_code = 'cloned-identity' and k.key like 'machine-%' and changed is not null
      and evenkeel.identity_hash(k.key) = any (changed)
    on conflict do nothing;
    get diagnostics queued = row_count;
    return queued;
end
$$;
comment on function evenkeel.take_identities(jsonb, text[], text[]) is
    'Takes what a fleet database hands down of the cells that answered it, of all its cells; how many hosts are to be judged again.';

create or replace function evenkeel.update_fleet()
returns table (cell text, problem text) language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    answered text[];
    everyone text[];
    shared bytea[];
    told jsonb;
    asked text;
begin
    perform evenkeel.note_cells();
    select array_agg(c.name order by c.name), coalesce(array_agg(c.name order by c.name) filter (where c.error is null), '{}')
        into everyone, answered
    from evenkeel.cell c;
    -- Who sent no hashes has answered nothing.
    drop table if exists pg_temp.cells_hash;
    create temporary table cells_hash on commit drop as
    select i.hash, i.cell
    from evenkeel.of_cells('select hash, null::integer, null::integer, null::integer, null::jsonb from evenkeel.identity_hashes() '
                           'union all select ''\x'', null, null, null, null', null::evenkeel.cell_identity, null, 60, answered) i;
    select coalesce(array_agg(h.cell), '{}') into answered from pg_temp.cells_hash h where h.hash = '\x';
    select coalesce(array_agg(s.hash), '{}') into shared
    from (select h.hash from pg_temp.cells_hash h where h.hash <> '\x' group by h.hash having count(distinct h.cell) > 1) s;
    -- One that is shared with a cell that is silent now stays as it was handed down, for that cell's rows stay.
    select coalesce(jsonb_agg(jsonb_build_object(
                        'hash', encode(i.hash, 'hex'), 'cell', i.cell, 'owners', i.owners, 'sharers', i.sharers, 'others', i.others,
                        'hosts', (select jsonb_agg(h || jsonb_build_object('cell', i.cell)) from jsonb_array_elements(i.hosts) h))), '[]')
        into told
    from evenkeel.of_cells(format('select * from evenkeel.identities_of(%L::bytea[])', shared), null::evenkeel.cell_identity, null, 60,
                           answered) i
    where i.hash is not null and jsonb_array_length(i.hosts) > 0;
    foreach asked in array answered loop
        return query
        select n.cell, format('it can''t be told of identities that other cells have: %s', n.error)
        from evenkeel.of_cells(
                 format('select null::jsonb, null::text, evenkeel.take_identities(%L, %L, %L)::bigint, null::text',
                        (select coalesce(jsonb_agg(t), '[]') from jsonb_array_elements(told) t
                         where t ->> 'cell' <> asked
                           and t ->> 'hash' in (select encode(h.hash, 'hex') from pg_temp.cells_hash h where h.cell = asked)),
                        array_remove(answered, asked), array_remove(everyone, asked)),
                 null::evenkeel.cell_document, 'answer', 60, array[asked]) n
        where n.error is not null;
    end loop;
    return query select c.name, 'it does not answer: ' || c.error from evenkeel.cell c where c.error is not null order by 1;
end
$$;
comment on function evenkeel.update_fleet() is
    'Counts the hosts of all cells, and hands down to each which identities of its hosts other cells have; a row per cell with which that '
    'failed, and why.';
revoke execute on function evenkeel.update_fleet() from public; -- roles.sql grants it
