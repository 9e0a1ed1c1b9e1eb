-- What a host's registry declares, whatever its language.

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
