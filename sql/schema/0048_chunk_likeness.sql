-- Hosts whose files say the same of levels are judged once: what their chunks say adds up to the same, whatever files say it. What
-- chunk_level had of a chunk left out how far its files confirm one level or another, for that is counted by the level in question.

alter table evenkeel.chunk_level add column likeness_high bigint, add column likeness_low bigint;
comment on column evenkeel.chunk_level.likeness_high is
  'The upper half of a hash of what its files say of the component''s levels together, and of what each of them confirms: the same in '
  'chunks that say the same. Null: not worked out, from before this was kept.';
comment on column evenkeel.chunk_level.likeness_low is 'The lower half.';
