-- Two hosts that turn out to be one: their histories become one, without gaps or overlaps.

create or replace function evenkeel.merge_history(kept uuid, gone uuid)
returns void language plpgsql
as $$
begin
    -- A state holds from when it was first known until the next one is known, whichever identity reported it.
    create temporary table merge_inventory on commit drop as
    select t.*, lag(t.digest) over (order by t.valid_from, t.host_id = kept) as before
    from (select distinct on (i.valid_from) i.* from evenkeel.host_inventory i where i.host_id in (kept, gone)
          order by i.valid_from, i.host_id = kept desc) t;
    create temporary table merge_facts on commit drop as
    select t.*, lag(t.digest) over (order by t.valid_from, t.host_id = kept) as before
    from (select distinct on (f.valid_from) f.host_id, f.valid_from, f.taken_at, f.digest, f.body, f.facts
          from evenkeel.host_facts f where f.host_id in (kept, gone)
          order by f.valid_from, f.host_id = kept desc) t;
    perform evenkeel.peers_keep(array[kept, gone]);
    delete from evenkeel.host_inventory i where i.host_id in (kept, gone);
    delete from evenkeel.host_facts f where f.host_id in (kept, gone);
    insert into evenkeel.host_inventory (host_id, valid_from, valid_to, taken_at, digest, files, chunk_ids)
    select kept, m.valid_from, lead(m.valid_from, 1, 'infinity') over (order by m.valid_from), m.taken_at, m.digest, m.files, m.chunk_ids
    from merge_inventory m where m.digest is distinct from m.before;
    insert into evenkeel.host_facts (host_id, valid_from, valid_to, taken_at, digest, body, facts)
    select kept, m.valid_from, lead(m.valid_from, 1, 'infinity') over (order by m.valid_from), m.taken_at, m.digest, m.body, m.facts
    from merge_facts m where m.digest is distinct from m.before;
    drop table merge_inventory, merge_facts;
end
$$;
comment on function evenkeel.merge_history(uuid, uuid) is 'Joins the inventories and facts of two hosts into one timeline of the kept one.';

create or replace function evenkeel.merge_checkins(kept uuid, gone uuid, later uuid)
returns void language plpgsql
as $$
begin
    if later = gone then
        delete from evenkeel.host_times t where t.host_id = kept;
        delete from evenkeel.host_checkin c where c.host_id = kept;
        update evenkeel.host_times t set host_id = kept where t.host_id = gone;
        update evenkeel.host_checkin c set host_id = kept where c.host_id = gone;
    end if;
    delete from evenkeel.host_times t where t.host_id = gone;
    delete from evenkeel.host_checkin c where c.host_id = gone;
    -- What is current may be another state than the last check-in saw; the next offer is compared with what is here.
    update evenkeel.host_checkin c
    set inventory = coalesce((select i.digest from evenkeel.host_inventory_current i where i.host_id = kept), ''),
        facts = coalesce((select f.digest from evenkeel.host_facts_current f where f.host_id = kept), ''),
        times = coalesce((select t.digest from evenkeel.host_times t where t.host_id = kept), '')
    where c.host_id = kept;
end
$$;
comment on function evenkeel.merge_checkins(uuid, uuid, uuid) is
    'Leaves the kept host the last of two hosts'' check-ins, which was the later one''s.';

create or replace function evenkeel.merge_decisions(kept uuid, gone uuid)
returns void language plpgsql
as $$
begin
    update evenkeel.finding f set closed_at = greatest(clock_timestamp(), f.opened_at + interval '1 microsecond')
    where f.host_id = gone and f.closed_at = 'infinity';
    update evenkeel.finding f set host_id = kept
    where f.host_id = gone
      and not exists (select from evenkeel.finding o
                      where (o.host_id, o.check_code, o.subject, o.opened_at) = (kept, f.check_code, f.subject, f.opened_at));
    delete from evenkeel.finding f where f.host_id = gone;
    update evenkeel.waiver w set host_id = kept
    where w.host_id = gone
      and not exists (select from evenkeel.waiver o where (o.host_id, o.check_code, o.subject) = (kept, w.check_code, w.subject));
    delete from evenkeel.waiver w where w.host_id = gone;
    update evenkeel.risk_acceptance a set host_id = kept
    where a.host_id = gone
      and not exists (select from evenkeel.risk_acceptance o
                      where (o.patch, o.host_id, o.check_code, o.subject) = (a.patch, kept, a.check_code, a.subject));
    delete from evenkeel.risk_acceptance a where a.host_id = gone;
    update evenkeel.host_label l set host_id = kept
    where l.host_id = gone and not exists (select from evenkeel.host_label o where o.host_id = kept and lower(o.label) = lower(l.label));
    delete from evenkeel.host_label l where l.host_id = gone;
