-- What a chunk adds to the version sets of components, kept: a host that changed holds seventy chunks that others hold too, and one that
-- is new.

create table evenkeel.chunk_version_set (
    chunk_id bigint not null,
    component_id integer not null,
    high bigint,
    low bigint,
    line_high bigint,
    line_low bigint,
    primary key (chunk_id, component_id)
);
comment on table evenkeel.chunk_version_set is
  'What the files of a chunk add to the version set of a component: exclusive or of their hashes. Worked out for chunks that several hosts '
  'hold, and again when what is known of the chunk or the catalogue changes.';
comment on column evenkeel.chunk_version_set.chunk_id is 'The chunk.';
comment on column evenkeel.chunk_version_set.component_id is 'The component, of a product that a host with this chunk may have.';
comment on column evenkeel.chunk_version_set.high is
  'The upper half of the hash of the component''s files with a version, each of its place and version; null: there is none.';
comment on column evenkeel.chunk_version_set.low is 'The lower half.';
comment on column evenkeel.chunk_version_set.line_high is
  'The upper half of that of the files on the lines of the component''s product, of all where it has no lines; null: there is none.';
comment on column evenkeel.chunk_version_set.line_low is 'The lower half.';
