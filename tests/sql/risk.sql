-- What ops.risk() may call safe, and what it must not.
begin;
select plan(65);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.product('away', array['RTM'], false);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20',
                            'SP2 c.dll = 9.1.100.21', 'SP2 d.dll = 9.1.100.22', 'SP2 new.dll = 9.1.100.34');
select fixture.payload('app', 'KB1', jsonb_build_object('a.dll', fixture.pe('9.1.100.31', array['One', 'Two'])));
select fixture.payload('app', 'KB2', jsonb_build_object('a.dll', fixture.pe('9.1.100.32', array['One'])));
select fixture.payload('app', 'KB3', jsonb_build_object('a.dll', fixture.pe('9.1.100.33', array['One', 'Two'])));
select fixture.payload('app', 'KB4', jsonb_build_object('c:/app/new.dll', fixture.pe('9.1.100.34', array['New'])), '{RTM,SP1,SP2}');
select fixture.payload('app', 'KB5', jsonb_build_object('b.dll', fixture.pe('9.1.100.35', '{}', fixture.wants('a.dll', 'Gone'))));
select fixture.patch('app', 'KB6', '{}', array['b.dll 9.1.100.36'], array['KB1']);
select fixture.payload('away', 'KB7', jsonb_build_object('a.dll', fixture.pe('9.1.100.37')));
select fixture.payload('app', 'KB8', jsonb_build_object('a.dll', fixture.pe('9.1.100.38', array['One', 'Two'])));
select fixture.payload('app', 'KB99', jsonb_build_object('a.dll', fixture.pe('9.1.100.46', array['One', 'Two'])));
select fixture.patch('app', 'KB9', '{}', array['c.dll 9.1.100.39', 'd.dll 9.1.100.39']);
select fixture.unread('9.1.100.33');
update evenkeel.image set defects = 256 where file_version = evenkeel.version_of('9.1.100.38');
update evenkeel.image set defects = 1 where file_version = evenkeel.version_of('9.1.100.46');

create temporary view sp2 as select jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', array['One', 'Two'])) as files;
select fixture.host('plain', (table sp2) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'One'))), fixture.runs('Service Pack 2'));
select fixture.host('silent', (table sp2) || '{"c:/app/c.dll": "9.1.100.21"}', fixture.runs('Service Pack 2'));
select fixture.unread('9.1.100.21');
select fixture.host('mixed', (table sp2) || '{"c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 2'));
select fixture.host('listed', (table sp2) || '{"c:/app/b.dll": "9.1.100.20"}', fixture.runs('Service Pack 2', 'KB6'));
select fixture.host('only listed', (table sp2), fixture.runs('Service Pack 2', 'KB6'));
select fixture.host('present', (table sp2) || '{"c:/app/b.dll": "9.1.100.36"}', fixture.runs('Service Pack 2', 'KB6'));
select fixture.host('half', (table sp2) || '{"c:/app/b.dll": "9.1.100.36", "c:/app/d.dll": "9.1.100.22"}', fixture.runs('Service Pack 2', 'KB6', 'KB9'));
select fixture.host('broken', (table sp2) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Gone'))), fixture.runs('Service Pack 2'));
select fixture.host('lazy', (table sp2) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}',
    '[{"dll": "a.dll", "names": ["Gone"], "ordinals": [], "delay": true}]')), fixture.runs('Service Pack 2'));
select fixture.host('foreign', '{"c:/else/x.dll": "1.0.0.0"}', null);
select fixture.host('other windows', '{"c:/else/x.dll": "1.0.0.0"}', '{"current_version": "5.0", "current_build": "2195", "service_pack": "Service Pack 4"}');
insert into evenkeel.host (name) values ('never');
select fixture.judge();

select is(fixture.risk('KB1', 'plain'), 'safe: 1 file replaced', 'a patch whose files need nothing and take nothing away is safe');

select matches(fixture.risk('KB3', 'plain'), '^unknown: .*imports of c:/app/a.dll could not be read$', 'a file of the payload whose symbols were not read is never safe');
select is(fixture.risk('KB8', 'plain'), 'unknown: imports of c:/app/a.dll could not be read', 'nor one whose tables are broken');
select is(fixture.risk('KB99', 'plain'), 'unknown: imports of c:/app/a.dll could not be read', 'nor one of whose headers nothing could be read');

