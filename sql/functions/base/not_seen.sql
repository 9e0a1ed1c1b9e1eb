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

create or replace function evenkeel.packed_remedy()
returns text language sql immutable parallel safe
as $$ select 'run the collector on the host, or mount the disk with what can (NTFS in evenkeel-collector(1))' $$;
comment on function evenkeel.packed_remedy() is 'What helps where programs are packed in a form that only Windows reads.';

create or replace function evenkeel.not_seen_sentence(kind text, what text, entries bigint)
returns text language sql immutable parallel safe
as $$
    select case kind
        when 'unreadable' then case when what = 'machine keys' then 'machine keys could not be read'
          else format('%s could not be read in %s', entries, what) end
        when 'same_path' then format('%s more of the folded path %s', entries, what)
        when 'link' then format('%s is a link, and what it leads to was not followed', what)
        when 'unnameable' then format('%s in %s can''t be told', evenkeel.counted(entries, 'name'), what)
        when 'cut' then format('%s of %s over the limit', entries, what)
        when 'code_page'
        then format('%s may be spelt wrong: code page %s was assumed (--code-page)', evenkeel.counted(entries, 'name'), what)
        when 'guessed' then format('%s was taken by its usual name: the registry does not say it', what)
        when 'other_drive' then format('drive %s, which the registry names, was not given (--root, --drive)', what)
        when 'no_folder' then format('the folder of %s was not found', what)
        when 'stale_hive' then format('the registry hive %s is older than its host, and its logs don''t make up for it', what)
        when 'damaged_hive' then format('the registry hive %s is damaged or can''t be read', what)
        when 'no_store' then format('of the component store %s can''t be seen', coalesce(nullif(what, ''), 'something'))
        when 'no_key' then format('the registry that was read has no key ''%s'': export HKEY_LOCAL_MACHINE\SYSTEM, too', what)
        when 'packed'
        then format('%s is packed by Windows (CompactOS, deduplication), which what its disk was mounted with can''t read: %s',
                    coalesce(nullif(what, ''), evenkeel.counted(entries, 'program')), evenkeel.packed_remedy())
        when 'unknown' then concat_ws(': ', 'its collector tells what this aggregator does not know (upgrade it)', nullif(what, ''))
        else concat_ws(' ', kind, what) end
$$;
comment on function evenkeel.not_seen_sentence(text, text, bigint) is
  'One reason why something was not seen, as a sentence without its stop.';

create or replace function evenkeel.not_seen_places(kind text, places text[], entries bigint)
returns text language sql immutable parallel safe
as $$
    -- Of many places of a kind one is named; of hives, which are three, each.
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
                         when 'damaged_hive' then entries || ' registry hives are damaged or can''t be read'
                         when 'no_store' then 'of the component store ' || entries || ' parts can''t be seen'
                         when 'no_key' then 'the registry that was read lacks HKEY_LOCAL_MACHINE\SYSTEM, or parts of it: export it, too'
                         when 'packed'
                         then format('%s programs are packed by Windows (CompactOS, deduplication), which what its disk was mounted with '
                                     'can''t read: %s', entries, evenkeel.packed_remedy())
                         when 'unknown' then entries || ' of what this aggregator does not know (upgrade it)'
                         else concat_ws(' ', entries, kind) end,
                         case when kind in ('stale_hive', 'damaged_hive') then array_to_string(places, ', ')
                              else concat_ws(', ', (select min(p) from unnest(places) p where p <> ''), '...') end) end
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

create or replace function evenkeel.component_may_lie_in(place text)
returns boolean language sql stable strict parallel safe
as $$
    -- As far as the place goes, folder by folder; a part that goes across folders may be any below the one before it.
    select exists (
        select from (select distinct unnest(c.include) as glob from evenkeel.component c) g
        cross join lateral (select string_to_array(g.glob, '/') as parts, string_to_array(place, '/') as folders) s
        cross join lateral (select min(p.at)::integer as any_depth
                            from unnest(s.parts) with ordinality p (part, at) where p.part like '%**%') d
        where case when d.any_depth <= cardinality(s.folders)
                   then array_to_string(s.folders[:d.any_depth - 1], '/')
                        ~ evenkeel.component_regex(array_to_string(s.parts[:d.any_depth - 1], '/'))
                   else cardinality(s.parts) >= cardinality(s.folders)
                        and place ~ evenkeel.component_regex(array_to_string(s.parts[:cardinality(s.folders)], '/')) end)
$$;
comment on function evenkeel.component_may_lie_in(text) is
  'Whether a file of some product''s component may be what lies at a place (path.location), or lie below it.';

create or replace function evenkeel.hides_components(facts jsonb, what text)
returns boolean language sql stable parallel safe
as $$
    -- Behind a folder that is looked through itself anything may lie.
    select not exists (select from jsonb_array_elements_text(case jsonb_typeof(facts -> 'covered') when 'array' then facts -> 'covered'
                                                                  else '[]' end) c (glob)
                       where starts_with(what, rtrim(c.glob, '*')))
           or coalesce(evenkeel.component_may_lie_in(evenkeel.path_location(what, evenkeel.host_reading(facts))), true)
$$;
comment on function evenkeel.hides_components(jsonb, text) is
  'Whether what was not seen of a folder or file may be of some product. Behind the link that German Windows has in Program Files, '
  '''Gemeinsame Dateien'', no component has anything.';

create or replace function evenkeel.unreadable_hides(facts jsonb, unreadable integer)
returns boolean language sql stable parallel safe
as $$
    -- Each is told with its place, unless there are many. A program of others that is damaged lies about on many hosts.
    select unreadable <> coalesce(sum(e.entries) filter (where e.what <> ''), 0) or bool_or(evenkeel.hides_components(facts, e.what))
    from evenkeel.not_seen_entries(facts) e
    where e.kind = 'unreadable' and e.what <> 'machine keys'
$$;
comment on function evenkeel.unreadable_hides(jsonb, integer) is
  'Whether what could not be read of a host, so many programs and folders, may be of some product: where no component may lie it decides '
  'no level.';

create or replace function evenkeel.not_seen_doubt(facts jsonb)
returns text language sql stable parallel safe
as $$
    -- Folders by their usual names, spellings, the component store and what an export of parts lacks are told, and decide no level; these
    -- may hide what does. A file of a path that another has leaves its own product open (unseen_places()).
    select string_agg(evenkeel.not_seen_places(n.kind, n.places, n.entries), '; ' order by n.kind)
    from (select e.kind, array_agg(e.what order by e.what) as places, sum(e.entries)::bigint as entries
          from evenkeel.not_seen_entries(facts) e
          where e.kind in ('other_drive', 'damaged_hive', 'stale_hive') and e.what <> 'SAM'
             or e.kind in ('packed', 'unknown')
             or e.kind in ('link', 'unnameable') and evenkeel.hides_components(facts, e.what)
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
