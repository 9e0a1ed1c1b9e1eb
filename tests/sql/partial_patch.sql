-- A patch that is listed or proven by files while other files of its table are older.
begin;
select plan(27);
\ir fixture.psql
\ir catalogue.psql

-- Two patches for the same file, of which the first was taken off after the second.
select fixture.product('srv', array['RTM', 'SP1', 'SP2']);
select fixture.ships('srv', 'RTM winsrv.dll = 9.1.3790.0', 'SP1 winsrv.dll = 9.1.3790.1830', 'SP2 winsrv.dll = 9.1.3790.3959');
select fixture.patch('srv', 'KB2507938', array['SP2'], array['winsrv.dll 9.1.3790.4860']);
select fixture.patch('srv', 'KB2567680', array['SP2'], array['winsrv.dll 9.1.3790.4877']);
select fixture.host('fell-back', '{"c:/srv/winsrv.dll": "9.1.3790.4043"}', fixture.runs('Service Pack 2', 'KB2567680'));
select fixture.host('both', '{"c:/srv/winsrv.dll": "9.1.3790.4877"}', fixture.runs('Service Pack 2', 'KB2567680', 'KB2507938'));
select fixture.host('neither', '{"c:/srv/winsrv.dll": "9.1.3790.4043"}', fixture.runs('Service Pack 2'));
select fixture.host('called-q', '{"c:/srv/winsrv.dll": "9.1.3790.4043"}', fixture.runs('Service Pack 2', 'Q2567680'));
select fixture.host('backup-only', '{"c:/srv/winsrv.dll": "9.1.3790.4877", "c:/srv/cache/old/winsrv.dll": "9.1.3790.4043"}',
                    fixture.runs('Service Pack 2', 'KB2567680'));
select fixture.host('other-os', '{"c:/srv/winsrv.dll": "9.1.3790.4043"}',
                    fixture.runs('Service Pack 2', 'KB2567680') || '{"current_version": "9.2"}');
select fixture.judge();
select results_eq($$ select * from fixture.findings('fell-back') $$, array['partial-patch KB2567680'],
                  'a file that fell behind a listed patch when another was taken off');
select is((select summary from ops.finding where host = 'fell-back' and check_name = 'partial-patch'),
          'KB2567680 is listed as installed, but c:/srv/winsrv.dll is 9.1.3790.4043 instead of 9.1.3790.4877',
          'the line names the patch, the file and both versions');
