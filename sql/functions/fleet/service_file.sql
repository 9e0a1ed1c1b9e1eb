-- Which file a service runs from, as Windows reads what the registry has of it.
--
-- A driver's ImagePath is a name of the object manager's, without arguments; what is relative lies below the Windows directory, and without
-- one the file is system32\drivers\NAME.sys. A service's is a command: what stands in quotes is the file; without quotes each blank may end
-- it, and the first file that is there counts; .exe is added where a name has no extension; a name without a drive is looked for in
-- system32, the Windows directory and PATH. A ServiceDll is a path. services.exe of a 64-bit Windows is not redirected: system32 is
-- system32; but an svchost.exe of SysWOW64 is, and so is what it loads.

create or replace function evenkeel.service_places(facts jsonb)
returns jsonb language sql immutable parallel safe
as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'windows', nullif(facts ->> 'windows_directory', ''), 'programs', nullif(facts ->> 'program_files', ''),
        'programs_x86', nullif(facts ->> 'program_files_x86', ''), 'common', nullif(facts ->> 'common_files', ''),
        'data', nullif(facts ->> 'common_data', ''), 'path', nullif(facts -> 'search_path', '[]')))
$$;
comment on function evenkeel.service_places(jsonb) is 'What of a host''s facts service_image() needs.';

