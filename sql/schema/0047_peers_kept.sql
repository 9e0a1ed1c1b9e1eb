-- Which files like hosts have is no longer counted anew over the whole fleet in one transaction: the counts are kept, and only hosts that
-- changed are looked at. The first count is made in the same steps; what was learnt before holds until it is done.

create table evenkeel.peer_group (
    group_id integer generated always as identity primary key,
    product_id integer not null,
    peers text not null,
    hosts integer not null default 0,
    counted boolean not null default false,
    changed boolean not null default true,
    unique (product_id, peers)
);
comment on table evenkeel.peer_group is 'Hosts of a product that are compared with each other, as evenkeel.peers_of() tells.';
comment on column evenkeel.peer_group.group_id is 'Internal number.';
comment on column evenkeel.peer_group.product_id is 'The product.';
comment on column evenkeel.peer_group.peers is 'What they have in common: levels, architecture, product type.';
comment on column evenkeel.peer_group.hosts is 'How many there are.';
comment on column evenkeel.peer_group.counted is
  'What they hold is counted in peer_path: since they were as many as it takes to tell, and until none is left.';
comment on column evenkeel.peer_group.changed is 'They, or what they hold, changed since peer_file was made of it.';

create table evenkeel.peer_set (
    set_id integer generated always as identity primary key,
    groups integer[] not null unique,
    members integer not null default 0
);
comment on table evenkeel.peer_set is 'Groups that a host is in, once for all hosts that are in the same ones.';
comment on column evenkeel.peer_set.set_id is 'Internal number.';
comment on column evenkeel.peer_set.groups is 'The groups, rising.';
comment on column evenkeel.peer_set.members is 'How many hosts are in these; where none is left the row ends.';

create table evenkeel.peer_host (
    host_id uuid primary key,
    counted_from timestamptz not null,
    set_id integer not null,
    fingerprint integer not null
);
comment on table evenkeel.peer_host is
  'As what a host was counted: what it held then is a row of host_inventory, or of peer_was; so it can be taken away again.';
comment on column evenkeel.peer_host.host_id is 'The host.';
comment on column evenkeel.peer_host.counted_from is 'Of its inventory that was counted, valid_from; -infinity: it had none.';
comment on column evenkeel.peer_host.set_id is 'The groups that it was counted in.';
comment on column evenkeel.peer_host.fingerprint is 'hash_array() of its chunks then: another row is not taken for that one.';

-- Each step changes the counts of most rows: half of a page is left for the rows as they become.
create table evenkeel.peer_path (
    group_id integer not null,
    path_id integer not null,
    holders integer not null,
    primary key (group_id, path_id)
) with (fillfactor = 45);
comment on table evenkeel.peer_path is 'How many hosts of a group hold a path of its product.';
comment on column evenkeel.peer_path.group_id is 'The group.';
comment on column evenkeel.peer_path.path_id is 'The path.';
comment on column evenkeel.peer_path.holders is 'How many.';

create table evenkeel.peer_change (
    change_id bigint generated always as identity primary key,
    host_id uuid not null
);
comment on table evenkeel.peer_change is
  'Hosts that were judged, or went, since they were counted for peer_path; a row per change, so that nobody waits for who counts.';
comment on column evenkeel.peer_change.change_id is 'Rises with time.';
comment on column evenkeel.peer_change.host_id is 'The host.';

create table evenkeel.peer_was (
    was_id bigint generated always as identity primary key,
    host_id uuid not null,
    chunk_ids bigint[] not null
);
create index peer_was_host on evenkeel.peer_was (host_id);
comment on table evenkeel.peer_was is
  'What hosts held by rows of host_inventory that are gone, or were changed where they stand: kept until the host is counted again.';
comment on column evenkeel.peer_was.was_id is 'Internal number.';
comment on column evenkeel.peer_was.host_id is 'The host.';
comment on column evenkeel.peer_was.chunk_ids is 'Its chunks.';

alter table evenkeel.peer_file set (fillfactor = 45);
alter table evenkeel.peer_file add column fresh boolean not null default false;
comment on column evenkeel.peer_file.fresh is 'Who lacks it was not looked for since it, or another file of its component, is known.';

-- Apart from peer_refresh, a row that whoever compares hosts writes: nobody waits for a step.
create table evenkeel.peer_round (
    only_one boolean primary key default true check (only_one),
    under_way boolean not null default false,
    judged bigint not null default 0,
    stage text not null default 'clear' check (stage in ('clear', 'count', 'publish', 'look')),
    next_host uuid,
    published boolean not null default false,
    told_at timestamptz not null default '-infinity',
    so_far interval not null default '0',
    peers text,
    others text
);
insert into evenkeel.peer_round default values;
comment on table evenkeel.peer_round is 'One row: how far the making of peer_file has come. Written by who learns alone.';
comment on column evenkeel.peer_round.only_one is 'Always true.';
comment on column evenkeel.peer_round.under_way is 'It is being made.';
comment on column evenkeel.peer_round.judged is 'peer_refresh.judged when it was begun.';
comment on column evenkeel.peer_round.stage is
  'What is done next: clear, to forget what was counted; count, the hosts that changed; publish, peer_file; look, who lacks such a file.';
comment on column evenkeel.peer_round.next_host is
  'All hosts are gone through for that stage, and the next ones are those after it; null: not, or not yet.';
comment on column evenkeel.peer_round.published is 'Rows of peer_file changed since it was begun.';
comment on column evenkeel.peer_round.told_at is 'Who was judged before may not have seen the last changes of peer_file.';
comment on column evenkeel.peer_round.so_far is 'How long it took so far.';
comment on column evenkeel.peer_round.peers is 'The setting missing-file.peers by which was counted.';
comment on column evenkeel.peer_round.others is 'The setting missing-file.others by which was counted.';
comment on table evenkeel.peer_refresh is 'One row: how fresh peer_file is.';
comment on column evenkeel.peer_refresh.refreshed_at is 'When it was last made.';
comment on column evenkeel.peer_refresh.judged is 'How many hosts were judged since its last making was begun.';
-- The first count begins at once.
update evenkeel.peer_refresh set judged = greatest(judged, 1), refreshed_at = '-infinity';
