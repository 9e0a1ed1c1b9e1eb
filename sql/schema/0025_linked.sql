-- When a captured file was linked: whether it is the level's own or may be a hotfix is worked out anew whenever the catalogue learns when
-- the level came out, or what a hotfix brings, so that it is all the same what was said first.

alter table evenkeel.baseline add column linked bigint;
comment on column evenkeel.baseline.linked is
    'Of what was captured from a host: when that image was linked, in seconds since 1970; 0: not told. Null: not captured so, or before '
    'this was kept.';
