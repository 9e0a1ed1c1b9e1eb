-- ops.patch_state: every host and patch, by files first and by lists second.
begin;
select plan(22);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.product('other', array['RTM']);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP2 lib.dll = 9.1.100.20');
select fixture.patch('app', 'KB500001', array['SP1'], array['a.dll 9.1.100.15', 'b.dll 9.1.100.15']);
select fixture.patch('app', 'KB500002', array['SP2'], array['a.dll 9.1.100.25']);
select fixture.patch('app', 'KB500003', array['SP2'], array['a.dll 9.1.100.27'], array['KB500002']);
select fixture.patch('app', 'KB500004', array['SP2'], array['lib.dll 9.1.100.20']);
select fixture.patch('app', 'KB500005', array['SP1', 'SP2'], array['c.dll 9.1.100.30 SP1QFE', 'c.dll 9.1.100.40 SP2QFE']);
select fixture.patch('app', 'KB500006', array['SP1'], array['z.dll 9.1.100.30']);
select fixture.patch('other', 'KB500007', '{}', array['a.dll 9.1.100.99']);
select fixture.host('installed', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.16"}', fixture.runs('Service Pack 1'));
select fixture.host('partial', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.14"}', fixture.runs('Service Pack 1'));
select fixture.host('missing', '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 1'));
select fixture.host('sp2', '{"c:/app/a.dll": "9.1.100.20", "c:/app/b.dll": "9.1.100.20", "c:/app/lib.dll": "9.1.100.20", "c:/app/c.dll": "9.1.100.30"}',
                    fixture.runs('Service Pack 2'));
select fixture.host('replaced', '{"c:/app/a.dll": "9.1.100.27"}', fixture.runs('Service Pack 2', 'KB500002', 'KB500003'));
select fixture.host('listed', '{"c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2', 'KB500006'));
select fixture.judge();

create function fixture.states(host_name text) returns text language sql as $$
    select string_agg(right(patch, 1) || ' ' || state, ', ' order by patch) from ops.patch_state where host = host_name and patch like 'KB50000_' and state <> 'not applicable'
$$;
select is(fixture.states('installed'), '1 installed', 'one file at its version, the other newer: installed, listed or not');
select is(fixture.states('partial'), '1 partial', 'one file at its version, the other older: partial');
select is(fixture.states('missing'), '1 missing', 'files that are older and nothing that says it was there: missing');
select is(fixture.states('sp2'), '1 superseded, 2 missing, 3 missing, 4 superseded, 5 missing',
          'on SP2: what is for SP1 and older is superseded, what the level ships is superseded, and of a table by service packs the host''s own counts');
select is(fixture.states('replaced'), '1 superseded, 2 superseded, 3 installed', 'a listed patch whose files are all newer is superseded');
select is(fixture.states('listed'), '1 superseded, 2 missing, 3 missing, 6 installed', 'a listed patch of which no file is there is taken at its word');
select is(fixture.patch_state('missing', 'KB500002'), 'not applicable', 'a patch for another level is not applicable');
select is(fixture.patch_state('missing', 'KB500007'), 'not applicable', 'nor is one for a product that is not there');
select is((select listed || ' ' || same_files || ' ' || newer_files || ' ' || older_files from ops.patch_state where host = 'installed' and patch = 'KB500001'),
          'false 1 1 0', 'counts of files at its version, newer and older');
select is((select partial_evidence #>> '{older,0,path}' from ops.patch_state where host = 'partial' and patch = 'KB500001'), 'c:/app/b.dll', 'a partial one names its older files');
select results_eq($$ select host || ' ' || patch from ops.patch_state where state = 'partial' order by 1 $$,
                  $$ select host || ' ' || subject from ops.finding where check_name = 'partial-patch' order by 1 $$, 'partial is what the check partial-patch finds');
select is((select count(*)::integer from ops.patch_state where host = 'missing'), (select count(*)::integer from evenkeel.patch), 'a row for every patch of the catalogue');
insert into evenkeel.host (name) values ('never');
select is((select count(*)::integer from ops.patch_state where host = 'never'), 0, 'a host that was never heard of has no rows');

-- Hosts alike are worked out once, and yet differ where their lists do.
select fixture.host('twin-' || n, '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.16"}', fixture.runs('Service Pack 1')) from generate_series(1, 3) n;
select fixture.host('twin-listed', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.16"}', fixture.runs('Service Pack 1', 'KB500001', 'KB999999'));
select evenkeel.state_open();
select evenkeel.judge_hosts(array(select host_id from evenkeel.host where name like 'twin-%'));
select is((select count(*) || ' hosts, ' || count(distinct model) || ' models' from state_model), '4 hosts, 2 models', 'hosts that agree share one answer');
select is(fixture.states('twin-3'), '1 installed', 'which each of them has');
select is((select listed from ops.patch_state where host = 'twin-listed' and patch = 'KB500001'), true, 'and a host whose registry lists the patch has its own');

-- Changes.
select fixture.host('partial', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.15"}', fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.states('partial'), '1 installed', 'completed it is installed');
insert into evenkeel.patch_file (patch_id, file, version)
select patch_id, 'c.dll', evenkeel.version_of('9.1.100.15') from evenkeel.patch where code = 'KB500001';
select fixture.host('partial', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.15", "c:/app/c.dll": "9.1.100.1"}', fixture.runs('Service Pack 1'));
select fixture.judge();
select alike(fixture.states('partial'), '1 partial%', 'and partial again when its table turns out longer');
delete from evenkeel.patch where code = 'KB500001';
select is((select count(*)::integer from ops.patch_state where host = 'partial' and patch = 'KB500001'), 0, 'a patch that leaves the catalogue leaves the view');
select evenkeel.catalog_refresh();
select fixture.judge();
select is((select count(*)::integer from evenkeel.host_patch join evenkeel.host h using (host_id) where h.name = 'partial' and cardinality(patch_ids) <> cardinality(states)), 0, 'what is kept stays in step');
select is_empty($$ select * from fixture.findings('partial') where findings like 'partial-patch%' $$, 'and its finding closes');

-- What may be compared is of the line in every part that the line names.
insert into evenkeel.line (product_id, major, minor, build, revision_from, revision_to, source)
values (evenkeel.product_number('other'), 8, 3, 200, 5, 10, 'test');
select results_eq($$ select v from unnest(array['8.3.200.4', '8.3.200.5', '8.3.200.10', '8.3.200.11', '8.3.201.7', '8.4.200.7', '7.3.200.7']) v
                     where evenkeel.on_line(evenkeel.product_number('other'), evenkeel.version_of(v)) $$,
                  array['8.3.200.5', '8.3.200.10'], 'a version is on a line that is of its major, minor and build, within its revisions');

select * from finish();
rollback;