create or replace function evenkeel.service_path(written text, places jsonb)
returns text language plpgsql immutable parallel safe
as $$
declare
    windows text := places ->> 'windows';
    drive text := left(windows, 2);
    -- "C" folds ASCII letters only, as paths of inventories are folded.
    path text := lower(replace(btrim(written, E' \t"'), '\', '/') collate "C");
    programs text := coalesce(places ->> 'programs', drive || '/program files');
    variable record;
begin
    if path like '%\%%' then
        for variable in
            select v.name, v.value
            from (values ('systemroot', windows), ('windir', windows), ('systemdrive', drive), ('programfiles', programs),
                         ('programw6432', programs),
                         ('programfiles(x86)', coalesce(places ->> 'programs_x86', drive || '/program files (x86)')),
                         ('commonprogramfiles', coalesce(places ->> 'common', programs || '/common files')),
                         ('programdata', places ->> 'data'), ('allusersprofile', places ->> 'data')) v (name, value)
            where v.value is not null
        loop
            path := replace(path, '%' || variable.name || '%', variable.value);
        end loop;
    end if;
    path := regexp_replace(path, '^(?:/\?\?|//\?|//\.|/dosdevices|/global\?\?)/(?=[a-z]:)', '');
    path := regexp_replace(path, '^/?systemroot(?=/)', windows);
    if path ~ '^/[^/?]' and path !~ '^/device/' then
        path := drive || path;
    end if;
    path := regexp_replace(regexp_replace(path, '(?<=.)/+', '/', 'g'), '/\.(?=/)', '', 'g');
    -- Unknown variables, shares, devices and what leads upwards could mean any file; one that is longer is in no inventory.
    return case when path <> '' and path !~ '[%"*?<>|]|/\.\.?/|^/|^.+:.*:|^[^:]{2,}:|/$' and octet_length(path) <= 2048 then path end;
end
$$;
comment on function evenkeel.service_path(text, jsonb) is
    'A path of the registry, folded, with variables and the object manager''s prefixes worked in, and as relative as it was; null where it '
    'names no file for certain.';

create or replace function evenkeel.service_command(command text, places jsonb, out path text, out candidates text[])
language plpgsql immutable parallel safe
as $$
declare
    tokens text[];
    last_token integer;
    whole text;
    found text;
begin
    if ltrim(command, E' \t') like '"%' then
        path := evenkeel.service_path(split_part(command, '"', 2), places);
        candidates := array[path, case when path !~ '\.[^/.]*$' then path || '.exe' end];
    else
        tokens := (regexp_split_to_array(lower(replace(btrim(split_part(command, '"', 1), E' \t'), '\', '/') collate "C"), '[ \t]'))[:32];
        select array_agg(distinct c.name) into candidates
        from generate_series(1, cardinality(tokens)) n
        cross join lateral (select evenkeel.service_path(array_to_string(tokens[:n], ' '), places) as prefix) p
        cross join lateral (values (p.prefix), (case when p.prefix !~ '\.[^/.]*$' then p.prefix || '.exe' end)) c (name)
        where tokens[n] <> '' and c.name is not null;
        -- Which of them is meant: what begins like an option or another path is none of it, and a folder is no file.
        select coalesce(min(n) - 1, cardinality(tokens)) into last_token
        from generate_series(2, cardinality(tokens)) n where tokens[n] ~ '^([-/@=%].|[a-z]:/)';
        whole := btrim(array_to_string(tokens[:last_token], ' '));
        select s.prefix into found
        from (select btrim(array_to_string(tokens[:n], ' ')) as prefix from generate_series(1, last_token) n) s
        where s.prefix ~ '\.(exe|com|sys|dll|ocx|bat|cmd|scr)(,[^/]*)?$'
        order by position('/' in substr(whole, length(s.prefix) + 1)) > 0, length(s.prefix) limit 1;
        path := evenkeel.service_path(coalesce(regexp_replace(found, ',[^/]*$', ''), whole), places);
        candidates := candidates || path;
    end if;
    path := case when path ~ '\.[^/.]*$' then path else path || '.exe' end;
end
$$;
comment on function evenkeel.service_command(text, jsonb) is
    'The file that a service''s command means, and all of which the first that is there would be run; a name without a drive stays so.';

create or replace function evenkeel.service_image(what text, command text, service text, type bigint, is_x86 boolean, places jsonb,
                                                  out path text, out candidates text[], out folders text[])
language plpgsql immutable parallel safe
as $$
declare
    windows text := places ->> 'windows';
    searched text[];
    is_driver boolean := what = 'ImagePath' and type & 15 <> 0;
begin
    if windows is null or windows !~ '^[a-z]:/.' then
        return;
    end if;
    if is_driver and command = '' then
        -- A network adapter's settings have no file, nor have these keys, which Windows XP and Server 2003 bring.
        if type & 11 = 0
           or lower(service) in ('changer', 'i2omgmt', 'lbrtfdc', 'pcidump', 'pdcomp', 'pdframe', 'pdreli', 'pdrframe', 'wdica') then
            return;
        end if;
        path := evenkeel.service_path('system32/drivers/' || service || '.sys', places);
    elsif command = '' then
        return;
    elsif is_driver then
        path := evenkeel.service_path(command, places);
    elsif what = 'ImagePath' then
        select c.path, c.candidates into path, candidates from evenkeel.service_command(command, places) c;
    else
        path := evenkeel.service_path(command, places);
        path := case when path ~ '\.[^/.]*$' then path else path || '.dll' end;
        if starts_with(path, windows || '/sysnative/') then
            path := windows || '/system32' || substr(path, length(windows || '/sysnative') + 1);
        elsif is_x86 and starts_with(path, windows || '/system32/') then
            path := windows || '/syswow64' || substr(path, length(windows || '/system32') + 1);
        end if;
    end if;
    candidates := coalesce(candidates, array[path]);
    searched := case when is_driver then array[windows]
                     else array[windows || '/system32', windows] || array(select jsonb_array_elements_text(places -> 'path')) end;
    folders := case when path !~ '[:/]' then searched
                    else array[substring(case when path like '_:/%' then path else windows || '/' || path end from '^(.*)/')] end;
    select array_agg(distinct s.spelled order by s.spelled) into candidates
    from unnest(candidates) c (name)
    cross join lateral (select c.name as spelled where c.name like '_:/%'
                        union all select f.folder || '/' || c.name from unnest(searched) f (folder) where c.name !~ ':') s;
    path := case when path like '_:/%' then path when path like '%/%' then windows || '/' || path else searched[1] || '/' || path end;
    folders := case when path is not null then folders end;
end
$$;
comment on function evenkeel.service_image(text, text, text, bigint, boolean, jsonb) is
    'The folded path of the file that a service or driver runs from, or its ServiceDll (what; is_x86: loaded by a 32-bit program on a '
    '64-bit Windows), all paths of which one is enough, and the folders that must have been looked into before it can be missing; path '
    'is null '
    'where the registry names none, or none for certain.';

create or replace function evenkeel.is_short_path(path text)
returns boolean language sql immutable strict parallel safe
as $$ select path ~ '(^|/)[^/.~]{1,6}~\d+(\.[^/.]{0,3})?(/|$)' $$;
comment on function evenkeel.is_short_path(text) is 'Whether a part of the path may be a short name, PROGRA~1.';

create or replace function evenkeel.short_path_regex(path text)
returns text language sql immutable strict parallel safe
as $$
    -- A short name is the long one's first letters without blanks and dots, _ for what DOS allowed in no name; or two and a hash.
    select '^' || string_agg(
        case when p.part ~ '^[^.~]{1,6}~\d+(\.[^.]{0,3})?$' then
            '(?:' || l.literal || '|(?:'
            || (select string_agg(case when c = '_' then '[_+,;=\[\]]' else regexp_replace(c, '([^a-z0-9_])', '\\\1') end || '[ .]*', ''
                                  order by n)
                from string_to_table(s.stem, null) with ordinality t (c, n))
            || case when s.stem ~ '^..[0-9a-f]{4}$' then '|' || regexp_replace(left(s.stem, 2), '([^a-z0-9_])', '\\\1', 'g') else '' end
            || ')[^/]*'
            || coalesce('\.' || regexp_replace(substring(p.part from '\.([^.]+)$'), '([^a-z0-9_])', '\\\1', 'g') || '[^/.]*', '') || ')'
        else l.literal end, '/' order by p.place) || '$'
    from string_to_table(path, '/') with ordinality p (part, place)
    cross join lateral (select regexp_replace(p.part, '([.+^$(){}|\[\]\\*?])', '\\\1', 'g') as literal) l
    cross join lateral (select split_part(p.part, '~', 1) as stem) s
$$;
comment on function evenkeel.short_path_regex(text) is 'The paths that one with short names may stand for, as a regular expression.';

create or replace function evenkeel.may_lie_in(path text, folder text)
returns boolean language sql immutable strict parallel safe
as $$
    select case when evenkeel.is_short_path(path)
                then exists (select from generate_series(1, cardinality(string_to_array(path, '/'))) n
                             where folder ~ evenkeel.short_path_regex(array_to_string((string_to_array(path, '/'))[:n], '/')))
                else starts_with(path || '/', folder || '/') end
$$;
comment on function evenkeel.may_lie_in(text, text) is 'Whether the path is the folder or lies in it, its short names read as long ones.';
