-- How the report counts and ranks a check's findings stands in the check's own header.

alter table evenkeel.check_definition add column rank integer, add column counted_one text, add column counted_many text;
comment on column evenkeel.check_definition.rank is
    'Where its findings stand among those of their severity, the worst (1) first; null: behind all that say so.';
comment on column evenkeel.check_definition.counted_one is
    'What one host has of it, behind ''1 host '': lacks a file. Null: its file does not say.';
comment on column evenkeel.check_definition.counted_many is 'What more hosts have of it, behind ''2 hosts '': lack a file.';

drop function if exists evenkeel.check_place(text);
