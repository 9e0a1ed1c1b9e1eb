-- Which hosts a person means: names, host_ids, globs and groups add up, exceptions take away.

create or replace function evenkeel.label_host(word text, wanted text, off boolean)
returns table (host text, host_id uuid, groups text) language plpgsql
as $$
declare
    labelled uuid := evenkeel.present_host(word);
begin
    if wanted !~ '^[^[:cntrl:]*?\[]{1,255}$' then
        raise exception '''%'' can''t be a group''s name: 1 to 255 characters, none of them a control character or one of *, ? and [',
            wanted using errcode = 'invalid_parameter_value';
    end if;
    if off and not exists (select from evenkeel.host_group g where g.host_id = labelled and lower(g.label) = lower(wanted)) then
        raise exception 'host ''%'' is not in group ''%''', word, wanted using errcode = 'no_data_found';
    end if;
    delete from evenkeel.host_label l where l.host_id = labelled and lower(l.label) = lower(wanted);
    -- What its collector says needs no label of ours, and what it does not say need not be taken off.
    if off = exists (select from evenkeel.host_group g where g.host_id = labelled and lower(g.label) = lower(wanted)) then
        insert into evenkeel.host_label (host_id, label, taken_off) values (labelled, wanted, off);
    end if;
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_inventory_current i where i.host_id = labelled
    on conflict do nothing;
    return query
    select h.name, h.host_id,
           coalesce((select string_agg(g.label, ', ' order by g.label) from evenkeel.host_group g where g.host_id = h.host_id), '')
    from evenkeel.host h where h.host_id = labelled;
end
$$;
comment on function evenkeel.label_host(text, text, boolean) is
    'Puts a host into a group, or takes it out; returns the groups that it is in then.';

create or replace function evenkeel.named_hosts(words text[])
returns table (word text, host_id uuid) language sql stable
as $$
    with given as (
        select w.word, lower(w.word) as folded, evenkeel.is_glob(w.word) as glob from unnest(words) w (word)
    )
    select g.word, h.host_id from given g join evenkeel.host h on lower(h.name) = g.folded where not g.glob and h.merged_into is null
      and h.retired_at is null
    union
    select g.word, h.host_id from given g join evenkeel.host h on h.host_id = g.folded::uuid
    where g.folded ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and h.merged_into is null and h.retired_at is null
    union
    select g.word, h.host_id
    from (select word, evenkeel.glob_regex(folded) as regex from given where glob) g join evenkeel.host h on lower(h.name) ~ g.regex
    where h.merged_into is null and h.retired_at is null
$$;
comment on function evenkeel.named_hosts(text[]) is 'The hosts that each of these names, host_ids and globs names; case does not count.';

create or replace function evenkeel.chosen_hosts(hosts text[], groups text[], excepted text[])
returns table (host_id uuid) language sql stable
as $$
    select h.host_id
    from evenkeel.host h
    where h.merged_into is null and h.retired_at is null
      and ((hosts is null and groups is null)
           or h.host_id in (select n.host_id from evenkeel.named_hosts(hosts) n)
           or h.host_id in (select g.host_id from evenkeel.host_group g
                            where lower(g.label) = any (select lower(w) from unnest(groups) w (w))))
      and (excepted is null or h.host_id not in (select n.host_id from evenkeel.named_hosts(excepted) n))
$$;
comment on function evenkeel.chosen_hosts(text[], text[], text[]) is
    'The hosts that are named, or are in one of the groups, less those that are excepted; without names and groups: all.';

create or replace function evenkeel.strange_hosts(hosts text[], excepted text[])
returns table (host text, reason text) language sql stable
as $$
    select distinct on (lower(w.word)) w.word,
           case when exists (select from evenkeel.host h where lower(h.name) = lower(w.word) and h.merged_into is not null)
                then (select format('it was merged into %s: name that one', k.name)
                      from evenkeel.host h join evenkeel.host k on k.host_id = h.merged_into where lower(h.name) = lower(w.word) limit 1)
                when exists (select from evenkeel.host h
                             where h.retired_at is not null and lower(w.word) in (lower(h.name), h.host_id::text))
                then 'it is retired (evenkeel hosts list --retired): let it report, or evenkeel hosts restore ' || w.word
                when exists (select from evenkeel.enrolment e where lower(e.host_name) = lower(w.word))
                then 'it waits for approval: evenkeel hosts approve ' || w.word
                else 'no host of that name has reported: look at its spelling (evenkeel hosts list), or push from it' end
    from unnest(hosts) w (word)
    where not evenkeel.is_glob(w.word)
      and not exists (select from evenkeel.named_hosts(hosts) n where n.word = w.word)
      and not exists (select from unnest(excepted) x (word)
                      where lower(x.word) = lower(w.word)
                         or (evenkeel.is_glob(x.word) and lower(w.word) ~ evenkeel.glob_regex(lower(x.word))))
    order by lower(w.word), w.word
$$;
comment on function evenkeel.strange_hosts(text[], text[]) is
    'Names that no host has, and what to do about it: such a host is unknown, never left out.';

create or replace function evenkeel.check_choice(hosts text[], groups text[], excepted text[])
returns void language plpgsql stable
as $$
declare
    wrong text;
begin
    select w.word into wrong from unnest(hosts) w (word)
    where evenkeel.is_glob(w.word) and not exists (select from evenkeel.named_hosts(array[w.word])) limit 1;
    if wrong is not null then
        raise exception 'no host is called like ''%''; ''evenkeel hosts list'' names all', wrong using errcode = 'no_data_found';
    end if;
    select w.word into wrong from unnest(groups) w (word)
    where not exists (select from evenkeel.host_group g where lower(g.label) = lower(w.word)) limit 1;
    if wrong is not null then
        raise exception 'no host is in group ''%''; there are %', wrong,
            coalesce((select string_agg(x.label, ', ') from (select distinct g.label from evenkeel.host_group g order by 1 limit 20) x),
                     'no groups yet (evenkeel hosts label)')
            using errcode = 'no_data_found';
    end if;
    if (hosts is not null or groups is not null or excepted is not null)
       and not exists (select from evenkeel.chosen_hosts(hosts, groups, excepted))
       and not exists (select from evenkeel.strange_hosts(hosts, excepted)) then
        raise exception 'of the hosts that were named all are excepted' using errcode = 'no_data_found';
    end if;
end
$$;
comment on function evenkeel.check_choice(text[], text[], text[]) is
    'An error where a glob or a group names no host, or none is left: what was meant would go unchecked.';
