-- Where what a patch brings lies on a host: its own Program Files, and what a 64-bit Windows has for programs of 32 bits.

create or replace function evenkeel.program_places(facts jsonb)
returns jsonb language plpgsql immutable parallel safe
as $$
declare
    -- What the registry did not tell goes by the usual names, on the drive of the Windows directory.
    drive text := left(coalesce(nullif(facts ->> 'windows_directory', ''), 'c:/windows'), 2);
    programs text := coalesce(nullif(facts ->> 'program_files', ''), drive || '/program files');
    programs_x86 text := coalesce(nullif(facts ->> 'program_files_x86', ''), drive || '/program files (x86)');
    common text := coalesce(facts ->> 'common_files', '');
begin
    return jsonb_build_object(
        'programs', programs,
        'common', case when common <> '' then common else programs || '/common files' end,
        -- The registry tells one place of common files; that of 32 bits is called the same.
        'programs_x86', programs_x86,
        'common_x86', programs_x86 || case when starts_with(common, programs || '/') then substr(common, length(programs) + 1)
                                           else '/common files' end,
        -- Only a 64-bit Windows has a folder for programs of 32 bits.
        'wide', upper(coalesce(facts ->> 'architecture', '')) in ('AMD64', 'IA64', 'ARM64')
                or coalesce(facts ->> 'program_files_x86', '') <> '');
end
$$;
comment on function evenkeel.program_places(jsonb) is
    'A host''s folders of programs (programs, common; programs_x86, common_x86: those of 32 bits), and whether its Windows has 64 bits '
    '(wide).';

create or replace function evenkeel.place_on_host(location text, narrow boolean, wide boolean)
returns text language sql immutable parallel safe
as $$
    select case when not (narrow and wide) then location
                when location like '\%windir\%/system32/%' then '%windir%/syswow64/' || substr(location, length('%windir%/system32/') + 1)
                else regexp_replace(location, '^c:/program files/', 'c:/program files (x86)/') end
$$;
comment on function evenkeel.place_on_host(text, boolean, boolean) is
    'Where a file of a patch lies on a host, as its location. narrow: the patch brings files of 32 bits only, which an installer of 32 '
    'bits lays out; wide: the host''s Windows has 64.';

create or replace function evenkeel.place_in_payload(location text)
returns text language sql immutable parallel safe
as $$ select regexp_replace(regexp_replace(location, '^%windir%/', 'windows/'), '^[a-z-]:/', '') $$;
comment on function evenkeel.place_in_payload(text) is 'The folders by which a payload says where a file goes that a host has there.';

create or replace function evenkeel.plan_parts(plan text)
returns text[] language sql immutable parallel safe
as $$ select string_to_array(split_part(plan, E'\n', 1), ' ') $$;
comment on function evenkeel.plan_parts(text) is 'What a plan of overlay_host is made of, as PATCH:STEM:SIDE.';

create or replace function evenkeel.location_folder(location text, plan text)
returns text language sql immutable parallel safe
as $$
    -- %windir% stays: hosts of one plan may keep their Windows anywhere.
    select evenkeel.folder_of(case when location like '\%windir\%/%' then location
                                   else evenkeel.location_path(location, evenkeel.reading_programs(split_part(plan, E'\n', 2))) end)
$$;
comment on function evenkeel.location_folder(text, text) is 'The folder of a location, as hosts with that plan of overlay_host call it.';
