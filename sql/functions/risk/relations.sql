-- The working relations of risk: a patch laid over hosts (overlay_), hosts that it would change alike, and what is found on them (risk_).

create or replace function evenkeel.overlay_open()
returns void language plpgsql
as $$
begin
    perform evenkeel.imports_open();
    perform evenkeel.state_overlay_open();
    if to_regclass('pg_temp.overlay_patch') is null then
        perform evenkeel.overlay_open_plan();
        perform evenkeel.overlay_open_state();
    end if;
end
$$;
comment on function evenkeel.overlay_open() is 'Prepares a session for laying a patch over hosts.';

create or replace function evenkeel.overlay_open_plan()
returns void language plpgsql
as $$
begin
    create temporary table overlay_patch (patch_id integer primary key, product_id integer, has_payload boolean, narrow boolean,
                                          placed boolean);
    comment on table overlay_patch is
        'A patch of the code that was asked for: one per product. narrow: it brings files of 32 bits only, and names no place of such on '
        'a 64-bit Windows; placed: where it lands is for each host to say. Filled by overlay_plan; read by overlay_branches, '
        'overlay_files, overlay_hosts, overlay_landings, risk_alike, risk_compare, risk_demands, risk_doubts, risk_files, risk_find, '
        'risk_grounds, risk_names, risk_next, risk_passed_over, risk_products_known, risk_superseding, untold_programs; ends with the '
        'session.';
    create temporary table overlay_branch (patch_id integer, product_id integer, stem text, ordinal integer, has_gdr boolean,
                                           has_qfe boolean);
    comment on table overlay_branch is
        'A part of a patch: the branches of one stem (SP2 of SP2GDR and SP2QFE; empty: none), for the level ordinal; null: any. Filled '
        'by overlay_branches; read by overlay_hosts, overlay_sides; ends with the session.';
    create temporary table overlay_reached (product_id integer primary key, levels int4range not null);
    comment on table overlay_reached is
        'A product that all hosts have at these levels by then, whatever they declare: steps of a plan before this one. Filled by '
        'plan_land_level; read by overlay_hosts, plan_lay_hotfix; ends with the session.';
    create temporary table overlay_side (host_id uuid, patch_id integer, side text, primary key (host_id, patch_id));
    comment on table overlay_side is
        'A host that gets not for certain the GDR side of a patch that has both: qfe, since a file there is a build of that; either: '
        'not known. Filled by overlay_sides; read by overlay_hosts; ends with the session.';
    create temporary table overlay_host (host_id uuid primary key, plan text, reading text, place bigint, since timestamptz[], doubt text);
    comment on table overlay_host is
        'A host that was asked for. plan: what it gets, as PATCH:STEM:SIDE with blanks between, and, where they matter, on a second '
        'line wide if its Windows has 64 bits, and its reading_programs(); null: nothing. reading: its host_reading(). since: when '
        'its files and facts began to be these. doubt: why what the patch does '
        'there can''t be judged; null: it can. Filled by overlay_hosts, plan_judge, risk_open; read by overlay_additions, '
        'overlay_chunks, overlay_files, overlay_state, plan_judge, plan_land_patch, risk_alike, risk_already, risk_api_left, '
        'risk_chunks, risk_doubts, risk_find, risk_grounds, risk_next, risk_open, risk_settle, risk_traits; ends with the session.';
    create temporary table overlay_plan_file (plan text, patch_id integer, name text, location text, machine integer, version bigint,
                                              image_id integer, images integer[], doubt text);
    comment on table overlay_plan_file is
        'A file that a plan brings. location: where, null: wherever one of its name lies. images: one of these, which image_id stands '
        'for. doubt: why it is not known what it brings. Filled by overlay_doubles, overlay_files; read by overlay_additions, '
        'overlay_doubles, overlay_focus, overlay_landings, overlay_plan, risk_api_exporters, risk_files, risk_names; ends with the '
        'session.';
    create temporary table overlay_either (image_id integer primary key, says text not null);
    comment on table overlay_either is
        'An image that stands for several of which it is not known which lands: it exports what all do and imports what any does. Filled '
        'by overlay_doubles; read by plan_land_patch, risk_find; ends with the session.';
    create temporary table overlay_landing (plan text, file_id integer, action text, brought bigint, image_id integer, new_file_id integer,
                                            doubt text, primary key (plan, file_id));
    comment on table overlay_landing is
        'A file that is there under a name that a plan brings. action: replace (by new_file_id), remove, same, keep (it is newer), '
        'unknown. Filled by overlay_landings, plan_judge; read by overlay_chunks, overlay_focus, overlay_imports, overlay_landings, '
        'plan_land_patch, risk_api_wants, risk_blind, risk_chunks, risk_files, risk_find, risk_landed, risk_names; ends with the session.';
    create temporary table overlay_new (plan text, reading text, name text, machine integer, path_id integer, image_id integer,
                                        file_id integer);
    comment on table overlay_new is
        'A file that a plan would add to hosts with that host_reading(), where it is not there yet. Filled by overlay_additions, '
        'plan_judge; read by overlay_additions, overlay_focus, overlay_imports, overlay_state, plan_land_patch, risk_api_wants, '
        'risk_blind, risk_files, risk_names; ends with the session.';