end
$$;
comment on function evenkeel.merge_decisions(uuid, uuid) is
    'Gives the kept host the findings of the other, and what people decided of it: waivers, accepted risks, labels.';

create or replace function evenkeel.merge_hosts(gone_word text, kept_word text)
returns table (host text, host_id uuid, states bigint) language plpgsql
as $$
declare
    gone uuid := evenkeel.host_named(gone_word);
    kept uuid := evenkeel.host_named(kept_word);
    later uuid;
begin
    if gone = kept then
        raise exception '''%'' and ''%'' are the same host', gone_word, kept_word;
    end if;
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    perform from evenkeel.host_key hk where hk.host_id in (gone, kept) order by hk.host_id, hk.key_id for update;
    select c.host_id into later from evenkeel.host_checkin c where c.host_id in (gone, kept) order by c.seen_at desc limit 1;
    -- What a retired one held is part of the history.
    perform evenkeel.unretire(gone), evenkeel.unretire(kept);
    perform evenkeel.merge_history(kept, gone);

    perform evenkeel.merge_checkins(kept, gone, later);

    update evenkeel.host_key hk set host_id = kept
    where hk.host_id = gone and not exists (select from evenkeel.host_key o where o.host_id = kept and o.key_id = hk.key_id);
    delete from evenkeel.host_key hk where hk.host_id = gone;
    delete from evenkeel.enrolment e where e.host_id = gone;
    delete from evenkeel.upload u where u.host_id in (gone, kept);

    perform evenkeel.merge_decisions(kept, gone);

    perform evenkeel.forget_verdicts(array[gone]);
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_inventory_current i where i.host_id = kept
    on conflict do nothing;
    update evenkeel.finding_past p set host_id = kept
    where p.host_id = gone
      and not exists (select from evenkeel.finding_past o
                      where (o.host_id, o.check_code, o.subject, o.opened_at, o.valid_to)
                            = (kept, p.check_code, p.subject, p.opened_at, p.valid_to));
    delete from evenkeel.finding_past p where p.host_id = gone;
    delete from evenkeel.host_product_history p where p.host_id = gone;
    update evenkeel.host_event v set host_id = kept
    where v.host_id = gone
      and not exists (select from evenkeel.host_event o where (o.host_id, o.happened_at, o.event) = (kept, v.happened_at, v.event));
    delete from evenkeel.host_event v where v.host_id = gone;
    delete from evenkeel.host_patch p where p.host_id = gone;
    delete from evenkeel.host_patch_past p where p.host_id = gone;
    delete from evenkeel.host_component c where c.host_id = gone;
    delete from evenkeel.host_product p where p.host_id = gone;
    delete from evenkeel.judge_queue q where q.host_id = gone;
    delete from evenkeel.not_judged n where n.host_id = gone;
    delete from evenkeel.slow_host s where s.host_id = gone;
    insert into evenkeel.host_event (host_id, event, detail)
    select kept, 'merged', 'with ' || h.name from evenkeel.host h where h.host_id = gone;
    update evenkeel.host h set merged_into = kept where h.host_id = gone or h.merged_into = gone;
    return query
    select h.name, h.host_id, (select count(*) from evenkeel.host_inventory i where i.host_id = kept)
    from evenkeel.host h where h.host_id = kept;
end
$$;
comment on function evenkeel.merge_hosts(text, text) is
  'Joins the first host into the second: one history, one set of keys; the first one''s name leads there from then on.';
