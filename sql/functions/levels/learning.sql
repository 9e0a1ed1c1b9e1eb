-- Learning from the whole fleet: apart from judging, so that no host waits for it, one piece at a time, and no more often than it pays.

create or replace function evenkeel.learn_apart(lesson text, statement text)
returns void language plpgsql
as $$
declare
    failure text;
    code text;
    place text;
begin
    execute statement;
    delete from evenkeel.not_judged_object n where n.kind = 'lesson' and n.object = lesson;
exception when others then
    get stacked diagnostics failure = message_text, code = returned_sqlstate, place = pg_exception_context;
    if evenkeel.is_passing(code) then
        raise;
    end if;
    perform evenkeel.set_object_aside('lesson', lesson, evenkeel.failure_text(failure, place));
end
$$;
comment on function evenkeel.learn_apart(text, text) is
  'Learns one thing; where that fails it is noted, and learnt again when it is due again.';

create or replace function evenkeel.learn_from_fleet(wait boolean default false)
returns boolean language plpgsql
as $$
declare
    waiting boolean;
    due integer;
begin
    if not evenkeel.lock_learning(wait) then
        return false;
    end if;
    waiting := exists (select from evenkeel.judge_queue) or exists (select from evenkeel.fleet_change);
    -- Bonds when an eighth of the hosts was judged since, or a thousandth once nothing waits.
    select e.component_id into due
    from evenkeel.version_evidence e
    where e.judged > 0 and e.judged::bigint * case when waiting then 8 else 1000 end >= e.hosts
    order by e.component_id
    limit 1;
    if found then
        perform evenkeel.learn_apart(format('bonds of component %s', due), format(
            'select case when evenkeel.learn_version_bonds(%1$s) then evenkeel.queue_outliers(%1$s) end', due));
        update evenkeel.version_evidence e set judged = 0
        where e.component_id = due and exists (select from evenkeel.not_judged_object n
                                               where (n.kind, n.object) = ('lesson', format('bonds of component %s', due)));
        return true;
    end if;
    if not waiting and evenkeel.learn_next_level() then
        return true;
    end if;
    -- Where some always wait it is counted all the same, lest what is to be counted grows for ever.
    if waiting and (select count(*) from (select from evenkeel.peer_change limit 10000) c) < 10000
       or not exists (select from evenkeel.peer_refresh p cross join evenkeel.peer_round r
                      where r.under_way
                         or (p.judged > 0 and clock_timestamp() >= p.refreshed_at + greatest(p.took * 100, interval '1 second'))) then
        return false;
    end if;
    perform evenkeel.learn_apart('files of like hosts', 'select evenkeel.refresh_peers()');
    if exists (select from evenkeel.not_judged_object n where (n.kind, n.object) = ('lesson', 'files of like hosts')) then
        update evenkeel.peer_round set under_way = false;
        update evenkeel.peer_refresh set refreshed_at = clock_timestamp(), judged = 0;
    end if;
    return true;
end
$$;
comment on function evenkeel.learn_from_fleet(boolean) is
  'Learns again the bonds of one component for which that is due, or else what one level ships, or else which files like hosts have in '
  'common, if hosts were judged since and the last time is a hundred times as long ago as it took: a step of that. Queues the hosts on '
  'which that bears. False: nothing was due, or another session is at it, for which wait waits.';