end
$$;
comment on function evenkeel.overlay_open_plan() is 'The part of overlay_open() that tells what would land where.';

create or replace function evenkeel.overlay_open_state()
returns void language plpgsql
as $$
begin
    create temporary table overlay_chunk (plan text, chunk_id bigint, overlay_id bigint, path_ids integer[], replaced integer, same integer,
                                          kept jsonb, doubt text, primary key (plan, chunk_id)) on commit delete rows;
    comment on table overlay_chunk is
        'A chunk that a plan touches. overlay_id: what it would become, in state_overlay_chunk, null: it stays. path_ids: the files it '
        'touches, replaced and same: how many of each, kept: those that are newer. Filled by overlay_chunks; read by overlay_chunks, '
        'overlay_imports, overlay_state, risk_already, risk_blind, risk_landed; ends with the transaction.';
    create temporary table overlay_added (file_ids integer[] primary key, overlay_id bigint) on commit delete rows;
    comment on table overlay_added is
        'Files that are added together, and the chunk that they make. Filled by overlay_state; read by overlay_state, risk_landed; ends '
        'with the transaction.';
    create temporary table overlay_import (chunk_id bigint, folder text, name text, machine integer, dll text, symbols text[])
        on commit delete rows;
    comment on table overlay_import is
        'What a new file of an overlaid chunk wants of one DLL; null: nothing of any. Filled by overlay_imports; read by '
        'overlay_imports; ends with the transaction.';
    create temporary table overlay_touch (host_id uuid primary key, replaced integer, same integer, kept jsonb, added integer[], doubt text)
        on commit delete rows;
    comment on table overlay_touch is
        'What the patch does to a host: how many files it replaces and has already, those that it keeps, those that it adds. Filled by '
        'overlay_state; read by overlay_state, risk_compare, risk_doubts, risk_find, risk_grounds; ends with the transaction.';
end
$$;
comment on function evenkeel.overlay_open_state() is 'The part of overlay_open() that is of the hosts as they would be.';

create or replace function evenkeel.risk_api_open()
returns void language plpgsql
as $$
begin
    create temporary table risk_api_want (plan text, file_id integer, path text, machine integer, dll text, symbol text)
        on commit delete rows;
    comment on table risk_api_want is
        'A symbol of an API set that a file of a plan imports and the file that it replaces does not (file_id; null: it is new). Filled '
        'by risk_api_wants; read by risk_api_doubts, risk_api_left; ends with the transaction.';
    create temporary table risk_api_left (host_id uuid, plan text, path text, machine integer, dll text, symbol text, known boolean)
        on commit delete rows;
    comment on table risk_api_left is
        'What of risk_api_want no file of a host imports already; known: that there is such a set is. Filled by risk_api_left; read by '
        'risk_api_doubts, risk_api_exporters; ends with the transaction.';
    create temporary table risk_api_exporter (host_id uuid, machine integer, dll text, symbol text) on commit delete rows;
    comment on table risk_api_exporter is
        'What DLLs of a host export that API sets may be made of; dll: it is a file of a set''s name, and symbol may be empty. Filled by '
        'risk_api_exporters; read by risk_api_doubts; ends with the transaction.';
    create temporary table risk_api_doubt (host_id uuid primary key, says text) on commit delete rows;
    comment on table risk_api_doubt is
        'A host of which it is not known whether its Windows has what the patch wants of API sets. Filled by risk_api_doubts; read by '
        'risk_alike, risk_doubts; ends with the transaction.';
end
$$;
comment on function evenkeel.risk_api_open() is 'The part of risk_alike_open() that is of API sets.';

