-- The working relations of imports: one who resolves the imports of a state hands them on from step to step.

create or replace function evenkeel.imports_open()
returns void language plpgsql
as $$
begin
    perform evenkeel.state_open();
    if to_regclass('pg_temp.imports_chunk') is not null then
        return;
    end if;
    perform evenkeel.imports_open_content();
    perform evenkeel.imports_open_overlay();
    perform evenkeel.imports_open_hosts();
    perform evenkeel.imports_open_steps();
end
$$;
comment on function evenkeel.imports_open() is 'Prepares a session for the resolution of imports.';

create or replace function evenkeel.imports_open_content()
returns void language plpgsql
as $$
begin
    create temporary table imports_chunk (chunk_id bigint primary key) on commit delete rows;
    comment on table imports_chunk is
        'A chunk of the state. Filled by imports_find_hosts, overlay_imports; read by imports_find_files, imports_find_wanted, '
        'imports_read_chunks; ends with the transaction.';
    create temporary table imports_unread (chunk_id bigint primary key) on commit delete rows;
    comment on table imports_unread is
        'A chunk whose imports no state asked for before. Filled by imports_read_chunks; read by imports_read_chunks; ends with the '
        'transaction.';
    create temporary table imports_unread_file (chunk_id bigint, folder text, name text, machine integer, image_id integer)
        on commit delete rows;
    comment on table imports_unread_file is
        'A file of such a chunk. Filled by imports_read_chunks; read by imports_read_chunks; ends with the transaction.';
    create temporary table imports_fresh (chunk_id bigint, folder text, machine integer, dll text, symbols text[]) on commit delete rows;
    comment on table imports_fresh is
        'What the files of such a chunk want of one DLL, per folder and machine. Filled by imports_read_chunks; read by '
        'imports_read_chunks; ends with the transaction.';
    create temporary table imports_answer (context_id integer, need_id integer, image_id integer) on commit delete rows;
    comment on table imports_answer is
        'A need of one round, and the image that the loader picks for it; null: none. Where only images are compared, context 0. Filled '
        'by imports_focus, imports_follow; read by imports_focus, imports_follow, imports_read_pairs; ends with the transaction.';
    create temporary table imports_pair_wanted (need_id integer, image_id integer) on commit delete rows;
    comment on table imports_pair_wanted is
        'A need and an image that no state compared before. Filled by imports_read_pairs; read by imports_read_pairs; ends with the '
        'transaction.';
    create temporary table imports_pair_read (need_id integer, image_id integer, missing text[], forwarded text[], targets text[],
                                              blind boolean) on commit delete rows;
    comment on table imports_pair_read is
        'What that image gives of it, forwarders as they are written. Filled by imports_read_pairs; read by imports_read_pairs; ends '
        'with the transaction.';
    create temporary table imports_onward (need_id integer, image_id integer, place integer, dll text, symbol text, digest bytea)
        on commit delete rows;
    comment on table imports_onward is
        'Where one of these forwarders leads; digest: that of the need which leads on. Filled by imports_read_pairs; read by '
        'imports_read_pairs; ends with the transaction.';
end
$$;
comment on function evenkeel.imports_open_content() is 'The part of imports_open() that is of chunks and images, whoever holds them.';

create or replace function evenkeel.imports_open_overlay()
returns void language plpgsql
as $$
begin
    create temporary table state_overlay_chunk_imports (like evenkeel.chunk_imports including indexes) on commit delete rows;
    comment on table state_overlay_chunk_imports is
        'What the files of a chunk that a patch would make import; known to this session only. Without what only its new files want. '
        'Filled by overlay_imports; read by imports_find_contexts, imports_find_wanted, imports_read_chunks, overlay_imports; ends with '
        'the transaction.';
    create temporary table state_overlay_need (chunk_id bigint, folder text, machine integer, need_id integer) on commit delete rows;
    comment on table state_overlay_need is
        'What the new files of such a chunk want. Filled by overlay_imports; read by imports_find_wanted; ends with the transaction.';
    create temporary table state_focus (name text, image_id integer, primary key (name, image_id)) on commit delete rows;
    comment on table state_focus is
        'An image that a patch would bring under a name. Where there is any, only what these may change is judged: the two states that '
        'risk compares differ in nothing else. Filled by overlay_focus; read by imports_find_wanted, imports_focus, imports_follow, '
        'risk_names, risk_next; ends with the transaction.';
    create temporary table state_brought (name text primary key) on commit delete rows;
    comment on table state_brought is
        'A file that a patch brings and of which it is not known where it lands: it may be where it is looked for. Filled by '
        'overlay_focus; read by imports_doubt, risk_blind_text; ends with the transaction.';
    create temporary table imports_focused (need_id integer primary key, dll text) on commit delete rows;
    comment on table imports_focused is
        'A need that the images of state_focus may leave unanswered, at once or through forwarders. Filled by imports_focus; read by '
        'imports_find_wanted, risk_files, risk_names; ends with the transaction.';
