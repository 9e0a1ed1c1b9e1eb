-- What files and chunks say, kept: judged once for the whole fleet, apart from taking snapshots in.

create or replace function evenkeel.judge_files(files integer[])
returns void language sql
as $$
    insert into evenkeel.file_level as old (file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
                                            hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead)
    select file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
           hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead
    from evenkeel.file_ranges(files)
    order by file_id, product_id
    on conflict (file_id, product_id) do update
        set (component_id, levels, covered, unread, blind, lower_basis, upper_basis, hint, hint_basis, exact_from, revision,
             confirmed, confirmed_by_fleet, untouched, ahead)
            = (excluded.component_id, excluded.levels, excluded.covered, excluded.unread, excluded.blind, excluded.lower_basis,
               excluded.upper_basis, excluded.hint, excluded.hint_basis, excluded.exact_from, excluded.revision, excluded.confirmed,
               excluded.confirmed_by_fleet, excluded.untouched, excluded.ahead)
        where old is distinct from excluded
$$;
comment on function evenkeel.judge_files(integer[]) is 'Stores the ranges of files, and what they confirm.';

create or replace function evenkeel.judge_chunks(chunks bigint[])
returns void language sql
as $$
    delete from evenkeel.chunk_proof where chunk_id = any (chunks);
    delete from evenkeel.chunk_version_set where chunk_id = any (chunks);
    with said as (
        select c.chunk_id, fl.component_id, fl.product_id, range_intersect_agg(fl.levels) as levels, count(*) as files,
               count(*) filter (where fl.covered) as covered, count(*) filter (where fl.unread) as unread,
               count(*) filter (where fl.blind) as blind, max(fl.hint) as hint, max(fl.revision) as revision,
               -- Each file by itself and in no order: what they confirm is counted by the level in question.
               sum(hash_record_extended(k.confirms, 0)) as each_high, sum(hash_record_extended(k.confirms, 1)) as each_low
        from evenkeel.chunk c
        cross join unnest(c.file_ids) f (file_id)
        join evenkeel.file_level fl using (file_id)
        cross join lateral (select row(fl.confirmed, fl.confirmed_by_fleet, fl.untouched, fl.ahead) as confirms) k
        where c.chunk_id = any (chunks)
        group by c.chunk_id, fl.component_id, fl.product_id
    )
    insert into evenkeel.chunk_level as old (chunk_id, component_id, product_id, levels, files, covered, unread, blind, hint, revision,
                                             likeness_high, likeness_low)
    select chunk_id, component_id, product_id, levels, files, covered, unread, blind, hint, revision,
           hash_record_extended(row(component_id, levels, files, covered, hint, revision, each_high), 0),
           hash_record_extended(row(component_id, levels, files, covered, hint, revision, each_low), 1)
    from said
    on conflict (chunk_id, component_id) do update
        set product_id = excluded.product_id, levels = excluded.levels, files = excluded.files, covered = excluded.covered,
            unread = excluded.unread, blind = excluded.blind, hint = excluded.hint, revision = excluded.revision,
            likeness_high = excluded.likeness_high, likeness_low = excluded.likeness_low
$$;
comment on function evenkeel.judge_chunks(bigint[]) is 'Stores what the files of chunks say together, and drops what was counted of them.';

create or replace function evenkeel.judge_content()
returns integer language plpgsql
as $$
declare
    chunks bigint[];
    files integer[];
begin
    -- Rows that another session is judging are still to be seen here: then it is waited for.
    if not exists (select from evenkeel.unjudged_chunk) and not exists (select from evenkeel.unjudged_file) then
        return 0;
    end if;
    perform evenkeel.lock_catalogue_shared();
    perform evenkeel.lock_content();
    -- The chunks first: what is stored between the two statements may add files that no chunk of these holds, and never lack one.
    with taken as (delete from evenkeel.unjudged_chunk returning chunk_id) select array_agg(chunk_id) into chunks from taken;
    with taken as (delete from evenkeel.unjudged_file returning file_id) select array_agg(file_id) into files from taken;
    if files is not null then
        perform evenkeel.judge_files_apart(files);
    end if;
    if chunks is not null then
        perform evenkeel.judge_chunks_apart(chunks);
    end if;
    return coalesce(cardinality(chunks), 0) + coalesce(cardinality(files), 0);
end
$$;
comment on function evenkeel.judge_content() is
  'Judges the files and chunks that were stored and wait for it; returns how many there were. Each is judged once for the fleet, apart '
  'from taking snapshots in, and before any host that holds it.';

create or replace function evenkeel.index_content()
returns bigint language sql security definer set search_path = pg_catalog, pg_temp
as $$ select gin_clean_pending_list('evenkeel.chunk_files') $$;
comment on function evenkeel.index_content() is
  'Merges what waits beside the index of chunks by their files, so that it is found fast; returns how many pages that were. Finds are '
  'right without it, too.';

create or replace function evenkeel.blind_hosts(hosts uuid[])
returns table (host_id uuid, files bigint) language plpgsql stable
as $$
begin
    if not exists (select from evenkeel.chunk_level where blind > 0) then
        return;
    end if;
    return query
    select h.host_id, sum(cl.blind)::bigint
    from evenkeel.host h
    join evenkeel.host_inventory_current i using (host_id)
    cross join unnest(i.chunk_ids) u (chunk_id)
    join evenkeel.chunk_level cl on cl.chunk_id = u.chunk_id and cl.blind > 0
    -- Of what stands beside Windows imports are not followed anyway.
    join evenkeel.deciding_product hp on (hp.host_id, hp.product_id) = (h.host_id, cl.product_id)
    where h.merged_into is null and (hosts is null or h.host_id = any (hosts))
    group by h.host_id;
end
$$;
comment on function evenkeel.blind_hosts(uuid[]) is
  'Hosts, of these or all, that have component files of their products whose exports and imports were left out, and how many: of '
  'what these import nothing is known.';