create or replace function evenkeel.risk_alike_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.risk_kind') is not null then
        truncate pg_temp.risk_api_want, pg_temp.risk_api_left, pg_temp.risk_api_exporter, pg_temp.risk_api_doubt, pg_temp.risk_name,
                 pg_temp.risk_file, pg_temp.risk_chunk, pg_temp.risk_component, pg_temp.risk_trait, pg_temp.risk_loose,
                 pg_temp.risk_kind;
        return;
    end if;
    perform evenkeel.risk_api_open();
    create temporary table risk_name (name text primary key) on commit delete rows;
    comment on table risk_name is
        'A name of files on which it depends what the patch does. Filled by risk_names; read by risk_files; ends with the transaction.';
    create temporary table risk_file (file_id integer, mark text, moves boolean, unread integer) on commit delete rows;
    comment on table risk_file is
        'A file on which it depends, and a mark that is the same where it makes no difference. moves: the patch replaces it; unread: '
        'bits of machines whose files were not read. Without a file: of such machines there are more. Filled by risk_files; read by '
        'risk_alike, risk_chunks; ends with the transaction.';
    -- Without an index, so that it is hashed once and not looked up for every chunk of every host.
    create temporary table risk_chunk (chunk_id bigint, class bigint, class_again bigint, moves boolean, unread integer, anchor boolean)
        on commit delete rows;
    comment on table risk_chunk is
        'A chunk with such files; those of one class have the same. anchor: one that has none, and of which the ranges are looked at. '
        'Filled by risk_chunks; read by risk_chunks, risk_traits; ends with the transaction.';
    create temporary table risk_component (component_id integer primary key) on commit delete rows;
    comment on table risk_component is
        'A component of which the patch replaces files. Filled by risk_chunks; read by risk_chunks, risk_traits; ends with the '
        'transaction.';
    create temporary table risk_trait (host_id uuid, classes numeric[], anchors bigint[], moves boolean, unread integer)
      on commit delete rows;
    alter table risk_trait alter classes set statistics 0, alter anchors set statistics 0;
    comment on table risk_trait is
        'What of a host''s files matters: two sums over its chunks'' classes, and its anchors. Filled by risk_traits; read by '
        'risk_alike, risk_traits; ends with the transaction.';
    create temporary table risk_loose (host_id uuid primary key, rest text) on commit delete rows;
    comment on table risk_loose is
        'A host whose range in some component no anchor has, and what its other chunks say there. Filled by risk_traits; read by '
        'risk_alike, risk_traits; ends with the transaction.';
    create temporary table risk_kind (host_id uuid primary key, lead uuid not null, place bigint, waiting boolean not null)
        on commit delete rows;
    create index risk_kind_lead on risk_kind (lead);
    comment on table risk_kind is
        'A host of the plan and the one that is judged for it; waiting: what it is now was not judged yet. Filled by risk_alike, '
        'risk_part, risk_settle; read by risk_grounds, risk_next, risk_part, risk_spread; ends with the transaction.';
end
$$;
comment on function evenkeel.risk_alike_open() is 'Prepares a session for finding hosts that a patch would change alike.';

create or replace function evenkeel.risk_result_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.risk_result') is not null then
        return;
    end if;
    create temporary table risk_found (host_id uuid, check_code text, subject text, severity text, summary text, evidence jsonb,
                                       fresh boolean,
                                       weight integer, doubt text) on commit delete rows;
    comment on table risk_found is
        'What a host of state_host would have that it has not (fresh), or has already where the patch lands; the least weight is told '
        'first. doubt: why it is not certain; null: it is. Filled by risk_find; read by risk_compare, risk_doubts; ends with the '
        'transaction.';
    create temporary table risk_doubt (host_id uuid, place integer, says text) on commit delete rows;
    comment on table risk_doubt is
        'Why a host of state_host can''t be called safe, in the order of place. Filled by risk_doubts; read by risk_compare; ends with '
        'the transaction.';
    create temporary table risk_result (
        host_id uuid primary key, verdict text not null, reason text not null, findings jsonb not null default '[]',
        kept jsonb not null default '[]', replaced integer not null default 0, step text not null default '');
    comment on table risk_result is
        'The verdict on a host: what evenkeel risk and ops.risk() tell; step: what to do first. Filled by risk_compare, '
        'risk_passed_over, risk_settle, risk_spread; read by risk_accept, risk_answer, risk_next, risk_spread, risk_unlike; ends with '
        'the session.';
    create temporary table risk_stranger (host text primary key, reason text not null);
    comment on table risk_stranger is
        'A name that was asked for and that no host has. Filled by risk_open; read by risk_answer, risk_open; ends with the session.';
end
$$;
comment on function evenkeel.risk_result_open() is 'Makes what is found, and told, of the hosts that a patch is laid over.';