end
$$;
comment on function evenkeel.imports_open_overlay() is 'The part of imports_open() that is of a patch laid over hosts.';

create or replace function evenkeel.imports_open_hosts()
returns void language plpgsql
as $$
begin
    create temporary table imports_twin (host_id uuid primary key, lead uuid not null, windows integer) on commit delete rows;
    comment on table imports_twin is
        'A host of the state, and the one that is looked at for all that hold the same files and look for them alike. windows: 601 for '
        '6.1. Filled by imports_find_hosts; read by imports_find_contexts, imports_find_hosts, imports_find_wanted, imports_tail, '
        'risk_blind, unresolved_imports; ends with the transaction.';
    create temporary table imports_host_chunk (host_id uuid, chunk_id bigint) on commit delete rows;
    comment on table imports_host_chunk is
        'A chunk of a host that is looked at. Filled by imports_find_hosts; read by imports_find_contexts, imports_find_files, '
        'imports_find_hosts, imports_follow, risk_blind, unresolved_imports; ends with the transaction.';
    create temporary table imports_wanted (chunk_id bigint, folder text, machine integer, need_id integer) on commit delete rows;
    comment on table imports_wanted is
        'What the files of a chunk in one folder want of one DLL. Filled by imports_find_wanted; read by imports_find_contexts, '
        'imports_follow, imports_judge, imports_tail, risk_blind, unresolved_imports; ends with the transaction.';
    create temporary table imports_tail (host_id uuid, machine integer, folder text, rank integer,
                                         primary key (host_id, machine, folder)) on commit delete rows;
    comment on table imports_tail is
        'A folder where any program of a host looks, the one with the least rank first. Filled by imports_tail; read by '
        'imports_add_programs, imports_doubt, imports_find_contexts, imports_pick, imports_whole; ends with the transaction.';
    create temporary table imports_program (host_id uuid, folder text, redirection text) on commit delete rows;
    comment on table imports_program is
        'A folder with a program; and a folder NAME.exe.local there, in which that program looks before its own; null: none. Filled by '
        'imports_find_contexts; read by imports_add_programs, imports_find_contexts; ends with the transaction.';
    create temporary table imports_name (name text primary key, done boolean) on commit delete rows;
    comment on table imports_name is
        'A name that is looked for; done: its files are in imports_provider. Filled by chains_expand, imports_find_files, '
        'imports_judge, imports_resolve; read by imports_find_files; ends with the transaction.';
    create temporary table imports_provider (host_id uuid, name text, folder text, machine integer, image_id integer, path_id integer,
                                             unread integer) on commit delete rows;
    create index imports_provider_name on imports_provider (host_id, name);
    comment on table imports_provider is
        'A file of a host that has such a name. unread: its image''s hybrid, where processes of this machine see tables in it that '
        'were not read; else null. Filled by imports_find_files; read by imports_add_programs, imports_pick, '
        'imports_whole; ends with the transaction.';
end
$$;
comment on function evenkeel.imports_open_hosts() is 'The part of imports_open() that is of hosts and their files.';

