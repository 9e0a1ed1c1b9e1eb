-- What a host's findings ask for, in order; what becomes of it once laid over the host is plan_laid.sql's.
begin;
select plan(47);
\ir fixture.psql

-- A product of three levels, of which three files are known, and hotfixes for it.
insert into evenkeel.product (code, name, follows_os, os_version, coverage_share, source) values ('ring', 'Ring', true, '1.0', 0, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, service_pack, marker_hotfix, source)
select evenkeel.product_number('ring'), o, case o when 0 then 'RTM' else 'SP' || o end, concat('Ring', case when o > 0 then ' Service Pack ' || o end),
       case o when 0 then '' else 'Service Pack ' || o end, case o when 2 then 'Q100002' else '' end, 'test'
from generate_series(0, 2) o;
insert into evenkeel.line (product_id, major, source) values (evenkeel.product_number('ring'), 1, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('ring'), 'core', 'Ring''s core', array['c:/ring/**', '%windir%/**'], 'test');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('ring'), o, f, '=', evenkeel.version_of('1.0.' || (o + 1) * 100 || '.0'), 'shipped', 'test'
from generate_series(0, 2) o, unnest(array['a.dll', 'b.dll', 'c.dll']) f;
create function fixture.patch(patch_code text, files jsonb, required integer[] default '{}', replaced text[] default '{}', contained integer default null)
returns void language sql as $$
    insert into evenkeel.patch (code, product_id, required_levels, supersedes, contained_in, source)
    values (patch_code, evenkeel.product_number('ring'), required, replaced, contained, 'test');
    insert into evenkeel.patch_file (patch_id, file, version)
    select (select patch_id from evenkeel.patch where code = patch_code and source = 'test'), key, evenkeel.version_of(value) from jsonb_each_text(files)
$$;
select fixture.patch('KB200001', '{"a.dll": "1.0.300.9"}', '{2}'), fixture.patch('KB200002', '{"b.dll": "1.0.300.5"}', '{2}'),
       fixture.patch('KB200003', '{"c.dll": "1.0.200.7"}', '{1}'), fixture.patch('KB200004', '{"c.dll": "1.0.300.2"}', '{2}'),
       fixture.patch('KB200005', '{"c.dll": "1.0.300.3"}', '{2}', '{KB200004}'), fixture.patch('KB200006', '{"d.dll": "1.0.1.1"}', '{1}', '{}', 2) \g /dev/null

create function fixture.member(host_name text, files jsonb, hotfixes text[] default '{}', more jsonb default '{}', pack text default 'Service Pack 2') returns uuid language sql as $$
    select fixture.host(host_name, (select jsonb_object_agg('c:/ring/' || key, value) from jsonb_each(files)),
        jsonb_build_object('current_version', '1.0', 'service_pack', pack, 'windows_directory', 'c:/ring', 'hotfixes',
            (select coalesce(jsonb_agg(jsonb_build_object('id', split_part(h, ':', 1), 'source', 'hotfix', 'service_pack', split_part(h, ':', 2), 'install_date', '')), '[]')
             from unnest(hotfixes) h)) || more)
$$;
create function fixture.steps(host_name text) returns text language sql as $$
    select coalesce(string_agg(p.action || case when p.action ~ 'reapply|install|leave|remove hotfix|restore' then ' ' || p.what else '' end, '; ' order by p.number), 'nothing')
    from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = host_name
$$;
create function fixture.why(host_name text, of_what text) returns text language sql as $$
    select p.why from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = host_name and p.what = of_what
$$;

