-- Learning from the whole fleet: apart from judging, so that no host waits for it, one piece at a time, and no more often than it pays.

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
    waiting := exists (select from evenkeel.judge_queue);
    -- Bonds when an eighth of the hosts was judged since, or a thousandth once nothing waits.
    select e.component_id into due
    from evenkeel.version_evidence e
    where e.judged > 0 and e.judged::bigint * case when waiting then 8 else 1000 end >= e.hosts
    order by e.component_id
    limit 1;
    if found then
        if evenkeel.learn_version_bonds(due) then
            perform evenkeel.queue_outliers(due);
        end if;
        return true;
    end if;
    if waiting or not exists (select from evenkeel.peer_refresh
                              where judged > 0 and clock_timestamp() >= refreshed_at + greatest(took * 100, interval '1 second')) then
        return false;
    end if;
    perform evenkeel.refresh_peers();
    return true;
end
$$;
comment on function evenkeel.learn_from_fleet(boolean) is 'Learns again the bonds of one component for which that is due, or else which files like hosts have in common, if hosts were judged since and the last time is a hundred times as long ago as it took. Queues the hosts on which that bears. False: nothing was due, or another session is at it, for which wait waits.';
