-- GDR and QFE: a file stays on the branch that it is of, and is judged by that; and files whose version can't be read.
begin;
select plan(14);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.1);
select fixture.ships('app', 'SP2 a.dll = 9.1.100.20', 'SP2 b.dll = 9.1.100.20');
select fixture.patch('app', 'KB1', '{SP2}', array['a.dll 9.1.100.30 SP2GDR', 'b.dll 9.1.100.30 SP2GDR', 'a.dll 9.1.100.31 SP2QFE', 'b.dll 9.1.100.31 SP2QFE']);
select fixture.patch('app', 'KB2', '{SP2}', array['a.dll 9.1.100.40 SP2GDR', 'a.dll 9.1.100.60 SP2QFE']);
select fixture.patch('app', 'KB3', '{SP2}', array['c.dll 9.1.100.40']);
select fixture.patch('app', 'KB4', '{SP2}', array['b.dll 9.1.100.30', 'c.dll 9.1.100.41']);
-- One whose builds are higher on the GDR branch than another's on QFE.
select fixture.patch('app', 'KB5', '{SP2}', array['a.dll 9.1.100.50 SP2QFE']);
select evenkeel.catalog_refresh();

select is(evenkeel.is_qfe_build(evenkeel.product_number('app'), 'a.dll', 'c:/app/a.dll', evenkeel.version_of('9.1.100.31')), true,
          'a build that tables have in QFE alone is one of that branch');
select is(evenkeel.is_qfe_build(evenkeel.product_number('app'), 'a.dll', 'c:/app/a.dll', evenkeel.version_of('9.1.100.30')), false, 'one in GDR is not');
select is(evenkeel.is_qfe_build(evenkeel.product_number('app'), 'a.dll', 'c:/app/a.dll', evenkeel.version_of('9.1.100.20')), false,
          'nor what a level ships');
select is(evenkeel.is_qfe_build(evenkeel.product_number('app'), 'a.dll', 'c:/app/a.dll', evenkeel.version_of('9.1.100.33')), null,
          'of one that stands nowhere it is not known');
select is(array_agg(evenkeel.is_qfe_build(0, 'x.dll', 'x.dll', evenkeel.version_of(v)) order by v), '{false,true,false,true}',
          'from Vista to Windows 8 the number tells')
from unnest(array['6.0.6002.18005', '6.0.6002.22100', '6.1.7601.18015', '8.0.7601.22222']) v;

select fixture.host('gdr', '{"c:/app/a.dll": "9.1.100.30", "c:/app/b.dll": "9.1.100.30"}', fixture.runs('Service Pack 2', 'KB1', 'KB2'));
select fixture.host('qfe', '{"c:/app/a.dll": "9.1.100.50", "c:/app/b.dll": "9.1.100.31"}', fixture.runs('Service Pack 2', 'KB1', 'KB2'));
select fixture.judge();
select is(fixture.patch_state('gdr', 'KB2'), 'partial', 'a GDR file that is older than the patch''s makes a listed patch partial');
select is(fixture.patch_state('gdr', 'KB1'), 'installed', 'and those at its own make it installed');
select is(fixture.patch_state('qfe', 'KB2'), 'partial', 'a QFE build is older than the patch''s QFE row, though newer than its GDR row');
select matches((select summary from ops.finding where host = 'qfe' and check_name = 'partial-patch' and subject = 'KB2'), 'a.dll is 9.1.100.50 instead of 9.1.100.60',
               'which the finding tells');
select is(fixture.patch_state('qfe', 'KB1'), 'installed', 'a patch whose QFE rows it has or passed is installed');

-- Files without a version that could be read.
select fixture.host('blind', '{"c:/app/a.dll": "9.1.100.20", "c:/app/c.dll": ""}', fixture.runs('Service Pack 2', 'KB3'));
select fixture.host('half blind', '{"c:/app/b.dll": "9.1.100.30", "c:/app/c.dll": ""}', fixture.runs('Service Pack 2', 'KB4'));
select fixture.host('absent', '{"c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2', 'KB3'));
select fixture.host('older', '{"c:/app/b.dll": "9.1.100.20", "c:/app/c.dll": ""}', fixture.runs('Service Pack 2', 'KB4'));
select fixture.judge();
select is(fixture.patch_state('blind', 'KB3'), 'unknown', 'a listed patch whose only file has no readable version is unknown');
select is(fixture.patch_state('half blind', 'KB4'), 'unknown', 'as is one of which another file is right');
select is(fixture.patch_state('absent', 'KB3'), 'installed', 'one whose files are not there is what the registry says');
select is(fixture.patch_state('older', 'KB4'), 'partial', 'and an older file says what it says');

select * from finish();
rollback;
