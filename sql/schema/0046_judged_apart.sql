-- A host of thirty thousand services took a whole turn of all who were judged with it before it was known to be slow; one whose file
-- imports twenty thousand names, nearly so.
insert into evenkeel.setting (name, value, meaning) values
    ('judge.big-facts', '500000', 'Hosts of more bytes of facts are judged apart from the others without being tried.'),
    ('judge.big-import', '5000', 'Hosts with new files that import more symbols of one DLL are tried apart from the others.');

comment on table evenkeel.slow_host is
  'Hosts that take longer than a turn allows, or likely will: they are judged one at a time by a session of their own, and hold up nobody.';
comment on column evenkeel.slow_host.reason is 'Why: how large it is, what it imports, or how long its turn took.';

-- Tells for how long the host waits, too.
drop function if exists evenkeel.judge_slow_next();
