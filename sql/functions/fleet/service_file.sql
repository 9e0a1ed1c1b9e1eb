-- Which file a service's command names.

create or replace function evenkeel.service_file(command text, windows_directory text)
returns text language plpgsql immutable parallel safe
as $$
declare
    -- "C" folds ASCII letters only, as paths of inventories are folded.
    path text := lower(replace(btrim(command, E' \t'), '\', '/') collate "C");
    drive text := substring(windows_directory from '^[a-z]:');
begin
    if path is null or coalesce(windows_directory, '') = '' or drive is null then
        return null;
    end if;
    if path like '"%' then
        path := split_part(path, '"', 2);
    end if;
    path := substring(path from '^(.*?\.(?:exe|sys|dll))(?:$|[\s",])');
    if path is null then
        return null;
    end if;
    path := regexp_replace(path, '^/\?\?/', '');
    path := regexp_replace(path, '^(?:%systemroot%|%windir%|/systemroot)(?=/)', windows_directory);
    path := regexp_replace(path, '^%systemdrive%(?=/)', drive);
    path := regexp_replace(path, '^%programfiles%(?=/)', drive || '/program files');
    path := regexp_replace(path, '^%programfiles\(x86\)%(?=/)', drive || '/program files (x86)');
    path := regexp_replace(path, '^%commonprogramfiles%(?=/)', drive || '/program files/common files');
    if path ~ '^(system32|syswow64)/' then
        path := windows_directory || '/' || path;
    elsif path ~ '^/(windows|winnt)/' then
        path := drive || path;
    end if;
    path := regexp_replace(regexp_replace(path, '(?<=.)/+', '/', 'g'), '^([a-z]:/(?:windows|winnt))/sysnative/', '\1/system32/');
    -- Unknown variables, short names, shares and relative paths could mean any file; one that is longer is in no inventory.
    if path !~ '^[a-z]:/' or path ~ '[%~"*?<>|]|/\.\.?/' or octet_length(path) > 2048 then
        return null;
    end if;
    return path;
end
$$;
comment on function evenkeel.service_file(text, text) is
    'The folded path of the file that a service''s ImagePath or ServiceDll names, without arguments; null where that can''t be told for '
    'certain.';
