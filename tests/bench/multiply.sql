-- Makes a simulated fleet :times as large, as if as many more hosts had reported and been judged: every host's rows again under other
-- names, with chunks, files and images of their own where the host has some. Reporting goes through the protocol at some hundred hosts
-- a second; this is for databases of a size that would take an hour that way.
select set_config('bench.times', :'times', false);
begin;

create temporary table copy as
select h.host_id as old_host, md5(h.host_id::text || i)::uuid as host, i,
       convert_to(h.name, 'UTF8') as old_name,
       convert_to('sim-' || lpad((substring(h.name from '[0-9]+$')::integer + i * n.hosts)::text, 6, '0'), 'UTF8') as name,
       f.facts ->> 'machine_guid' as old_guid, md5(i || h.host_id::text)::uuid::text as guid
from evenkeel.host h
join evenkeel.host_facts_current f using (host_id)
cross join (select count(*) as hosts from evenkeel.host) n
cross join generate_series(1, current_setting('bench.times')::integer - 1) i;

-- What only one host has, and what stands for it in the host's copies.
create temporary table own_chunk as
select c.chunk_id as old_id, (array_agg(v.host_id))[1] as old_host
from evenkeel.host_inventory_current v cross join unnest(v.chunk_ids) c (chunk_id)
group by c.chunk_id having count(*) = 1;
create temporary table own_file as
select u.file_id as old_id, min(k.chunk_id) as chunk_id
from evenkeel.chunk k cross join unnest(k.file_ids) u (file_id)
group by u.file_id having count(*) = 1;
delete from own_file f where not exists (select from own_chunk c where c.old_id = f.chunk_id);

create temporary table chunk_copy as
select o.old_id, c.i, c.host, (select max(chunk_id) from evenkeel.chunk) + row_number() over (order by c.i, o.old_id) as new_id
from own_chunk o join copy c using (old_host);
create temporary table file_copy as
select o.old_id, f.image_id as old_image, c.i, c.new_id as new_chunk,
       (select max(file_id) from evenkeel.file) + row_number() over (order by c.i, o.old_id) as new_id,
       (select max(image_id) from evenkeel.image) + row_number() over (order by c.i, o.old_id) as new_image
from own_file o join evenkeel.file f on f.file_id = o.old_id join chunk_copy c on c.old_id = o.chunk_id;
create index on chunk_copy (old_id, i);
create index on file_copy (new_chunk);
analyze copy; analyze chunk_copy; analyze file_copy;

-- The rows of one table again: `changed` gives the columns that are not as they were.
create function pg_temp.again(relation regclass, source text, changed jsonb) returns void language plpgsql as $$
begin
    execute (select format('insert into %s (%s) overriding system value select %s from %s t join %s',
                           relation, string_agg(quote_ident(attname), ', ' order by attnum),
                           string_agg(coalesce(changed ->> attname, 't.' || quote_ident(attname)), ', ' order by attnum), relation, source)
             from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped and attgenerated = '');
end
$$;

do $$
declare
    of_host constant text := 'copy c on c.old_host = t.host_id';
    keys constant bigint := (select max(key_id) from evenkeel.collector_key);
    relation record;
    special constant jsonb := jsonb_build_object(
        'host', '{"host_id": "c.host", "name": "convert_from(c.name, ''UTF8'')"}'::jsonb,
        'host_key', jsonb_build_object('host_id', 'c.host', 'key_id', 't.key_id + c.i * ' || keys),
        'host_checkin', '{"host_id": "c.host", "inventory": "sha256(t.inventory || c.host::text::bytea)", "facts": "sha256(t.facts || c.host::text::bytea)"}'::jsonb,
        'fleet_key', '{"host_id": "c.host", "key": "replace(t.key, c.old_guid, c.guid)"}'::jsonb,
        'host_inventory_current', '{"host_id": "c.host", "digest": "sha256(t.digest || c.host::text::bytea)", "chunk_ids":
            "(select array_agg(coalesce(k.new_id, u.chunk_id) order by u.place) from unnest(t.chunk_ids) with ordinality u (chunk_id, place) left join chunk_copy k on k.old_id = u.chunk_id and k.i = c.i)"}'::jsonb,
        'host_facts_current', '{"host_id": "c.host", "digest": "sha256(t.digest || c.host::text::bytea)",
            "facts": "t.facts || jsonb_build_object(''machine_guid'', c.guid, ''computer_name'', convert_from(c.name, ''UTF8''))",
            "body": "decode(replace(replace(encode(t.body, ''hex''), encode(c.old_guid::bytea, ''hex''), encode(c.guid::bytea, ''hex'')), encode(c.old_name, ''hex''), encode(c.name, ''hex'')), ''hex'')"}'::jsonb);
