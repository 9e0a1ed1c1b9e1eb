-- Every host in a line, for the page's filter: whoever looks for a host finds it, also where nothing is wrong with it.

create or replace function evenkeel.report_hosts(most integer default 20000, choice jsonb default null)
returns jsonb language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with only_these as materialized (
        select evenkeel.report_chosen(choice) as ids
    ), hosts as materialized (
        select all_hosts.*
        from (select h.host_id, h.name, h.shown from shown_host h
              union all select h.host_id, h.name, 'retired' from host h where h.merged_into is null and h.retired_at is not null) all_hosts
        where choice is null or all_hosts.host_id in (select unnest(o.ids) from only_these o)
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
comment on function evenkeel.report_hosts(integer, jsonb) is
    'Name, verdict and number of open findings of every host, or of each that is chosen (report_choice), as an array of arrays in the '
    'order of the names; null where there are '
    'more than `most`, which a page does not carry.';
