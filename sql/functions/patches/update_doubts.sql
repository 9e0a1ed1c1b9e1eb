-- Of products that stand beside Windows the level is the release: whether one update of it was left half done its updates' tables tell.

create or replace function evenkeel.release_text(product integer, number integer)
returns text language sql stable parallel safe
as $$
    select concat_ws('.', l.major, l.minor, l.build, number & 65535)
    from evenkeel.line l where l.product_id = product and l.minor = number >> 16 limit 1
$$;
comment on function evenkeel.release_text(integer, integer) is
  'A release_number() as versions on the product''s lines have it: 4.8.4515, 2.0.50727.9164.';

create or replace function evenkeel.doubt_updates()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from state_product s join product q using (product_id) where q.beside and s.verdict = 'level') then
        return;
    end if;
    update state_product p
    set verdict = 'unknown', proof = '',
        missing = concat_ws('; ', nullif(p.missing, ''),
            case when d.several
                 then format('which of the releases %s it is its files don''t tell: %s', level_range_text(p.product_id, p.levels),
                             settles(p.product_id, null))
                 when d.half is not null
                 then format('its newest files are of %s, of which %s older', d.half, counted(d.older, 'file here is', 'files here are'))
                 else format('which update of %s its files are at is not known, the newest are %s: import the list of files of the update '
                             'that brings them (evenkeel catalog update)',
                             level_name(p.product_id, p.at_ordinal), release_text(p.product_id, d.newest)) end)
    from (
        with newest as materialized (
            -- Up to which number the update goes that this is, or a part of it.
            select t.product_id, t.patch_id, t.code, pf.branch, max(release_number(pf.version)) as number
            from product q
            join patch t using (product_id)
            join patch_file pf using (patch_id)
            where q.beside and pf.version is not null
            group by t.product_id, t.patch_id, t.code, pf.branch
        ), reaching as materialized (
            -- What is there, and brings as new a file as the host has.
            select r.host_id, r.product_id, bool_or(m.older_files = 0) as whole,
                   (array_agg(n.code order by n.code) filter (where b.half))[1] as half,
                   (array_agg(m.older_files order by n.code) filter (where b.half))[1] as older
            from state_range r
            join state_model h using (host_id)
            join state_model_patch m on m.model = h.model and m.same_files > 0 and m.state in ('installed', 'partial')
            join newest n on n.patch_id = m.patch_id and n.product_id = r.product_id and n.branch in ('', m.branch)
                         and n.number >= r.revision
            cross join lateral (select m.older_files > 0 and (m.listed or m.proven) as half) b
            group by r.host_id, r.product_id
        )
        select r.host_id, r.product_id, r.revision as newest, g.half, g.older, n.levels > 1 as several
        from state_range r
        join product q on q.product_id = r.product_id and q.beside
        left join reaching g on (g.host_id, g.product_id) = (r.host_id, r.product_id)
        cross join lateral (select count(*) as levels from level l where l.product_id = r.product_id and l.ordinal <@ r.levels) n
        where not coalesce(g.whole, false) or n.levels > 1
    ) d
    where (d.host_id, d.product_id) = (p.host_id, p.product_id) and p.verdict = 'level';
end
$$;
comment on function evenkeel.doubt_updates() is
  'A host''s release of a product beside Windows is level only where an update is there whole that brings files as new as its newest: of '
  'what else its files are, and are not, nothing is known.';
