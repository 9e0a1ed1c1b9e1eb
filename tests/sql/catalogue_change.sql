-- A change of the catalogue judges again whom it touches, and leaves everything as if all had been judged again; others it leaves alone.
begin;
select plan(36);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql

select fixture.random_fleet(0.43, 3, 25, 2);
select fixture.product('other', array['RTM', 'SP1'], false);
select fixture.ships('other', 'SP1 z.dll = 9.1.100.9');
select fixture.host('of the other', '{"c:/other/z.dll": "9.1.100.9", "c:/other/y.dll": "9.1.100.9"}', fixture.runs('Service Pack 1'));
select fixture.host('alone with e', '{"c:/app/e.dll": "9.1.100.20", "c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2', 'KB77'));
select evenkeel.catalog_refresh();
select fixture.judge();

-- All that is known of hosts, but for when.
create function fixture.known() returns table (host uuid, what text, said jsonb) language sql as $$
    select h.host_id, 'verdict', to_jsonb(h.verdict) from evenkeel.host h
    union all select p.host_id, 'product ' || p.product_id, to_jsonb(p) from evenkeel.host_product p
    union all select c.host_id, 'component ' || c.component_id, to_jsonb(c) from evenkeel.host_component c
    union all select t.host_id, 'patches', to_jsonb(t) from evenkeel.host_patch t
    union all select f.host_id, concat('finding ', f.check_code, ' ', f.subject), jsonb_build_array(f.severity, f.summary, f.evidence)
              from evenkeel.finding f where f.closed_at = 'infinity'
$$;
create temporary table seen (host uuid, what text, said jsonb);
create temporary table queued (host_id uuid);
-- What the change that was just made did: judged as it queues, then all judged again from nothing. Three lines of TAP.
create function fixture.changed(what text, touched text) returns setof text language plpgsql as $$
declare
    hosts constant bigint := (select count(*) from evenkeel.host_inventory_current);
    others bigint;
begin
    -- As if all had been judged long ago: what is judged within this transaction else counts as meanwhile.
    update evenkeel.host set judged_at = judged_at - interval '1 day';
    perform evenkeel.catalog_refresh();
    delete from queued;
    insert into queued select q.host_id from evenkeel.judge_queue q;
    perform fixture.judge();
    delete from seen;
    insert into seen select * from fixture.known();
    delete from evenkeel.path_component; delete from evenkeel.file_level; delete from evenkeel.chunk_level; delete from evenkeel.chunk_proof;
    perform evenkeel.match_paths(array(select path_id from evenkeel.path));
    perform evenkeel.judge_files(array(select file_id from evenkeel.file));
    perform evenkeel.judge_chunks(array(select chunk_id from evenkeel.chunk));
    insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
    perform fixture.judge();
    return next is((select count(*) from (select * from seen except select * from fixture.known()) gone), 0::bigint,
                   what || ': nothing that is said would not be if all were judged again');
    return next is((select string_agg(format('%s of %s', k.what, k.host), ', ') from (select * from fixture.known() except select * from seen) k), null,
                   what || ': and nothing is missing');
    others := hosts - (select count(*) from queued);
    return next ok(case touched when 'all' then others = 0 when 'few' then others > hosts / 2 and others < hosts
                                when 'some' then others > 0 and others < hosts else others = hosts end,
                   format('%s: %s of %s hosts are judged again, which is %s', what, hosts - others, hosts, touched));
end $$;

select fixture.changed('nothing', 'none');
update evenkeel.baseline set editions = '{1}' where source = 'test';
select fixture.changed('an edition', 'none');
select fixture.ships('other', 'RTM y.dll = 9.1.100.3');
select fixture.changed('a statement on a file of one host', 'few');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select p.product_id, 1, 'c:/app/e.dll', '<=', evenkeel.version_of('9.1.100.20'), 'captured', 'host x' from evenkeel.product p where p.code = 'app';
select fixture.changed('a capture of one place', 'some');
delete from evenkeel.baseline where source = 'host x';
select fixture.changed('what is taken out again', 'some');
update evenkeel.level set name = 'The first' where (product_id, ordinal) = (evenkeel.product_number('other'), 1);
select fixture.changed('a name of a level', 'some');
select fixture.patch('other', 'KB88', array['SP1'], array['y.dll 9.1.100.11']);
select fixture.changed('a patch', 'some');
insert into evenkeel.patch_file (patch_id, file, version) select patch_id, 'z.dll', evenkeel.version_of('9.1.100.9') from evenkeel.patch where code = 'KB88';
select fixture.changed('a file of a patch', 'some');
select fixture.knows('other', 'y.dll');
select fixture.changed('a known name', 'few');
insert into evenkeel.level_rule (product_id, ordinal, relation, revision, source) values (evenkeel.product_number('other'), 1, '>=', 8, 'test');
select fixture.changed('a rule', 'some');
update evenkeel.component set include = include || array['c:/nowhere/*'] where product_id = evenkeel.product_number('other') and code = 'app';
select fixture.changed('a component', 'all');
update evenkeel.product set coverage_share = 0.9 where code = 'app';
select fixture.changed('a product', 'all');

select * from finish();
rollback;