select is(fixture.risk('KB2', 'plain'), 'safe: 1 file replaced', 'an export may go that no file of the host imports');
select is(fixture.risk('KB2', 'silent'), 'unknown: imports of c:/app/c.dll were not read: it may need what c:/app/a.dll would no longer export',
          'but not where the imports of a component''s file were not read');
select is(fixture.risk('KB1', 'silent'), 'safe: 1 file replaced', 'which does not matter where no export goes');

select matches(fixture.risk('KB4', 'mixed'), '^at risk: already mixed', 'files that are only added to a mixed component are at risk');
select is(fixture.risk('KB4', 'plain'), 'safe: 0 files replaced; 1 added', 'and are safe elsewhere');

select is(fixture.risk('KB1', 'listed'), 'at risk: already half patched: ' || (select summary from ops.finding where host = 'listed' and check_name = 'partial-patch') || '; reapply KB6 first',
          'a patch that supersedes it and is only listed does not stand in its way');
select is(fixture.risk('KB1', 'only listed'), 'safe: 1 file replaced', 'nor one of whose files none is here');
select is(fixture.risk('KB1', 'present'), 'not applicable: superseded by KB6, which is installed', 'one that is there does');
select matches(fixture.risk('KB1', 'half'), '^at risk: already half patched: KB9', 'but half patched is said first');

select is(fixture.risk('KB7', 'plain'), 'not applicable: another product: The away is not here', 'a host whose product is known has another product');
select is(fixture.risk('KB1', 'other windows'), 'not applicable: another product: The app is not here', 'as has one that declares another Windows');
select matches(fixture.risk('KB1', 'foreign'), '^unknown: which products are here is not known', 'of any other nothing is known');
select is(fixture.risk('KB1', 'never'), 'unknown: no snapshot yet: push one', 'a host that never sent a snapshot is unknown');
select is((select count(*) from ops.risk('KB1') where host = 'never'), 1::bigint, 'and stands in the list of all');
select is((select count(*) from ops.risk('KB1', 'NEV*')), 1::bigint, 'and is found by a glob');

select matches(fixture.risk('KB5', 'broken'), '^at risk: already broken: c:/app/b.dll', 'a file that fails, is replaced and fails still is at risk');
select matches(fixture.risk('KB5', 'lazy'), '^at risk: c:/app/b.dll 9.1.100.35 imports a.dll!Gone', 'a finding that becomes graver is new');
select ok((select (findings @> '[{"new": true, "check": "unresolved-import"}]') from ops.risk('KB5', 'lazy')), 'and is listed as new');

insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name = 'plain';
select is(fixture.risk('KB1', 'plain'), 'unknown: not judged yet', 'a host that waits to be judged is unknown');
select fixture.judge();
select is(fixture.risk('KB1', 'plain'), 'safe: 1 file replaced', 'until it is');

select ok((select prosecdef from pg_proc where oid = 'ops.risk(text, text, interval)'::regprocedure), 'who may only look runs it with its owner''s rights');
create function fixture.as_reader() returns text language plpgsql as $$
declare
    answer text;
begin
    -- In a session of its own the reader has no temporary relations: those of this one are the owner's.
    set local role evenkeel_read;
    select verdict into answer from ops.risk('KB1', 'plain');
    reset role;
    return answer;
end $$;
select is(fixture.as_reader(), 'safe', 'and gets an answer');
-- Where the database lets readers make none, another who may make them shares the session.
set local role evenkeel_ingest;
create temporary table of_another ();
reset role;
select throws_like($$ select fixture.as_reader() $$, '%temporary relations of its own%', 'but not where relations of another could stand in for the owner''s');
drop table of_another;
-- Exports by ordinal.
select fixture.host('by ordinal', jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', array['One', '#7']),
    'c:/app/b.dll', fixture.pe('9.1.100.20', '{}', '[{"dll": "a.dll", "names": [], "ordinals": [7]}]')), fixture.runs('Service Pack 2'));
