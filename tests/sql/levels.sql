-- What a version says about a level: every sentence of it, each end with its own proof.
begin;
select plan(58);
\ir fixture.psql
\ir catalogue.psql

-- The range of one file of that version in a product that is all else unknown.
create function fixture.range(product text, file text, version text)
returns text language plpgsql as $$
declare
    path text := 'c:/' || product || '/' || file;
    id integer := (select file_id from evenkeel.resolve_files(array[sha256(convert_to(path, 'utf8'))], array[path], array[fixture.image(version)]));
begin
    return (select evenkeel.level_range_text(r.product_id, r.levels) from evenkeel.file_ranges(array[id]) r
            where r.product_id = evenkeel.product_number(product));
end $$;

-- Upper ends.
select fixture.product('up', array['RTM', 'SP1', 'SP2', 'SP3']);
select fixture.ships('up', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll >= 9.1.100.10', 'SP3 c.dll <= 9.1.100.30', 'RTM d.dll = 9.1.100.5',
                           'SP1 e.dll >= 9.1.100.10', 'SP2 e.dll >= 9.1.100.20');
select is(fixture.range('up', 'a.dll', '9.1.100.19'), 'RTM..SP1', 'below exactly what SP2 ships a file is at most SP1');
select is(fixture.range('up', 'b.dll', '9.1.100.9'), 'RTM', 'below what SP1 ships at least a file is at most RTM');
select is(fixture.range('up', 'b.dll', '9.1.100.10'), 'RTM..SP3', 'at what a level ships at least, nothing is narrowed');
select is(fixture.range('up', 'c.dll', '9.1.100.29'), 'RTM..SP3', 'what a level ships at most narrows no upper end');
select is(fixture.range('up', 'd.dll', '9.1.100.4'), 'below RTM', 'a file older than RTM is below it');
select is(fixture.range('up', 'e.dll', '9.1.100.5'), 'RTM', 'of several upper proofs the least holds');

-- Lower ends.
select fixture.product('low', array['RTM', 'SP1', 'SP2', 'SP3']);
select fixture.ships('low', 'RTM a.dll = 9.1.100.0', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP3 a.dll = 9.1.100.20',
                            'SP1 b.dll >= 9.1.100.10', 'SP2 c.dll <= 9.1.100.20', 'SP2 d.dll = 9.1.100.20');
select is(fixture.range('low', 'a.dll', '9.1.100.10'), 'SP1', 'exactly what SP1 ships, and less than SP2 does, is SP1');
select is(fixture.range('low', 'a.dll', '9.1.100.20'), 'SP2..SP3', 'SP2 and SP3 shipping the same build gives SP2 to SP3');
select is(fixture.range('low', 'a.dll', '9.1.100.25'), 'RTM..SP3', 'a build in no table above every baseline leaves the lower end open');
select is(fixture.range('low', 'a.dll', '9.1.100.15'), 'RTM..SP1', 'an unlisted hotfix between two levels has an upper end and an open lower end');
select is(fixture.range('low', 'b.dll', '9.1.100.99'), 'RTM..SP3', 'above what a level ships at least the lower end stays open');
select is(fixture.range('low', 'c.dll', '9.1.100.99'), 'RTM..SP3', 'above what a level ships at most is a hotfix, and no level follows');
select is(fixture.range('low', 'a.dll', '9.1.100.0'), 'RTM', 'exactly what RTM ships, and less than SP1 does, is RTM');

