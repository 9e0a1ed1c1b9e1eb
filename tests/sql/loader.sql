-- Which file the loader takes for a DLL, by its name and by the host's Windows.
begin;
select plan(33);
\ir fixture.psql
\ir imports.psql

-- API sets are names that the system maps, from the Windows on that knows them; below, they are files like others.
create function fixture.runs_with(windows text, dll text, more jsonb default '{}') returns text language plpgsql as $$
begin
    perform fixture.host(format('%s %s', windows, dll), fixture.system() || fixture.importer('c:/windows/system32/a.dll', dll, array['X']) || more,
                         case when windows <> '' then jsonb_build_object('current_version', windows) else '{}' end);
    return coalesce(fixture.found(format('%s %s', windows, dll)), 'none');
end $$;
-- The component of a product that any Windows has.
insert into evenkeel.product (code, name, source) values ('any', 'Any', 'test');
insert into evenkeel.component (product_id, code, name, include, source)
select product_id, 'any', 'Any', '{%windir%/system32/*}', 'test' from evenkeel.product where code = 'any';
select evenkeel.catalog_refresh();
select is(fixture.runs_with('5.2', 'api-ms-win-core-file-l1-1-0.dll'), 'c:/windows/system32/a.dll!api-ms-win-core-file-l1-1-0.dll',
          'Windows 5.2 has no API sets: the DLL is nowhere');
select is(fixture.runs_with('6.1', 'api-ms-win-core-file-l1-1-0.dll'), 'none', 'from 6.1 on it has');
select is(fixture.runs_with('6.1', 'api-ms-win-core-file-l1-2-0.dll'), 'c:/windows/system32/a.dll!api-ms-win-core-file-l1-2-0.dll',
          'but not what came with a later one');
select is(fixture.runs_with('6.1', 'ext-ms-win-kernel32-package-l1-1-0.dll'),
          'c:/windows/system32/a.dll!ext-ms-win-kernel32-package-l1-1-0.dll', 'nor extensions of sets');
select is(fixture.runs_with('6.1', 'api-ms-win-core-timezone-l1-1-0.dll'), 'c:/windows/system32/a.dll!api-ms-win-core-timezone-l1-1-0.dll',
          'nor sets of which it has none');
select is(array[fixture.runs_with('6.2', 'api-ms-win-core-file-l1-2-0.dll'),
                fixture.runs_with('6.2', 'ext-ms-win-kernel32-package-l1-1-0.dll'),
                fixture.runs_with('10.0', 'api-ms-win-core-timezone-l1-1-0.dll')],
          '{none,none,none}', 'which the next ones have');
select is(fixture.runs_with('6.1', 'api-ms-win-service-management-l2-1-0.dll'), 'none', 'of one set it has two levels');
select is(fixture.runs_with('6.1', 'API-MS-Win-Security-SDDL-L1-1-0'), 'none', 'in whichever letters it is written');
select is(fixture.runs_with('6.1', 'api-ms-win-core-synch-l1-2-0.dll',
                            fixture.dll('c:/windows/system32/api-ms-win-core-synch-l1-2-0.dll', '10.0.10240.0', array['X'])), 'none',
          'a later one may lie there as a file');
select is(fixture.runs_with('6.1', 'api-ms-win-core-string-l2-1-0.dll',
                            fixture.dll('c:/windows/system32/api-ms-win-core-string-l2-1-0.dll', '10.0.10240.0', array['Y'])),
          'c:/windows/system32/a.dll!api-ms-win-core-string-l2-1-0.dll', 'which must then export what is wanted');
select is(fixture.runs_with('6.1', 'API-MS-Win-CRT-runtime-l1-1-0.dll'), 'c:/windows/system32/a.dll!api-ms-win-crt-runtime-l1-1-0.dll',
          'but none of the universal C runtime');
select is(fixture.runs_with('10.0', 'api-ms-win-crt-runtime-l1-1-0.dll'), 'none', 'which is part of 10.0');
select is(fixture.runs_with('', 'api-ms-win-crt-runtime-l1-1-0.dll'), 'none', 'of a Windows that is not known nothing is said');
select is(fixture.runs_with('6.1', 'api-ms-win-crt-heap-l1-1-0.dll',
                            fixture.dll('c:/windows/system32/api-ms-win-crt-heap-l1-1-0.dll', '10.0.10240.0', array['X'])), 'none',
          'an older Windows may have got it as a file');
select is(fixture.runs_with('6.1', 'api-ms-win-crt-math-l1-1-0.dll',
                            fixture.dll('c:/windows/system32/api-ms-win-crt-math-l1-1-0.dll', '10.0.10240.1', array['Y'])),
          'c:/windows/system32/a.dll!api-ms-win-crt-math-l1-1-0.dll', 'which must then export what is wanted');
select fixture.host('forward', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'KERNEL32.dll', array['Modern']),
                    '{"current_version": "5.2"}');
select matches(fixture.found('forward', 'summary'), 'forwards to api-ms-win-core-heap-l1-1-0.dll!HeapAlloc, which is nowhere on this host$',
               'nor can a forwarder lead to one where there are none');

