-- Patches on hosts, as dashboards see them.

create or replace view ops.patch_state as
select h.name as host,
       t.code as patch,
       p.code as product,
       coalesce(t.state, 'not applicable') as state,
       coalesce(t.listed, false) as listed,
       coalesce(t.same_files, 0::smallint) as same_files,
       coalesce(t.newer_files, 0::smallint) as newer_files,
       coalesce(t.older_files, 0::smallint) as older_files,
       f.evidence as partial_evidence,
       t.title,
       t.released,
       h.host_id
from evenkeel.host h
join evenkeel.host_inventory_current i using (host_id)
left join evenkeel.host_patch hp using (host_id)
cross join lateral (
    select k.code, k.title, k.released, k.product_id, u.state, u.listed, u.same_files, u.newer_files, u.older_files
    from evenkeel.patch k
    left join unnest(hp.patch_ids, hp.states, hp.listed, hp.same_files, hp.newer_files, hp.older_files)
         u (patch_id, state, listed, same_files, newer_files, older_files) on u.patch_id = k.patch_id
) t
join evenkeel.product p on p.product_id = t.product_id
left join evenkeel.finding f on t.state = 'partial' and f.host_id = h.host_id and f.check_code = 'partial-patch' and f.subject = t.code
     and f.closed_at = 'infinity'
where h.merged_into is null;
comment on view ops.patch_state is 'A row per host and patch of the catalogue.';
comment on column ops.patch_state.host is 'The host''s name.';
comment on column ops.patch_state.patch is 'KB973917, Q319733.';
comment on column ops.patch_state.product is 'The product whose files the patch brings.';
comment on column ops.patch_state.state is
    'installed: all of its files that are there are its own or newer, and the registry lists it or a file proves it; partial: listed or '
    'proven, but files are older; superseded: its files are newer or come with the level, or a patch that replaces it is there; missing: '
    'files are older and nothing says that it was installed; unknown: none is older, but one has no version that could be read; not '
    'applicable: the host has not the product, none of the files, or another level than it needs.';
comment on column ops.patch_state.listed is 'The host''s registry lists it.';
comment on column ops.patch_state.same_files is 'Files of its table at exactly its version.';
comment on column ops.patch_state.newer_files is 'Files of its table that are newer.';
comment on column ops.patch_state.older_files is 'Files of its table that are older.';
comment on column ops.patch_state.partial_evidence is
  'Where it is partial: which files; keys are documented in sql/checks/partial-patch.sql.';
comment on column ops.patch_state.title is 'What the patch is about.';
comment on column ops.patch_state.released is 'When it came out.';
comment on column ops.patch_state.host_id is 'The host.';
