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
        when 'unreadable' then case when what = 'machine keys' then 'machine keys could not be read'
          else format('%s could not be read in %s', entries, what) end
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
        when 'no_key' then format('the registry that was read has no key ''%s'': export HKEY_LOCAL_MACHINE\SYSTEM, too', what)
        else concat_ws(' ', kind, what) end
$$;
comment on function evenkeel.not_seen_sentence(text, text, bigint) is
  'One reason why something was not seen, as a sentence without its stop.';

create or replace function evenkeel.not_seen_places(kind text, places text[], entries bigint)
returns text language sql immutable parallel safe
as $$
    -- Of many places of a kind one is named.
    select case when cardinality(places) = 1 then evenkeel.not_seen_sentence(kind, places[1], entries)
                else format('%s (%s)', case kind
                         when 'unreadable' then entries || ' could not be read'
                         when 'same_path' then entries || ' files whose path another one has'
                         when 'link' then entries || ' links were not followed'
                         when 'unnameable' then entries || ' names can''t be told'
                         when 'cut' then entries || ' entries over a limit'
                         when 'code_page' then entries || ' names may be spelt wrong: their code page was assumed'
                         when 'guessed' then entries || ' folders were taken by their usual names'
                         when 'other_drive' then entries || ' drives were not given'
                         when 'no_folder' then entries || ' folders were not found'
                         when 'stale_hive' then entries || ' registry hives are older than the host'
                         when 'damaged_hive' then entries || ' registry hives are damaged'
                         when 'no_store' then 'of the component store ' || entries || ' parts can''t be seen'
                         when 'no_key' then 'the registry that was read lacks HKEY_LOCAL_MACHINE\SYSTEM, or parts of it: export it, too'
                         else concat_ws(' ', entries, kind) end,
                         concat_ws(', ', (select min(p) from unnest(places) p where p <> ''), '...')) end
$$;
comment on function evenkeel.not_seen_places(text, text[], bigint) is 'What of one kind was not seen, in one clause.';

create or replace function evenkeel.not_seen_text(facts jsonb)
returns text language sql immutable parallel safe
as $$
    select coalesce(string_agg(evenkeel.not_seen_places(n.kind, n.places, n.entries), '; ' order by n.kind), '')
    from (select e.kind, array_agg(e.what order by e.what) as places, sum(e.entries)::bigint as entries
          from evenkeel.not_seen_entries(facts) e group by e.kind) n
$$;
comment on function evenkeel.not_seen_text(jsonb) is 'All that a collector did not see of a host; empty: it saw all.';

create or replace function evenkeel.not_seen_doubt(facts jsonb)
returns text language sql immutable parallel safe
as $$
    -- Folders by their usual names, spellings, the component store and what an export of parts lacks are told, and decide no level; these
    -- may hide what does. A file of a path that another has leaves its own product open (unseen_places()).
    select string_agg(evenkeel.not_seen_places(n.kind, n.places, n.entries), '; ' order by n.kind)
    from (select e.kind, array_agg(e.what order by e.what) as places, sum(e.entries)::bigint as entries
          from evenkeel.not_seen_entries(facts) e
          where e.kind in ('link', 'unnameable', 'other_drive', 'damaged_hive', 'stale_hive') and e.what <> 'SAM'
             or e.kind = 'same_path' and (e.what = '' or starts_with(e.what, coalesce(facts ->> 'windows_directory', 'c:/windows')))
             or e.kind = 'no_folder' and e.what <> 'machine keys'
             -- It is IIS that keys of a machine are looked at for.
             or e.kind in ('no_folder', 'unreadable') and e.what = 'machine keys' and coalesce((facts ->> 'inetstp_major')::integer, 0) > 0
             -- Lists that checks go through to their end; of one that was cut the rest may be what is wrong.
             or e.kind = 'cut' and e.what in ('services', 'hotfixes', 'machine_keys', 'pending_renames', 'pending_renames.from',
                                              'pending_renames.to', 'servicing_states', 'assemblies', 'known_dlls', 'search_path')
          group by e.kind) n
$$;
comment on function evenkeel.not_seen_doubt(jsonb) is
    'What was not seen of a host and could change its verdict, which is unknown for it; null: nothing.';