select is((select evidence #>> '{older,0,brought}' from ops.finding where host = 'fell-back' and check_name = 'partial-patch'), '9.1.3790.4877',
          'the evidence says which version the patch brings');
select is((select severity from ops.finding where host = 'fell-back' and check_name = 'partial-patch'), 'high', 'a patch that is listed and not there is grave');
select is_empty($$ select * from fixture.findings('both') $$, 'both patches listed and the later file there: nothing');
select is_empty($$ select * from fixture.findings('neither') $$, 'no patch listed and no file proves one: nothing');
select results_eq($$ select * from fixture.findings('called-q') $$, array['partial-patch KB2567680'], 'a patch is the same whether called Q or KB');
select is_empty($$ select * from fixture.findings('backup-only') $$, 'a backup copy never counts');
select is_empty($$ select * from fixture.findings('other-os') $$ , 'a patch of a product that is not on the host does not matter');

-- Proof by files.
select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.ships('app', 'SP2 gdi.dll = 9.1.100.60', 'SP1 b.dll = 9.1.100.10', 'SP1 c.dll = 9.1.100.10');
select fixture.patch('app', 'KB300001', array['SP1'], array['gdi.dll 9.1.100.60', 'b.dll 9.1.100.70', 'c.dll 9.1.100.70']);
select fixture.patch('app', 'KB300002', array['SP1'], array['d.dll 9.1.100.30', 'e.dll 9.1.100.30']);
select fixture.patch('app', 'KB300003', array['SP1'], array['d.dll 9.1.100.30']);
select fixture.patch('app', 'KB300004', array['SP1'], array['g.dll 9.1.100.40', 'h.dll 9.1.100.40']);
select fixture.host('shipped', '{"c:/app/gdi.dll": "9.1.100.60", "c:/app/b.dll": "9.1.100.65", "c:/app/c.dll": "9.1.100.65"}', fixture.runs(''));
select fixture.host('proven', '{"c:/app/b.dll": "9.1.100.70", "c:/app/c.dll": "9.1.100.10"}', fixture.runs(''));
select fixture.host('explained', '{"c:/app/d.dll": "9.1.100.30", "c:/app/e.dll": "9.1.100.10"}', fixture.runs(''));
select fixture.host('explained-but-listed', '{"c:/app/d.dll": "9.1.100.30", "c:/app/e.dll": "9.1.100.10"}', fixture.runs('', 'KB300002'));
select fixture.host('newer', '{"c:/app/g.dll": "9.1.100.40", "c:/app/h.dll": "9.1.100.90"}', fixture.runs('', 'KB300004'));
select fixture.host('not-there', '{"c:/app/g.dll": "9.1.100.40"}', fixture.runs('', 'KB300004'));
select fixture.host('terminal-server', '{"c:/app/g.dll": "9.1.100.40", "c:/app/h.dll": "9.1.100.32790"}', fixture.runs('', 'KB300004'));
select fixture.host('foreign-line', '{"c:/app/g.dll": "9.1.100.40", "c:/app/h.dll": "3.2.1.0"}', fixture.runs('', 'KB300004'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('shipped') where findings like 'partial%' $$, 'a version that a level ships proves no patch');
select results_eq($$ select * from fixture.findings('proven') where findings like 'partial%' $$, array['partial-patch KB300001'],
                  'a version that no level ships proves a patch that is not listed');
select is((select severity from ops.finding where host = 'proven' and check_name = 'partial-patch'), 'medium', 'which is less grave than a listed one');
select is_empty($$ select * from fixture.findings('explained') where findings like 'partial%' $$, 'a file that another patch, present whole, explains proves nothing');
select results_eq($$ select * from fixture.findings('explained-but-listed') where findings like 'partial%' $$, array['partial-patch KB300002'],
                  'but what is listed needs no proof');
select is_empty($$ select * from fixture.findings('newer') where findings like 'partial%' $$, 'a newer file is not missing from a patch');
select is_empty($$ select * from fixture.findings('not-there') where findings like 'partial%' $$, 'nor is a file that is not there');
select is_empty($$ select * from fixture.findings('terminal-server') where findings like 'partial%' $$, 'lines that must not be compared are not');
select is_empty($$ select * from fixture.findings('foreign-line') where findings like 'partial%' $$, 'a file of another line is not older');

-- A level that may have shipped the file: it came out after the file was made, and nothing says what it ships.
select fixture.product('w2k', array['RTM', 'SP1', 'SP2']);
update evenkeel.level set released = date '2002-08-01' where code = 'SP1' and product_id = evenkeel.product_number('w2k');
update evenkeel.level set released = date '2003-06-26' where code = 'SP2' and product_id = evenkeel.product_number('w2k');
select fixture.ships('w2k', 'SP1 x.dll >= 9.1.100.20', 'SP2 x.dll >= 9.1.100.60');
select fixture.patch('w2k', 'KB184872', array['SP1'], array['gdi.dll 9.1.100.60 - 2003-06-19', 'adv.dll 9.1.100.68 - 2004-09-14']);
select fixture.host('at-sp2', '{"c:/w2k/gdi.dll": "9.1.100.60", "c:/w2k/adv.dll": "9.1.100.61", "c:/w2k/x.dll": "9.1.100.60"}', fixture.runs('Service Pack 2'));
select fixture.host('at-sp1', '{"c:/w2k/gdi.dll": "9.1.100.60", "c:/w2k/adv.dll": "9.1.100.40", "c:/w2k/x.dll": "9.1.100.20"}', fixture.runs('Service Pack 1'));
select fixture.host('whole', '{"c:/w2k/gdi.dll": "9.1.100.60", "c:/w2k/adv.dll": "9.1.100.68", "c:/w2k/x.dll": "9.1.100.20"}',
                    fixture.runs('Service Pack 1', 'KB184872'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('at-sp2') where findings like 'partial%' $$,
                'a file made before the host''s service pack came out may be the pack''s own and proves no patch');
select results_eq($$ select * from fixture.findings('at-sp1') where findings like 'partial%' $$, array['partial-patch KB184872'],
                  'on the service pack before, which is older than the file, it does');
select is_empty($$ select * from fixture.findings('whole') where findings like 'partial%' $$, 'present whole it is not partial');
select is(fixture.patch_state('whole', 'KB184872'), 'installed', 'and counts as installed');

-- Branches, machines, replacement.
select fixture.product('br', array['RTM', 'SP1', 'SP2']);
select fixture.patch('br', 'KB400001', '{}', array['a.dll 9.1.100.30 GDR', 'b.dll 9.1.100.30 GDR', 'a.dll 9.1.100.31 QFE', 'b.dll 9.1.100.32 QFE']);
select fixture.patch('br', 'KB400002', '{}', array['m.dll 9.1.100.50 - - x64', 'n.dll 9.1.100.50 - - x86']);
select fixture.patch('br', 'KB400003', '{}', array['r.dll 9.1.100.50', 's.dll 9.1.100.50']);
select fixture.patch('br', 'KB400004', '{}', array['r.dll 9.1.100.60'], array['KB400003']);
select fixture.host('gdr', '{"c:/br/a.dll": "9.1.100.30", "c:/br/b.dll": "9.1.100.30"}', fixture.runs('', 'KB400001'));
select fixture.host('neither-branch', '{"c:/br/a.dll": "9.1.100.31", "c:/br/b.dll": "9.1.100.29"}', fixture.runs('', 'KB400001'));
select fixture.host('x64', '{"c:/br/m.dll": "9.1.100.50", "c:/br/n.dll": "9.1.100.10"}', fixture.runs('', 'KB400002'));
select fixture.host('replaced', '{"c:/br/r.dll": "9.1.100.60", "c:/br/s.dll": "9.1.100.10"}', fixture.runs('', 'KB400003', 'KB400004'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('gdr') where findings like 'partial%' $$, 'one branch is enough');
select results_eq($$ select * from fixture.findings('neither-branch') where findings like 'partial%' $$, array['partial-patch KB400001'],
                  'a file older than both branches bring is older');
select is_empty($$ select * from fixture.findings('x64') where findings like 'partial%' $$, 'a row for another machine is not compared');
select is_empty($$ select * from fixture.findings('replaced') where findings like 'partial%' $$, 'a patch that a later one, present whole, replaces is not partial');

-- Mended.
select fixture.host('fell-back', '{"c:/srv/winsrv.dll": "9.1.3790.4877"}', fixture.runs('Service Pack 2', 'KB2567680'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('fell-back') $$, 'put on again, the finding closes');
select * from finish();
rollback;
