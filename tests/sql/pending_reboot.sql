-- Files and packages that wait for a restart.
begin;
select plan(19);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1']);
select fixture.ships('app', 'RTM core.dll = 9.1.100.1');
create function fixture.renames(variadic pairs text[]) returns jsonb language sql as $$
    select fixture.runs('') || jsonb_build_object('pending_renames', (select jsonb_agg(jsonb_build_object('from', w[1], 'to', coalesce(w[2], '')))
                                                                      from unnest(pairs) p cross join string_to_array(p, '>') w))
$$;
\set file '{"c:/app/core.dll": "9.1.100.1"}'
select fixture.host('quiet', :'file', fixture.runs(''));
select fixture.host('component', :'file', fixture.renames('c:/app/set3.tmp>c:/app/core.dll'));
select fixture.host('other-program', :'file', fixture.renames('c:/program files/x/new.tmp>c:/program files/x/tool.exe'));
select fixture.host('text', :'file', fixture.renames('c:/new.tmp>c:/readme.txt', 'c:/app/readme.txt'));
select fixture.host('temporary', :'file', fixture.renames('c:/users/a/appdata/local/temp/nsd1.tmp/system.dll', 'c:/windows/temp/setup.exe'));
select fixture.host('deleted', :'file', fixture.renames('c:/app/core.dll'));
select fixture.host('moved away', :'file', fixture.renames('c:/app/core.dll>c:/app/core.old'));
select fixture.host('other moved away', :'file', fixture.renames('c:/x/tool.exe>c:/x/tool.bak'));
select fixture.host('swapped', :'file', fixture.renames('c:/app/core.dll>c:/app/old.dll', 'c:/a.tmp>c:/app/core.dll'));
select fixture.host('temporary moved', :'file', fixture.renames('c:/windows/temp/setup.exe>c:/windows/temp/setup.old'));
select fixture.host('several', :'file', fixture.renames('c:/a.tmp>c:/x/zz.dll', 'c:/b.tmp>c:/app/core.dll', 'c:/c.tmp>c:/app/two.dll'));
select fixture.host('installing', :'file', fixture.runs('') || '{"servicing_states": [{"package": "Package_for_KB1", "state": 96}]}');
select fixture.host('partial', :'file', fixture.runs('') || '{"servicing_states": [{"package": "Package_for_KB2", "state": 101}]}');
select fixture.host('staged', :'file', fixture.runs('') || '{"servicing_states": [{"package": "Package_for_KB3", "state": 64}]}');
select fixture.host('flag', :'file', fixture.runs('') || '{"reboot_pending": true}');
select fixture.host('no-registry', :'file', null);
select fixture.judge();

create function fixture.pending(host_name text) returns text language sql as $$
    select severity || ': ' || summary from ops.finding where host = host_name and check_name = 'pending-reboot'
$$;
select is(fixture.pending('quiet'), null, 'a host on which nothing waits');
select is(fixture.pending('component'), 'high: 1 file waits for a restart: c:/app/core.dll', 'a component file that is to be replaced');
select is((select subject from ops.finding where host = 'component'), 'restart', 'one finding per host');
select is((select evidence -> 'components' from ops.finding where host = 'component'), '[{"product": "app", "component": "app"}]', 'with the component');
select is((select evidence #>> '{renames,0,from}' from ops.finding where host = 'component'), 'c:/app/set3.tmp', 'and where the file waits');
select is(fixture.pending('other-program'), 'medium: 1 file waits for a restart: c:/program files/x/tool.exe', 'any other program counts, too');
select is(fixture.pending('text'), null, 'a text does not');
select is(fixture.pending('temporary'), null, 'nor what an installer left in a folder for temporary files');
select is(fixture.pending('deleted'), 'high: 1 file waits for a restart: c:/app/core.dll', 'a component file that is to be deleted');
select is(fixture.pending('moved away'), 'high: 1 file waits for a restart: c:/app/core.dll', 'or renamed, whatever it will be called');
select is(fixture.pending('other moved away'), 'medium: 1 file waits for a restart: c:/x/tool.exe', 'as any other program');
select is(fixture.pending('swapped'), 'high: 2 files wait for a restart: c:/app/core.dll, ...', 'a rename is counted once, wherever both its names matter');
select is(fixture.pending('temporary moved'), null, 'but for what an installer left');
select is(fixture.pending('several'), 'high: 3 files wait for a restart: c:/app/core.dll, ...', 'component files are named first');
select is(fixture.pending('installing'), 'medium: 1 package is under way or half installed: Package_for_KB1', 'a package that waits to be installed');
select is(fixture.pending('partial'), 'high: 1 package is under way or half installed: Package_for_KB2', 'a package that is partially installed');
select is(fixture.pending('staged'), null, 'a package that is merely staged waits for nothing');
select is(fixture.pending('flag'), 'medium: Windows says that a restart is pending', 'the flag that Windows sets');
select is(fixture.pending('no-registry'), null, 'a host without a registry');
select * from finish();
rollback;
