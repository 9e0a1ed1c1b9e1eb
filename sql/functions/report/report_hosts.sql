-- Every host in a line, for the page's filter: whoever looks for a host finds it, also where nothing is wrong with it.

create or replace function evenkeel.report_hosts(most integer default 20000)
returns jsonb language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with hosts as materialized (
        select all_hosts.*
        from (select h.host_id, h.name, h.shown from shown_host h
              union all select h.host_id, h.name, 'retired' from host h where h.merged_into is null and h.retired_at is not null) all_hosts
        limit most + 1
    ), open_findings as materialized (
        select f.host_id, count(*) as findings from finding f where f.closed_at = 'infinity' group by 1
    )
    select case when (select count(*) from hosts) <= most
                then coalesce(jsonb_agg(jsonb_build_array(h.name, coalesce(h.shown, 'unknown'), coalesce(o.findings, 0)) order by h.name),
                              '[]')
           end
    from hosts h left join open_findings o using (host_id)
$$;
comment on function evenkeel.report_hosts(integer) is
    'Name, verdict and number of open findings of every host, as an array of arrays in the order of the names; null where there are '
    'more than `most`, which a page does not carry.';