-- Lower ends of patches.
select fixture.patch('low', 'KB100001', array['SP2', 'SP1'], array['d.dll 9.1.100.30']);
select fixture.patch('low', 'KB100002', array['SP2'], array['d.dll 9.1.100.40', 'd.dll 9.1.100.20', 'b.dll 9.1.100.5']);
select fixture.patch('low', 'KB100003', array['SP1'], array['d.dll 9.1.100.40', 'd.dll 9.1.100.20']);
select fixture.patch('low', 'KB100004', '{}', array['d.dll 9.1.100.50']);
select is(fixture.range('low', 'd.dll', '9.1.100.30'), 'SP1..SP3', 'a version in a patch''s table is at least the lowest level that the patch goes on');
select is(fixture.range('low', 'd.dll', '9.1.100.40'), 'SP1..SP3', 'of two patches with the same version the less demanding counts');
select is(fixture.range('low', 'd.dll', '9.1.100.50'), 'RTM..SP3', 'a patch that states no level proves the first one');
select is(fixture.range('low', 'd.dll', '9.1.100.20'), 'SP1..SP3', 'of a level''s own build and a patch''s the least counts');
select is(fixture.range('low', 'b.dll', '9.1.100.5'), 'RTM', 'an upper end holds whatever a patch''s table says of the lower one');

-- A product-wide rule.
select fixture.product('rule', array['RTM', 'SP1', 'SP2']);
insert into evenkeel.level_rule (product_id, ordinal, relation, revision, source)
select evenkeel.product_number('rule'), o, r, v, 'test' from (values (0, '=', 0), (1, '>=', 1830), (2, '>=', 3959)) x (o, r, v);
select fixture.ships('rule', 'RTM w.dll = 9.1.3790.0', 'SP1 w.dll = 9.1.3790.1830', 'SP2 w.dll = 9.1.3790.3959', 'SP1 z.dll >= 9.1.3790.4500');
select fixture.knows('rule', 'any.dll', 'a.dll', 'b.dll', 'c.dll', 'd.dll', 'never.dll');
select is(fixture.range('rule', 'any.dll', '9.1.3790.3959'), 'SP2', 'a rule proves a lower end in any file');
select is(fixture.range('rule', 'any.dll', '9.1.3790.3958'), 'SP1..SP2', 'just below its revision the rule of the level before holds');
select is(fixture.range('rule', 'any.dll', '9.1.3790.0'), 'RTM..SP2', 'a rule proves no upper end');
select is(fixture.range('rule', 'z.dll', '9.1.3790.3959'), 'RTM', 'where rows contradict each other the upper end wins');
select is(fixture.range('rule', 'w.dll', '9.1.3790.0'), 'RTM', 'rows of a file give the upper end that the rule lacks');

-- Lines are kept apart.
select fixture.product('nt', array['RTM', 'SP1']);
update evenkeel.line set revision_to = 32767 where product_id = evenkeel.product_number('nt');
select fixture.ships('nt', 'RTM a.dll = 9.1.1381.1', 'SP1 a.dll = 9.1.1381.100');
select is(fixture.range('nt', 'a.dll', '9.1.1381.32772'), 'RTM..SP1', 'a Terminal Server build is not compared with the other line');
select is(fixture.range('nt', 'a.dll', '4.0.1381.5'), 'RTM..SP1', 'a version of another line is no old build');
select is((select covered from evenkeel.file_level fl join evenkeel.file f using (file_id) join evenkeel.path p using (path_id)
           join evenkeel.image i using (image_id)
           where p.path = 'c:/nt/a.dll' and i.file_version = evenkeel.version_of('9.1.1381.32772')), false, 'nor does it count as covered');

-- Hosts.
select fixture.ships('low', 'SP3 d.dll <= 9.1.100.25');
select evenkeel.catalog_refresh();
select fixture.host('twin', '{"c:/rule/a.dll": "9.1.3790.3959", "c:/rule/b.dll": "9.1.3790.4043", "c:/rule/c.dll": "9.1.3790.3959",
                              "c:/rule/d.dll": "9.1.3790.3959", "c:/rule/never.dll": "9.1.3790.0"}', fixture.runs('Service Pack 2'));
select fixture.host('mixed', '{"c:/rule/a.dll": "9.1.3790.3959", "c:/rule/w.dll": "9.1.3790.1830"}', fixture.runs('Service Pack 2'));
select fixture.host('mute', '{"c:/rule/a.dll": "9.1.3790.3959", "c:/rule/w.dll": "9.1.3790.3959"}', null);
select fixture.host('mute twice', '{"c:/rule/a.dll": "9.1.3790.3959", "c:/low/a.dll": "9.1.100.20"}', null);
select fixture.host('put-back', '{"c:/low/a.dll": "9.1.100.20", "c:/low/d.dll": "9.1.100.30", "c:/low/b.dll": "9.1.100.9"}',
                    fixture.runs('Service Pack 3'));
