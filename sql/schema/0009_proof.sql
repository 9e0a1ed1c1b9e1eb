-- What a verdict rests on: where levels stand in their chain, what a file confirms and what it only hints at, how much of a component
-- is confirmed. Everything that was judged is judged again.

alter table evenkeel.product
    add column rtm_revision integer,
    add column product_types integer[],
    add column installation_types text[],
    add column os_build_to integer;
comment on column evenkeel.product.os_build is 'Only on hosts that declare this build, or one up to os_build_to; null: any.';
comment on column evenkeel.product.os_build_to is
  'The last of several builds that share one line of files (19041 to 19045); null: os_build alone.';
comment on column evenkeel.product.rtm_revision is
  'The fourth part of the versions that the product was released with (1 for 17763); null: not known, and nothing follows from a file at '
  'it.';
comment on column evenkeel.product.product_types is
  'Only on hosts of these types (ProductType of evenkeel.proto: 1 workstation, 2 server, 3 domain controller), where the type is known; '
  'null: any.';
comment on column evenkeel.product.installation_types is
  'Only on hosts whose InstallationType is one of these, where it is known; null: any.';

alter table evenkeel.level
    add column base_ordinal integer,
    add column line text not null default '',
    add column complete boolean not null default false,
    add column kb text not null default '',
    add column preview boolean not null default false,
    add column out_of_band boolean not null default false;
comment on column evenkeel.level.base_ordinal is 'The level that this one is built on; null: the one below it on its line.';
comment on column evenkeel.level.line is
  'Empty: the product''s main line. GDR, hotpatch: a line beside it, whose levels say nothing of the main one''s.';
comment on column evenkeel.level.complete is 'A complete list says what it ships: what that leaves out is as the levels below have it.';
comment on column evenkeel.level.kb is 'The article of its update; empty: none that is known.';
comment on column evenkeel.level.preview is 'An optional update ahead of the month''s one.';
comment on column evenkeel.level.out_of_band is 'An update between the months'' ones.';

alter table evenkeel.product drop constraint product_level_kind_check;
alter table evenkeel.product add constraint product_level_kind_check check (level_kind in ('service pack', 'cumulative update', 'build'));
comment on column evenkeel.product.level_kind is
  'service pack: declared by CSDVersion; cumulative update: numbers, declared by UBR, the fourth part of versions; build: numbers of the '
  'third and fourth part, third << 16 | fourth.';

alter table evenkeel.baseline drop constraint baseline_kind_check;
alter table evenkeel.baseline add constraint baseline_kind_check
    check (kind in ('captured', 'article', 'shipped', 'media', 'list', 'learned'));
comment on column evenkeel.baseline.kind is
  'captured from a host; media: from media; from an article; shipped with the project; list: an update''s list of files; learned from '
  'the fleet.';

create table evenkeel.known_file (
    product_id integer not null references evenkeel.product on delete cascade,
    file text not null,
    source text not null,
    primary key (product_id, file)
);
comment on table evenkeel.known_file is
  'Names that are known to be a product''s own, beside those that baselines and patches name: only of these a product-wide rule alone '
  'makes a host mixed.';
comment on column evenkeel.known_file.product_id is 'The product.';
comment on column evenkeel.known_file.file is 'The name in lower case.';
comment on column evenkeel.known_file.source is 'Where this row comes from.';

alter table evenkeel.file_level
    add column hint integer,
    add column hint_basis text not null default '',
    add column exact_from integer,
    add column revision integer,
    add column confirmed int4multirange not null default '{}',
    add column confirmed_by_fleet int4multirange not null default '{}',
    add column untouched int4multirange not null default '{}',
    add column ahead int4multirange not null default '{}';
comment on column evenkeel.file_level.levels is
  'Ordinals of the levels that it may belong to, as far as proven; an end without proof is open.';
comment on column evenkeel.file_level.hint is
  'A greater lower end that is likely and not proven: alone it makes no host mixed; null: none.';