select fixture.payload('app', 'KB10', jsonb_build_object('a.dll', fixture.pe('9.1.100.40', array['One', '#8'])));
select fixture.payload('app', 'KB11', jsonb_build_object('a.dll', fixture.pe('9.1.100.41', array['One', '#7'])));
select fixture.judge();
select matches(fixture.risk('KB10', 'by ordinal'), '^at risk: c:/app/b.dll 9.1.100.20 imports a.dll!#7, which c:/app/a.dll 9.1.100.40 does not export',
               'a patch that takes an ordinal away breaks who imports it');
select is(fixture.risk('KB11', 'by ordinal'), 'safe: 1 file replaced', 'one that keeps it does not');

-- Files that are only added.
select fixture.host('waiting', (table sp2) || '{"c:/app/b.dll": "9.1.100.20"}',
    fixture.runs('Service Pack 2') || '{"pending_renames": [{"from": "c:/temp/a.dll", "to": "c:/app/a.dll"}]}');
select fixture.host('half, added to', (table sp2) || '{"c:/app/b.dll": "9.1.100.36", "c:/app/c.dll": "9.1.100.39", "c:/app/d.dll": "9.1.100.22"}',
    fixture.runs('Service Pack 2', 'KB9'));
select fixture.judge();
select matches(fixture.risk('KB4', 'waiting'), '^at risk: already waiting for a restart: ', 'a patch that only adds files is not safe where a restart is waited for');
select matches(fixture.risk('KB4', 'half, added to'), '^at risk: already half patched: KB9', 'nor where another is half there');
select is((select findings #>> '{0,new}' from ops.risk('KB4', 'waiting')), 'false', 'and what was found before is said to be old');

-- A rename of what belongs to no component, beside one of a product that the patch does not touch.
select fixture.payload('app', 'KB30', jsonb_build_object('c:/loose/in.dll', fixture.pe('9.1.100.34', array['New'])), '{RTM,SP1,SP2}');
select fixture.payload('app', 'KB31', jsonb_build_object('c:/loose/by.dll', fixture.pe('9.1.100.34', array['New'])), '{RTM,SP1,SP2}');
select fixture.host('waiting elsewhere', (table sp2) || '{"c:/app/b.dll": "9.1.100.20", "c:/away/x.dll": "9.1.100.1"}', fixture.runs('Service Pack 2')
    || '{"pending_renames": [{"from": "c:/temp/x.dll", "to": "c:/away/x.dll"}, {"from": "c:/temp/in.dll", "to": "c:/loose/in.dll"}]}');
select fixture.judge();
select matches(fixture.risk('KB30', 'waiting elsewhere'), '^at risk: already waiting for a restart: ', 'a file that comes with the restart stands in a patch''s way');
select matches(fixture.risk('KB31', 'waiting elsewhere'), '^safe: ', 'one that the patch does not bring does not');

-- Codes, and what a patch that says nothing of its prerequisite does to what its files prove.
select throws_like($$ select evenkeel.patch_code('bad name') $$, '''bad name'' is no patch''s code: %', 'a code is letters, digits, dots, hyphens and underscores');
select is(evenkeel.patch_code('ms09-061'), 'MS09-061', 'in upper case');
select fixture.payload('app', 'KB12', jsonb_build_object('a.dll', fixture.pe('9.1.100.20', array['One', 'Two'])), '{}');
select matches((select evenkeel.patch_lowers(patch_id) from evenkeel.patch where code = 'KB12'),
               'proves no level, .* 1 of its files look like SP2''s or newer, such as a.dll 9.1.100.20: .*--requires SP2$', 'a patch that says no need proves nothing');
update evenkeel.patch set required_levels = '{2}' where code = 'KB12';
select is((select evenkeel.patch_lowers(patch_id) from evenkeel.patch where code = 'KB12'), null, 'unless the patch says what it needs');

-- A patch that takes a host below what must be known of a product.
select fixture.ships('app', 'SP2 a.dll = 9.1.100.45');
select fixture.payload('app', 'KB13', jsonb_build_object('a.dll', fixture.pe('9.1.100.43', array['One', 'Two'])), '{}');
select fixture.payload('app', 'KB14', jsonb_build_object('a.dll', fixture.pe('9.1.100.44', array['One', 'Two'])), '{RTM,SP1,SP2}');
select fixture.payload('app', 'KB15', jsonb_build_object('a.dll', fixture.pe('9.1.100.45', array['One', 'Two'])), '{}');
select is(fixture.risk('KB13', 'plain'), 'unknown: after KB13 The app could not be judged: Application: 1 of 2 files confirmed at SP2: capture SP2 from a healthy host or from media (evenkeel baseline capture) '
          || 'where it is installed, or say what it needs (evenkeel patch add KB13 --requires)', 'a host that could not be judged after the patch is never safe');
select matches(fixture.risk('KB13', 'mixed'), '^at risk: already mixed', 'and one at risk is not made unknown by it');
select is(fixture.risk('KB14', 'plain'), 'unknown: after KB14 The app could not be judged: Application: 1 of 2 files confirmed at SP2: capture SP2 from a healthy host or from media (evenkeel baseline capture) '
          || 'where it is installed', 'a patch for every level says nothing of the level either');
select is(fixture.risk('KB15', 'plain'), 'unknown: which levels KB15 may be installed on is not known: say it (evenkeel patch add KB15 --requires)',
          'a patch that does not say what it needs makes no host safe');
update evenkeel.patch set required_levels = '{2}' where code = 'KB15';
select is(fixture.risk('KB15', 'plain'), 'safe: 1 file replaced', 'once it does, a baseline of what it brings makes it so');
delete from evenkeel.baseline where version = evenkeel.version_of('9.1.100.45');

-- Hosts that a patch changes alike are judged once; whatever could make a difference keeps them apart.
create function fixture.alike(patch text, one text, other text) returns boolean language plpgsql as $$
declare
    same boolean;
begin
    perform evenkeel.risk_open(patch, null), evenkeel.risk_next(1000, '1 day');
    select a.lead = b.lead into same
    from pg_temp.risk_kind a join evenkeel.host h on h.host_id = a.host_id and h.name = one,
         pg_temp.risk_kind b join evenkeel.host k on k.host_id = b.host_id and k.name = other;
    return same;
end $$;
-- Each file of these hosts in a chunk of its own.
create function fixture.apart(variadic hosts text[]) returns void language plpgsql as $$
begin
    insert into evenkeel.chunk (digest, file_ids)
    select distinct sha256(convert_to('file ' || file_id, 'utf8')), array[file_id]
    from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) cross join unnest(i.chunk_ids) u (chunk_id)
    join evenkeel.chunk c using (chunk_id) cross join unnest(c.file_ids) f (file_id)
    where h.name = any (hosts)
    on conflict do nothing;
    perform evenkeel.judge_chunks(array(select chunk_id from evenkeel.chunk where cardinality(file_ids) = 1));
    update evenkeel.host_inventory_current i set chunk_ids = x.chunk_ids
    from (select i.host_id, array_agg(n.chunk_id order by f.place) as chunk_ids
          from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) cross join unnest(i.chunk_ids) u (chunk_id)
          join evenkeel.chunk c using (chunk_id) cross join unnest(c.file_ids) with ordinality f (file_id, place)
          join evenkeel.chunk n on n.digest = sha256(convert_to('file ' || f.file_id, 'utf8'))
          where h.name = any (hosts) group by i.host_id) x
    where x.host_id = i.host_id;
end $$;
create temporary view wide as
select (table sp2) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'One')), 'c:/app/d.dll', '9.1.100.22') as files;
select fixture.host('twin', (table wide) || '{"c:/else/x.dll": "1.0.0.1"}', fixture.runs('Service Pack 2'));
select fixture.host('other twin', (table wide) || '{"c:/else/x.dll": "1.0.0.2"}', fixture.runs('Service Pack 2'));
select fixture.host('older', (table wide) || '{"c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 2'));
select fixture.host('lists more', (table wide), fixture.runs('Service Pack 2', 'KB9'));
select fixture.host('wants more', (table wide) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Two'))),
                    fixture.runs('Service Pack 2'));
select fixture.host('has newer', (table wide) || '{"c:/app/a.dll": "9.1.100.90"}', fixture.runs('Service Pack 2'));
select fixture.apart('twin', 'other twin', 'older', 'lists more', 'wants more', 'has newer');
select fixture.judge();
select ok(fixture.alike('KB1', 'twin', 'other twin'), 'hosts that differ in what the patch does not touch are alike');
select ok(not fixture.alike('KB1', 'twin', 'older'), 'not with a component at another level');
select ok(not fixture.alike('KB1', 'twin', 'lists more'), 'nor with other patches listed');
select ok(not fixture.alike('KB1', 'twin', 'has newer'), 'nor with a newer file of the patch');
select ok(not fixture.alike('KB2', 'twin', 'wants more'), 'nor where one imports what the patch takes away');
select is((select array_agg(split_part(fixture.risk('KB2', h), ':', 1)) from unnest(array['twin', 'other twin', 'wants more']) h),
          array['safe', 'safe', 'at risk'], 'and each comes out as it would alone');
select is((select array_agg(a.host order by a.host) from ops.risk('KB5') a left join lateral (select * from ops.risk('KB5', a.host)) o on true
           where (a.verdict, a.reason, a.findings, a.kept, a.replaced) is distinct from (o.verdict, o.reason, o.findings, o.kept, o.replaced)),
          null, 'all at once as one by one');

-- Alike but for one thing that counts.
create function fixture.alone_and_together(patch text, variadic hosts text[]) returns text[] language sql as $$
    select array_agg(format('%s: %s, %s', h, split_part(fixture.risk(patch, h), ':', 1), o.verdict) order by length(h))
    from unnest(hosts) h join ops.risk(patch) o on o.host = h
$$;
select fixture.payload('app', 'KB16', jsonb_build_object('a.dll', fixture.pe('9.1.100.50', array['One', 'Two'])));
select fixture.host('has it', (table wide) || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.50', array['One', 'Two'])), fixture.runs('Service Pack 2'));
select fixture.host('has it in Dutch', (table wide) || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.50', array['One', 'Two'])), fixture.runs('Service Pack 2'));
with dutch as (
    insert into evenkeel.image
    select (jsonb_populate_record(i, jsonb_build_object('image_id', nextval(pg_get_serial_sequence('evenkeel.image', 'image_id')),
                                                        'digest', sha256(i.digest || '\x01')))).*
    from evenkeel.image i where i.file_version = evenkeel.version_of('9.1.100.50')
    returning image_id
), file as (
    insert into evenkeel.file (path_id, image_id) select p.path_id, d.image_id from dutch d, evenkeel.path p where p.path = 'c:/app/a.dll' returning file_id
), chunk as (
    insert into evenkeel.chunk (digest, file_ids) select sha256('Dutch'), array_agg(coalesce(n.file_id, f.file_id))
    from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) cross join unnest(i.chunk_ids) u (chunk_id)
    join evenkeel.chunk c using (chunk_id) cross join unnest(c.file_ids) f (file_id)
    join evenkeel.file o using (file_id) join evenkeel.path p using (path_id) left join file n on p.path = 'c:/app/a.dll'
    where h.name = 'has it in Dutch'
    returning chunk_id
)
update evenkeel.host_inventory_current i set chunk_ids = array(select chunk_id from chunk)
from evenkeel.host h where h.host_id = i.host_id and h.name = 'has it in Dutch';
select evenkeel.judge_files(array(select file_id from evenkeel.file));
select fixture.apart('has it', 'has it in Dutch');
select fixture.judge();
select is(fixture.alone_and_together('KB16', 'has it', 'has it in Dutch'),
          array['has it: not applicable, not applicable', 'has it in Dutch: safe, safe'], 'another build with the same version and symbols is another file');

-- A host that reports while the fleet is being judged.
create function fixture.risk_while(patch text, host_name text, other text) returns text[] language plpgsql as $$
declare
    host uuid := (select h.host_id from evenkeel.host h where h.name = host_name);
begin
    perform evenkeel.risk_open(patch, null), evenkeel.overlay_focus(), evenkeel.risk_alike('1 day');
    update evenkeel.host_inventory_current i set valid_from = clock_timestamp(), chunk_ids = o.chunk_ids
    from evenkeel.host_inventory_current o join evenkeel.host h on h.host_id = o.host_id and h.name = other
    where i.host_id = host;
    while evenkeel.risk_next(3, '1 day') > 0 loop
    end loop;
    return (select array_agg(h.name || ': ' || r.verdict || ': ' || r.reason order by h.name) from pg_temp.risk_result r join evenkeel.host h using (host_id)
            where h.name in ('wants more', 'wants too'));
end $$;
select fixture.host('wants too', (table wide) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Two'))),
                    fixture.runs('Service Pack 2'));
select fixture.apart('wants too', 'wants more');
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
select fixture.judge();
select ok(fixture.alike('KB2', 'wants more', 'wants too'), 'two hosts that a patch breaks alike');
savepoint before;
select is(replace(fixture.risk_while('KB2', 'wants more', 'twin')::text, '"', ''),
          '{wants more: unknown: it reported something else while this was worked out: ask again,wants too: '
          || (select verdict || ': ' || reason from ops.risk('KB2', 'wants too')) || '}', 'what one came to meanwhile is not said of the other, nor of itself');
rollback to before;
select is(replace(fixture.risk_while('KB2', 'wants too', 'twin')::text, '"', ''),
          '{wants more: ' || (select verdict || ': ' || reason from ops.risk('KB2', 'wants more'))
          || ',wants too: unknown: it reported something else while this was worked out: ask again}', 'whichever of them it is');
rollback to before;

-- Where new files go, when no host has had them.
select fixture.payload('app', 'KB17', jsonb_build_object('%windir%/system32/fresh.dll', fixture.pe('9.1.100.51', array['New'], fixture.wants('a.dll', 'One'))));
delete from evenkeel.file f using evenkeel.path p where p.path_id = f.path_id and p.name = 'fresh.dll';
delete from evenkeel.path where name = 'fresh.dll';
select fixture.host('elsewhere', (table sp2) || '{"c:/app/b.dll": "9.1.100.20"}', fixture.runs('Service Pack 2') || '{"windows_directory": "d:/nt"}');
select fixture.judge();
select matches(fixture.risk('KB17', 'elsewhere'), '^(safe|unknown|at risk): .*fresh.dll|1 added', 'a new file goes below the Windows directory of a host, whatever it is called');
select evenkeel.risk_open('KB17', 'elsewhere') \g /dev/null
select is((select count(*) from evenkeel.path where path = 'd:/nt/system32/fresh.dll'), 1::bigint, 'also where prune took its path away');
insert into evenkeel.path (digest, path, location, name, reading)
select 'as a host names it', path, location, name, reading from evenkeel.path where path = 'd:/nt/system32/fresh.dll';
select evenkeel.risk_open('KB17', 'elsewhere');
select is((select array_agg(encode(p.digest, 'escape')) from pg_temp.overlay_new n join evenkeel.path p using (path_id) where p.name = 'fresh.dll'),
          array['as a host names it'], 'the path that was made for it gives way to a host''s own');

-- What is unknown of one product here, and of another there, in the same words.
select fixture.product('one', array['RTM', 'SP1'], false, 0.1), fixture.product('two', array['RTM', 'SP1'], false, 0.1);
insert into evenkeel.component (product_id, code, name, include, source)
select evenkeel.product_number(p), 'both', 'Both', '{c:/both/*}', 'test' from unnest('{one,two}'::text[]) p;
select fixture.ships(p, 'RTM a.dll = 9.1.100.1', 'RTM b.dll = 9.1.100.1', 'SP1 a.dll = 9.1.100.10', 'SP1 b.dll = 9.1.100.10', 'SP1 f1.dll = 9.1.100.10', 'SP1 f2.dll = 9.1.100.10', 'SP1 f3.dll = 9.1.100.10',
                     'SP1 f4.dll = 9.1.100.10', 'SP1 f5.dll = 9.1.100.10', 'SP1 f6.dll = 9.1.100.10') from unnest('{one,two}'::text[]) p;
update evenkeel.baseline set machine = case product_id when evenkeel.product_number('one') then 332 else 34404 end where file ~ '^f\d';
select fixture.payload('one', 'KB18', jsonb_build_object('a.dll', fixture.pe('9.1.100.31')));
select evenkeel.catalog_refresh();
select fixture.host(format('f%s %s', f, product),
                    '{"c:/one/a.dll": "9.1.100.10", "c:/one/b.dll": "9.1.100.10", "c:/two/a.dll": "9.1.100.10", "c:/two/b.dll": "9.1.100.10"}'
                    || jsonb_build_object(format('c:/both/f%s.dll', f), jsonb_build_object('machine', machine)), fixture.runs(''))
from generate_series(1, 6) f, (values ('one', 332), ('two', 34404)) m (product, machine);
select fixture.apart(variadic (select array_agg(name) from evenkeel.host where name ~ '^f\d (one|two)$'));
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
select fixture.judge();
select is((select array_agg(distinct p.code || ' ' || hp.verdict || ' where ' || split_part(h.name, ' ', 2) || ' is not read') from evenkeel.host_product hp
           join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name ~ '^f\d (one|two)$'),
          '{one level where two is not read,one unknown where one is not read,two level where one is not read,two unknown where two is not read}',
          'a file without a version leaves the one product unknown, or the other');
select is((select array_agg(distinct r.verdict || ' where ' || split_part(r.host, ' ', 2) || ' is not read') from ops.risk('KB18', 'f? *') r),
          '{safe where two is not read,unknown where one is not read}', 'and hosts where it is the one are no measure for those where it is the other');

-- On ARM64: what x64 programs see of an ARM64X image is not read, and an older collector does not tell whether it is one.
select fixture.payload('app', 'KB70', jsonb_build_object('a.dll', fixture.pe('9.1.100.70', '{}', '[]', 43620)));
select fixture.payload('app', 'KB71', jsonb_build_object('a.dll', fixture.pe('9.1.100.71', '{}', '[]', 43620)));
select fixture.payload('app', 'KB72', jsonb_build_object('a.dll', fixture.pe('9.1.100.72', '{}', '[]', 43620)));
update evenkeel.image set hybrid = case file_version when evenkeel.version_of('9.1.100.70') then 1 else 3 end
where file_version in (evenkeel.version_of('9.1.100.70'), evenkeel.version_of('9.1.100.71'));
select fixture.host('arm', jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', '{}', '[]', 43620) || '{"hybrid": 1}'),
                    fixture.runs('Service Pack 2') || '{"architecture": "ARM64"}');
select fixture.judge();
select is(fixture.risk('KB70', 'arm'), 'safe: 1 file replaced', 'an image of ARM64 alone is read whole');
select is(fixture.risk('KB71', 'arm'), 'unknown: what x64 programs on ARM64 see of c:/app/a.dll was not read', 'an ARM64X one is not');
select is(fixture.risk('KB72', 'arm'), 'unknown: what x64 programs on ARM64 see of c:/app/a.dll was not read', 'nor one of which it is not told');
select fixture.payload('app', 'KB73', jsonb_build_object('a.dll', fixture.pe('9.1.100.73', array['One', 'Two'])));
update evenkeel.image set hybrid = 2 where file_version = evenkeel.version_of('9.1.100.73');
select is(fixture.risk('KB73', 'plain'), 'unknown: c:/app/a.dll runs on ARM64 only', 'an ARM64EC one is for x64 by its header, and does not run there');
select fixture.host('x64 on arm', (table sp2), fixture.runs('Service Pack 2') || '{"architecture": "ARM64"}');
select fixture.judge();
select is(fixture.risk('KB73', 'x64 on arm'), 'safe: 1 file replaced', 'on ARM64 it does');
update evenkeel.image set defects = evenkeel.pe_defect_imports() where file_version = evenkeel.version_of('9.1.100.73');
select is(fixture.risk('KB73', 'x64 on arm'), 'unknown: imports of c:/app/a.dll could not be read', 'and there what was not read of it is told');

select * from finish();
rollback;
