-- Globs of hosts' names and of paths: one rule for all.
begin;
select plan(26);
create function pg_temp.matches(name text, glob text) returns boolean language sql as $$ select name ~ evenkeel.glob_regex(glob) $$;

select ok(pg_temp.matches('web-05', 'web-*') and not pg_temp.matches('mail-05', 'web-*'), '* stands for any characters');
select ok(pg_temp.matches('web-05', 'web-0?') and not pg_temp.matches('web-005', 'web-0?'), '? for one');
select ok(pg_temp.matches('a/b', '**') and not pg_temp.matches('a/b', '*'), '* ends at a folder, ** does not');
select ok(pg_temp.matches('web-a1', 'web-[ab]*') and not pg_temp.matches('web-c1', 'web-[ab]*'), '[ab] is either');
select ok(pg_temp.matches('web-5', 'web-[3-7]') and not pg_temp.matches('web-8', 'web-[3-7]'), '[3-7] is one between');
select ok(pg_temp.matches('web-c', 'web-[!ab]') and not pg_temp.matches('web-a', 'web-[!ab]'), '[!ab] is neither');
select ok(pg_temp.matches('web-^', 'web-[^a]') and pg_temp.matches('web-a', 'web-[^a]') and not pg_temp.matches('web-b', 'web-[^a]'), '^ is itself');
select ok(pg_temp.matches('a\b', 'a[\]b') and not pg_temp.matches('ad', 'a[\d]b'), 'as is a backslash');
select ok(pg_temp.matches('web-[', 'web-[') and pg_temp.matches('web-[]', 'web-[]'), 'a bracket that begins no set is itself');
select ok(pg_temp.matches('web-[z-a]', 'web-[z-a]') and not pg_temp.matches('web-m', 'web-[z-a]'), 'nor does a range that runs backwards');
select ok(pg_temp.matches('a.b+(c)|{d}$', 'a.b+(c)|{d}$') and not pg_temp.matches('axb', 'a.b'), 'all else is itself');
select ok(pg_temp.matches('', '') and not pg_temp.matches('a', ''), 'nothing is only nothing');
select ok(evenkeel.names_host('web-0[1-3]', 'WEB-02') and not evenkeel.names_host('web-0[1-3]', 'web-04'), 'a set makes a glob of a word that names hosts');
select ok(evenkeel.names_host('web-01', 'WEB-01') and not evenkeel.names_host('web-01', 'web-011'), 'a word without any is a name, whatever the case of its letters');
select is(evenkeel.host_glob(g), g, format('''%s'' can name hosts', g)) from unnest(array['web-[!a-c]*', 'web-01']) g;
select throws_like(format('select evenkeel.host_glob(%L)', g), format('''%s'' is no glob of hosts that can match: %%', g), format('''%s'' can''t', g))
from unnest(array['', 'web-[', 'web-]', 'web-[!]', 'web-[z-a]']) g;

-- Which component a path belongs to: asked for some, or for all there are, it is the same, and the others are left alone.
select evenkeel.store_paths(array_agg(sha256(p::bytea)), array_agg(p))
from unnest(array['c:/windows/system32/kernel32.dll', 'c:/windows/system32/inetsrv/w3core.dll', 'c:/winnt/explorer.exe', 'c:/own/a.dll']) p \g /dev/null
select cmp_ok((select count(*) from evenkeel.path_component), '>', 0::bigint, 'paths are bound to components as they come');
select set_eq('select * from evenkeel.bound_paths(null)', 'select * from evenkeel.bound_paths(array(select path_id from evenkeel.path))', 'asked for each as for all');
select set_eq('select * from evenkeel.bound_paths(array(select path_id from evenkeel.path where name = ''w3core.dll''))',
              'select b.* from evenkeel.bound_paths(null) b join evenkeel.path using (path_id) where name = ''w3core.dll''', 'and for one as for all');

-- Where a component's glob can match at all is asked of folders first.
create temporary table tried as
select g.glob, p.path from unnest(array['a*', '**.mui', 'c:/x/*', 'c:/x/**', 'c:/x**', 'c:/x**/y/*', '?:/*/s/{m15.*}/b/**', '{c:/x/*}/y', 'c:/{x/**}', 'c:/[x/]y/*', 'c:/[!y]/*',
                                         'c:/x[', 'c:/q[x/]', '{c:/w}', 'c:/{w/*}', 'c:/**/y/z.dll', '%windir%/*', '%windir%/**/n{*}.dll', 'c:/x.(1)/*', '**/y/*', '?:/x/y/z']) g (glob)
cross join unnest(array['a', 'a/b', 'c:/x', 'c:/x/y', 'c:/x/y/z', 'c:/xy/y/z.dll', 'c:/x[', 'c:/qx', 'c:/w', 'c:/w/a', 'c:/q/y/z.dll', 'c:/y/z.dll', 'd:/p f/s/m15.one/b/c/d.dll', 'd:/s/m15.one/b/c', 'c:/x/a/y',
                        '%windir%/n.dll', '%windir%/a/n1.dll', 'c:/x.(1)/y', 'c:/x.(1)', 'x.mui', 'c:/x/y.mui', 'c:/', 'c:/[x/]y/z']) p (path);
select is_empty($$ select * from tried where path ~ evenkeel.component_regex(glob) and coalesce(substring(path from '^.*/'), '') !~ evenkeel.folder_regex(glob) $$,
    'a folder in which a glob matches is not passed over');
select ok(count(*) filter (where coalesce(substring(path from '^.*/'), '') !~ evenkeel.folder_regex(glob)) > count(*) / 3, 'and many others are') from tried;
select * from finish();
rollback;
