-- Hosts whose files say the same of levels are judged once: each comes out as it does by itself.
begin;
select plan(8);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql

-- Of each random host three more: as it is, and with one file of another build of its name, some with something else to tell.
select fixture.random_fleet(0.43, 3, 20, 2);
create temporary table model as
select h.name, f.facts, (select jsonb_object_agg(p.path, x.image_id)
                         from unnest(i.chunk_ids) u (chunk_id) join evenkeel.chunk c using (chunk_id) cross join unnest(c.file_ids) v (file_id)
                         join evenkeel.file x on x.file_id = v.file_id join evenkeel.path p using (path_id)) as files
from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) join evenkeel.host_facts_current f using (host_id);
select fixture.place_host(format('%s, copy %s', m.name, n),
                          case when n = 1 then m.files
                               else m.files || (select jsonb_build_object(k, fixture.pick(regexp_replace(k, '^.*/', '')))
                                                from jsonb_object_keys(m.files) k where k ~ '[a-dx].(dll|exe)$' order by random() limit 1) end,
                          m.facts || case when n = 2 and fixture.chance(0.2) then '{"not_seen": [{"kind": "link", "what": "c:/app/other", "entries": 1}]}'
                                          when n = 3 and fixture.chance(0.2) then '{"service_pack": "Service Pack 1"}' else '{}' end::jsonb, true)
from model m cross join generate_series(1, 3) n
where m.files is not null;
update evenkeel.host_checkin k set unreadable = 2 from evenkeel.host h where h.host_id = k.host_id and h.name like 'host 7%';
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
select fixture.judge();

-- All at once, as judge_levels() does it.
create temporary table led (host_id uuid, lead uuid);
create function fixture.lead() returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public as $$
begin
    perform state_open();
    delete from state_host; delete from state_product; delete from state_component;
    insert into state_host select host_id, chunk_ids from host_inventory_current;
    perform find_component_stores(), judge_levels();
    delete from led;
    insert into led select host_id, lead from state_alike;
end $$;
select fixture.lead();
select cmp_ok((select count(distinct lead) from led), '<', (select count(*) * 3 / 4 from led), 'many hosts are judged by another');
select cmp_ok((select count(*) from led l join evenkeel.host_inventory_current a on a.host_id = l.host_id
               join evenkeel.host_inventory_current b on b.host_id = l.lead where a.chunk_ids <> b.chunk_ids), '>', 0::bigint,
              'some of which hold other files');
select is((select count(*) from led join evenkeel.host_product p using (host_id) where lead <> host_id and p.verdict = 'mixed'), 0::bigint,
          'whoever is mixed is judged for itself');
select is((select count(*) from led l join evenkeel.host_checkin k using (host_id)
           join evenkeel.host_facts_current f using (host_id)
           where l.lead <> l.host_id and (k.unreadable > 0 or f.facts ? 'not_seen' and f.facts -> 'not_seen' <> '[]')), 0::bigint,
          'and whoever has something that was not seen');
select ok((select count(distinct verdict) from pg_temp.state_product) = 3, 'there are level, mixed and unknown ones');

create temporary table together_product as select * from pg_temp.state_product;
create temporary table together_component as select * from pg_temp.state_component;
create temporary table alone_product (like pg_temp.state_product);
create temporary table alone_component (like pg_temp.state_component);
create function fixture.each() returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public as $$
declare
    host record;
begin
    for host in select host_id, chunk_ids from host_inventory_current loop
        delete from state_host; delete from state_product; delete from state_component;
        insert into state_host values (host.host_id, host.chunk_ids);
        perform find_component_stores(), judge_levels();
        insert into alone_product select * from state_product;
        insert into alone_component select * from state_component;
    end loop;
end $$;
select fixture.each();
select is((select count(*) from alone_product), (select count(*) from together_product), 'as many products');
select is((select array_agg(h.name || ' ' || p.code || ': ' || coalesce(t.verdict || ' ' || t.missing, 'none') || ', alone '
                            || coalesce(a.verdict || ' ' || a.missing, 'none'))
           from together_product t full join alone_product a using (host_id, product_id)
           join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
           where t is distinct from a), null, 'each with the verdict, the levels and the sentence that it has by itself');
select is((select count(*) from together_component t full join alone_component a using (host_id, component_id) where t is distinct from a),
          0::bigint, 'so have their components');

select * from finish();
rollback;
