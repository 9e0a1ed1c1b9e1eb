-- Names of the catalogue as people write them, and the numbers that stand for them.

create or replace function evenkeel.names_like(names text[], wanted text, command text)
returns text language sql immutable
as $$
    with known as (
        select name, at, (select coalesce(max(n), 0) from generate_series(1, length(wanted)) n
                          where lower(left(name, n)) = lower(left(wanted, n))) as alike
        from unnest(names) with ordinality u (name, at)
    ), nearest as (select name, at from known order by alike desc, abs(length(name) - length(wanted)), at limit 12)
    select coalesce(string_agg(name, ', ' order by at), 'none')
           || case when cardinality(names) > 12 then format(' and %s more%s', cardinality(names) - 12, ' (' || command || ')') else '' end
    from nearest
$$;
comment on function evenkeel.names_like(text[], text, text) is
  'Names for a sentence, in their order: all, or the dozen that are most like the wanted one, with how many more there are and, '
  'where it is given, what lists them.';

create or replace function evenkeel.level_ordinal(product text, level text)
returns integer language plpgsql stable
as $$
declare
    found integer;
begin
    select l.ordinal into found from evenkeel.level l join evenkeel.product p using (product_id)
    where p.code = product and lower(l.code) = lower(level);
    if found is null then
        raise exception 'product ''%'' has no level ''%''; it has %', product, level,
            evenkeel.names_like(array(select l.code from evenkeel.level l join evenkeel.product p using (product_id)
                                      where p.code = product order by l.ordinal), level, null);
    end if;
    return found;
end
$$;
comment on function evenkeel.level_ordinal(text, text) is
  'The place of a level in its product''s order; an error that lists the known ones.';

create or replace function evenkeel.product_number(product text)
returns integer language plpgsql stable
as $$
declare
    found integer;
begin
    select p.product_id into found from evenkeel.product p where p.code = product;
    if found is null then
        raise exception 'product ''%'' is not in the catalogue; it has %', product,
            evenkeel.names_like(array(select p.code from evenkeel.product p where p.unit_of is null order by p.code), product,
                                '''evenkeel catalog status'' lists them');
    end if;
    return found;
end
$$;
comment on function evenkeel.product_number(text) is 'The product_id of a product''s code; an error that lists the known ones.';

create or replace function evenkeel.machine_number(machine text)
returns integer language plpgsql immutable
as $$
begin
    return case lower(coalesce(machine, ''))
               when '' then null
               when 'x86' then evenkeel.pe_machine_i386() when 'i386' then evenkeel.pe_machine_i386()
               when 'x64' then evenkeel.pe_machine_amd64() when 'amd64' then evenkeel.pe_machine_amd64()
               when 'ia64' then evenkeel.pe_machine_ia64() when 'arm64' then evenkeel.pe_machine_arm64()
               when 'alpha' then evenkeel.pe_machine_alpha()
               else machine::integer end;
exception when invalid_text_representation then
    raise exception 'machine ''%'' is not known: x86, x64, ia64, arm64 or alpha are', machine;
end
$$;
comment on function evenkeel.machine_number(text) is 'IMAGE_FILE_MACHINE_* of x86, x64, ia64, arm64, alpha; null of an empty text.';

create or replace function evenkeel.machine_name(machine integer)
returns text language sql immutable parallel safe
as $$
    select case machine
               when evenkeel.pe_machine_i386() then 'x86' when evenkeel.pe_machine_amd64() then 'x64'
               when evenkeel.pe_machine_ia64() then 'ia64' when evenkeel.pe_machine_arm64() then 'arm64'
               when evenkeel.pe_machine_alpha() then 'alpha'
               else machine::text end
$$;
comment on function evenkeel.machine_name(integer) is
  'The name by which machine_number() knows a machine; the number itself where it has none.';

create or replace function evenkeel.machines_on(architecture integer)
returns integer[] language sql immutable parallel safe
as $$ select case when architecture in (evenkeel.pe_machine_amd64(), evenkeel.pe_machine_arm64())
  then array[architecture, evenkeel.pe_machine_i386()] else array[architecture] end $$;
comment on function evenkeel.machines_on(integer) is
  'The machines of images that a Windows of that architecture holds: 64-bit ones hold 32-bit files, too.';