select fixture.host('patched', '{"c:/low/a.dll": "9.1.100.20", "c:/low/d.dll": "9.1.100.30"}', fixture.runs('Service Pack 3'));
select fixture.host('two', '{"c:/rule/a.dll": "9.1.3790.3959", "c:/low/a.dll": "9.1.100.10"}', fixture.runs('Service Pack 2'));
select fixture.host('undeclared', '{"c:/rule/a.dll": "9.1.3790.3959"}', fixture.runs('Service Pack 9'));
select fixture.judge();
select is(fixture.verdict('twin', 'rule'), 'level SP2', 'a healthy SP2 host with a file that never changed since RTM is level');
select is(fixture.verdict('mixed', 'rule'), 'mixed none', 'an SP1 file beside SP2 files is mixed');
select is(fixture.verdict('mute', 'rule'), 'unknown SP2', 'a host without a registry says SP2 by its files, but is unknown: nothing was compared with what it declares');
select is((select missing from evenkeel.host_product join evenkeel.host h using (host_id) where h.name = 'mute' and product_id = evenkeel.product_number('rule')),
          'no registry was read: not compared with what it declares', 'and it is said what is missing');
select is((select missing from ops.host where host = 'mute twice'), 'no registry was read: not compared with what it declares', 'once, whichever products that leaves open');
select is(fixture.verdict('put-back', 'low'), 'mixed none', 'an older service pack''s hotfix put back on SP3 makes the host mixed');
select is(fixture.verdict('patched', 'low'), 'level SP3', 'a hotfix for SP1 and SP2 that SP3 need not replace leaves it level');
select is(fixture.verdict('two', 'rule') || ', ' || fixture.verdict('two', 'low'), 'level SP2, mixed none', 'two products of a host are judged apart');
select is(fixture.verdict('undeclared', 'rule'), 'unknown SP2', 'a declared level that the catalogue has not is unknown');

-- Coverage.
select fixture.product('part', array['RTM', 'SP1']);
select fixture.host('bare', '{"c:/part/a.dll": "9.1.100.1", "c:/part/b.dll": "9.1.100.1"}', fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('bare', 'part'), 'unknown SP1', 'a host without baselines is unknown');
select fixture.ships('part', 'SP1 a.dll = 9.1.100.1', 'SP1 b.dll = 9.1.100.1', 'SP1 c.dll = 9.1.100.1', 'SP1 d.dll = 9.1.100.1');
select evenkeel.catalog_refresh();
select fixture.host('four-of-five', '{"c:/part/a.dll": "9.1.100.1", "c:/part/b.dll": "9.1.100.1", "c:/part/c.dll": "9.1.100.1",
                                      "c:/part/d.dll": "9.1.100.1", "c:/part/e.dll": "9.1.100.1"}', fixture.runs('Service Pack 1'));
select fixture.host('four-of-six', '{"c:/part/a.dll": "9.1.100.1", "c:/part/b.dll": "9.1.100.1", "c:/part/c.dll": "9.1.100.1",
                                     "c:/part/d.dll": "9.1.100.1", "c:/part/e.dll": "9.1.100.1", "c:/part/f.dll": "9.1.100.1"}',
                    fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('bare', 'part'), 'level SP1', 'it becomes level once its files are known');
select is(fixture.verdict('four-of-five', 'part'), 'level SP1', 'exactly the stated share of judged files is enough');
select is(fixture.verdict('four-of-six', 'part'), 'unknown SP1', 'below the stated share the host is unknown');
select fixture.host('low-cover', '{"c:/part/a.dll": "9.1.100.0", "c:/part/e.dll": "9.1.100.1", "c:/part/f.dll": "9.1.100.1"}',
                    fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('low-cover', 'part'), 'mixed none', 'but what is proven mixed is mixed however little is known of the rest');

