-- A name belongs to the host that was let in under it: one host at a time has it, whatever the letters' case.

alter table evenkeel.host add shares_name boolean not null default false, add is_named boolean not null default false;
-- An older database may have several hosts of one name: the first keeps it.
update evenkeel.host h set shares_name = true
where h.merged_into is null
  and exists (select from evenkeel.host o
              where o.merged_into is null and lower(o.name) = lower(h.name) and (o.created_at, o.host_id) < (h.created_at, h.host_id));
create unique index host_name_held on evenkeel.host (lower(name)) where merged_into is null and not shares_name;
create index host_name_folded on evenkeel.host (lower(name));
create index host_merged_into on evenkeel.host (merged_into) where merged_into is not null;
comment on column evenkeel.host.name is
  'What it is called; no other host has that name, whatever the letters'' case, but for those that share one from before that was so.';
comment on column evenkeel.host.shares_name is
  'Its name is another host''s, too, from before names were kept apart, or because a person wanted it so.';
comment on column evenkeel.host.is_named is
  'A person named it (evenkeel hosts rename): what its collector calls it changes nothing of that.';

alter table evenkeel.host_key add asked_name text not null default '', add former_name text not null default '',
    add name_glob text not null default '', add has_twin boolean not null default false, add collector_version text not null default '',
    add computer_name text not null default '';
update evenkeel.host_key k set asked_name = h.name from evenkeel.host h where h.host_id = k.host_id;
comment on column evenkeel.host_key.asked_name is
  'What the key''s collector calls the host: by that name it is known again, also where a person calls it otherwise.';
comment on column evenkeel.host_key.former_name is 'What it called it before; empty: nothing else.';
comment on column evenkeel.host_key.name_glob is
  'The names of the token that let the host in, which it may take without asking; empty: none but those of the key''s grants.';
comment on column evenkeel.host_key.has_twin is
  'Another host has its SID and MachineGuid: by these it can''t be known again under another name.';
comment on column evenkeel.host_key.collector_version is 'Version of the collector that last told its marks; empty: not told.';
comment on column evenkeel.host_key.computer_name is 'What the host''s registry calls it, as last told with the marks; empty: not told.';

alter table evenkeel.enrolment add host_id uuid, add collector_version text not null default '', add computer_name text not null default '';
comment on column evenkeel.enrolment.host_id is
  'The host that the key speaks for and that wants to be called so; null: a host that is to be let in.';
comment on column evenkeel.enrolment.collector_version is 'Version of the collector that asks; empty: not told.';
comment on column evenkeel.enrolment.computer_name is 'What the host''s registry calls it; empty: not told.';

-- Made anew with other arguments.
drop function if exists evenkeel.enroll(bytea, text, bytea, text, text, bytea, bytea, boolean, integer);
drop function if exists evenkeel.grant_host(integer, text, boolean);
drop function if exists evenkeel.host_of_key(integer, text, text, text, bytea);
drop function if exists evenkeel.admit(bytea[], uuid[], bigint[], bytea[], bytea[], bytea[], bytea[], bigint[], bytea[], text[], text[],
                                       bytea[], bigint[], bigint);
drop function if exists evenkeel.count_offers(integer[], uuid[], bigint[], bytea[], bytea[], text[], text[], bytea[], bigint[]);
drop function if exists evenkeel.approve(text);
drop function if exists evenkeel.grant_hosts(text, text);
