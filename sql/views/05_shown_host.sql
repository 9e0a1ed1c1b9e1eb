-- Hosts with the verdict that may be shown: one that is older than the state that it was found on is never 'level'.

create or replace function evenkeel.pending_text(verdict text, judged_at timestamptz, state_at timestamptz)
returns text language sql stable parallel safe
as $$
    select case when judged_at is null then 'not yet judged'
                else format('its state of %s UTC is not judged yet (%s by that before)',
                            to_char(state_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'), verdict) end
$$;
comment on function evenkeel.pending_text(text, timestamptz, timestamptz) is 'What a host lacks whose state is newer than its verdict.';

-- In three parts, so that who asks for the mixed or the unknown is answered by the index. Of plain columns alone: what else is asked
-- of a host is looked up by who shows it, for the rows that are shown, and all cores may read.
create or replace view evenkeel.shown_host as
select h.host_id, h.name, h.verdict, h.verdict as shown, h.judged_at, c.seen_at, c.taken_at, c.unreadable, c.state_at,
       c.state_at is not null and c.state_at is distinct from h.judged_state as pending
from evenkeel.host h left join evenkeel.host_checkin c using (host_id)
where h.merged_into is null and h.retired_at is null and h.verdict <> 'level'
union all
select h.host_id, h.name, h.verdict, 'level', h.judged_at, c.seen_at, c.taken_at, c.unreadable, c.state_at, false
from evenkeel.host h left join evenkeel.host_checkin c using (host_id)
where h.merged_into is null and h.retired_at is null and h.verdict = 'level' and c.state_at is not distinct from h.judged_state
union all
select h.host_id, h.name, h.verdict, 'unknown', h.judged_at, c.seen_at, c.taken_at, c.unreadable, c.state_at, true
from evenkeel.host h left join evenkeel.host_checkin c using (host_id)
where h.merged_into is null and h.retired_at is null and h.verdict = 'level' and c.state_at is distinct from h.judged_state;
comment on view evenkeel.shown_host is 'A row per host that is not retired, with the verdict to be shown.';
comment on column evenkeel.shown_host.host_id is 'The host.';
comment on column evenkeel.shown_host.name is 'Its name.';
comment on column evenkeel.shown_host.verdict is 'As last judged.';
comment on column evenkeel.shown_host.shown is 'To be shown: unknown instead of level while the state is newer.';
comment on column evenkeel.shown_host.judged_at is 'When it was last judged.';
comment on column evenkeel.shown_host.seen_at is 'When it was last heard of.';
comment on column evenkeel.shown_host.taken_at is 'When its last snapshot was taken.';
comment on column evenkeel.shown_host.unreadable is 'What could not be read of its disk.';
comment on column evenkeel.shown_host.state_at is 'When its state last changed.';
comment on column evenkeel.shown_host.pending is 'That is not what was judged.';
