-- What a host's registry declares, whatever its language, and whether it can be believed.

create or replace function evenkeel.declared_service_pack(facts jsonb)
returns text language sql immutable parallel safe
as $$
    select case when s.said ~ '^Service Pack [0-9]+[a-z]?$' then s.said
                when s.number > 0 then 'Service Pack ' || s.number
                else s.said end
    from (select coalesce(facts ->> 'service_pack', '') as said,
                 coalesce((facts ->> 'service_pack_number')::integer, 0) >> 8 as number) s
$$;
comment on function evenkeel.declared_service_pack(jsonb) is
    'The service pack that facts declare, as levels spell it, ''Service Pack 2''. Where the text is in another language, or has more '
    'in it, the number of SYSTEM''s CSDVersion decides; without one the text stays as it is. Empty: none, or not known.';

create or replace function evenkeel.registry_doubt(facts jsonb)
returns text language sql immutable parallel safe
as $$
    select coalesce(string_agg(format(case n.kind
               when 'stale_hive' then 'the registry hive %s is older than its host and its logs don''t make up for it'
               else 'the registry hive %s is damaged' end, n.what), ', ' order by n.kind, n.what), '')
    from jsonb_to_recordset(case jsonb_typeof(facts -> 'not_seen') when 'array' then facts -> 'not_seen' else '[]' end)
        n (kind text, what text)
    where n.kind in ('stale_hive', 'damaged_hive') and n.what <> 'SAM'
$$;
comment on function evenkeel.registry_doubt(jsonb) is
    'Why what facts say of the registry may be out of date or incomplete, as a sentence without its stop; empty: nothing is known '
    'against it. SAM says nothing but the machine''s SID.';