select fixture.member('healthy', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.300.0"}'),
       fixture.member('patched', '{"a.dll": "1.0.300.9", "b.dll": "1.0.300.0", "c.dll": "1.0.300.0"}', '{KB200001}'),
       fixture.member('mixed', '{"a.dll": "1.0.300.9", "b.dll": "1.0.300.5", "c.dll": "1.0.200.0"}', '{KB200001,Q200002,KB200003,Q100002,KB300001:SP2,KB300002:SP3,KB300003}'),
       fixture.member('replaced', '{"a.dll": "1.0.100.0", "b.dll": "1.0.300.0", "c.dll": "1.0.300.3", "d.dll": "1.0.1.1"}', '{KB200004,KB200005,KB200006}'),
       fixture.member('early', '{"a.dll": "1.0.300.9", "b.dll": "1.0.200.0", "c.dll": "1.0.200.0"}', '{KB200001}', '{}', 'Service Pack 1'),
       fixture.member('old-text', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.200.0"}', '{}', '{}', 'Service Pack 1'),
       fixture.member('folders', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.300.0", "r/c.dll": "1.0.200.0", "s/b.dll": "1.0.200.0"}', '{}', '{}',
                      'Service Pack 1'),
       fixture.member('one-newer', '{"a.dll": "1.0.300.0", "b.dll": "1.0.200.0", "c.dll": "1.0.200.0"}', '{}', '{}', 'Service Pack 1'),
       fixture.member('undeclared, half', '{"a.dll": "1.0.200.0", "b.dll": "1.0.100.0"}', '{}', '{"has_registry": false}', ''),
       fixture.member('needs more', '{"a.dll": "1.0.300.9", "b.dll": "1.0.100.0", "c.dll": "1.0.200.0"}', '{KB200001}', '{}', 'Service Pack 1'),
       fixture.member('undeclared', '{"a.dll": "1.0.200.0", "b.dll": "1.0.100.0", "c.dll": "1.0.100.0"}', '{}', '{"has_registry": false}', '') \g /dev/null
-- A chunk for each of its files.
with files as (
    select i.host_id, f.file_id, f.place from evenkeel.host_inventory i join evenkeel.host h using (host_id)
    join evenkeel.chunk c on c.chunk_id = i.chunk_ids[1] cross join unnest(c.file_ids) with ordinality f (file_id, place)
    where h.name = 'folders' and i.valid_to = 'infinity'
), chunks as (
    insert into evenkeel.chunk (digest, file_ids) select sha256(convert_to('alone ' || file_id, 'utf8')), array[file_id] from files returning chunk_id, file_ids
)
update evenkeel.host_inventory i set chunk_ids = (select array_agg(c.chunk_id order by f.place) from files f join chunks c on c.file_ids[1] = f.file_id)
where i.host_id = (select host_id from evenkeel.host where name = 'folders') and i.valid_to = 'infinity';
select evenkeel.judge_chunks(array(select unnest(chunk_ids) from evenkeel.host_inventory i join evenkeel.host h using (host_id)
                                   where h.name = 'folders' and i.valid_to = 'infinity')) \g /dev/null
select fixture.judge() \g /dev/null

select is(fixture.steps('healthy'), 'nothing', 'a healthy host has nothing to do');
select is(fixture.steps('patched'), 'nothing', 'nor has one with a hotfix on its level');
select is(fixture.steps('mixed'),
    'reapply service pack Ring Service Pack 2; restart; leave out KB200003; leave out KB300001; reapply hotfix KB200002; reapply hotfix KB200001; reapply hotfix KB300002; reapply hotfix KB300003; restart',
    'a mixed host: the declared service pack, a restart, then the hotfixes by build, those contained left out, and a restart');
select matches(fixture.why('mixed', 'Ring Service Pack 2'), 'c\.dll 1\.0\.200\.0', 'the service pack is justified by the files that disagree');
select matches(fixture.why('mixed', 'KB200003'), 'none of its files is newer than those of SP2', 'a hotfix whose files are older than the service pack''s would put them back');
select matches(fixture.why('mixed', 'KB300001'), 'counts it towards SP2', 'a hotfix that Windows counts towards the service pack is contained');
select matches(fixture.why('mixed', 'KB300003'), 'does not know its files', 'one that the catalogue does not know is named as such');
select unalike(fixture.steps('mixed'), '%Q100002%', 'the key that marks a level is no hotfix to reapply');
select is(fixture.steps('replaced'),
    'reapply service pack Ring Service Pack 2; restart; leave out KB200006; leave out KB200004; reapply hotfix KB200005; restart',
    'a hotfix that another one replaces is left out, and one that the level is known to contain');
select fixture.patch('KB200009', '{}', '{2}');
select fixture.member('untold', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.200.0"}', '{KB200009}');
select fixture.judge();
select matches(fixture.steps('untold'), 'reapply hotfix KB200009', 'one of whose files the catalogue knows none is installed again');
select is(fixture.why('untold', 'KB200009'), 'the service pack takes its files back; which these are is not known', 'and so its reason says');
select is(fixture.why('replaced', 'KB200004'), 'KB200005, which is installed too, replaces it', 'with the one that replaces it');
select is(fixture.why('replaced', 'KB200006'), 'SP2 is the first level that contains it', 'and the level that contains it');
select is(fixture.steps('early'),
    'remove hotfix KB200001; install service pack Ring Service Pack 2 or later; restart; reapply hotfix KB200001; restart',
    'a patch that went on too early: it is removed, the service pack that it needs installed, then it is put back');
select is(fixture.steps('old-text'), 'install service pack Ring Service Pack 2 or later; restart',
    'where most files are above what the registry declares they are not moved down: their level is the one to reach');
select is((select summary from ops.finding where host = 'old-text' and check_name = 'mixed-level'),
    'Ring: c:/ring/c.dll 1.0.200.0 is at most SP1 against c:/ring/a.dll 1.0.300.0, which is at least SP2; 1 file to move to SP2, which 2 of 3 files are',
    'the check aims at the same level, and says why');
select is(fixture.why('old-text', 'Ring Service Pack 2 or later'), (select summary from ops.finding where host = 'old-text' and check_name = 'mixed-level')
    || '; SP2 is the level to reach: 2 of 3 files prove it, and what the registry declares, SP1, is older', 'and so does the step');
select is((select array_agg(m ->> 'path' order by m ->> 'path') from ops.finding f cross join jsonb_array_elements(f.evidence -> 'move') m where f.host = 'folders'),
    '{c:/ring/r/c.dll,c:/ring/s/b.dll}', 'naming all files to move, also those that fit what is declared');
select is(fixture.steps('one-newer'), 'reapply service pack Ring Service Pack 1; restart', 'a few files above it are those that are odd');
select is(fixture.steps('undeclared'), 'reapply product files Ring, from its media; restart', 'where nothing is declared the level that most files are at is the one to reach');
select is(fixture.steps('undeclared, half'), 'reapply service pack Ring Service Pack 1; restart', 'else the greatest that one proves');
select is((select target_why from ops.mixed_level where host = 'undeclared'), '2 of 3 files prove it, and nothing declares a level', 'and why is told wherever it is named');
select is((select target_level from ops.mixed_level where host = 'needs more'), 'SP2', 'a patch that is there and needs a higher level raises it, for the check as for the plan');
select matches(fixture.steps('needs more'), '^remove hotfix KB200001; install service pack Ring Service Pack 2 or later; ', 'which installs that level');
select matches((select summary from ops.finding where host = 'needs more' and check_name = 'mixed-level'), '2 files to move to SP2, which KB200001 needs$', 'with its reason');

-- A hotfix of which one file fell back, on a host that is level.
select fixture.patch('KB200007', '{"a.dll": "1.0.300.20", "b.dll": "1.0.300.20"}', '{2}') \g /dev/null
select fixture.member('fell-back', '{"a.dll": "1.0.300.20", "b.dll": "1.0.300.5", "c.dll": "1.0.300.0"}', '{KB200007}'),
       fixture.member('two-patches', '{"a.dll": "1.0.300.20", "b.dll": "1.0.300.5", "c.dll": "1.0.300.0"}', '{KB200007,KB200002}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.findings('fell-back')), '{partial-patch KB200007}', 'a hotfix is partial on a level host');
select is(fixture.steps('fell-back'), 'reapply hotfix KB200007; restart', 'and is installed again by itself, without the service pack');
select is(fixture.steps('two-patches'), 'reapply hotfix KB200007; restart', 'hotfixes that are whole are left alone');

-- Findings by hand, where the order and the words are what matters.
create function fixture.find(host_name text, code text, what text, evidence jsonb default '{}') returns void language sql as $$
    insert into evenkeel.finding (host_id, check_code, subject, opened_at, severity, summary, evidence, evidence_at)
    select host_id, code, what, clock_timestamp(), 'high', 'because of ' || what, evidence, clock_timestamp() from evenkeel.host where name = host_name
$$;
select fixture.find('healthy', 'missing-file', 'c:/ring/c.dll', '{"path": "c:/ring/c.dll"}') \g /dev/null
select is(fixture.steps('healthy'), 'restore file c:/ring/c.dll from the media of Ring Service Pack 2; reapply service pack Ring Service Pack 2; restart',
    'a missing file comes from the media of the host''s level, and the service pack after it, for media may be older');
select fixture.find('healthy', 'pending-reboot', 'restart') \g /dev/null
select matches(fixture.steps('healthy'), '^restart; restore file', 'what waits for a restart gets it first');
insert into evenkeel.waiver (host_id, check_code, subject, reason, until)
select host_id, 'pending-reboot', 'restart', 'test', now() + interval '1 day' from evenkeel.host where name = 'healthy';
select matches(fixture.steps('healthy'), '^restore file', 'a finding that is waived asks for nothing');

select fixture.find('patched', 'machine-key-mismatch', 'c2319c42033a5ca7f44e731bfd3fa2b5',
    '{"container": "c2319c42033a5ca7f44e731bfd3fa2b5", "machine_guid": "new-guid", "foreign": [{"guid": "old-guid"}], "was_own": "old-guid"}') \g /dev/null
select is(fixture.steps('patched'), 'back up; rename machine key; restart', 'a machine key that no longer fits: back up, rename, restart');
select matches((select p.what from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = 'patched' and p.action = 'rename machine key'),
    'c2319c42033a5ca7f44e731bfd3fa2b5_old-guid .*: c2319c42033a5ca7f44e731bfd3fa2b5_new-guid$', 'the step names the file and what it is to be called');
select fixture.patch('KB884872', '{"e.dll": "1.0.300.30"}', '{2}') \g /dev/null
select is(fixture.steps('patched'), 'back up; rename machine key; restart; install hotfix KB884872', 'and the hotfix that keeps it from happening again, where the catalogue has it for the product');

select fixture.member('clone', '{"a.dll": "1.0.300.9", "b.dll": "1.0.300.0", "c.dll": "1.0.300.0"}', '{KB200001}', '{"inetstp_major": 4}'),
       fixture.member('key-clone', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.300.0"}', '{}', '{"inetstp_major": 6}') \g /dev/null
select fixture.judge() \g /dev/null
select fixture.find('clone', 'cloned-identity', 'machine-guid g', '{"identity": "machine-guid", "hosts": [{"host": "clone"}, {"host": "source"}]}') \g /dev/null
select is(fixture.steps('clone'),
    'renew identity; reinstall IIS remove IIS and install it anew on the host as it is now (an unattended installation of the Option Pack); restore sites from an export, not from the metabase file; reapply service pack Ring Service Pack 2; restart; reapply hotfix KB200001; restart',
    'a clone with IIS 4.0: an identity of its own, IIS anew, then service pack and hotfixes, for IIS comes from its disk');
select matches(fixture.why('clone', (select p.what from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = 'clone' and p.action = 'reinstall IIS')),
    'metabase was encrypted', 'with the reason');
select fixture.find('key-clone', 'cloned-identity', 'agent-key 01', '{"identity": "agent-key", "hosts": []}') \g /dev/null
select is(fixture.steps('key-clone'), 'renew identity', 'a copied collector key only has to be enrolled anew');
select fixture.find('key-clone', 'cloned-identity', 'machine-sid s', '{"identity": "machine-sid", "hosts": []}') \g /dev/null
select is(fixture.steps('key-clone'), 'renew identity; renew identity', 'IIS 6.0 need not be installed anew');
select fixture.find('key-clone', 'silent-host', 'snapshot') \g /dev/null
select matches(fixture.steps('key-clone'), 'look into$', 'what has no remedy of its own is at least named');

select fixture.find('two-patches', 'unresolved-import', 'c:/ring/a.dll!b.dll', '{"importer": {"path": "c:/ring/a.dll"}, "dll": "b.dll", "symbols": ["NewCall"]}') \g /dev/null
select matches(fixture.steps('two-patches'), '^reapply service pack Ring Service Pack 2; restart; .*reapply hotfix KB200007; restart; check imports$',
    'an import that nothing answers: the level is reapplied, and the import looked at again');
select matches((select p.what from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = 'two-patches' and p.action = 'check imports'),
    'c:/ring/a\.dll still finds no NewCall', 'naming file and symbol');
select is((select array_agg(p.number order by p.number) from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where h.name = 'mixed'),
    array[1, 2, 3, 4, 5, 6, 7, 8, 9], 'steps are numbered from one');
select is((select count(*) from evenkeel.host h cross join lateral evenkeel.plan_steps(h.host_id) p where p.why is null or p.what is null), 0::bigint,
    'every step says what and why');
select is((select count(*) from evenkeel.plan_steps(gen_random_uuid())), 0::bigint, 'a host that is not there has no steps');
-- A date is what a host calls one: it holds up neither its own plan nor the report on all.
select fixture.member('odd date', '{"a.dll": "1.0.300.0", "b.dll": "1.0.300.0", "c.dll": "1.0.200.0"}', '{KB300001,KB300002}');
update evenkeel.host_facts set facts = jsonb_set(jsonb_set(facts, '{hotfixes,0,install_date}', '"2020-99-99"'), '{hotfixes,1,install_date}', '"2021-02-31"')
where host_id = (select host_id from evenkeel.host where name = 'odd date');
select fixture.judge();
select is(fixture.steps('odd date'), 'reapply service pack Ring Service Pack 2; restart; reapply hotfix KB300002; reapply hotfix KB300001; restart', 'a day that no calendar has is none, or counted on');
select isnt_empty($$ select from evenkeel.report_dangerous(100, 100, 100) $$, 'the report is told all the same');
select results_eq($$ select evenkeel.date_written(d) from unnest('{2009-12-08,2021-02-31,2020-99-99,0000-01-01,9999-12-31,8.12.2009,""}'::text[]) d $$,
                  array['2009-12-08', '2021-03-03', null, null, '9999-12-31', null, null]::date[], 'dates as written');

select * from finish();
rollback;
