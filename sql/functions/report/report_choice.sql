-- Of which hosts a report is, where it is not of all: names, globs and groups, as commands take them. Hosts that are retired are among
-- them, for that they were is told.

create or replace function evenkeel.report_members(word text, is_group boolean)
returns table (host_id uuid) language sql stable
as $$
    select n.host_id from evenkeel.named_hosts(array[word]) n where not is_group
    union
    select h.host_id from evenkeel.host h
    where not is_group and h.merged_into is null and h.retired_at is not null
      and (evenkeel.names_host(word, h.name) or h.host_id::text = lower(word))
    union
    select g.host_id from evenkeel.host_group g where is_group and lower(g.label) = lower(word)
    union
    -- What a retired host's collector said last, and what people said.
    select h.host_id
    from evenkeel.host h
    left join lateral (select f.facts from evenkeel.host_facts f where f.host_id = h.host_id order by f.valid_to desc limit 1) f on true
    left join evenkeel.host_label l on l.host_id = h.host_id and lower(l.label) = lower(word)
    where is_group and h.merged_into is null and h.retired_at is not null
      and not coalesce(l.taken_off, not exists (
              select from jsonb_array_elements_text(
                  case jsonb_typeof(f.facts -> 'groups') when 'array' then f.facts -> 'groups' else '[]' end) g (label)
              where lower(g.label) = lower(word)))
$$;
comment on function evenkeel.report_members(text, boolean) is
    'The hosts that a name, host_id or glob names, or that are in a group, retired ones among them.';

create or replace function evenkeel.report_chosen(choice jsonb)
returns uuid[] language sql stable
as $$
    select case when choice is not null then array(
        select h.host_id from evenkeel.host h
        where h.merged_into is null and h.retired_at is null and choice -> 'hosts' = '[]' and choice -> 'groups' = '[]'
          and h.host_id not in (select m.host_id from jsonb_array_elements_text(choice -> 'except') w (word)
                                cross join evenkeel.report_members(w.word, false) m)
        union
        select m.host_id
        from (select w.word, false as is_group from jsonb_array_elements_text(choice -> 'hosts') w (word)
              union all select w.word, true from jsonb_array_elements_text(choice -> 'groups') w (word)) w
        cross join evenkeel.report_members(w.word, w.is_group) m
        where m.host_id not in (select x.host_id from jsonb_array_elements_text(choice -> 'except') e (word)
                                cross join evenkeel.report_members(e.word, false) x)) end
$$;
comment on function evenkeel.report_chosen(jsonb) is 'The hosts of a choice (report_choice); null where nothing is chosen: all.';

create or replace function evenkeel.report_strange(hosts text[], groups text[])
returns text[] language sql stable
as $$
    select array(select w.word from unnest(hosts) w (word) where not exists (select from evenkeel.report_members(w.word, false))
                 union all
                 select w.word from unnest(groups) w (word) where not exists (select from evenkeel.report_members(w.word, true)))
$$;
comment on function evenkeel.report_strange(text[], text[]) is 'Names, globs and groups that no host has.';

create or replace function evenkeel.choice_options(hosts text[], groups text[], excepted text[])
returns text language sql immutable
as $$
    select coalesce(string_agg(format(' --%s %s', o.option,
                                      case when o.word ~ '^[[:alnum:]._][[:alnum:]._-]*$' then o.word
                                           else '''' || replace(o.word, '''', '''\''''') || '''' end), '' order by o.place, o.word), '')
    from (select distinct 1 as place, 'hosts' as option, w.word from unnest(hosts) w (word)
          union select 2, 'group', w.word from unnest(groups) w (word)
          union select 3, 'except', w.word from unnest(excepted) w (word)) o
$$;
comment on function evenkeel.choice_options(text[], text[], text[]) is 'A choice of hosts as a shell takes it, a blank before each option.';

create or replace function evenkeel.choice_words(words text[])
returns text language sql immutable
as $$
    select string_agg(w.word, ', ' order by w.place) filter (where w.place <= 5)
           || case when cardinality(words) > 5 then format(' and %s more', cardinality(words) - 5) else '' end
    from unnest(words) with ordinality w (word, place)
$$;
comment on function evenkeel.choice_words(text[]) is 'a, b, c, d, e and 7 more; null for none.';

create or replace function evenkeel.report_choice(hosts text[], groups text[], excepted text[])
returns jsonb language plpgsql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    strange text;
    options constant text := evenkeel.choice_options(hosts, groups, excepted);
begin
    if hosts is null and groups is null and excepted is null then
        return null;
    end if;
    strange := (evenkeel.report_strange(hosts, groups))[1];
    if strange = any (hosts) then
        raise exception 'there is no host ''%'': %', strange,
            coalesce((select s.reason from evenkeel.strange_hosts(array[strange], null) s),
                     'none is called like that; evenkeel hosts list names all') using errcode = 'no_data_found';
    elsif strange is not null then
        raise exception 'no host is in group ''%''; there are %', strange,
            coalesce((select string_agg(x.group_name, ', ')
                      from (select distinct g.group_name from ops.host_group g order by 1 limit 20) x),
                     'no groups yet (evenkeel hosts label)') using errcode = 'no_data_found';
    end if;
    return jsonb_build_object(
        'hosts', to_jsonb(coalesce(hosts, '{}')), 'groups', to_jsonb(coalesce(groups, '{}')), 'except', to_jsonb(coalesce(excepted, '{}')),
        'says', concat_ws(', ', case when hosts is null and groups is null then 'all hosts' end,
                          case when cardinality(groups) = 1 then 'group ' else 'groups ' end || evenkeel.choice_words(groups),
                          case when cardinality(hosts) = 1 and not evenkeel.is_glob(hosts[1]) then 'host ' else 'hosts ' end
                          || evenkeel.choice_words(hosts))
                || coalesce(' but ' || evenkeel.choice_words(excepted), ''),
        -- Of a list as long as a file no command repeats all.
        'options', case when octet_length(options) <= 1000 then options else '' end);
end
$$;
comment on function evenkeel.report_choice(text[], text[], text[]) is
    'A choice of hosts, null where nothing is chosen: hosts, groups and except as given, `says` for people, `options` for commands. An '
    'error where a name, glob or group names no host.';

create or replace function evenkeel.choice_key(choice jsonb)
returns text language sql immutable
as $$
    select case when choice is null then ''
                else lower(evenkeel.choice_options(array(select jsonb_array_elements_text(choice -> 'hosts')),
                                                   array(select jsonb_array_elements_text(choice -> 'groups')),
                                                   array(select jsonb_array_elements_text(choice -> 'except')))) end
$$;
comment on function evenkeel.choice_key(jsonb) is 'A choice of hosts as text, the same for the same words in whatever order and letters.';

create or replace function evenkeel.choice_sentence(choice jsonb, sentence text)
returns text language sql immutable
as $$
    select case when choice is null then sentence
                else format('Of %s: %s', choice ->> 'says', lower(left(sentence, 1)) || substr(sentence, 2)) end
$$;
comment on function evenkeel.choice_sentence(jsonb, text) is 'A report''s first sentence, which says of which hosts it is.';
