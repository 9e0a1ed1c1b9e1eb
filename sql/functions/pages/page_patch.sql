-- The page of a patch, and the list of patches.

create or replace function evenkeel.page_patches(search text, page integer)
returns jsonb language sql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with found as materialized (
        select t.code, string_agg(distinct p.name, ', ') as products, max(t.title) as title, max(t.released) as released
        from patch t join product p using (product_id)
        where page_patches.search is null or strpos(lower(t.code || ' ' || t.title), lower(page_patches.search)) > 0
        group by 1
        order by max(t.released) desc nulls last, t.code limit page_patches.page * 100 + 1
    )
    select jsonb_build_object('page', 'patches', 'at', now(), 'number', page_patches.page,
                              'filter', jsonb_build_object('search', page_patches.search),
                              'more', (select count(*) from found) > page_patches.page * 100,
                              'patches', (select coalesce(jsonb_agg(to_jsonb(s) order by s.released desc nulls last, s.code), '[]')
                                          from (select * from found order by released desc nulls last, code
                                                offset (page_patches.page - 1) * 100 limit 100) s))
$$;
comment on function evenkeel.page_patches(text, integer) is
    'The patches of the catalogue whose code or title holds a text (null: all), newest first, a hundred a page.';

create or replace function evenkeel.page_patch(code text, search text, page integer)
returns jsonb language plpgsql stable set jit = off set plan_cache_mode = force_custom_plan
set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    asked constant text := upper(code);
    per_page constant integer := 100;
    ids integer[];
    listed jsonb;
begin
    if code is null then
        return page_patches(search, page);
    end if;
    select array_agg(t.patch_id) into ids from patch t where t.code = asked;
    if ids is null then
        return jsonb_build_object('absent', format('The catalogue has no patch ''%s''.', code));
    end if;
    -- Those that it asks something of, the worst first.
    select coalesce(jsonb_agg(to_jsonb(s) order by s.place, s.host, s.host_id), '[]') into listed
    from (select h.host_id, h.name as host, h.shown as verdict, o.state, o.place
          from host_patch hp
          join shown_host h using (host_id)
          cross join lateral (select u.state, array_position(array['partial', 'missing', 'unknown'], u.state) as place
                              from unnest(hp.patch_ids, hp.states) u (patch_id, state)
                              where u.patch_id = any (ids) and u.state in ('partial', 'missing', 'unknown')
                              order by 2 limit 1) o
          where hp.patch_ids && ids
          order by o.place, h.name, h.host_id limit per_page * page + 1) s;
    return jsonb_build_object(
        'page', 'patch', 'at', now(), 'code', asked, 'number', page, 'more', jsonb_array_length(listed) > per_page * page,
        'products', (select jsonb_agg(jsonb_build_object(
                         'product', p.code, 'name', p.name, 'title', t.title, 'released', t.released, 'restart', t.restart,
                         'payload', t.has_payload, 'supersedes', to_jsonb(t.supersedes),
                         'required', (select coalesce(jsonb_agg(l.code order by l.ordinal), '[]') from level l
                                      where l.product_id = t.product_id and l.ordinal = any (t.required_levels)))
                         order by p.code)
                     from patch t join product p using (product_id) where t.patch_id = any (ids)),
        'progress', (select coalesce(jsonb_agg(to_jsonb(n)), '[]') from ops.patch_progress(asked, 30) n),
        'files', (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (select * from shown_patch_files(asked) limit 500) f),
        'accepted', (select coalesce(jsonb_agg(to_jsonb(a) order by a.host, a.check_name, a.subject), '[]')
                     from (select * from ops.risk_acceptance r where r.patch = asked and not r.ended limit 100) a),
        'hosts', (select coalesce(jsonb_agg(h.host order by h.place), '[]')
                  from jsonb_array_elements(listed) with ordinality h (host, place)
                  where h.place > per_page * (page - 1) and h.place <= per_page * page));
end
$$;
comment on function evenkeel.page_patch(text, text, integer) is
    'The page of a patch as one document: what it is, how hosts stand to it now and in thirty nights, those that it asks something of, its '
    'files, accepted risk. Without a code the list of patches. absent: the catalogue has none of that code.';
