-- What risk goes by: what a check reads.

alter table evenkeel.check_definition add column reads text[] not null default '{}';
comment on column evenkeel.check_definition.reads is
    'files, imports, facts: what its verdict depends on, itself or through functions. Risk runs those that read what a patch changes.';

-- Caches of imports: what they say of API sets depends on the host's Windows, and what imports nothing is not in them. All is read again.
alter table evenkeel.import_need add column api_set_from integer;
comment on column evenkeel.import_need.api_set_from is
    'The first Windows (601: 6.1) that maps the DLL''s name itself, as that of an API set; below, it is a file like others. Null: no API '
    'set.';
create index import_need_api_set on evenkeel.import_need (api_set_from) where api_set_from is not null;
alter table evenkeel.chunk_imports add column redirections text[] not null default '{}';
comment on column evenkeel.chunk_imports.redirections is
    'Folders NAME.exe.local in which this chunk has files: the program of that name looks there first.';
comment on column evenkeel.import_pair.forward_needs is 'Per forwarded symbol: the need that leads on; null where it names no DLL.';
truncate evenkeel.import_need, evenkeel.chunk_imports, evenkeel.import_pair;
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;

alter table evenkeel.patch_file
    add column other_images integer[] not null default '{}',
    add column payload_paths text[] not null default '{}';
comment on column evenkeel.patch_file.other_images is
    'Further images that the payload has under this name, version, machine and branch, in other folders: which of them lands is not known.';
comment on column evenkeel.patch_file.payload_paths is 'Where in the payload they lie, from its folder on.';
