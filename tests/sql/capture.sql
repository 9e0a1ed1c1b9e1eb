-- What a level ships is taken from a healthy host: exactly where a file is surely no hotfix, else as the most that it can be.
-- In whichever order, no healthy host is called mixed by it.
begin;
select plan(20);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('gold', array['RTM', 'SP1', 'SP2']);
update evenkeel.level set released = '2001-01-01'::date + ordinal * 365 where product_id = evenkeel.product_number('gold');
create temporary table capture_file (path text, file_version bigint, machine integer, time_date_stamp bigint not null default 0, location text);

create function fixture.linked(version text, moment timestamptz) returns void language plpgsql as $$
declare
    id integer := fixture.image(version);
begin
    update evenkeel.image set time_date_stamp = extract(epoch from moment) where image_id = id;
end $$;
create function fixture.capture(host_name text, level text, origin text default null) returns text language plpgsql as $$
declare
    said text;
begin
    delete from capture_file;
    perform evenkeel.capture_from_host((select host_id from evenkeel.host where name = host_name));
    select c.matched || ' files, ' || c.exact || ' exactly, ' || c.added || ' new' into said
    from evenkeel.capture_baseline('gold', level, coalesce(origin, 'host ' || host_name)) c;
    perform fixture.judge();
    return said;
end $$;
create function fixture.states(file text) returns setof text language sql as $$
    select format('%s %s %s', evenkeel.level_name(product_id, ordinal), relation, evenkeel.version_text(version)) from evenkeel.baseline
    where product_id = evenkeel.product_number('gold') and baseline.file = 'c:/gold/' || states.file order by 1
$$;

select fixture.linked('9.1.100.1', '2000-12-01 00:00Z'), fixture.linked('9.1.100.2', '2001-12-01 00:00Z'),
       fixture.linked('9.1.100.20', '2002-12-01 00:00Z'), fixture.linked('9.1.100.25', '2003-06-01 00:00Z'),
       fixture.linked('9.1.100.26', '2002-11-01 00:00Z');
select fixture.patch('gold', 'KB100001', array['SP1', 'SP2'], array['brought.dll 9.1.100.26']);
create temporary view base as select '{"c:/gold/shared.dll": "9.1.100.1", "c:/gold/old.dll": "9.1.100.1"}'::jsonb as files;
select fixture.host('golden', (table base) || '{"c:/gold/a.dll": "9.1.100.20", "c:/gold/b.dll": "9.1.100.20", "c:/gold/late.dll": "9.1.100.25",
    "c:/gold/brought.dll": "9.1.100.26", "c:/gold/undated.dll": "9.1.100.4", "c:/gold/foreign.dll": "3.0.0.1"}', fixture.runs('Service Pack 2'));
select fixture.host('rtm', (table base) || '{"c:/gold/a.dll": "9.1.100.1", "c:/gold/b.dll": "9.1.100.1", "c:/gold/late.dll": "9.1.100.1"}', fixture.runs(''));
select fixture.host('sp1', (table base) || '{"c:/gold/a.dll": "9.1.100.2", "c:/gold/b.dll": "9.1.100.2", "c:/gold/late.dll": "9.1.100.25"}',
                    fixture.runs('Service Pack 1'));
select fixture.host('put-on', (table base) || '{"c:/gold/a.dll": "9.1.100.1", "c:/gold/b.dll": "9.1.100.20", "c:/gold/late.dll": "9.1.100.1"}', fixture.runs(''));
select fixture.host('behind', (table base) || '{"c:/gold/a.dll": "9.1.100.2", "c:/gold/b.dll": "9.1.100.20", "c:/gold/late.dll": "9.1.100.25"}',
                    fixture.runs('Service Pack 2'));
select fixture.judge();

select is(fixture.capture('golden', 'SP2'), '7 files, 4 exactly, 7 new', 'component files on the product''s line are captured, and no others');
select results_eq($$ select fixture.states('a.dll') $$, array['SP2 = 9.1.100.20'], 'what was linked before the level was out is what it ships');
select results_eq($$ select fixture.states('late.dll') $$, array['SP2 <= 9.1.100.25'], 'what was linked later may be a hotfix: the level ships that at most');
select results_eq($$ select fixture.states('brought.dll') $$, array['SP2 <= 9.1.100.26'], 'so may what a known patch brings');
select results_eq($$ select fixture.states('undated.dll') $$, array['SP2 <= 9.1.100.4'], 'and what has no link time');
select is(fixture.verdict('golden', 'gold'), 'level SP2', 'the golden host is level by its capture');
select is(fixture.verdict('behind', 'gold'), 'mixed none', 'a host with an older file beside is mixed');
select is(fixture.verdict('rtm', 'gold') || ', ' || fixture.verdict('sp1', 'gold'), 'unknown RTM, unknown SP1',
          'healthy hosts of other levels, which share builds with it, are no more than unknown');
select fixture.capture('rtm', 'RTM');
select is(fixture.verdict('rtm', 'gold') || ', ' || fixture.verdict('sp1', 'gold') || ', ' || fixture.verdict('golden', 'gold'),
          'level RTM, unknown SP1, level SP2', 'whichever was captured, and however many');
