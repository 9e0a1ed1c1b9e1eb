-- What a collector did not see, in words, and what of it leaves a verdict open.

create or replace function evenkeel.not_seen_entries(facts jsonb)
returns table (kind text, what text, entries bigint)
language sql immutable parallel safe
as $$
    select n.kind, coalesce(n.what, ''), coalesce(n.count, 1)
    from jsonb_to_recordset(case jsonb_typeof(facts -> 'not_seen') when 'array' then facts -> 'not_seen' else '[]' end)
        n (kind text, what text, count bigint)
$$;
comment on function evenkeel.not_seen_entries(jsonb) is 'What facts say was not seen, a row per reason and place.';

create or replace function evenkeel.not_seen_sentence(kind text, what text, entries bigint)
returns text language sql immutable parallel safe
as $$
    select case kind
        when 'unreadable' then format('%s could not be read in %s', entries, what)
        when 'same_path' then format('%s more of the folded path %s', entries, what)
        when 'link' then format('%s is a link, and what it leads to was not followed', what)
        when 'unnameable' then format('%s names in %s can''t be told', entries, what)
        when 'cut' then format('%s of %s over the limit', entries, what)
        when 'code_page' then format('%s names may be spelt wrong: code page %s was assumed (--code-page)', entries, what)
        when 'guessed' then format('%s was taken by its usual name: the registry does not say it', what)
        when 'other_drive' then format('drive %s, which the registry names, was not given (--root, --drive)', what)
        when 'no_folder' then format('the folder of %s was not found', what)
        when 'stale_hive' then format('the registry hive %s is older than its host, and its logs don''t make up for it', what)
        when 'damaged_hive' then format('the registry hive %s is damaged', what)
        when 'no_store' then format('of the component store %s can''t be seen', coalesce(nullif(what, ''), 'something'))
        else concat_ws(' ', kind, what) end
$$;
comment on function evenkeel.not_seen_sentence(text, text, bigint) is 'One reason why something was not seen, as a sentence without its stop.';

create or replace function evenkeel.not_seen_text(facts jsonb)
returns text language sql immutable parallel safe
as $$
    select coalesce(string_agg(evenkeel.not_seen_sentence(n.kind, n.what, n.entries), '; ' order by n.kind, n.what), '')
    from evenkeel.not_seen_entries(facts) n
$$;
comment on function evenkeel.not_seen_text(jsonb) is 'All that a collector did not see of a host; empty: it saw all.';

create or replace function evenkeel.not_seen_doubt(facts jsonb)
returns text language sql immutable parallel safe
as $$
    -- Folders by their usual names, spellings and the component store are told, and prove nothing; these may hide what decides.
    select string_agg(evenkeel.not_seen_sentence(n.kind, n.what, n.entries), '; ' order by n.kind, n.what)
    from evenkeel.not_seen_entries(facts) n
    where n.kind in ('link', 'unnameable', 'damaged_hive', 'stale_hive') and n.what <> 'SAM'
       or n.kind = 'same_path' and (n.what = '' or starts_with(n.what, coalesce(facts ->> 'windows_directory', 'c:/windows')))
       -- It is IIS that keys of a machine are looked at for.
       or n.kind = 'no_folder' and n.what = 'machine keys' and coalesce((facts ->> 'inetstp_major')::integer, 0) > 0
$$;
comment on function evenkeel.not_seen_doubt(jsonb) is
    'What was not seen of a host and could change its verdict, which is unknown for it; null: nothing.';
