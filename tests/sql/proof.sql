-- What makes a verdict: level only on evidence that could have said otherwise, mixed only on what is proven, else unknown and why.
begin;
select plan(39);
\ir fixture.psql
\ir catalogue.psql

create function fixture.said(host_name text, product text) returns text language sql as $$
    select concat_ws(': ', s.verdict, nullif(s.missing, ''))
    from evenkeel.host_product s join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
    where h.name = host_name and p.code = product
$$;
create function fixture.again() returns void language sql as $$ select evenkeel.catalog_refresh(); select fixture.judge() $$;
-- c:/PRODUCT/FILE of each 'FILE VERSION', FILE may begin with base/.
create function fixture.files(product text, variadic files text[]) returns jsonb language sql as $$
    select jsonb_object_agg('c:/' || product || '/' || w[1], w[2]) from unnest(files) f cross join string_to_array(f, ' ') w
$$;

-- One-sided evidence.
select fixture.product('side', array['RTM', 'SP1', 'SP2']);
insert into evenkeel.level_rule (product_id, ordinal, relation, revision, source)
select evenkeel.product_number('side'), o, '>=', v, 'test' from (values (1, 1830), (2, 3959)) x (o, v);
select fixture.host('one-sided', fixture.files('side', 'a.dll 9.1.1.3959', 'b.dll 9.1.1.3959', 'c.dll 9.1.1.3959', 'd.dll 9.1.1.3959', 'e.dll 9.1.1.3959',
    'f.dll 9.1.1.3959', 'g.dll 9.1.1.3959', 'h.dll 9.1.1.3959', 'base/x.dll 9.1.1.1830', 'base/y.dll 9.1.1.1830', 'base/z.dll 9.1.1.3959'),
    fixture.runs('Service Pack 2'));
select fixture.host('whole', fixture.files('side', 'a.dll 9.1.1.3959', 'b.dll 9.1.1.4000', 'base/x.dll 9.1.1.3959', 'base/y.dll 9.1.1.3959'),
                    fixture.runs('Service Pack 2'));
select fixture.host('both behind', fixture.files('side', 'a.dll 9.1.1.1830', 'base/x.dll 9.1.1.1830'), fixture.runs('Service Pack 2'));
select fixture.judge();
select is(fixture.said('one-sided', 'side'),
          'unknown: Base: 1 of 3 files confirmed at SP2: capture SP2 from a healthy host or from media (evenkeel baseline capture)',
          'files of which only ''at least SP1'' is known confirm no SP2, and the component that is behind does not drown in the product');
select is(fixture.said('whole', 'side'), 'level', 'files that a rule puts at SP2 confirm it');
select is(fixture.said('both behind', 'side'), 'unknown: Application: 0 of 1 file confirmed, and 1 more component at SP2: capture SP2 from a healthy host or from '
          'media (evenkeel baseline capture)', 'of two components that are behind one is named, and the other counted');
select is((select confirmed || ' of ' || countable || ', ' || proof || ', ' || unassigned from ops.host where host = 'whole'), '4 of 4, catalogue, 0',
          'level, too, tells n of m, and on what it rests');
select fixture.ships('side', 'SP2 x.dll <= 9.1.1.1830', 'SP2 y.dll >= 9.1.1.1830');
select fixture.again();
select matches(fixture.said('one-sided', 'side'), 'Base: 2 of 3 files', 'what a level ships at most confirms, what it ships at least does not');
select fixture.ships('side', 'SP2 y.dll = 9.1.1.3959');
select fixture.again();
select is(fixture.said('one-sided', 'side'), 'mixed', 'once the level is known to ship a newer one it is mixed');

