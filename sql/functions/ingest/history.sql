-- Keeping what was: verdicts as they change, and what findings said before they got worse or better.

create or replace function evenkeel.record_verdicts()
returns void language plpgsql
as $$
declare
    moment timestamptz := clock_timestamp();
begin
    update evenkeel.host_product_history o set valid_to = greatest(moment, o.valid_from + interval '1 microsecond')
    from state_host h
    where o.host_id = h.host_id and o.valid_to = 'infinity'
      and not exists (select from state_product n
                      where n.host_id = o.host_id and n.product_id = o.product_id
                        and (n.levels, n.verdict) = (o.levels, o.verdict));
    insert into evenkeel.host_product_history (host_id, product_id, valid_from, levels, verdict)
    select n.host_id, n.product_id,
           greatest(moment, (select max(p.valid_to) from evenkeel.host_product_history p
                             where p.host_id = n.host_id and p.product_id = n.product_id)),
           n.levels, n.verdict
    from state_product n
    where not exists (select from evenkeel.host_product_history o
                      where o.host_id = n.host_id and o.product_id = n.product_id and o.valid_to = 'infinity');
end
$$;
comment on function evenkeel.record_verdicts() is 'Writes the verdicts of the judged hosts to host_product_history where they changed.';

create or replace function evenkeel.evidence_weight(evidence jsonb)
returns integer language sql immutable parallel safe
as $$
    select coalesce((evidence ->> 'move_count')::integer,
                    (select sum(jsonb_array_length(e.value))
                     from jsonb_each(case jsonb_typeof(evidence) when 'object' then evidence else '{}' end) e
                     where jsonb_typeof(e.value) = 'array'), 0)::integer
$$;
comment on function evenkeel.evidence_weight(jsonb) is
  'How much a finding''s evidence names: the files that must move, or else the entries of its lists. More of it is worse.';

create or replace function evenkeel.severity_rank(severity text)
returns integer language sql immutable strict parallel safe
as $$ select case severity when 'high' then 3 when 'medium' then 2 else 1 end $$;
comment on function evenkeel.severity_rank(text) is 'high 3, medium 2, low 1.';
