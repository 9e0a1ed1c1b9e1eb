-- Where a path lies, and which component that is.

create or replace function evenkeel.path_location(path text)
returns text language sql immutable strict parallel safe
as $$ select regexp_replace(path, '^[a-z]:/(windows|winnt)/', '%windir%/') $$;
comment on function evenkeel.path_location(text) is 'The path with the Windows directory written %windir%.';

create or replace function evenkeel.glob_regex(glob text)
returns text language sql immutable strict parallel safe
as $$
    -- What is no set of characters, such as [ alone or a range that runs backwards, stands for itself.
    select '^' || coalesce(string_agg(case
               when p.part ~ '^\[!?[^]!]+\]$' and not exists (select from regexp_matches(p.part, '(.)-([^]])', 'g') r (ends)
                                                              where r.ends[1] > r.ends[2] collate "C")
               then regexp_replace(regexp_replace(replace(p.part, '\', '\\'), '^\[\^', '[\\^'), '^\[!', '[^')
               else replace(replace(replace(replace(
                        regexp_replace(p.part, '([.+^$(){}|\[\]\\])', '\\\1', 'g'),
                        '**', E'\x01'), '*', '[^/]*'), '?', '[^/]'), E'\x01', '.*') end, '' order by p.place), '') || '$'
    from regexp_matches(glob, '\[!?[^][]+\]|[^[]+|\[', 'g') with ordinality m (found, place)
    cross join lateral (select m.found[1] as part, m.place) p
$$;
comment on function evenkeel.glob_regex(text) is
  'A glob as a regular expression: * and ? within a name, ** across folders, [ab], [a-z] and [!a] for one character.';

create or replace function evenkeel.component_regex(glob text)
returns text language sql immutable strict parallel safe
as $$ select replace(replace(evenkeel.glob_regex(glob), '\{', '('), '\}', ')') $$;
comment on function evenkeel.component_regex(text) is
  'A component''s glob as a regular expression: as glob_regex(), and what {braces} stand around is captured.';

create or replace function evenkeel.folder_regex(glob text)
returns text language sql immutable strict parallel safe
as $$
    -- What stands before its last slash matches the folder, or the beginning of it where ** stands behind. A set of characters and braces
    -- may reach over a slash: then any folder may do.
    select case when folder = '' or folder ~ '\[' or length(replace(folder, '{', '')) <> length(replace(folder, '}', '')) then ''
                else left(evenkeel.component_regex(folder), -1) || '/' end
    from (select coalesce(substring(glob from '^(.*)/'), '') as folder) f
$$;
comment on function evenkeel.folder_regex(text) is
  'A regular expression that a folder matches, with its last slash, wherever a component''s glob may match a path in it; empty: any.';

create or replace function evenkeel.bound_paths(paths integer[])
returns table (path_id integer, product_id integer, component_id integer, instance text) language sql stable
as $$
    -- Products share most globs, so each is compiled and tried once.
    with pattern as materialized (
        select glob, evenkeel.component_regex(glob) as regex, evenkeel.folder_regex(glob) as folder_regex
        from (select distinct unnest(include || exclude) as glob from evenkeel.component) g
    ), given as materialized (
        -- Either all of them, or these and no look at the others.
        select i.path_id, i.location, coalesce(substring(i.location from '^.*/'), '') as folder
        from (select p.path_id, p.location from evenkeel.path p where paths is null
              union all
              select p.path_id, p.location from (select distinct unnest(paths) as path_id) w join evenkeel.path p using (path_id)) i
    ), folder as materialized (
        select distinct g.folder from given g
    ), near as materialized (
        -- Folders are few. Pattern by pattern, here and below: PostgreSQL keeps few compiled
        -- expressions, and would compile one for each row.
        select t.glob, t.regex, n.folder
        from pattern t cross join lateral (select f.folder from folder f where f.folder ~ t.folder_regex offset 0) n
    ), hit as materialized (
        select p.*
        from (select n.glob, n.regex, g.path_id, g.location from given g join near n using (folder) order by n.glob offset 0) p
        where p.location ~ p.regex
    )
    select b.path_id, coalesce(u.product_id, b.product_id), coalesce(o.component_id, b.component_id), b.instance
    from (
        select distinct on (h.path_id, c.product_id) h.path_id, c.product_id, c.component_id, c.code,
               case when g.glob like '%{%' then coalesce((regexp_match(h.location, h.regex))[1], '') else '' end as instance
        from evenkeel.component c
        cross join unnest(c.include) g (glob)
        join hit h using (glob)
        where not exists (select from hit x where x.path_id = h.path_id and x.glob = any (c.exclude))
        order by h.path_id, c.product_id, length(g.glob) desc, c.component_id) b
    -- An instance that is known is a product of its own.
    left join evenkeel.product u on u.unit_of = b.product_id and u.unit = b.instance and b.instance <> ''
    left join evenkeel.component o on (o.product_id, o.code) = (u.product_id, b.code)
$$;
comment on function evenkeel.bound_paths(integer[]) is
  'The components whose globs match these paths (null: all), of several of one product that with the longest glob, and the instance that '
  'its braces name.';

create or replace function evenkeel.match_paths(paths integer[], givers uuid[] default null)
returns void language plpgsql set jit = off
as $$
declare
    products integer[];
    instances text[];
    hosts uuid[];
begin
    insert into evenkeel.path_component (path_id, product_id, component_id, instance)
    select path_id, product_id, component_id, instance from evenkeel.bound_paths(paths)
    on conflict (path_id, product_id) do nothing;
    if givers is not null then
        update evenkeel.path p set given_by = g.giver
        from unnest(paths, givers) g (path_id, giver)
        where p.path_id = g.path_id and g.giver is not null
          and exists (select from evenkeel.path_component pc where pc.path_id = g.path_id and pc.instance <> '');
    end if;
    select array_agg(pc.product_id), array_agg(pc.instance), array_agg(l.given_by) into products, instances, hosts
    from evenkeel.path_component pc join evenkeel.product p using (product_id) join evenkeel.path l using (path_id)
    where pc.path_id = any (paths) and pc.instance <> '' and p.unit_of is null;
    if products is not null then
        perform evenkeel.make_units(products, instances, hosts);
        update evenkeel.path_component pc set product_id = u.product_id, component_id = o.component_id
        from evenkeel.product u, evenkeel.component c, evenkeel.component o
        where pc.path_id = any (paths) and u.unit_of = pc.product_id and u.unit = pc.instance
          and c.component_id = pc.component_id and (o.product_id, o.code) = (u.product_id, c.code);
    end if;
end
$$;
comment on function evenkeel.match_paths(integer[], uuid[]) is
  'Binds paths to the components whose globs match them; instances that were not known before become products.';