-- As released.
select fixture.product('rel', array['RTM', 'SP1']);
update evenkeel.product set rtm_revision = 0 where code = 'rel';
select fixture.ships('rel', 'SP1 a.dll = 9.1.1.10', 'SP1 b.dll = 9.1.1.0', 'SP1 c.dll = 9.1.1.0', 'SP1 d.dll = 9.1.1.0', 'RTM a.dll = 9.1.1.0', 'RTM b.dll = 9.1.1.0');
select fixture.host('released', fixture.files('rel', 'a.dll 9.1.1.10', 'b.dll 9.1.1.0', 'c.dll 9.1.1.0', 'base/d.dll 9.1.1.0'), fixture.runs('Service Pack 1'));
select fixture.host('gap', fixture.files('rel', 'x.dll 9.1.1.10', 'b.dll 9.1.1.0', 'c.dll 9.1.1.0', 'base/d.dll 9.1.1.0'), fixture.runs('Service Pack 1'));
select fixture.host('untouched', fixture.files('rel', 'b.dll 9.1.1.0', 'base/d.dll 9.1.1.0'), fixture.runs('Service Pack 1'));
select fixture.host('rtm', fixture.files('rel', 'a.dll 9.1.1.0', 'b.dll 9.1.1.0'), fixture.runs(''));
select fixture.judge();
select is(fixture.said('released', 'rel') || ' ' || (select countable from ops.host where host = 'released'), 'level 1',
          'files that a level ships as the product was released don''t count, and a component of such files alone is neither level nor unknown');
select matches(fixture.said('gap', 'rel'), 'Application: 0 of 1 file confirmed', 'they confirm nothing either');
select matches(fixture.said('untouched', 'rel'), '^unknown: no file is touched by SP1', 'a host of nothing else is unknown');
select is(fixture.said('rtm', 'rel'), 'level', 'at the release itself they are compared as at any level');