select is(fixture.verdict('put-on', 'gold'), 'mixed none', 'a DLL of SP2 put onto RTM makes that host mixed');
select fixture.capture('sp1', 'SP1');
select is(fixture.verdict('rtm', 'gold') || ', ' || fixture.verdict('sp1', 'gold') || ', ' || fixture.verdict('golden', 'gold'),
          'level RTM, level SP1, level SP2', 'once all levels were captured all three are level');

-- The same source says it anew.
select fixture.host('golden', (table base) || '{"c:/gold/a.dll": "9.1.100.20", "c:/gold/b.dll": "9.1.100.20"}', fixture.runs('Service Pack 2'));
select fixture.judge();
select is(fixture.capture('golden', 'SP2'), '4 files, 4 exactly, 0 new', 'a second capture of a host');
select is_empty($$ select s from fixture.states('late.dll') s where s like 'SP2%' $$, 'takes back what it said before and no longer says');
select is((select count(*) from evenkeel.baseline where source = 'host golden'), 4::bigint, 'and keeps the rest');

-- Media carry no hotfixes.
select is(fixture.capture('sp1', 'SP1', 'media /mnt'), '5 files, 5 exactly, 1 new', 'of media everything is exactly what the level ships');

-- What a service pack left in ServicePackFiles is captured as a golden host is; and a host's files are where its own Windows lies.
select fixture.product('win', array['RTM', 'SP1', 'SP2']);
update evenkeel.level set released = '2001-01-01'::date + ordinal * 365 where product_id = evenkeel.product_number('win');
update evenkeel.component set include = '{%windir%/system32/*,%windir%/syswow64/*}' where product_id = evenkeel.product_number('win');
create function fixture.windows(folder text, pack text) returns jsonb language sql as $$
    select fixture.runs(pack) || jsonb_build_object('windows_directory', folder)
$$;
select fixture.host('elsewhere', '{"d:/nt40/system32/k.dll": "9.1.100.20"}', fixture.windows('d:/nt40', 'Service Pack 2'));
select fixture.host('kept', '{"c:/windows/system32/k.dll": "9.1.100.25", "c:/windows/servicepackfiles/i386/k.dll": "9.1.100.20",
    "c:/windows/servicepackfiles/i386/late.dll": "9.1.100.25", "c:/windows/system32/late.dll": "9.1.100.25",
    "c:/windows/system32/two.dll": "9.1.100.20", "c:/windows/syswow64/two.dll": "9.1.100.2", "c:/windows/servicepackfiles/i386/two.dll": "9.1.100.20",
    "c:/windows/servicepackfiles/i386/absent.dll": "9.1.100.20", "c:/windows/servicepackfiles/i386/lang/k.dll": "9.1.100.2"}',
    fixture.windows('c:/windows', 'Service Pack 2'));
select evenkeel.catalog_refresh();
select fixture.judge();
create function fixture.win_states() returns setof text language sql as $$
    select format('%s %s %s, %s', file, relation, evenkeel.version_text(version), source) from evenkeel.baseline
    where product_id = evenkeel.product_number('win') order by 1
$$;
delete from capture_file;
select evenkeel.capture_from_host((select host_id from evenkeel.host where name = 'kept'));
select is(evenkeel.capture_service_pack_files('win'), 4, 'the files of the folder itself are counted');
select evenkeel.capture_baseline('win', 'SP2', 'host kept/ServicePackFiles');
select results_eq($$ select fixture.win_states() $$, array['%windir%/system32/k.dll = 9.1.100.20, host kept/ServicePackFiles',
    '%windir%/system32/late.dll <= 9.1.100.25, host kept/ServicePackFiles'],
    'each says what the level ships in the place of the host''s own file of that name, where there is one place; what a hotfix may have put there says the most');
select is((select count(*) from capture_file), 2::bigint, 'and nothing else of the host is taken');
select evenkeel.baseline_remove('host kept/ServicePackFiles', null, null);
delete from capture_file;
select evenkeel.capture_from_host((select host_id from evenkeel.host where name = 'elsewhere'));
select evenkeel.capture_baseline('win', 'SP2', 'host elsewhere');
select results_eq($$ select fixture.win_states() $$, array['%windir%/system32/k.dll = 9.1.100.20, host elsewhere'],
                  'a golden host whose Windows lies elsewhere is captured as any other');

-- Numbers say themselves that they are not newer.
update evenkeel.product set level_kind = 'cumulative update' where code = 'gold';
insert into evenkeel.level (product_id, ordinal, code, name, ubr, source) values (evenkeel.product_number('gold'), 20, '20', '20', 20, 'test');
select fixture.host('numbered', '{"c:/gold/n.dll": "9.1.100.20", "c:/gold/newer.dll": "9.1.100.25"}', '{"current_version": "9.1", "ubr": 20}');
select fixture.judge();
select fixture.capture('numbered', '20');
select results_eq($$ select fixture.states('n.dll') union all select fixture.states('newer.dll') order by 1 $$,
                  array['20 <= 9.1.100.25', '20 = 9.1.100.20'], 'where levels are numbers a file is exactly so up to the level''s own');

select * from finish();
rollback;
