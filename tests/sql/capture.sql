-- What a level ships is taken from a healthy host, of whichever level the fleet's first golden host was; never from a mixed one.
begin;
select plan(20);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('gold', array['RTM', 'SP1', 'SP2']);
update evenkeel.level set released = '2001-01-01'::date + ordinal * 365 where product_id = evenkeel.product_number('gold');
create temporary table capture_file (path text, file_version bigint, machine integer);

create function fixture.linked(version text, moment timestamptz) returns void language plpgsql as $$
declare
    id integer := fixture.image(version);
begin
    update evenkeel.image set time_date_stamp = extract(epoch from moment) where image_id = id;
end $$;
create function fixture.capture(host_name text, level text) returns void language plpgsql as $$
begin
    delete from capture_file;
    perform evenkeel.capture_from_host((select host_id from evenkeel.host where name = host_name));
    perform evenkeel.capture_baseline('gold', level, host_name);
    perform fixture.judge();
end $$;
create function fixture.again() returns void language sql as $$ select evenkeel.catalog_refresh(); select fixture.judge() $$;
create function fixture.mixed(host_name text) returns boolean language sql as $$
    select evenkeel.is_mixed_without_captures((select host_id from evenkeel.host where name = host_name), evenkeel.product_number('gold'), 0)
$$;

select fixture.linked('9.1.100.1', '2000-12-01 00:00Z'), fixture.linked('9.1.100.2', '2001-01-01 23:59:59Z'), fixture.linked('9.1.100.3', '2001-01-02 00:00:01Z'),
       fixture.linked('9.1.100.20', '2002-12-01 00:00Z');
select fixture.host('golden', '{"c:/gold/a.dll": "9.1.100.20", "c:/gold/b.dll": "9.1.100.20", "c:/gold/shared.dll": "9.1.100.1",
                                "c:/gold/last.dll": "9.1.100.2", "c:/gold/next.dll": "9.1.100.3", "c:/gold/undated.dll": "9.1.100.4"}', fixture.runs('Service Pack 2'));
select fixture.judge();
select fixture.capture('golden', 'SP2');
create temporary view rtm as select '{"c:/gold/a.dll": "9.1.100.1", "c:/gold/b.dll": "9.1.100.1", "c:/gold/shared.dll": "9.1.100.1"}'::jsonb as files;
select fixture.host('rtm', (table rtm) || '{"c:/gold/last.dll": "9.1.100.2"}', fixture.runs(''));
select fixture.host('put-on', (table rtm) || '{"c:/gold/b.dll": "9.1.100.20"}', fixture.runs(''));
select fixture.host('next', (table rtm) || '{"c:/gold/next.dll": "9.1.100.3"}', fixture.runs(''));
select fixture.host('undated', (table rtm) || '{"c:/gold/undated.dll": "9.1.100.4"}', fixture.runs(''));
select fixture.host('below', (table rtm) || '{"c:/gold/known.dll": "9.1.100.1"}', fixture.runs(''));
select fixture.host('elsewhere', '{"c:/other/a.dll": "9.1.100.1"}', fixture.runs(''));
select fixture.ships('gold', 'RTM known.dll = 9.1.100.5');
select fixture.again();

select is(fixture.verdict('rtm', 'gold'), 'mixed none', 'a build that RTM and SP2 share proves SP2 while only that was captured');
select is(fixture.mixed('rtm'), false, 'that does not speak against a golden host of RTM');
select is(fixture.mixed('put-on'), true, 'a DLL of SP2 put onto RTM does: it is younger than RTM');
select is(fixture.mixed('next'), true, 'so does one that was linked on the day after RTM was out');
select is(fixture.mixed('undated'), true, 'and one without a link time, of which nothing is known');
select is(fixture.mixed('below'), true, 'a file older than what RTM ships speaks against it whatever was captured');
select is(fixture.mixed('golden'), false, 'a host that is not mixed is not mixed here');
select is(fixture.mixed('elsewhere'), null, 'of a host without the product nothing is said');

-- What proves SP2, or SP1, beside the capture.
select fixture.ships('gold', 'SP2 shared.dll = 9.1.100.1');
select fixture.again();
select is(fixture.mixed('rtm'), true, 'an article that says that SP2 ships exactly this build is another proof');
delete from evenkeel.baseline where kind = 'article' and file = 'shared.dll';
insert into evenkeel.level_rule (product_id, ordinal, relation, revision, source) values (evenkeel.product_number('gold'), 1, '=', 1, 'test');
select fixture.again();
select is(fixture.mixed('rtm'), true, 'so is a rule for all files of the product');
delete from evenkeel.level_rule where product_id = evenkeel.product_number('gold');
select fixture.patch('gold', 'KB1', array['SP1'], array['shared.dll 9.1.100.1']);
select fixture.again();
select is(fixture.mixed('rtm'), true, 'and a patch with this build that goes on SP1 and later only');
delete from evenkeel.patch_file where patch_id in (select patch_id from evenkeel.patch where code = 'KB1');
select fixture.again();

-- What is known of RTM itself.
select fixture.ships('gold', 'RTM last.dll = 9.1.100.1');
select fixture.again();
select is(fixture.mixed('rtm'), true, 'so is an article that says that RTM ships another build of the file, however old this one is');
update evenkeel.baseline set relation = '<=' where kind = 'article' and file = 'last.dll';
select is(fixture.mixed('rtm'), true, 'or that it ships none that is newer than that');
update evenkeel.baseline set version = evenkeel.version_of('9.1.100.2') where kind = 'article' and file = 'last.dll';
select is(fixture.mixed('rtm'), false, 'but not one that allows for this build');
delete from evenkeel.baseline where kind = 'article' and file = 'last.dll';
select fixture.again();
select is(fixture.mixed('rtm'), false, 'without them the host is as good as before');

-- Where link times show nothing.
update evenkeel.level set released = null where product_id = evenkeel.product_number('gold') and ordinal = 0;
select is(fixture.mixed('rtm'), true, 'where nobody knows when the level was out, link times excuse nothing');
update evenkeel.level set released = '2001-01-01' where product_id = evenkeel.product_number('gold') and ordinal = 0;
update evenkeel.product set level_kind = 'cumulative update' where code = 'gold';
select is(fixture.mixed('rtm'), true, 'nor where they are hashes');
update evenkeel.product set level_kind = 'service pack' where code = 'gold';

-- A file of another Windows in the place of the product's own.
insert into evenkeel.product (code, name, os_version, follows_os, source) values ('older', 'Older Windows', '8.1', true, 'test');
insert into evenkeel.line (product_id, major, minor, source) values (evenkeel.product_number('older'), 8, 1, 'test');
insert into evenkeel.component (product_id, code, name, include, source) values (evenkeel.product_number('older'), 'os', 'System', '{c:/gold/*}', 'test');
select fixture.again();
select fixture.host('foreign', (table rtm) || '{"c:/gold/a.dll": "8.1.100.1"}', fixture.runs(''));
select fixture.judge();
select is(fixture.mixed('foreign'), true, 'a build of another Windows speaks against any level');

select fixture.capture('rtm', 'RTM');
select is(fixture.verdict('rtm', 'gold') || ', ' || fixture.verdict('golden', 'gold'), 'level RTM, level SP2', 'once both are captured both golden hosts are level');
select is(fixture.verdict('put-on', 'gold') || ' ' || fixture.mixed('put-on'), 'mixed none true', 'and the mixed host is mixed');

select * from finish();
rollback;
