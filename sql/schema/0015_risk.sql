-- What risk goes by: what a check reads.

alter table evenkeel.check_definition add column reads text[] not null default '{}';
comment on column evenkeel.check_definition.reads is
    'files, imports, facts: what its verdict depends on, itself or through functions. Risk runs those that read what a patch changes.';
