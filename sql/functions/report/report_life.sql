-- The drift report's part on hosts that were retired, restored, renamed or joined, on those that came back, and on new ones.

create or replace function evenkeel.first_reported(since timestamptz, until timestamptz)
returns table (host_id uuid) language sql stable
as $$
    select s.host_id from evenkeel.inventory_stirred(since, until) s
    where not exists (select from evenkeel.host_inventory i where i.host_id = s.host_id and i.valid_from <= since)
$$;
comment on function evenkeel.first_reported(timestamptz, timestamptz) is
    'Hosts that reported since a time and until another, and not before.';

create or replace function evenkeel.report_life(since timestamptz, until timestamptz default 'infinity', chosen uuid[] default null)
returns table (event text, detail text, done_by text, hosts bigint, host_names text[])
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- A host that was retired and is there again, or the other way round, is told by the last of that; of its names, and of the hosts
    -- that were joined into it, all are told.
    with happened as (
        select * from host_event v where v.happened_at > since and v.happened_at <= until
    ), told as (
        (select distinct on (v.host_id) v.host_id, v.event, v.detail, v.done_by
         from happened v where v.event not in ('renamed', 'merged')
         order by v.host_id, v.happened_at desc)
        union all
        select v.host_id, v.event, string_agg(v.detail, ', then ' order by v.happened_at),
               (array_agg(v.done_by order by v.happened_at desc))[1]
        from happened v where v.event in ('renamed', 'merged') group by v.host_id, v.event
        union all
        select n.host_id, 'first reported', '', '' from first_reported(since, until) n
    )
    select e.event, e.detail, e.done_by, count(*), array_agg(h.name order by h.name)
    from told e
    join host h on h.host_id = e.host_id and h.merged_into is null
    where chosen is null or h.host_id in (select unnest(chosen))
    group by e.event, e.detail, e.done_by
    order by array_position(array['came back', 'retired', 'restored', 'renamed', 'merged', 'first reported'], e.event), 4 desc, e.detail,
             e.done_by
$$;
comment on function evenkeel.report_life(timestamptz, timestamptz, uuid[]) is
    'What became of hosts, these or all, since a time and until another: came back, retired, restored, renamed, merged, first reported; '
    'the last where it '
    'was several, but all names and all that were joined; the same of several hosts as one row.';
