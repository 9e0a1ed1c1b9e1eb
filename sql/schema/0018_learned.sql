-- What was learned of levels from the hosts that declare them.

create table evenkeel.learned_level (
    product_id integer not null references evenkeel.product on delete cascade,
    ordinal integer not null,
    hosts integer not null,
    learned_at timestamptz not null,
    refused text[] not null default '{}',
    primary key (product_id, ordinal)
);
comment on table evenkeel.learned_level is 'Levels of which it was looked what the hosts that declare them hold in common.';
comment on column evenkeel.learned_level.product_id is 'The product.';
comment on column evenkeel.learned_level.ordinal is 'The level.';
comment on column evenkeel.learned_level.hosts is 'How many healthy hosts declared it then.';
comment on column evenkeel.learned_level.learned_at is 'When.';
comment on column evenkeel.learned_level.refused is 'Files that were not learned, for a lower level ships a newer one: where they lie.';

alter table evenkeel.peer_refresh
    add column levels_at timestamptz not null default '-infinity',
    add column levels_took interval not null default '0',
    add column levels_judged bigint not null default 1;
comment on column evenkeel.peer_refresh.levels_at is 'When it was last looked which levels can be learned.';
comment on column evenkeel.peer_refresh.levels_took is 'How long that took: it is not done again before a hundred times as long.';
comment on column evenkeel.peer_refresh.levels_judged is 'How many hosts were judged since then.';

insert into evenkeel.setting (name, value, meaning) values
    ('learn.hosts', '20', 'So many healthy hosts must declare a level and hold a file before it is learned what the level ships.'),
    ('learn.share', '0.95', 'Such a share of them must hold the same build.'),
    ('learn.inventories', '3', 'They must have so many distinct inventories: one image, rolled out, proves nothing.')
on conflict do nothing;
