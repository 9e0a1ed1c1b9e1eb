-- What one host does bears on no other: files that like hosts have, with how many of them; and what an offer was answered.

insert into evenkeel.setting (name, value, meaning) values
    ('missing-file.others', '0.05',
     'Besides a host without a file this share of its peers may lack it, too; what is known so stays known with one more.');

alter table evenkeel.peer_file add column holders integer;
update evenkeel.peer_file set holders = hosts - case when lacking is null then 0 else 1 end;
alter table evenkeel.peer_file alter column holders set not null, drop column lacking;
comment on table evenkeel.peer_file is
  'Files that the hosts of a product and level have, but for a few. Learnt from the fleet now and then.';
comment on column evenkeel.peer_file.holders is 'How many of these have it.';

-- The same offer again gets the same answer.
alter table evenkeel.host_key add column changed_at timestamptz;
comment on column evenkeel.host_key.changed_at is 'When the offer of that number changed the host; null: it did not, or waits for objects.';
