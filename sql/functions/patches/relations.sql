-- The working relations of patches: how the hosts of a state stand to the patches of their products.

create or replace function evenkeel.patch_state_open()
returns void language plpgsql
as $$
begin
    perform evenkeel.patch_state_open_files();
    perform evenkeel.patch_state_open_models();
end
$$;
comment on function evenkeel.patch_state_open() is
    'Makes the relations of a state that judge_patches() fills; checks read state_patch (host, patch: state, listed by the registry, '
    'proven by files, best branch, counts) and, by its model, the files in state_model_file and state_patch_file.';

create or replace function evenkeel.patch_state_open_files()
returns void language plpgsql
as $$
begin
    create temporary table state_patch_entry (chunk_id bigint not null, file_id integer not null) on commit delete rows;
    comment on table state_patch_entry is
        'A file of a chunk of the state, of a name that stands in a table of a patch of a product that is here: all that follows looks '
        'here, and no more into chunks. Filled by find_patch_targets; read by find_models, find_patch_targets; ends with the '
        'transaction.';
    create temporary table state_patch_target (file_id integer not null, product_id integer not null, name text not null,
        location text not null, version bigint not null, machine integer not null, on_line boolean not null, qfe boolean)
        on commit delete rows;
    comment on table state_patch_target is
        'Such a file of the product''s components that has a version; qfe: it is a build of the QFE branch, null: not known. Filled by '
        'find_patch_targets; read by choose_branches, compare_patch_targets, find_models; ends with the transaction.';
    create temporary table state_patch_blind (file_id integer, patch_id integer, primary key (file_id, patch_id)) on commit delete rows;
    comment on table state_patch_blind is
        'One that has none that could be read, and a patch in whose table it stands with one: how it stands to that is not known. '
        'Filled by find_patch_targets; read by find_models, weigh_patches; ends with the transaction.';
    -- Tables between two steps, so that the planner knows their size.
    create temporary table state_patch_pair (file_id integer, product_id integer, patch_id integer, branch text, brought bigint not null,
        dated date) on commit delete rows;
    comment on table state_patch_pair is
        'A file and a row of a patch''s table whose versions may be compared. Filled by compare_patch_targets; read by '
        'compare_patch_targets; ends with the transaction.';
    create temporary table state_patch_match (file_id integer, product_id integer, dated date, shipped boolean not null,
        may_ship integer[] not null) on commit delete rows;
    comment on table state_patch_match is
        'A file at exactly a version that a patch brings. shipped: some level ships exactly this. may_ship: levels that came out after '
        'the file was made (dated) and of which nothing says that they ship another version. Filled by compare_patch_targets; read by '
        'compare_patch_targets; ends with the transaction.';
    create temporary table state_patch_file (file_id integer, patch_id integer, branch text, relation smallint not null,
        brought bigint not null, shipped boolean not null, may_ship integer[] not null) on commit delete rows;
    comment on table state_patch_file is
        'How a file stands to what a branch of a patch brings of it: relation -1 older, 0 the same, 1 newer; the rest as in '
        'state_patch_match. Filled by compare_patch_targets; read by choose_branches; ends with the transaction.';
end
$$;
comment on function evenkeel.patch_state_open_files() is 'The part of patch_state_open() that is of files, whoever holds them.';

create or replace function evenkeel.patch_state_open_models()
returns void language plpgsql
as $$
begin
    create temporary table state_model (host_id uuid primary key, model uuid not null) on commit delete rows;
    comment on table state_model is
        'A host of the state, and the one that stands for all that hold the same of these files, at the same levels, with the same '
        'patches listed. Filled by find_models; read by doubt_updates, find_models, store_patches, view state_patch; ends with '
        'the transaction.';
    create temporary table state_model_product (model uuid, product_id integer, levels int4range not null,
        primary key (model, product_id)) on commit delete rows;
    comment on table state_model_product is
        'A product of a model, and the levels that it may be at. Filled by find_models; read by choose_branches, weigh_patches; ends '
        'with the transaction.';
    create temporary table state_model_file (model uuid, file_id integer, primary key (model, file_id)) on commit delete rows;
    comment on table state_model_file is
        'A file of a model that stands in some patch''s table. Filled by find_models; read by choose_branches, '
        'weigh_patches; ends with the transaction.';
    create temporary table state_model_best (model uuid, patch_id integer, branch text not null, same_files integer not null,
        newer_files integer not null, older_files integer not null, product_id integer not null, required_levels integer[] not null,
        levels int4range not null, least_level integer not null) on commit delete rows;
    comment on table state_model_best is
        'The branch of a patch by which a model is judged, and how its files stand to that. least_level: the lowest that the patch may '
        'be installed on. Filled by choose_branches; read by choose_branches, weigh_patches; ends with the transaction.';
    create temporary table state_model_same (model uuid, patch_id integer, file_id integer, least_level integer not null,
        whole boolean not null, proof boolean not null) on commit delete rows;
    comment on table state_model_same is
        'A file of a model at exactly what that branch brings. whole: none of the patch''s files is older; proof: no level that the '
        'model may be at ships it. Filled by choose_branches; read by weigh_patches; ends with the transaction.';
    create temporary table state_model_standing (model uuid, patch_id integer, listed boolean not null, any_proof boolean not null,
        proven boolean not null, branch text not null, same_files integer not null, newer_files integer not null,
        older_files integer not null, compared boolean not null, blind boolean not null, required_levels integer[], levels int4range,
        primary key (model, patch_id)) on commit delete rows;
    comment on table state_model_standing is
        'What speaks for a patch on a model: it is listed; a file of it is at what no level ships (any_proof) and no other patch '
        'explains (proven). compared: it has files that could be compared; blind: and some that could not be read. Filled by '
        'weigh_patches; read by judge_models, weigh_patches; ends with the transaction.';
    create temporary table state_model_superseded (model uuid, patch_id integer, by_code text not null,
        primary key (model, patch_id)) on commit delete rows;
    comment on table state_model_superseded is
        'A patch that another one replaces which the model has whole. Filled by weigh_patches; read by judge_models; ends with the '
        'transaction.';
    create temporary table state_model_patch (model uuid, patch_id integer, state text not null, listed boolean not null,
        proven boolean not null, branch text not null, same_files integer not null, newer_files integer not null,
        older_files integer not null, superseded_by text, primary key (model, patch_id)) on commit delete rows;
    comment on table state_model_patch is
        'The state of a patch on a model, as judge_models() tells them. Filled by judge_models; read by doubt_updates, store_patches, '
        'view state_patch; ends with the transaction.';
    create temporary view state_patch as
        select m.host_id, m.model, p.patch_id, p.state, p.listed, p.proven, p.branch, p.same_files, p.newer_files, p.older_files,
               p.superseded_by
        from state_model m join state_model_patch p using (model);
    comment on view state_patch is
        'The state of a patch on a host of the state. Read by state_needs; ends '
        'with the session.';
end
$$;
comment on function evenkeel.patch_state_open_models() is 'The part of patch_state_open() that is of hosts, each with its like.';