-- Files whose version cannot be read.
select fixture.product('dim', array['RTM', 'SP1']);
select fixture.ships('dim', 'SP1 a.dll = 9.1.100.1', 'SP1 b.dll = 9.1.100.1', 'SP1 c.dll = 9.1.100.1', 'SP1 d.dll = 9.1.100.1', 'SP1 e.dll = 9.1.100.1',
                            'SP1 f.dll = 9.1.100.1', 'SP1 g.dll = 9.1.100.1', 'SP1 h.dll = 9.1.100.1', 'SP1 i.dll = 9.1.100.1');
create temporary view dim as
select (select jsonb_object_agg('c:/dim/' || f || '.dll', '9.1.100.1') from unnest(string_to_array('abcdefgh', null)) f) as files;
create function fixture.missing(wanted text) returns text language sql as $$ select missing from ops.host where host = wanted $$;
select fixture.host('dim', (table dim) || '{"c:/dim/i.dll": "", "c:/dim/own.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.host('dimmer', (table dim) || '{"c:/dim/h.dll": "", "c:/dim/i.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.host('dim-mixed', (table dim) || '{"c:/dim/h.dll": "9.1.100.0", "c:/dim/i.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.host('own', (table dim) || '{"c:/dim/own.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('dim', 'dim') || '; ' || fixture.missing('dim'),
          'unknown SP1; cannot read the version of c:/dim/i.dll: collect it again, or replace the file',
          'a file without a version that a level ships with one makes a host unknown, however much is known of the others');
select is(fixture.missing('dimmer'), 'cannot read the version of c:/dim/h.dll and of 1 more: collect it again, or replace the file; '
          || 'Application: 7 of 9 files confirmed at SP1: capture SP1 from a healthy host or from media (evenkeel baseline capture)', 'of several the first is named');
select is(fixture.verdict('dim-mixed', 'dim'), 'mixed none', 'what is proven mixed stays mixed');
select is(fixture.verdict('own', 'dim') || fixture.missing('own'), 'level SP1', 'a file without a version that no level ships says nothing');
select fixture.ships('dim', 'SP1 own.dll = 9.1.100.1');
select evenkeel.catalog_refresh();
select fixture.judge();
select is(fixture.verdict('own', 'dim'), 'unknown SP1', 'until a baseline knows it');
-- Whether or not a baseline knows it: a file that is cut, or a known one whose version is damaged.
insert into evenkeel.known_file (product_id, file, source) select evenkeel.product_number('dim'), 'known.dll', 'test';
select fixture.image('', '{Cut}'), fixture.image('', '{Torn}');
update evenkeel.image set defects = evenkeel.pe_defect_truncated() where export_names = '{Cut}';
update evenkeel.image set defects = evenkeel.pe_defect_version() where export_names = '{Torn}';
select fixture.host('cut', (table dim) || '{"c:/dim/any.dll": {"version": "", "exports": ["Cut"]}}', fixture.runs('Service Pack 1'));
select fixture.host('torn', (table dim) || '{"c:/dim/known.dll": {"version": "", "exports": ["Torn"]}}', fixture.runs('Service Pack 1'));
select fixture.host('torn stranger', (table dim) || '{"c:/dim/stranger.dll": {"version": "", "exports": ["Torn"]}}', fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('cut', 'dim') || '; ' || fixture.missing('cut'),
          'unknown SP1; cannot read the version of c:/dim/any.dll: collect it again, or replace the file', 'a file that ends in the middle is told');
select is(fixture.verdict('torn', 'dim') || '; ' || fixture.missing('torn'),
          'unknown SP1; cannot read the version of c:/dim/known.dll: collect it again, or replace the file', 'and so is a known one whose version is damaged');
select is(fixture.verdict('torn stranger', 'dim'), 'level SP1', 'that of a stranger says nothing');
select fixture.host('dim', (table dim) || '{"c:/dim/i.dll": "9.1.100.1"}', fixture.runs('Service Pack 1'));
select fixture.judge();
select is(fixture.verdict('dim', 'dim') || fixture.missing('dim'), 'level SP1', 'the file replaced, the host is level again');

-- SP6 and SP6a.
select fixture.product('six', array['RTM', 'SP6', 'SP6a']);
update evenkeel.level set service_pack = 'Service Pack 6' where code in ('SP6', 'SP6a') and product_id = evenkeel.product_number('six');
update evenkeel.level set marker_hotfix = 'Q246009' where code = 'SP6a' and product_id = evenkeel.product_number('six');
select fixture.ships('six', 'SP6 a.dll = 9.1.100.6', 'SP6a a.dll = 9.1.100.7', 'RTM b.dll = 9.1.100.1', 'SP6 b.dll = 9.1.100.6', 'SP6a b.dll = 9.1.100.6');
select fixture.host('six', '{"c:/six/b.dll": "9.1.100.6"}', fixture.runs('Service Pack 6'));
select fixture.host('six-a', '{"c:/six/b.dll": "9.1.100.6"}', fixture.runs('Service Pack 6', 'Q246009'));
select fixture.host('six-mixed', '{"c:/six/a.dll": "9.1.100.6"}', fixture.runs('Service Pack 6', 'Q246009'));
select fixture.judge();
select is(fixture.verdict('six', 'six'), 'level SP6..SP6a', 'declared SP6 may be SP6a too');
select is(fixture.verdict('six-a', 'six'), 'level SP6a', 'with the key of Q246009 it is SP6a');
select is(fixture.verdict('six-mixed', 'six'), 'mixed none', 'and a file of SP6 beside that key is mixed');

-- A golden host.
select fixture.product('gold', array['RTM', 'SP1']);
select fixture.host('golden', '{"c:/gold/a.dll": "9.1.100.5", "c:/gold/b.dll": "9.1.100.5", "c:/gold/base/c.dll": "9.1.100.2",
                                "c:/gold/other.dll": "3.0.0.1"}', fixture.runs('Service Pack 1'));
select fixture.host('behind', '{"c:/gold/a.dll": "9.1.100.4", "c:/gold/b.dll": "9.1.100.5", "c:/gold/base/c.dll": "9.1.100.2"}',
                    fixture.runs('Service Pack 1'));
update evenkeel.level set released = '2002-05-01' where product_id = evenkeel.product_number('gold') and code = 'SP1';
update evenkeel.image set time_date_stamp = extract(epoch from '2002-04-01'::date) where file_version in (evenkeel.version_of('9.1.100.5'), evenkeel.version_of('9.1.100.2'));
create temporary table capture_file (path text, file_version bigint, machine integer, time_date_stamp bigint not null default 0, location text);
select evenkeel.capture_from_host((select host_id from evenkeel.host where name = 'golden'));
select is((select matched || ' ' || added from evenkeel.capture_baseline('gold', 'SP1', 'golden')), '3 3',
          'a golden host gives its component files of the product''s line, and no others');
select fixture.judge();
select is(fixture.verdict('golden', 'gold') || ', ' || fixture.verdict('behind', 'gold'), 'level SP1, mixed none',
          'the golden host is level, and a host with an older file beside it is mixed');

-- Hosts of which there is no verdict.
insert into evenkeel.host (name) values ('expected');
select fixture.host('waiting', '{"c:/gold/a.dll": "9.1.100.5", "c:/gold/b.dll": "9.1.100.5"}', fixture.runs('Service Pack 1'));
select fixture.host('bystander', '{"c:/elsewhere/a.dll": "9.1.100.5"}', fixture.runs('Service Pack 1'));
select is((select verdict || ': ' || missing from ops.host where host = 'expected'), 'unknown: no snapshot yet', 'a host that sent nothing is unknown, and that is said');
select is((select verdict || ': ' || missing from ops.host where host = 'waiting'), 'unknown: not yet judged', 'so is one that waits to be judged');
select fixture.judge();
select is((select verdict || ': ' || missing from ops.host where host = 'waiting'), 'level: ', 'until it is');
select is((select verdict || ': ' || missing from ops.host where host = 'bystander'), 'unknown: no product of the catalogue was found',
          'one without a product is told from one that waits');
select * from finish();
rollback;
