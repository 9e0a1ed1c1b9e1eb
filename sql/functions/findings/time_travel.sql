-- Time travel for people and dashboards: what a host held, what changed on it, where a version comes from.
-- These functions read with their owner's rights, as views do, so that who may read ops needs no right to the tables behind it.

create or replace function evenkeel.moment_at(words text, clock timestamptz)
returns timestamptz language plpgsql stable
as $$
declare
    word text := lower(trim(words));
    day integer := array_position(array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'], word);
begin
    if day is not null then
        return date_trunc('day', clock) - make_interval(days => (extract(isodow from clock)::integer - day + 6) % 7 + 1);
    end if;
    if word = 'yesterday' then
        return clock - interval '1 day';
    end if;
    if word ~ '^\d+ *(second|minute|hour|day|week|month|year)s?( ago)?$' then
        return clock - replace(word, ' ago', '')::interval;
    end if;
    return word::timestamptz;
exception when invalid_datetime_format or datetime_field_overflow or interval_field_overflow then
    raise exception '''%'' is no time: write yesterday, monday, 3 days, 2026-06-01 or 2026-06-01 08:00', words
        using errcode = 'invalid_datetime_format';
end
$$;
comment on function evenkeel.moment_at(text, timestamptz) is 'What ops.moment() answers when it is that time.';

create or replace function ops.moment(words text)
returns timestamptz language sql stable
as $$ select evenkeel.moment_at(words, now()) $$;
comment on function ops.moment(text) is
    'A time in words: yesterday (24 hours ago), monday (the start of the last one before today), 3 days, 2026-06-01, 2026-06-01 08:00.';

create or replace function evenkeel.host_ids(host_name text)
returns uuid[] language plpgsql stable
as $$
declare
    ids uuid[];
begin
    select array_agg(host_id) into ids from evenkeel.host
    where merged_into is null
      and (lower(name) = lower(host_name)
           or host_id = case when lower(host_name) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then host_name::uuid end);
    if ids is null then
        raise exception 'there is no host ''%''', host_name using errcode = 'no_data_found', hint = 'ops.host names all';
    end if;
    return ids;
end
$$;
comment on function evenkeel.host_ids(text) is
  'The hosts of that name, for a name may be borne by several, or the one with that host_id; an error where there is none, for an '
  'empty answer would read as ''nothing changed''.';

create or replace function evenkeel.image_text(version evenkeel.version, size bigint)
returns text language sql immutable parallel safe
as $$ select coalesce(evenkeel.version_text(version), 'no version, ' || size || ' bytes') $$;
comment on function evenkeel.image_text(evenkeel.version, bigint) is
  'An image in a word: its file version, or that it has none, and its size.';

create or replace function evenkeel.inventory_diff(before bigint[], after bigint[])
returns table (path_id integer, old_image integer, new_image integer) language sql stable
as $$
    with gone as (
        select f.path_id, f.image_id
        from (select unnest(before) except select unnest(after)) d (chunk_id)
        join evenkeel.chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
    ), come as (
        select f.path_id, f.image_id
        from (select unnest(after) except select unnest(before)) d (chunk_id)
        join evenkeel.chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
    )
    select path_id, gone.image_id, come.image_id
    from gone full join come using (path_id)
    where gone.image_id is distinct from come.image_id
$$;
comment on function evenkeel.inventory_diff(bigint[], bigint[]) is
  'The paths whose image differs between two lists of chunks, by looking into the chunks that only one of them has; null: not there.';

create or replace function evenkeel.facts_items(facts jsonb)
returns table (what text, value text) language sql immutable parallel safe
as $$
    select k.key, k.value #>> '{}'
    from jsonb_each(facts) k
    where jsonb_typeof(k.value) not in ('array', 'object')
    union all
    select coalesce((jsonb_build_object('hotfixes', 'hotfix', 'services', 'service', 'groups', 'group', 'machine_keys', 'machine key',
                                        'pending_renames', 'pending rename', 'servicing_states', 'servicing state',
                                        'known_dlls', 'known DLL', 'assemblies', 'assembly', 'search_path', 'search path',
                                        'not_seen', 'not seen', 'other_windows', 'other Windows', 'covered',
                                          'folder looked into')) ->> k.key, k.key)
               || ' ' || coalesce(e ->> 'id', e ->> 'name', e ->> 'source', e ->> 'package', (e ->> 'kind') || ' ' || (e ->> 'what'),
                                  e #>> '{}'),
           string_agg(case jsonb_typeof(e) when 'object'
                      then (select string_agg(x.key || '=' || (x.value #>> '{}'), ', ' order by x.key)
                            from jsonb_each(e - array['id', 'name']) x where x.value #>> '{}' <> '')
                      else 'there' end, '; ')
    from jsonb_each(facts) k
    cross join jsonb_array_elements(case jsonb_typeof(k.value) when 'array' then k.value else '[]' end) e
    group by 1
$$;
comment on function evenkeel.facts_items(jsonb) is
  'Facts as single items: a scalar by its name, an entry of a list by its kind and name (hotfix KB973917).';

create or replace function evenkeel.facts_diff(before jsonb, after jsonb)
returns table (what text, old_value text, new_value text) language sql immutable parallel safe
as $$
    select what, case when o.what is null then null else coalesce(o.value, 'there') end,
           case when n.what is null then null else coalesce(n.value, 'there') end
    from evenkeel.facts_items(before) o full join evenkeel.facts_items(after) n using (what)
    where (o.what is null, n.what is null, o.value) is distinct from (n.what is null, o.what is null, n.value)
       or (o.what is null) <> (n.what is null)
$$;
comment on function evenkeel.facts_diff(jsonb, jsonb) is 'The items that differ between two states of facts; null: not there.';

create or replace function ops.host_file_at(host_name text, at timestamptz)
returns table (host text, path text, file_version text, product_version text, component text, level_range text, product text,
               size bigint, machine integer, valid_from timestamptz, valid_to timestamptz, host_id uuid)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- First, for where a join finds no rows the condition is never asked.
    select evenkeel.host_ids(host_file_at.host_name);
    select h.name, p.path, version_text(i.file_version), version_text(i.product_version), c.code,
           level_range_text(fl.product_id, fl.levels), pr.code, i.size, i.machine, v.valid_from, nullif(v.valid_to, 'infinity'), h.host_id
    from host h
    join host_inventory v on v.host_id = h.host_id and v.valid_from <= host_file_at.at and v.valid_to > host_file_at.at
    cross join unnest(v.chunk_ids) u (chunk_id)
    join chunk k on k.chunk_id = u.chunk_id
    cross join unnest(k.file_ids) w (file_id)
    join file f on f.file_id = w.file_id
    join path p on p.path_id = f.path_id
    join image i on i.image_id = f.image_id
    left join file_level fl on fl.file_id = f.file_id
    left join component c on c.component_id = fl.component_id
    left join product pr on pr.product_id = fl.product_id
    where h.host_id = any (evenkeel.host_ids(host_file_at.host_name))
    order by h.host_id, p.path
$$;
comment on function ops.host_file_at(text, timestamptz) is
  'The PE files that a host held at a time, as ops.host_file shows those of now; no rows: it had not reported yet. Levels are by the '
  'catalogue of today.';

create or replace function ops.host_facts_at(host_name text, at timestamptz)
returns table (host text, facts jsonb, valid_from timestamptz, valid_to timestamptz, host_id uuid)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.host_ids(host_facts_at.host_name);
    select h.name, f.facts, f.valid_from, nullif(f.valid_to, 'infinity'), h.host_id
    from host h
    join host_facts f on f.host_id = h.host_id and f.valid_from <= host_facts_at.at and f.valid_to > host_facts_at.at
    where h.host_id = any (evenkeel.host_ids(host_facts_at.host_name))
$$;
comment on function ops.host_facts_at(text, timestamptz) is 'What was true of a host, rather than of a file, at a time.';

create or replace function ops.changes(host_name text, since timestamptz)
returns table (host text, changed_at timestamptz, kind text, what text, old text, new text, direction text, known_as text, host_id uuid)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.host_ids(changes.host_name);
    with asked as (
        select h.host_id, h.name from host h where h.host_id = any (evenkeel.host_ids(host_name))
    ), held as (
        select a.name, v.host_id, v.valid_from, v.chunk_ids,
               lag(v.chunk_ids) over (partition by v.host_id order by v.valid_to) as before
        from asked a join host_inventory v using (host_id)
        where v.valid_to > since
    ), held_facts as (
        select a.name, v.host_id, v.valid_from, v.facts, lag(v.facts) over (partition by v.host_id order by v.valid_to) as before
        from asked a join host_facts v using (host_id)
        where v.valid_to > since
    ), file_changes as (
        select s.name, s.valid_from, p.path, p.name as file, p.location, o.file_version as old_version, n.file_version as new_version,
               case when d.old_image is not null then evenkeel.image_text(o.file_version, o.size) end as old,
               case when d.new_image is not null then evenkeel.image_text(n.file_version, n.size) end as new,
               n.machine, s.host_id
        from held s
        cross join lateral evenkeel.inventory_diff(s.before, s.chunk_ids) d
        join path p on p.path_id = d.path_id
        left join image o on o.image_id = d.old_image
        left join image n on n.image_id = d.new_image
        where s.before is not null and s.valid_from > since
    )
    select name, valid_from, 'file', path, old, new, evenkeel.change_direction(old, new, old_version, new_version),
           evenkeel.version_source(file, location, new_version, machine), host_id
    from file_changes
    union all
    select s.name, s.valid_from, 'fact', d.what, d.old_value, d.new_value, evenkeel.change_direction(d.old_value, d.new_value, null, null),
           null, s.host_id
    from held_facts s
    cross join lateral evenkeel.facts_diff(s.before, s.facts) d
    where s.before is not null and s.valid_from > since
    union all
    select s.name, s.valid_from, 'host', 'first snapshot', null, null, 'added', null, s.host_id
    from held s
    where s.before is null and s.valid_from > since
      and not exists (select from host_inventory_past p where p.host_id = s.host_id and p.valid_to <= s.valid_from)
    order by 2, 3, 4
$$;
comment on function ops.changes(text, timestamptz) is
  'What changed on a host since a time, a row per file or fact, in the order of the snapshots that showed it. select * from '
  'ops.changes(''web-17'', ops.moment(''monday''))';

create or replace function evenkeel.change_direction(old text, new text, old_version evenkeel.version, new_version evenkeel.version)
returns text language sql immutable parallel safe
as $$
    select case when old is null then 'added' when new is null then 'removed' when new_version > old_version then 'newer'
                when new_version < old_version then 'older' when new_version = old_version then 'another build' else 'changed' end
$$;
comment on function evenkeel.change_direction(text, text, evenkeel.version, evenkeel.version) is
  'added, removed, newer, older, another build (of the same version) or changed.';

create or replace function evenkeel.version_source(file text, location text, version evenkeel.version, machine integer)
returns text language sql stable
as $$
    select string_agg(distinct s.name, ', ')
    from (select t.code as name
          from evenkeel.patch_file f join evenkeel.patch t using (patch_id)
          where f.file in (version_source.file, version_source.location) and f.version = version_source.version
            and (f.machine is null or f.machine = version_source.machine)
          union all
          select p.name || ' ' || l.code
          from evenkeel.baseline b
          join evenkeel.product p using (product_id)
          join evenkeel.level l using (product_id, ordinal)
          where b.file in (version_source.file, version_source.location) and b.relation = '=' and b.version = version_source.version
            and (b.machine is null or b.machine = version_source.machine)) s
$$;
comment on function evenkeel.version_source(text, text, evenkeel.version, integer) is
  'The patches that bring exactly this version of a file, and the levels that ship it; null: none that is known.';

create or replace function ops.version_origin(file_name text, version text)
returns table (relation text, kind text, code text, product text, title text, file_version text, released date, source text)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with asked as (
        select lower(file_name) as file, evenkeel.version_of(version_origin.version) as version
    ), known as (
        select 'patch' as kind, t.code, p.code as product, t.title, f.version as known_version, t.released, t.source
        from asked a
        join patch_file f on f.file = a.file or f.file like '%/' || replace(replace(a.file, '%', '\%'), '_', '\_')
        join patch t using (patch_id)
        join product p using (product_id)
        union all
        select 'level', l.code, p.code, l.name, b.version, l.released, b.source
        from asked a
        join baseline b on (b.file = a.file or b.file like '%/' || replace(replace(a.file, '%', '\%'), '_', '\_')) and b.relation = '='
        join level l using (product_id, ordinal)
        join product p using (product_id)
    ), placed as (
        select distinct k.*, case when k.known_version = a.version then 'exactly' when k.known_version < a.version then 'before'
          else 'after' end as relation
        from known k cross join asked a
        where k.known_version is not null
    ), ranked as (
        select p.*, rank() over (partition by p.relation, p.product
                                 order by case p.relation when 'before' then -p.known_version::numeric else p.known_version end) as place
        from placed p
    )
    select relation, kind, code, product, title, evenkeel.version_text(known_version), released, source
    from ranked
    where place = 1
    order by case relation when 'exactly' then 0 when 'before' then 1 else 2 end, released nulls last, code
$$;
comment on function ops.version_origin(text, text) is
  'Which patch or level introduced a version of a file: ''exactly'' those that bring it, and the nearest known ones before and after. '
  'select * from ops.version_origin(''w3core.dll'', ''6.0.3790.4611'')';

create or replace function evenkeel.level_known(level text)
returns text language plpgsql stable
as $$
begin
    if not exists (select from evenkeel.level l where lower(l.code) = lower(level)) then
        raise exception 'no product has a level ''%''; there are %', level,
            coalesce((select string_agg(c.code, ', ' order by c.code)
                      from (select distinct l.code from evenkeel.level l order by l.code limit 40) c), 'none')
            using errcode = 'no_data_found';
    end if;
    return level;
end
$$;
comment on function evenkeel.level_known(text) is
  'The level''s code as it is written; an error that lists known ones where no product has it, for an empty answer would read as '
  '''nobody is below''.';

create or replace function ops.file_holders(file_name text, below_level text default null)
returns table (host text, path text, file_version text, level_range text, component text, product text, image_id integer, host_id uuid,
               lowest_ordinal integer, highest_ordinal integer)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.level_known(file_holders.below_level) where file_holders.below_level is not null;
    with files as materialized (
        select f.file_id, p.path, i.image_id, i.file_version, fl.product_id, fl.component_id, fl.levels
        from path p
        join file f using (path_id)
        join image i using (image_id)
        left join file_level fl using (file_id)
        where p.name = lower(file_holders.file_name)
          and (file_holders.below_level is null
               or upper(fl.levels) <= (select l.ordinal from level l
                                       where l.product_id = fl.product_id and lower(l.code) = lower(file_holders.below_level)))
    ), chunks as materialized (
        select c.chunk_id, files.*
        from files
        join chunk c on c.file_ids @> array[files.file_id]
    )
    select h.name, c.path, version_text(c.file_version), level_range_text(c.product_id, c.levels), co.code, pr.code, c.image_id, h.host_id,
           lower(c.levels), upper(c.levels) - 1
    from host_inventory_current v
    cross join unnest(v.chunk_ids) u (chunk_id)
    join chunks c on c.chunk_id = u.chunk_id
    join host h on h.host_id = v.host_id and h.merged_into is null
    left join component co using (component_id)
    left join product pr on pr.product_id = c.product_id
    order by h.name, c.path
$$;
comment on function ops.file_holders(text, text) is
  'Which hosts hold a file of that name, and at which version; with a level: those only whose version proves that they are below it. '
  'select * from ops.file_holders(''iisutil.dll'', ''SP2'')';

create or replace function evenkeel.level_nights(nights integer, chosen uuid[])
returns table (night timestamptz, product text, level text, verdict text, hosts bigint)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- Backwards from now: what holds today, without what came since that night, with what went since. So the cost is that of the
    -- changes, and a night in which the aggregator stood still is as good as any other.
    with wanted as materialized (
        select case when n = 0 then now() else date_trunc('day', now()) - make_interval(days => n - 1) end as night
        from generate_series(0, greatest(nights, 1)) n
        where n = 0 or date_trunc('day', now()) - make_interval(days => n - 1) < now()
    ), present as (
        select p.product_id, p.verdict, p.levels, count(*) as hosts from host_product p
        where chosen is null or p.host_id in (select unnest(chosen)) group by 1, 2, 3
    ), moves as materialized (
        -- By the midnight before them: a move counts for that night and all before.
        select date_trunc('day', m.moment - interval '1 microsecond') as night, m.product_id, m.verdict, m.levels, sum(m.step) as step
        from (select valid_to as moment, host_id, product_id, verdict, levels, 1 as step
              from host_product_history
              where valid_to <> 'infinity' and valid_to > (select min(wanted.night) from wanted)
              union all
              select valid_from, host_id, product_id, verdict, levels, -1
              from host_product_history
              where valid_from > (select min(wanted.night) from wanted)) m
        join host h using (host_id)
        where h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))
        group by 1, 2, 3, 4
    ), kinds as (
        select product_id, verdict, levels from present union select product_id, verdict, levels from moves
    ), moved as (
        select w.night, m.product_id, m.verdict, m.levels, sum(m.step) as step
        from wanted w join moves m on m.night >= w.night
        group by 1, 2, 3, 4
    ), counted as (
        select w.night, k.product_id, k.verdict, k.levels, coalesce(p.hosts, 0) + coalesce(m.step, 0) as hosts
        from wanted w
        cross join kinds k
        left join present p using (product_id, verdict, levels)
        left join moved m using (night, product_id, verdict, levels)
    )
    select c.night, pr.code, case c.verdict when 'level' then level_range_text(c.product_id, c.levels) else c.verdict end, c.verdict,
           sum(c.hosts)::bigint
    from counted c join product pr using (product_id)
    group by 1, 2, 3, 4
    having sum(c.hosts) > 0
    order by 1, 2, 4, 3
$$;
comment on function evenkeel.level_nights(integer, uuid[]) is
  'How many hosts, of these or all, were at which level, at midnight of each of so many nights and now. mixed and unknown stand as '
  'levels of their own.';

create or replace function ops.level_history(nights integer default 30)
returns table (night timestamptz, product text, level text, verdict text, hosts bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select n.night, n.product, n.level, n.verdict, n.hosts from evenkeel.level_nights(nights, null) n $$;
comment on function ops.level_history(integer) is
  'How many hosts were at which level, at midnight of each of so many nights and now. mixed and unknown stand as levels of their own.';

create or replace function evenkeel.mixed_nights(nights integer, chosen uuid[])
returns table (night timestamptz, hosts bigint)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with wanted as (
        select case when n = 0 then now() else date_trunc('day', now()) - make_interval(days => n - 1) end as night
        from generate_series(0, greatest(nights, 1)) n
        where n = 0 or date_trunc('day', now()) - make_interval(days => n - 1) < now()
    )
    -- Before the first verdict of any host nothing is known, which is not that no host was mixed.
    select w.night, case when w.night >= (select min(f.valid_from) from host_product_history f
                                           where chosen is null or f.host_id in (select unnest(chosen))) then count(distinct m.host_id) end
    from wanted w
    left join (select p.* from host_product_history p join host h using (host_id)
               where p.verdict = 'mixed' and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))) m
        on m.valid_from <= w.night and m.valid_to > w.night
    group by 1
    order by 1
$$;
comment on function evenkeel.mixed_nights(integer, uuid[]) is
  'How many hosts, of these or all, were mixed in any product, at midnight of each of so many nights and now; null for nights before '
  'anything was known.';

create or replace function ops.mixed_history(nights integer default 30)
returns table (night timestamptz, hosts bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select n.night, n.hosts from evenkeel.mixed_nights(nights, null) n $$;
comment on function ops.mixed_history(integer) is
  'How many hosts were mixed in any product, at midnight of each of so many nights and now; null for nights before anything was known.';
