-- The drift report's part on hosts that were retired, restored or renamed, and on those that came back.

create or replace function evenkeel.report_life(since timestamptz)
returns table (event text, detail text, done_by text, hosts bigint, host_names text[])
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- One that was retired and is there again, or the other way round, is told as what became of it last.
    select e.event, e.detail, e.done_by, count(*), array_agg(h.name order by h.name)
    from (select distinct on (v.host_id, v.event = 'renamed') v.* from host_event v where v.happened_at > since
          order by v.host_id, v.event = 'renamed', v.happened_at desc) e
    join host h on h.host_id = e.host_id and h.merged_into is null
    group by e.event, e.detail, e.done_by
    order by array_position(array['came back', 'retired', 'restored', 'renamed'], e.event), 4 desc, e.detail, e.done_by
$$;
comment on function evenkeel.report_life(timestamptz) is
    'What became of hosts since a time: came back, retired, restored, renamed; the last of it where it was several, the same of several '
    'hosts as one row.';
