-- What a host's registry declares, in any language, and what speaks against it.
begin;
select plan(11);

select is(evenkeel.declared_service_pack(f::jsonb), wanted, told)
from (values
    ('{"service_pack": "Service Pack 2", "service_pack_number": 512}', 'Service Pack 2', 'text and number agree'),
    ('{"service_pack": "Service Pack 6a"}', 'Service Pack 6a', 'the text of a collector that sends no number stands'),
    ('{"service_pack": "Dienstpaket 2", "service_pack_number": 512}', 'Service Pack 2', 'another language is known by the number'),
    ('{"service_pack": "Service Pack 2, v.3205", "service_pack_number": 512}', 'Service Pack 2', 'so is more than the number'),
    ('{"service_pack": "Service Pack 1", "service_pack_number": 512}', 'Service Pack 1', 'a text that is understood is not overruled'),
    ('{"service_pack": "Dienstpaket 2"}', 'Dienstpaket 2', 'without a number the text is no level''s'),
    ('{}', '', 'none is none')) v (f, wanted, told);

select is(evenkeel.registry_doubt('{}'), '', 'nothing is known against facts that say nothing');
select is(evenkeel.registry_doubt('{"not_seen": [{"kind": "link", "what": "c:/a", "count": 1},
                                                {"kind": "stale_hive", "what": "SAM", "count": 1}]}'), '', 'what is no hive, or SAM, does not matter');
select is(evenkeel.registry_doubt('{"not_seen": [{"kind": "stale_hive", "what": "SOFTWARE", "count": 1},
                                                {"kind": "damaged_hive", "what": "SYSTEM", "count": 1}]}'),
    'the registry hive SYSTEM is damaged, the registry hive SOFTWARE is older than its host and its logs don''t make up for it',
    'hives that are damaged or stale are named');
select is(evenkeel.registry_doubt('{"not_seen": null}'), '', 'a null is nothing');
select * from finish();
rollback;