-- An import descriptor without symbols: the loader passes over it.
select fixture.host('no symbols', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'lost.dll', '{}'), '{"current_version": "5.2"}');
select is(fixture.found('no symbols'), null, 'a DLL of which nothing is imported need not be there');

-- A dot at the end says that the file has no extension.
select is(array[evenkeel.import_dll('F.'), evenkeel.import_dll('F'), evenkeel.import_dll('F.DRV'), evenkeel.import_dll('f.dll.')],
          '{f,f.dll,f.drv,f.dll}', 'names as the loader takes them');
select fixture.host('dot', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'f.', array['X'])
                           || fixture.dll('c:/windows/system32/f', '1.0.0.0', array['X']) || fixture.dll('c:/windows/system32/f.dll', '1.0.0.0', array['Y']));
select is(fixture.found('dot'), null, 'f. is the file f');
select fixture.host('dot', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'f.', array['X'])
                           || fixture.dll('c:/windows/system32/f.dll', '1.0.0.0', array['X']));
select is(fixture.found('dot'), 'c:/windows/system32/a.dll!f', 'and not f.dll');

-- NAME.exe.local: that program looks there before its own folder, unless it has a manifest.
create function fixture.redirected(here text, exports text[]) returns jsonb language sql as $$
    select fixture.system() || fixture.dll('c:/windows/system32/inetsrv/w3wp.exe', '6.0.3790.3959', '{}')
           || fixture.importer('c:/windows/system32/inetsrv/x.dll', 'b.dll', array['X'])
           || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['X'])
           || fixture.dll('c:/windows/system32/inetsrv/' || here || '/b.dll', '2.0.0.0', exports)
$$;
select fixture.host('redirected', fixture.redirected('w3wp.exe.local', array['Y']));
select is(fixture.found('redirected', $$severity || ' ' || (evidence ->> 'definite') || ' ' || (evidence #>> '{candidates,0,path}')$$),
          'medium false c:/windows/system32/inetsrv/w3wp.exe.local/b.dll', 'a program may be redirected to a DLL that lacks what the folder''s own has');
select fixture.host('redirected', fixture.redirected('w3wp.exe.local', array['X', 'Y']));
select is(fixture.found('redirected'), null, 'which is no finding where that has it, too');
select fixture.host('redirected', fixture.redirected('other.exe.local', array['Y']));
select is(fixture.found('redirected', 'severity'), 'medium', 'a folder for a program that is not seen may be one''s that is');
select fixture.host('redirected', fixture.redirected('local', array['Y']));
select is(fixture.found('redirected'), null, 'a folder of another name redirects nobody');
select fixture.host('redirected', fixture.redirected('w3wp.exe.local', array['Y']) || fixture.dll('c:/windows/system32/b.dll', '1.0.0.0', array['X']),
                    '{"known_dlls": ["b.dll"]}');
select is(fixture.found('redirected'), null, 'nor is a KnownDLL redirected');

-- On ARM64: an ARM64X image serves x64 programs, too, who see other tables in it than were read; so may one of which that is not told.
create function fixture.beside(imported text, hybrid integer, machine integer default 34404, exports text[] default '{X}') returns text language plpgsql as $$
declare
    host_name text := format('%s %s %s %s', imported, hybrid, machine, exports);
begin
    perform fixture.host(host_name,
        (select jsonb_object_agg(key, value || jsonb_build_object('hybrid', hybrid)) from jsonb_each(fixture.system(43620)))
        || fixture.importer('c:/windows/system32/a.dll', imported, array['X'], machine => machine)
        || jsonb_build_object('c:/windows/system32/b.dll', jsonb_build_object('version', '1.0.0.0', 'machine', 43620, 'hybrid', hybrid,
                                                                              'exports', to_jsonb(exports))),
        '{"current_version": "10.0", "architecture": "ARM64"}');
    return coalesce(fixture.found(host_name), 'none');
end $$;
select is(fixture.beside('b.dll', 3), 'none', 'an x64 program finds an ARM64X image');
select is(fixture.beside('b.dll', 3, exports => '{Y}'), 'none', 'of which it is not known what it exports for x64');
select is(fixture.beside('b.dll', 3, 43620, '{Y}'), 'c:/windows/system32/a.dll!b.dll', 'but for ARM64');
select is(fixture.beside('lost.dll', 3), 'c:/windows/system32/a.dll!lost.dll', 'what is nowhere is so for x64 programs, where the system serves them');
select is(fixture.beside('lost.dll', 0), 'none', 'which a collector that tells nothing of images leaves open');
select is(fixture.beside('b.dll', 0), 'none', 'as it does whether x64 programs find one');
select is(fixture.beside('b.dll', 0, 43620, '{Y}'), 'c:/windows/system32/a.dll!b.dll', 'ARM64 ones do');
select is((select count(*) from unnest(evenkeel.machines_served(43620, 1) || evenkeel.machines_served(34404, 2)) m), 2::bigint,
          'an image of ARM64 alone serves that, an ARM64EC one x64');

select * from finish();
rollback;
