-- What prune removes, and what it must not: content that a host, a patch or a snapshot under way refers to.
begin;
select plan(11);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

create function fixture.prune() returns void language plpgsql as $$
declare
    kind text;
begin
    perform evenkeel.prune_mark();
    update prune_mark set at = clock_timestamp() + interval '1 hour'; -- nothing that is here counts as under way
    foreach kind in array array['chunk', 'file', 'image', 'path'] loop
        perform evenkeel.prune_find(kind);
        while evenkeel.prune_remove(kind, 2) >= 0 loop
        end loop;
    end loop;
end $$;
create function fixture.image_is_there(version text) returns boolean language sql as $$
    select exists (select from evenkeel.image i where i.file_version = evenkeel.version_of(version))
$$;

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.payload('app', 'KB1', jsonb_build_object('a.dll', fixture.pe('9.1.100.31', array['One'], fixture.wants('b.dll', 'Two'))));
-- No host holds the payload's files, nor does any place wait for them.
delete from evenkeel.file where image_id in (select image_id from evenkeel.patch_file);
-- One of several files of a name, as payloads of branches have them.
update evenkeel.patch_file set other_images = array[fixture.image('9.1.100.95')];
select fixture.image('9.1.100.99'), fixture.image('9.1.100.98', array['One'], fixture.wants('b.dll', 'Two')) \g /dev/null
select fixture.host('web-01', '{"c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2')) \g /dev/null
insert into evenkeel.upload (host_id, digest, kind, body)
select h.host_id, sha256('chunk'), evenkeel.object_kind__chunk(), (select i.digest from evenkeel.image i where i.file_version = evenkeel.version_of('9.1.100.98'))
from evenkeel.host h where h.name = 'web-01';

select fixture.prune() \g /dev/null
select ok(fixture.image_is_there('9.1.100.20'), 'an image that a host holds stays');
select ok(fixture.image_is_there('9.1.100.31'), 'so does one that only a patch''s payload brings');
select is((select count(*) from evenkeel.image_import m join evenkeel.patch_file p using (image_id)), 1::bigint, 'with its imports');
select ok(fixture.image_is_there('9.1.100.95'), 'and one that the payload has beside it under that name');
select ok(fixture.image_is_there('9.1.100.98'), 'and one that a snapshot under way refers to');
select ok(not fixture.image_is_there('9.1.100.99'), 'what nothing refers to goes');

-- What comes to be used between the search and the removal.
select evenkeel.prune_mark(), fixture.image('9.1.100.97'), fixture.image('9.1.100.96'), fixture.image('9.1.100.94') \g /dev/null
select is(evenkeel.prune_find('image'), 4::bigint, 'images that no file and no patch refers to are found, with the one under way');
select fixture.payload('app', 'KB2', jsonb_build_object('b.dll', fixture.pe('9.1.100.97'))) \g /dev/null
delete from evenkeel.file where image_id in (select image_id from evenkeel.patch_file);
update evenkeel.patch_file set image_id = fixture.image('9.1.100.97'), other_images = array[fixture.image('9.1.100.94')] where file = 'b.dll';
select evenkeel.prune_remove('image', 10) \g /dev/null
select results_eq($$ select fixture.image_is_there('9.1.100.97'), fixture.image_is_there('9.1.100.96') $$, $$ values (true, false) $$,
                  'one that a patch brings by then stays');
select ok(fixture.image_is_there('9.1.100.94'), 'or has beside it');

delete from evenkeel.patch_file;
delete from evenkeel.upload;
select fixture.prune() \g /dev/null
select ok(not fixture.image_is_there('9.1.100.31'), 'also once its patch is gone');
select is((select count(*) from evenkeel.image_import m where not exists (select from evenkeel.image i where i.image_id = m.image_id)), 0::bigint,
          'and its imports with it');

select * from finish();
rollback;
