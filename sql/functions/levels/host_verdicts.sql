-- The verdict on each product of a host: level, mixed, or unknown and what would settle it.

create or replace function evenkeel.settles(product integer, ordinal integer)
returns text language sql stable parallel safe
as $$
    select case
        when p.beside and ordinal is null
        then format('collect it again, with a collector and a registry that tell its release, or capture one (evenkeel baseline capture)')
        else case p.level_kind
        when 'service pack' then format('capture %s from a healthy host or from media (evenkeel baseline capture)',
                                        coalesce(evenkeel.level_name(product, settles.ordinal), 'it'))
        when 'build' then format('capture %s from a healthy host (evenkeel baseline capture)',
                                 coalesce(evenkeel.level_name(product, settles.ordinal), 'it'))
        else format('import the list of files of %s (evenkeel catalog update)',
                    coalesce((select nullif(l.kb, '') from evenkeel.level l where l.product_id = product and l.ordinal = settles.ordinal),
                             'update ' || evenkeel.level_name(product, settles.ordinal), 'its update')) end end
    from evenkeel.product p where p.product_id = product
$$;
comment on function evenkeel.settles(integer, integer) is
  'What would tell most of what is not known of a level: a capture, or the list of files of its update.';

create or replace function evenkeel.component_gaps()
returns table (host_id uuid, product_id integer, countable numeric, confirmed numeric, proof text, gap text, ahead text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- One component left behind is the whole matter: each must be confirmed by itself.
    with judged as (
        select p.*, c.name, q.coverage_share::numeric as share, p.files - p.untouched as countable,
               p.confirmed + p.by_fleet + p.by_store as proven
        from (select host_id, product_id, component_id, sum(files) as files, sum(confirmed) as confirmed, sum(by_fleet) as by_fleet,
                     sum(by_store) as by_store, sum(untouched) as untouched, sum(ahead) as ahead
              from state_proof group by host_id, product_id, component_id) p
        join component c using (component_id)
        join product q on q.product_id = p.product_id
    ), rated as (
        select j.*, j.countable > 0 and j.proven < j.share * j.countable as behind,
               row_number() over (partition by j.host_id, j.product_id
                                  order by j.countable = 0, j.proven >= j.share * j.countable, j.proven::numeric / greatest(j.countable, 1),
                                    j.name) as place
        from judged j
    )
    select r.host_id, r.product_id, sum(r.countable), sum(r.proven),
           case when bool_and(r.countable = 0 or r.confirmed >= r.share * r.countable) then 'catalogue'
                when bool_and(r.countable = 0 or r.confirmed + r.by_store >= r.share * r.countable) then 'store' else 'fleet' end,
           (array_agg(format('%s: %s of %s confirmed', r.name, r.proven, evenkeel.counted(r.countable, 'file')) order by r.place)
            filter (where r.behind))[1]
               || case when count(*) filter (where r.behind) < 2 then ''
                       else ', and ' || evenkeel.counted(count(*) filter (where r.behind) - 1, 'more component') end,
           (array_agg(format(case r.ahead when 1 then '%s: %s of %s is newer than what it ships, and no known patch brings it'
                                          else '%s: %s of %s are newer than what it ships, and no known patch brings them' end,
                             r.name, r.ahead, evenkeel.counted(r.countable, 'file'))
                      order by r.place) filter (where r.ahead > (1 - r.share) * r.countable))[1]
    from rated r
    group by r.host_id, r.product_id
$$;
comment on function evenkeel.component_gaps() is
  'Per product of a host: of how many files the level in question is confirmed, on what that rests, and the component that is confirmed '
  'least where that is not enough, or ahead of the level.';

create or replace function evenkeel.unproven_declarations()
returns table (host_id uuid, product_id integer, sentence text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Where levels are numbers some file must carry one above the next lower update: else the declaration stands alone.
    select r.host_id, r.product_id,
      format('declares %s, nothing above %s', level_name(r.product_id, r.ordinal), coalesce(r.revision::text, 'that is known'))
    from (select distinct s.product_id, s.ordinal, n.ordinal as below
          from state_range s
          join product p on p.product_id = s.product_id and p.follows_os and p.level_kind <> 'service pack'
          cross join lateral (select max(l.ordinal) as ordinal from level l
                              where l.product_id = s.product_id and l.line = '' and l.ordinal < s.ordinal) n
          where s.declared is not null and n.ordinal is not null
            and not exists (select from level l where l.product_id = s.product_id and l.ordinal = s.ordinal and l.complete)) k
    join state_range r using (product_id, ordinal)
    where coalesce(r.revision, -1) <= k.below and r.declared is not null
$$;
comment on function evenkeel.unproven_declarations() is
  'Hosts of which no file is newer than the update before the declared one, whose list of files is not known.';

create or replace function evenkeel.undeclared_text(os_version text, follows_os boolean, has_registry boolean, declared int4range,
                                                    level_kind text,
                                                    service_pack text)
returns text language sql immutable parallel safe
as $$
    select case when not follows_os then null
                when not has_registry then 'no registry was read: not compared with what it declares'
                when os_version = '' then 'the registry says nothing of the Windows version: export SOFTWARE\Microsoft\Windows '
                                          'NT\CurrentVersion too'
                when declared is null and level_kind = 'service pack' then format('the catalogue has no level for the declared ''%s''',
                  service_pack)
                when declared is null then 'the registry declares no UBR: export SOFTWARE\Microsoft\Windows NT\CurrentVersion too' end
$$;
comment on function evenkeel.undeclared_text(text, boolean, boolean, int4range, text, text) is
  'Why nothing is declared that a product that follows its Windows could be compared with; null: something is.';

create or replace function evenkeel.unseen_places()
returns table (host_id uuid, product_id integer, doubt text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- The file that was visited has the very path, and tells whose place it is.
    select f.host_id, pc.product_id, not_seen_places('same_path', array_agg(n.what order by n.what), sum(n.entries)::bigint)
    from state_lead_facts f
    cross join lateral not_seen_entries(f.facts) n
    join path p on p.name = substring(n.what from '[^/]+$') and p.path = n.what
                   and p.location = path_location(n.what, host_reading(f.facts))
    join path_component pc using (path_id)
    where f.facts -> 'not_seen' <> '[]' and n.kind = 'same_path'
    group by f.host_id, pc.product_id
$$;
comment on function evenkeel.unseen_places() is
  'Products of hosts in the place of whose files others lie that were passed over, because their paths are the same to Windows.';

create or replace function evenkeel.mixed_by_store()
returns table (host_id uuid, product_id integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- For all hosts at once: looked at for each, the components of all would be gone through each time.
    select e.host_id, e.product_id
    from (select c.host_id, c.product_id, c.levels from state_component c
          union all
          select s.host_id, s.product_id, s.levels from state_foreign s where s.counted
          union all
          select r.host_id, r.product_id, r.declared from state_range r where r.declared is not null) e
    where (e.host_id, e.product_id) in (select s.host_id, s.product_id from state_foreign s where not s.counted)
    group by e.host_id, e.product_id
    having not isempty(range_of_ends(max(range_lower_end(e.levels)), min(range_upper_end(e.levels))))
$$;
comment on function evenkeel.mixed_by_store() is
  'Products of hosts that, where they are mixed, are so by the host''s own component store: all else that is known would allow a level.';

create or replace function evenkeel.find_products()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into state_product (host_id, product_id, levels, declared, files, covered, verdict, missing, at_ordinal, countable, confirmed,
                               proof)
    with seen_in_part as materialized (
        select f.host_id, not_seen_doubt(f.facts) as doubt
        from state_lead_facts f
        where f.facts -> 'not_seen' <> '[]'
    ), unread as materialized (
        select k.host_id, unreadable_text(k.unreadable) as doubt
        from (select distinct host_id from state_range) h
        join host_checkin k using (host_id)
        left join state_lead_facts f using (host_id)
        where k.unreadable > 0 and unreadable_hides(coalesce(f.facts, '{}'), k.unreadable)
    ), in_question as materialized (
        -- Few levels are in question, and many hosts are at each.
        select q.product_id, q.ordinal, settles(q.product_id, q.ordinal) as remedy, level_name(q.product_id, q.ordinal) as level
        from (select distinct product_id, ordinal from state_range) q
    ), weighed as materialized (
        -- Once: verdicts, and what is missing, name it several times.
        select r.*, d.kind as doubt,
               concat_ws('; ', k.doubt, d.sentence, r.undecided, coalesce(s.doubt, e.doubt),
                   case when u.files > 0
                        then format('cannot read the version of %s%s: collect it again, or replace the file', u.path,
                                    case when u.files > 1 then format(' and of %s more', u.files - 1) end) end,
                   undeclared_text(coalesce(f.os_version, ''), p.follows_os, coalesce(f.has_registry, false), r.declared, p.level_kind,
                                   coalesce(f.service_pack, '')),
                   x.sentence || ': ' || q.remedy) as doubts,
               case when r.ordinal is null
                    then format('nothing says which level its %s at: %s', evenkeel.counted(r.files, 'file is', 'files are'), q.remedy)
                    when coalesce(g.countable, 0) = 0 then format('no file is touched by %s: %s', q.level, q.remedy)
                    when g.gap is not null then format('%s at %s: %s', g.gap, q.level, q.remedy) end as gap,
               case when g.ahead is not null then format('ahead of %s: %s', q.level, g.ahead) end as ahead,
               coalesce(g.countable, 0)::integer as proof_countable, coalesce(g.confirmed, 0)::integer as proof_confirmed, g.proof
        from state_range r
        join product p using (product_id)
        join in_question q on q.product_id = r.product_id and coalesce(q.ordinal, -1) = coalesce(r.ordinal, -1)
        left join state_declaration f using (host_id)
        left join state_unread u on (u.host_id, u.product_id) = (r.host_id, r.product_id)
        left join seen_in_part s on s.host_id = r.host_id
        left join unseen_places() e on (e.host_id, e.product_id) = (r.host_id, r.product_id)
        left join unread k on k.host_id = r.host_id
        left join component_gaps() g on (g.host_id, g.product_id) = (r.host_id, r.product_id)
        left join unproven_declarations() x on (x.host_id, x.product_id) = (r.host_id, r.product_id)
        left join (select distinct on (host_id, product_id) * from state_doubt order by host_id, product_id, kind = 'restart' desc) d
             on (d.host_id, d.product_id) = (r.host_id, r.product_id)
    ), judged as materialized (
        select w.*, case when isempty(w.levels) and w.doubt is null and w.undecided is null then 'mixed'
                         when isempty(w.levels) or concat(w.doubts, w.gap, w.ahead) <> '' then 'unknown' else 'level' end as verdict
        from weighed w
    )
    select j.host_id, j.product_id, j.levels, j.declared, j.files, j.covered, j.verdict,
           case when isempty(j.levels) then j.doubts else concat_ws('; ', nullif(j.doubts, ''), j.ahead, j.gap) end,
           j.ordinal, j.proof_countable, j.proof_confirmed,
           case j.verdict when 'level' then j.proof when 'mixed' then case when s.host_id is null then 'catalogue' else 'store' end
                          else '' end
    from judged j left join mixed_by_store() s on (s.host_id, s.product_id) = (j.host_id, j.product_id);
    analyze state_product;
end
$$;
comment on function evenkeel.find_products() is
  'Fills state_product: verdicts, from what components and foreign files say, registries declare and files confirm.';

create or replace function evenkeel.judge_levels()
returns void language plpgsql
as $$
begin
    analyze state_host;
    perform evenkeel.find_chunk_levels();
    perform evenkeel.find_declarations();
    perform evenkeel.find_alike();
    loop
        perform evenkeel.find_levels();
        perform evenkeel.find_foreign_files();
        perform evenkeel.find_store_ends();
        perform evenkeel.find_unread_files();
        perform evenkeel.find_ranges();
        perform evenkeel.find_doubts();
        exit when not evenkeel.part_alike();
    end loop;
    perform evenkeel.find_proofs();
    perform evenkeel.find_products();
    perform evenkeel.copy_alike();
end
$$;
comment on function evenkeel.judge_levels() is
  'Fills state_component and state_product for the hosts of state_host: what the check mixed-level needs.';