begin
    perform pg_temp.again('evenkeel.collector_key', format('generate_series(1, %s) s (i) on true', current_setting('bench.times')::integer - 1),
                          jsonb_build_object('key_id', 't.key_id + s.i * ' || keys, 'public_key', 'sha256(t.public_key || s.i::text::bytea)'));
    perform pg_temp.again('evenkeel.image', '(select old_image, new_image from file_copy) c on c.old_image = t.image_id',
        '{"image_id": "c.new_image", "digest": "sha256(t.digest || c.new_image::text::bytea)", "checksum": "c.new_image"}');
    perform pg_temp.again('evenkeel.file', 'file_copy c on c.old_id = t.file_id', '{"file_id": "c.new_id", "image_id": "c.new_image"}');
    perform pg_temp.again('evenkeel.chunk', 'chunk_copy c on c.old_id = t.chunk_id',
        '{"chunk_id": "c.new_id", "digest": "sha256(t.digest || c.new_id::text::bytea)", "file_ids":
            "(select array_agg(coalesce(f.new_id, u.file_id) order by u.place) from unnest(t.file_ids) with ordinality u (file_id, place) left join file_copy f on f.new_chunk = c.new_id and f.old_id = u.file_id)"}');
    for relation in
        select c.oid::regclass as id, c.relname,
               (select min(a.attname::text) from pg_attribute a where a.attrelid = c.oid and a.attname in ('host_id', 'chunk_id', 'file_id', 'image_id')) as key
        from pg_class c
        where c.relnamespace = 'evenkeel'::regnamespace and c.relkind = 'r' and c.relname not in ('image', 'file', 'chunk',
              -- Follows host_checkin by itself; counted by who learns.
              'host_due', 'peer_host', 'peer_change', 'peer_was')
    loop
        case coalesce(relation.key, '')
        when 'host_id' then perform pg_temp.again(relation.id, of_host, coalesce(special -> relation.relname, '{"host_id": "c.host"}'));
        when 'chunk_id' then perform pg_temp.again(relation.id, 'chunk_copy c on c.old_id = t.chunk_id', '{"chunk_id": "c.new_id"}');
        when 'file_id' then perform pg_temp.again(relation.id, 'file_copy c on c.old_id = t.file_id', '{"file_id": "c.new_id"}');
        when 'image_id' then perform pg_temp.again(relation.id, 'file_copy c on c.old_image = t.image_id', '{"image_id": "c.new_image"}');
        else null;
        end case;
    end loop;
    perform setval('evenkeel.chunk_chunk_id_seq', (select max(chunk_id) from evenkeel.chunk));
    perform setval('evenkeel.file_file_id_seq', (select max(file_id) from evenkeel.file));
    perform setval('evenkeel.image_image_id_seq', (select max(image_id) from evenkeel.image));
    perform setval('evenkeel.collector_key_key_id_seq', (select max(key_id) from evenkeel.collector_key));
    update evenkeel.version_evidence set hosts = hosts * current_setting('bench.times')::integer;
    update evenkeel.version_bond set hosts = hosts * current_setting('bench.times')::integer;
    update evenkeel.peer_file set hosts = hosts * current_setting('bench.times')::integer;
    update evenkeel.peer_refresh set refreshed_at = '-infinity', judged = 1;
    update evenkeel.peer_round set stage = 'clear', next_host = null;
end
$$;
commit;