-- Ahead.
select fixture.product('ahead', array['RTM', 'SP1']);
select fixture.ships('ahead', variadic array(select format('SP1 %s.dll = 9.1.1.10', f) from unnest(string_to_array('abcde', null)) f));
select fixture.patch('ahead', 'KB7', array['SP1'], array['a.dll 9.1.1.15', 'b.dll 9.1.1.15']);
select fixture.host('ahead', fixture.files('ahead', 'a.dll 9.1.1.20', 'b.dll 9.1.1.20', 'c.dll 9.1.1.10', 'd.dll 9.1.1.10', 'e.dll 9.1.1.10'), fixture.runs('Service Pack 1'));
select fixture.host('a-fifth', fixture.files('ahead', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10', 'c.dll 9.1.1.10', 'd.dll 9.1.1.10', 'e.dll 9.1.1.10'), fixture.runs('Service Pack 1'));
select fixture.host('patched', fixture.files('ahead', 'a.dll 9.1.1.15', 'b.dll 9.1.1.15', 'c.dll 9.1.1.10', 'd.dll 9.1.1.10', 'e.dll 9.1.1.10'), fixture.runs('Service Pack 1'));
select fixture.judge();
select matches(fixture.said('ahead', 'ahead'), '^unknown: ahead of SP1: Application: 2 of 5 files', 'over a fifth newer than a level ships, by no known patch, is ahead of it');
select is(fixture.said('a-fifth', 'ahead') || ', ' || fixture.said('patched', 'ahead'), 'level, level', 'up to a fifth may be, and what a patch brings');

-- Lower ends.
select fixture.product('low', array['RTM', 'SP1', 'SP2', 'SP3']);
select fixture.ships('low', 'SP3 a.dll = 9.1.1.30', 'SP3 b.dll = 9.1.1.30', 'RTM b.dll = 9.1.1.5', 'SP3 c.dll = 9.1.1.30', 'SP2 c.dll <= 9.1.1.20', 'SP1 c.dll = 9.1.1.10');
create function fixture.range(product text, file text, version text, machine integer default 34404) returns text language plpgsql as $$
declare
    path text := 'c:/' || product || '/' || file;
    id integer := (select file_id from evenkeel.resolve_files(array[sha256(convert_to(path, 'utf8'))], array[path],
                                                                   array[fixture.image(version, machine => range.machine)]));
begin
    return (select evenkeel.level_range_text(r.product_id, r.levels) from evenkeel.file_ranges(array[id]) r where r.product_id = evenkeel.product_number(product));
end $$;
select is(fixture.range('low', 'a.dll', '9.1.1.30'), 'RTM..SP3', 'exactly what SP3 ships, and no older build known, leaves the lower end open');
select is(fixture.range('low', 'b.dll', '9.1.1.30'), 'SP1..SP3', 'known to be older at RTM it is SP1 or later: what is not known of SP1 and SP2 raises nothing');
select is(fixture.range('low', 'c.dll', '9.1.1.30'), 'SP3', 'what SP2 ships at most is older, too');

-- A patch that does not say what it needs.
select fixture.patch('side', 'KB9', '{}', array['a.dll 9.1.1.3959', 'u.dll 9.1.1.5000']);
select fixture.ships('side', 'SP1 v.dll = 9.1.1.1830', 'SP2 v.dll = 9.1.1.3959', 'SP1 p.dll = 9.1.1.100', 'SP2 p.dll = 9.1.1.200');
select fixture.patch('low', 'KB8', '{}', array['c.dll 9.1.1.30']);
select is(fixture.range('side', 'a.dll', '9.1.1.3959'), 'SP2', 'takes nothing from a rule');
select is(fixture.range('low', 'c.dll', '9.1.1.30'), 'RTM..SP3', 'and makes an exact match doubtful');
select fixture.host('doubtful', fixture.files('low', 'c.dll 9.1.1.30', 'b.dll 9.1.1.5'), fixture.runs('Service Pack 1'));
select fixture.again();
select matches(fixture.said('doubtful', 'low'), 'c:/low/c\.dll 9\.1\.1\.30 would be at least SP3: SP3 ships exactly this .*, but KB8 brings it, too, and does not say what it needs',
               'a host that only such a match contradicts is unknown, and the file and the patch are named');

-- Hotfixes of unknown files.
select fixture.product('hot', array['RTM', 'SP1', 'SP2']);
select fixture.ships('hot', 'RTM a.dll = 9.1.1.1', 'SP1 a.dll = 9.1.1.10', 'SP2 a.dll = 9.1.1.20', 'SP1 b.dll = 9.1.1.10', 'SP2 b.dll = 9.1.1.20');
create function fixture.hotfixed(pack text, hotfix text, counts_to text) returns jsonb language sql as $$
    select fixture.runs(pack) || jsonb_build_object('hotfixes', jsonb_build_array(jsonb_build_object('id', hotfix, 'service_pack', counts_to)))
$$;
select fixture.host('hotfix', fixture.files('hot', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10'), fixture.hotfixed('Service Pack 1', 'KB555', 'SP2'));
select fixture.host('no-hotfix', fixture.files('hot', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10'), fixture.runs('Service Pack 1'));
select fixture.patch('hot', 'KB556', array['SP1'], array['z.dll 9.1.1.15']);
select fixture.host('known-hotfix', fixture.files('hot', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10'), fixture.hotfixed('Service Pack 1', 'KB556', 'SP2'));
select fixture.host('behind-hotfix', fixture.files('hot', 'a.dll 9.1.1.1', 'b.dll 9.1.1.10'), fixture.hotfixed('Service Pack 1', 'KB555', 'SP2'));
select fixture.judge();
select matches(fixture.said('hotfix', 'hot'), '^unknown: c:/hot/a\.dll 9\.1\.1\.20 is what SP2 ships, but the host lists KB555', 'a hotfix of unknown files may have brought the build of a later pack');
select is(fixture.said('no-hotfix', 'hot') || ', ' || fixture.said('known-hotfix', 'hot'), 'mixed, mixed', 'without one, or where its files are known, the host is mixed');
select is(fixture.said('behind-hotfix', 'hot'), 'mixed', 'a file that is too old is, whatever hotfixes there are');
select is_empty($$ select * from fixture.findings('hotfix') where findings like 'mixed%' $$, 'unknown is no finding');
select fixture.host('earlier-hotfix', fixture.files('hot', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10'), fixture.hotfixed('Service Pack 1', 'KB555', 'SP1'));
select fixture.host('any-hotfix', fixture.files('hot', 'a.dll 9.1.1.20', 'b.dll 9.1.1.10'), fixture.hotfixed('Service Pack 1', 'KB555', null));
select fixture.host('two-hotfixes', fixture.files('hot', 'a.dll 9.1.1.10', 'b.dll 9.1.1.10'), fixture.runs('')
    || '{"hotfixes": [{"id": "KB555", "service_pack": "SP2"}, {"id": "KB554"}]}');
select fixture.host('later-hotfix', fixture.files('hot', 'a.dll 9.1.1.10', 'b.dll 9.1.1.10'), fixture.hotfixed('', 'KB555', 'SP2'));
select fixture.judge();
select is(substring(fixture.said('earlier-hotfix', 'hot') from '^\w+') || ', ' || substring(fixture.said('any-hotfix', 'hot') from '^\w+'), 'unknown, unknown',
          'so may one for an earlier pack, or for none that is told');
select matches(fixture.said('two-hotfixes', 'hot'), '^unknown: .*KB554', 'of several the one that counts towards the earliest pack is gone by');
select is(fixture.said('later-hotfix', 'hot'), 'mixed', 'but none that a pack as early as that can''t hold');

-- Names that nothing knows.
select fixture.host('stranger', fixture.files('side', 'foreign.dll 9.1.1.3959', 'p.dll 9.1.1.100'), fixture.runs('Service Pack 1'));
select fixture.judge();
select matches(fixture.said('stranger', 'side'), '^unknown: c:/side/foreign\.dll 9\.1\.1\.3959 would be at least SP2: .*nothing says that a file of this name is the product''s',
               'by a rule alone a file of an unknown name makes nothing mixed');
select fixture.knows('side', 'foreign.dll');
select fixture.again();
select is(fixture.said('stranger', 'side'), 'mixed', 'one of a known name does');

-- Restarts.
select fixture.host('restart', fixture.files('hot', 'a.dll 9.1.1.1', 'b.dll 9.1.1.10', 'tmp1.dll 9.1.1.10'),
                    fixture.runs('Service Pack 1') || '{"pending_renames": [{"from": "c:/hot/tmp1.dll", "to": "c:/hot/a.dll"}]}');
select fixture.host('restart-in-vain', fixture.files('hot', 'a.dll 9.1.1.1', 'b.dll 9.1.1.10', 'tmp1.dll 9.1.1.1'),
                    fixture.runs('Service Pack 1') || '{"pending_renames": [{"from": "c:/hot/tmp1.dll", "to": "c:/hot/a.dll"}]}');
select fixture.judge();
select matches(fixture.said('restart', 'hot'), '^unknown: files wait for a restart', 'what a restart mends is not mixed');
select is(fixture.said('restart-in-vain', 'hot'), 'mixed', 'what it does not mend is');
select results_eq($$ select * from fixture.findings('restart') where findings like 'pending%' or findings like 'mixed%' $$, array['pending-reboot restart'], 'and it is told as waiting');

select fixture.host('restart-of-many', fixture.files('hot', 'a.dll 9.1.1.1', 'b.dll 9.1.1.10', 'tmp1.dll 9.1.1.10'),
    fixture.runs('Service Pack 1') || jsonb_build_object('pending_renames', (select jsonb_agg(jsonb_build_object('from', f, 'to', t) order by n)
        from (select n, format('c:/temp/%s.tmp', n) as f, '' as t from generate_series(1, 2000) n union all values (2001, 'c:/hot/tmp1.dll', 'c:/hot/a.dll')) r)));
select fixture.judge();
select is(fixture.said('restart-of-many', 'hot'), 'unknown: 2,001 files wait for a restart, of which 2000 are followed: restart the host',
          'where more wait than are followed it is not known what a restart would mend');

-- Which source holds.
select fixture.product('rank', array['RTM', 'SP1']);
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('rank'), 1, 'c:/rank/a.dll', '=', evenkeel.version_of('9.1.1.50'), 'captured', 'host x';
select is(fixture.range('rank', 'a.dll', '9.1.1.10'), 'RTM', 'a capture narrows');
select fixture.ships('rank', 'SP1 a.dll = 9.1.1.10');
select is(fixture.range('rank', 'a.dll', '9.1.1.10'), 'RTM..SP1', 'until something stated contradicts it');

-- A corrected statement, and machines.
update evenkeel.baseline set machine = 34404 where product_id = evenkeel.product_number('rank') and kind = 'article';
select is(fixture.range('rank', 'a.dll', '9.1.1.20') || ', ' || fixture.range('rank', 'a.dll', '9.1.1.20', 332), 'RTM..SP1, RTM',
          'what is stated of one machine says nothing of another''s file, for which the capture goes on holding');

-- What a registry does not say decides nothing.
insert into evenkeel.product (code, name, os_version, os_build, product_types, follows_os, source) values
    ('client', 'A client', '9.5', 777, '{1}', true, 'test'), ('server', 'A server', '9.5', 777, '{2,3}', true, 'test'), ('later', 'A later one', '9.5', 888, null, true, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, source) select product_id, 0, 'RTM', 'RTM', 'test' from evenkeel.product where os_version = '9.5';
insert into evenkeel.line (product_id, major, minor, source) select product_id, 9, 5, 'test' from evenkeel.product where os_version = '9.5';
insert into evenkeel.component (product_id, code, name, include, source) select product_id, 'os', 'OS', '{c:/nine/*}', 'test' from evenkeel.product where os_version = '9.5';
select fixture.host('typed', '{"c:/nine/a.dll": "9.5.1.1"}', '{"current_version": "9.5", "current_build": 777, "product_type": "SERVER"}');
select fixture.host('untyped', '{"c:/nine/a.dll": "9.5.1.1"}', '{"current_version": "9.5", "current_build": 777}');
select fixture.host('unbuilt', '{"c:/nine/a.dll": "9.5.1.1"}', '{"current_version": "9.5", "product_type": "SERVER"}');
select fixture.judge();
select results_eq($$ select p.code from evenkeel.host_product s join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'typed' $$,
                  array['server'], 'a client and a server of one build are told apart by the product type');
select matches(fixture.said('untyped', 'server'), 'whether this is a client or a server', 'where it is not known neither is judged');
select matches(fixture.said('unbuilt', 'later'), 'which build of Windows', 'nor where the build is not known');

-- Two that only the kind of installation tells apart.
insert into evenkeel.product (code, name, os_version, os_build, product_types, installation_types, follows_os, source) values
    ('full', 'A full one', '9.6', 777, '{2,3}', '{Server}', true, 'test'), ('core', 'A core', '9.6', 777, '{2,3}', '{Server Core}', true, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, source) select product_id, 0, 'RTM', 'RTM', 'test' from evenkeel.product where os_version = '9.6';
insert into evenkeel.line (product_id, major, minor, source) select product_id, 9, 6, 'test' from evenkeel.product where os_version = '9.6';
insert into evenkeel.component (product_id, code, name, include, source) select product_id, 'os', 'OS', '{c:/ten/*}', 'test' from evenkeel.product where os_version = '9.6';
select fixture.host('installed', '{"c:/ten/a.dll": "9.6.1.1"}', '{"current_version": "9.6", "current_build": 777, "product_type": "SERVER", "installation_type": "Server Core"}');
select fixture.host('not told', '{"c:/ten/a.dll": "9.6.1.1"}', '{"current_version": "9.6", "current_build": 777, "product_type": "SERVER"}');
select fixture.judge();
select results_eq($$ select p.code from evenkeel.host_product s join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'installed' $$,
                  array['core'], 'a core and a full installation are told apart by the registry''s InstallationType');
select matches(fixture.said('not told', 'core'), '^unknown: .*how this Windows was installed', 'where it is not told neither is judged');

select * from finish();
rollback;