comment on column evenkeel.file_level.hint_basis is 'What speaks for it, and why that is no proof.';
comment on column evenkeel.file_level.exact_from is
  'The level that ships exactly this, where the lower end rests on that alone: a hotfix may have brought the same build to an earlier '
  'one.';
comment on column evenkeel.file_level.revision is
  'The ordinal that the product''s rule reads out of the version, where its levels are numbers; else null.';
comment on column evenkeel.file_level.confirmed is 'The levels for which it is proven not older than what they ship, by the catalogue.';
comment on column evenkeel.file_level.confirmed_by_fleet is 'The same by what was learned from the fleet.';
comment on column evenkeel.file_level.untouched is
  'The levels that ship it as the product was released: it can''t be older, and doesn''t count.';
comment on column evenkeel.file_level.ahead is 'The levels that ship it older, where no known patch brings this build.';

alter table evenkeel.chunk_level
    add column hint integer,
    add column revision integer;
comment on column evenkeel.chunk_level.hint is 'The greatest hint of its files; null: none.';
comment on column evenkeel.chunk_level.revision is 'The greatest ordinal that a rule reads out of their versions; null: none.';

create table evenkeel.chunk_proof (
    chunk_id bigint not null,
    component_id integer not null,
    ordinal integer not null,
    confirmed integer not null,
    by_fleet integer not null,
    untouched integer not null,
    ahead integer not null,
    primary key (chunk_id, component_id, ordinal)
);
comment on table evenkeel.chunk_proof is
  'How far the files of a chunk confirm a level: counted once for all hosts that hold the chunk at that level, and again when what is '
  'known of its files changes.';
comment on column evenkeel.chunk_proof.chunk_id is 'The chunk.';
comment on column evenkeel.chunk_proof.component_id is 'The component.';
comment on column evenkeel.chunk_proof.ordinal is 'The level.';
comment on column evenkeel.chunk_proof.confirmed is 'Files that the catalogue confirms at it.';
comment on column evenkeel.chunk_proof.by_fleet is 'Further files that only the fleet confirms.';
comment on column evenkeel.chunk_proof.untouched is 'Files that it ships as the product was released.';
comment on column evenkeel.chunk_proof.ahead is 'Files that are newer than it ships them, by no patch that is known.';

alter table evenkeel.host_component
    add column hint integer,
    add column revision integer,
    add column countable integer not null default 0,
    add column confirmed integer not null default 0,
    add column ahead integer not null default 0;
comment on column evenkeel.host_component.hint is 'As chunk_level.hint.';
comment on column evenkeel.host_component.revision is 'As chunk_level.revision.';
comment on column evenkeel.host_component.countable is
  'Of how many it says something that they are not older than the level ships them: all but those that it ships as the product was '
  'released.';
comment on column evenkeel.host_component.confirmed is 'How many of these are proven not older.';
comment on column evenkeel.host_component.ahead is 'How many are newer than the level ships them, by no patch that is known.';

alter table evenkeel.host_product
    add column at_ordinal integer,
    add column countable integer not null default 0,
    add column confirmed integer not null default 0,
    add column proof text not null default '';
comment on column evenkeel.host_product.at_ordinal is
  'The level that was to be proven: the declared one if it lies in the range, else the greatest lower end; null: neither is there.';
comment on column evenkeel.host_product.countable is 'How many files could be older than that level ships them.';
comment on column evenkeel.host_product.confirmed is 'How many of these are proven not to be.';
comment on column evenkeel.host_product.proof is 'On what the verdict rests: catalogue, store, fleet; empty: on nothing.';

truncate evenkeel.file_level, evenkeel.chunk_level;
insert into evenkeel.unjudged_file select file_id from evenkeel.file on conflict do nothing;
insert into evenkeel.unjudged_chunk select chunk_id from evenkeel.chunk on conflict do nothing;
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
