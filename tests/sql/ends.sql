-- What proves an end of a file's range of levels.
begin;
select plan(3);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

-- A patch that needs SP2 brings a.dll for 32 bits; a file of 64 bits that has the same version is another.
select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.patch('app', 'KB1', '{SP2}', array['a.dll 9.1.100.80 - - x86', 'b.dll 9.1.100.80']);
select fixture.host('web-01', jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.80', '{}', '[]', 332), 'c:/app/b.dll', fixture.pe('9.1.100.80')),
                    fixture.runs('Service Pack 2')) \g /dev/null
select fixture.host('web-02', jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.80')), fixture.runs('Service Pack 2')) \g /dev/null
create function fixture.bound(name text, machine integer) returns integer language sql as $$
    select evenkeel.hold_files(array(select f.file_id from evenkeel.file f join evenkeel.path p using (path_id) join evenkeel.image i using (image_id)
                                     where p.name = bound.name and i.machine = bound.machine));
    select e.bound from evenkeel.patch_ends() e
$$;
select is(fixture.bound('a.dll', 332), 2, 'a file that a patch brings is of a level that the patch may go on');
select is(fixture.bound('a.dll', 34404), null, 'one for another machine is not that file');
select is(fixture.bound('b.dll', 34404), 2, 'where the patch names no machine, it is');
select * from finish();
rollback;
