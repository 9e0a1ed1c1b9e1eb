-- What a host's registry declares, in any language, and what speaks against it.
begin;
select plan(14);

select is(evenkeel.declared_service_pack(f::jsonb), wanted, told)
from (values
    ('{"service_pack": "Service Pack 2", "service_pack_number": 512}', 'Service Pack 2', 'text and number agree'),
    ('{"service_pack": "Service Pack 6a"}', 'Service Pack 6a', 'the text of a collector that sends no number stands'),
    ('{"service_pack": "Dienstpaket 2", "service_pack_number": 512}', 'Service Pack 2', 'another language is known by the number'),
    ('{"service_pack": "Service Pack 2, v.3205", "service_pack_number": 512}', 'Service Pack 2', 'so is more than the number'),
    ('{"service_pack": "Service Pack 1", "service_pack_number": 512}', 'Service Pack 1', 'a text that is understood is not overruled'),
    ('{"service_pack": "Dienstpaket 2"}', 'Dienstpaket 2', 'without a number the text is no level''s'),
    ('{}', '', 'none is none')) v (f, wanted, told);

select is(evenkeel.not_seen_text('{"not_seen": []}'), '', 'who saw all says nothing');
select is(evenkeel.not_seen_text('{"not_seen": [{"kind": "link", "what": "c:/a", "count": 1}, {"kind": "unreadable", "what": "c:/b", "count": 3}]}'),
    'c:/a is a link, and what it leads to was not followed; 3 could not be read in c:/b', 'what was not seen, kind by kind');
select is(evenkeel.not_seen_text('{"not_seen": [{"kind": "same_path", "what": "", "count": 7}, {"kind": "same_path", "what": "c:/windows/b.dll", "count": 1},
                                                {"kind": "same_path", "what": "c:/windows/a.dll", "count": 2}]}'),
    '10 files whose path another one has (c:/windows/a.dll, ...)', 'of many places one is named');
select is(evenkeel.not_seen_doubt('{"windows_directory": "c:/nt", "not_seen": [{"kind": "same_path", "what": "c:/windows/a.dll", "count": 2},
                                   {"kind": "guessed", "what": "c:/nt", "count": 1}, {"kind": "stale_hive", "what": "SAM", "count": 1}]}'), null,
    'what can''t change a verdict leaves none open');
select is(evenkeel.not_seen_doubt('{"windows_directory": "c:/nt", "not_seen": [{"kind": "same_path", "what": "c:/nt/a.dll", "count": 2},
                                   {"kind": "same_path", "what": "c:/x/a.dll", "count": 2}, {"kind": "damaged_hive", "what": "SYSTEM", "count": 1}]}'),
    'the registry hive SYSTEM is damaged or can''t be read; 2 more of the folded path c:/nt/a.dll', 'what can does');
select is(array[evenkeel.not_seen_doubt(f), evenkeel.not_seen_doubt(f || '{"inetstp_major": 5}')], array[null, 'the folder of machine keys was not found'],
    'keys are looked at for IIS alone')
from (select '{"not_seen": [{"kind": "no_folder", "what": "machine keys", "count": 1}]}'::jsonb as f) x;
select is(evenkeel.not_seen_doubt('{"inetstp_major": 6, "not_seen": [{"kind": "unreadable", "what": "c:/windows", "count": 1},
                                   {"kind": "unreadable", "what": "machine keys", "count": 1}]}'), 'machine keys could not be read',
    'as are keys that could not be read; what else could not be is told elsewhere');
select * from finish();
rollback;