create or replace function evenkeel.imports_open_steps()
returns void language plpgsql
as $$
begin
    create temporary table imports_context (context_id integer generated by default as identity, host_id uuid, folder text, machine integer,
                                            own boolean, redirection text, program text, windows integer) on commit delete rows;
    comment on table imports_context is
        'How the files of a folder may be loaded. own: by a program there, so that the folder comes first; redirection: by one that '
        'looks in that folder before; program: by one of that folder, which has a DLL of its own of a name that is wanted. Filled by '
        'imports_add_programs, imports_find_contexts; read by chains_begin, chains_expand, imports_add_programs, imports_doubt, '
        'imports_follow, imports_pick, risk_blind, unresolved_imports; ends with the transaction.';
    create temporary table imports_step (context_id integer, need_id integer, root boolean, depth integer,
                                         primary key (need_id, context_id)) on commit delete rows;
    comment on table imports_step is
        'A need that is looked at in a context; root: of the folder''s files, else of a forwarder, depth steps on. Filled by '
        'imports_add_programs, imports_follow; read by imports_add_programs, imports_follow, imports_resolve; ends with the '
        'transaction.';
    create temporary table imports_asked (context_id integer, dll text) on commit delete rows;
    comment on table imports_asked is
        'A DLL that the needs of one depth ask for. Filled by chains_expand, imports_resolve; read by imports_pick; ends with the '
        'transaction.';
    create temporary table imports_resolved (context_id integer, dll text, image_id integer, path_id integer, gone boolean,
                                             primary key (context_id, dll)) on commit delete rows;
    comment on table imports_resolved is
        'The file that the loader picks for a DLL in a context; null: none; gone: the host has none of that name and machine anywhere. '
        'Filled by imports_pick; read by chains_begin, chains_expand, imports_follow, imports_tell, unresolved_imports; ends with the '
        'transaction.';
    create temporary table imports_open_step (context_id integer, need_id integer, image_id integer, root boolean, missing boolean,
                                              blind boolean, forward_needs integer[], deep boolean, primary key (context_id, need_id))
        on commit delete rows;
    comment on table imports_open_step is
        'A step that is not known to end well: it lacks something, can''t be read, or leads on; deep: further than steps are followed. '
        'Filled by imports_follow; read by chains_begin, imports_follow, imports_judge, imports_tell; ends with the transaction.';
    create temporary table imports_node (node integer generated always as identity, context_id integer, dll text, symbol text, to_dll text,
                                         to_symbol text, ended text, deep boolean) on commit delete rows;
    comment on table imports_node is
        'A symbol of a DLL in a context that leads on (to_dll, to_symbol) or does not end well (ended). Filled by chains_begin, '
        'chains_expand; read by chains_end, chains_expand, imports_tell; ends with the transaction.';
    create temporary table imports_way (node integer, next integer, at integer, reason text) on commit delete rows;
    comment on table imports_way is
        'Where a node leads: the next one, and the one where that ends; 0: what follows is there. reason: how it ends; null: well. Filled '
        'by chains_end; read by imports_tell; ends with the transaction.';
    create temporary table imports_frontier (context_id integer, dll text) on commit delete rows;
    comment on table imports_frontier is
        'A DLL that deep chains lead to, in the round at hand. Filled by chains_expand; read by chains_expand; ends with the transaction.';
    create temporary table imports_expanded (context_id integer, dll text) on commit delete rows;
    comment on table imports_expanded is
        'One all of whose forwarders were taken. Filled by chains_expand; read by chains_expand; ends with the transaction.';
    create temporary table imports_bad (context_id integer, need_id integer, symbol text, reason text, chain jsonb) on commit delete rows;
    comment on table imports_bad is
        'A symbol that does not end well in a context. reason: missing, gone, circle; blind, unknown, unreachable: nothing can be said; '
        'some: only the program of the context would miss it. chain: the steps to where it ends. Filled by imports_doubt, imports_tell; '
        'read by risk_blind, unresolved_imports; ends with the transaction.';
end
$$;
comment on function evenkeel.imports_open_steps() is 'The part of imports_open() that is of the ways of symbols.';

create or replace function evenkeel.imports_lock_caches()
returns void language plpgsql
as $$
begin
    if not evenkeel.has_private_caches() then
        perform evenkeel.lock_imports();
    end if;
end
$$;
comment on function evenkeel.imports_lock_caches() is
    'Before the caches of imports are added to: keeps others from it, unless they are this session''s own.';
