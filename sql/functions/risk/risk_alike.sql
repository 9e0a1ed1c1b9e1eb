-- Hosts that a patch would change alike: what it meets on them is the same, so one of them is judged and the others come out as it does.
--
-- What a patch does to a host depends on few of its files: those that it replaces, those of patch tables, and those that take part in the
-- imports that its files may change. These give each chunk a class. Of all other files it matters only what they say of levels together:
-- that is the range of the component as it was judged, where some chunk that stays has the same ends (an anchor) - so that no end can
-- come from the files that go. Where none has, the chunks of the component are looked at.

create or replace function evenkeel.risk_stale(taken_at timestamptz, seen_at timestamptz, max_age interval)
returns text language sql stable
as $$
    select case when taken_at < now() - max_age or seen_at < now() - max_age
                then format('its last snapshot is of %s: push a new one',
                            to_char(least(taken_at, seen_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end
$$;
comment on function evenkeel.risk_stale(timestamptz, timestamptz, interval) is
    'Says that a host''s last snapshot is too old; null: it is not.';

create or replace function evenkeel.risk_names()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_name
    with recursive reached as (
        select name
        from (select dll from imports_focused
              union select evenkeel.import_dll(m.dll) from image_import m where m.image_id in (select image_id from state_focus)
              union values ('kernel32.dll'), ('ntdll.dll')) w (name)
        union
        select evenkeel.import_dll(substring(t.target from '=(.*)\.'))
        from reached r
        join path p on p.name = r.name
        join file f using (path_id)
        join image i using (image_id)
        cross join unnest(i.forwarders) t (target)
        where i.forwarders <> '{}' and t.target ~ '=.*\.'
    ), product as (
        select product_id from overlay_patch
        union
        select pc.product_id from overlay_landing l join file f using (file_id) join path_component pc using (path_id)
        union
        select pc.product_id from overlay_new join path_component pc using (path_id)
    )
    select name from reached
    union
    select name from overlay_plan_file
    union
    select regexp_replace(pf.file, '^.*/', '') from patch_file pf join patch t using (patch_id) join product using (product_id)
$$;
comment on function evenkeel.risk_names() is
    'Fills risk_name: names of files on which it depends what the patch does; of DLLs that it concerns, of what these forward to, and '
    'of all in tables of patches of its products.';

create or replace function evenkeel.risk_files()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_file (file_id, mark, moves, unread)
    with importing as materialized (
        select f.file_id, f.path_id
        from image_import m join file f using (image_id)
        where evenkeel.import_dll(m.dll) in (select dll from imports_focused)
    ), chosen as (
        select f.file_id from risk_name n join path p using (name) join file f using (path_id)
        union select file_id from importing
        union select file_id from overlay_landing
    ), folder as materialized (
        select evenkeel.folder_of(p.path) as folder
        from (select f.path_id from chosen join file f using (file_id)
              union select path_id from overlay_new) x
        join path p using (path_id)
        group by 1
    ), removing as materialized (
        select n.machine
        from (select f.image_id as old_image, l.image_id as new_image
              from overlay_landing l join file f using (file_id) where l.action = 'replace'
              union
              select f.image_id, n.image_id
              from overlay_new n join path other on other.name = n.name and other.path_id <> n.path_id
              join file f on f.path_id = other.path_id) p
        join image o on o.image_id = p.old_image
        join image n on n.image_id = p.new_image and n.machine = o.machine
        where evenkeel.exports_may_go(evenkeel.image_unread(o.has_symbols, o.defects, o.machine, o.hybrid), o.export_names,
                                      o.export_ordinals, o.forwarders, n.export_names, n.export_ordinals, n.forwarders)
        group by n.machine
    ), silent as materialized (
        -- The first by path is named; those that have none of the first few are looked at alone (risk_blind_machines).
        select f.file_id, f.path_id, i.machine, dense_rank() over (partition by i.machine order by p.path) as place
        from image i
        join file f using (image_id)
        join path p using (path_id)
        where evenkeel.image_unread(i.has_symbols, i.defects, i.machine, i.hybrid) and i.machine in (select machine from removing)
          and exists (select from overlay_patch where has_payload)
          and exists (select from path_component pc where pc.path_id = f.path_id)
    )
    select c.file_id,
           -- A file that some payload brings is that one, and not another with the same version.
           md5(row(f.path_id, case when i.image_id in (select image_id from patch_file where image_id is not null
                                                       union select unnest(images) from overlay_plan_file) then i.image_id end,
                   i.file_version, i.machine, i.hybrid, i.has_symbols, i.defects, i.export_names, i.export_ordinals, i.forwarders,
                   (select array_agg(row(m.dll, m.delay, m.names, m.ordinals)::text order by m.position) from image_import m
                    where m.image_id = i.image_id))::text),
           exists (select from overlay_landing l where l.file_id = c.file_id and l.action = 'replace'), 0
    from chosen c
    join file f using (file_id)
    join image i using (image_id)
    union all
    select f.file_id, 'program ' || evenkeel.folder_of(p.path), false, 0
    from path p join file f using (path_id)
    where p.name like '%.exe' and evenkeel.folder_of(p.path) in (select folder from folder)
    union all
    -- One that is replaced doesn't stand in its own way, and so says nothing of those beyond.
    select file_id, format('unread %s %s', path_id, machine), false,
           case when path_id not in (select f.path_id from overlay_landing l join file f using (file_id))
             then evenkeel.risk_machine_bit(machine) else 0 end
    from silent where place <= 100
    union all
    select null, null, false, evenkeel.risk_machine_bit(machine) from silent where place > 100 group by machine
$$;
comment on function evenkeel.risk_files() is
    'Fills risk_file: the files on which it depends what the patch does, and a mark that is the same where they are the same for that. '
    'Rows without a file: machines of which more files were not read than are among them.';

create or replace function evenkeel.risk_machine_bit(machine integer)
returns integer language sql immutable parallel safe
as $$
    select case machine when evenkeel.pe_machine_i386() then 1 when evenkeel.pe_machine_amd64() then 2
                        when evenkeel.pe_machine_ia64() then 4 else 8 end
$$;
comment on function evenkeel.risk_machine_bit(integer) is 'A bit for a machine (IMAGE_FILE_MACHINE_*): x86, x64, Itanium, any other.';

create or replace function evenkeel.risk_chunks()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select evenkeel.index_content();
    insert into risk_chunk (chunk_id, class, class_again, moves, unread, anchor)
    select chunk_id, hashtextextended(marks, 0), hashtextextended(marks, 1), moves, unread, false
    from (select c.chunk_id, string_agg(r.mark, ' ' order by r.mark) as marks, bool_or(r.moves) as moves, bit_or(r.unread) as unread
          from risk_file r
          join chunk c on c.file_ids @> array[r.file_id]
          where r.file_id is not null
          group by c.chunk_id) x;
    analyze risk_chunk;

    insert into risk_component
    select distinct pc.component_id from overlay_landing l join file f using (file_id) join path_component pc using (path_id)
    where l.action = 'replace';

    -- Anchors: for some of the hosts, the chunk that most of them have.
    insert into risk_chunk (chunk_id, moves, unread, anchor)
    with sampled as materialized (
        select i.host_id, i.chunk_ids
        from (select host_id from overlay_host where plan is not null order by host_id limit 300) h
        join host_inventory_current i using (host_id)
    ), held as materialized (
        select s.host_id, u.chunk_id, count(*) over (partition by u.chunk_id) as holders
        from sampled s cross join unnest(s.chunk_ids) u (chunk_id)
    ), fitting as materialized (
        select h.host_id, h.chunk_id, h.holders, cl.component_id, lower(cl.levels) is not distinct from lower(b.levels) as below,
               upper(cl.levels) is not distinct from upper(b.levels) as above
        from held h
        join chunk_level cl using (chunk_id)
        join risk_component using (component_id)
        join host_component b on b.host_id = h.host_id and b.component_id = cl.component_id
        where not isempty(cl.levels) and not isempty(b.levels)
          and h.chunk_id not in (select chunk_id from risk_chunk where moves)
    )
    select chunk_id, false, 0, true
    from (select distinct on (host_id, component_id) chunk_id from fitting where below
          order by host_id, component_id, above desc, holders desc, chunk_id) x
    union
    select chunk_id, false, 0, true
    from (select distinct on (host_id, component_id) chunk_id from fitting where above
          order by host_id, component_id, below desc, holders desc, chunk_id) x;
    analyze risk_chunk;
$$;
comment on function evenkeel.risk_chunks() is
    'Fills risk_chunk: chunks of one class have the same files of risk_file in them; of anchors the ranges are looked at.';

create or replace function evenkeel.risk_traits()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set work_mem = '128MB'
as $$
begin
    -- Sums of two hashes stand for the classes: these need not be sorted, host by host, to be compared.
    insert into risk_trait (host_id, classes, anchors, moves, unread)
    select o.host_id, array[sum(k.class), sum(k.class_again)], coalesce(array_agg(k.chunk_id) filter (where k.anchor), '{}'),
      bool_or(k.moves), bit_or(k.unread)
    from overlay_host o
    join host_inventory_current i using (host_id)
    cross join unnest(i.chunk_ids) u (chunk_id)
    join risk_chunk k using (chunk_id)
    group by o.host_id;
    analyze risk_trait;

    insert into risk_loose (host_id)
    with anchored as materialized (
        select t.anchors, cl.component_id, range_intersect_agg(cl.levels) as levels
        from (select distinct anchors from risk_trait) t
        cross join unnest(t.anchors) u (chunk_id)
        join chunk_level cl using (chunk_id)
        group by t.anchors, cl.component_id
    )
    select distinct t.host_id
    from risk_trait t
    join host_component b using (host_id)
    join risk_component using (component_id)
    left join anchored a on a.anchors = t.anchors and a.component_id = b.component_id
    where t.moves and (a.levels is distinct from b.levels or isempty(b.levels));
    update risk_loose l set rest = x.rest
    from (
        select host_id, md5(string_agg(row(component_id, levels, moved)::text, ' ' order by component_id)) as rest
        from (select r.host_id, cl.component_id, range_intersect_agg(cl.levels) filter (where not coalesce(k.moves, false)) as levels,
                     array_agg(u.chunk_id order by u.chunk_id) filter (where k.moves) as moved
              from risk_loose r
              join host_inventory_current i using (host_id)
              cross join unnest(i.chunk_ids) u (chunk_id)
              join chunk_level cl using (chunk_id)
              join risk_component using (component_id)
              left join risk_chunk k on k.chunk_id = u.chunk_id and not k.anchor
              group by r.host_id, cl.component_id) c
        group by host_id) x
    where x.host_id = l.host_id;
end
$$;
comment on function evenkeel.risk_traits() is
    'Fills risk_trait with what of each host''s files matters, and risk_loose with what else does where no anchor holds.';

create or replace function evenkeel.risk_alike(max_age interval)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set work_mem = '128MB'
as $$
begin
    perform evenkeel.risk_alike_open();
    perform evenkeel.imports_focus();
    perform evenkeel.risk_names();
    analyze risk_name;
    perform evenkeel.risk_files();
    analyze risk_file;
    perform evenkeel.risk_chunks();
    perform evenkeel.risk_traits();
    perform evenkeel.risk_api_doubts();

    insert into risk_kind (host_id, place, waiting, lead)
    with component as (
        -- A row's hash adds up those of its columns: so the sum tells whose a value is only where the key is the seed, and no column.
        select host_id, product_id, sum(files) as files,
               array[sum(hash_record_extended(held, component_id)),
                     sum(hash_record_extended(held, component_id + (1::bigint << 32)))] as says
        from host_component
        -- How many files confirm the level, too: what is enough on one host with the patch's files may not be on another.
        cross join lateral (select row(levels, files, covered, hint, revision, countable, confirmed, ahead) as held) h
        group by host_id, product_id
    ), judged as (
        select host_id,
               array[sum(hash_record_extended(row(p.levels, p.declared, p.files, p.covered, p.verdict, p.missing, c.says), product_id)),
                     sum(hash_record_extended(row(p.levels, p.declared, p.files, p.covered, p.verdict, p.missing, c.says),
                                              product_id + (1::bigint << 32)))] as says,
               -- Files of another Windows count for a product, and belong to none of its components.
               bool_or(p.files is distinct from coalesce(c.files, 0)) as visited
        from host_product p full join component c using (host_id, product_id)
        group by host_id
    ), found as (
        select host_id, md5(string_agg(row(check_code, subject, severity, summary, evidence)::text, ' ' order by check_code, subject))
          as says
        from finding f join check_definition d on d.code = f.check_code
        where f.closed_at = 'infinity' and d.scope = 'host'
        group by host_id
    ), accepted as (
        select host_id, md5(string_agg(row(check_code, subject, severity, symbols, reason, accepted_by, until)::text, ' '
                                       order by check_code, subject)) as says
        from risk_acceptance
        where until > now() and patch in (select t.code from overlay_patch join patch t using (patch_id))
        group by host_id
    )
    select o.host_id, o.place, q.host_id is not null,
           first_value(o.host_id) over (
               partition by md5(row(o.plan, o.reading, o.doubt, c.unreadable, q.host_id is not null, i.host_id is null, c.seen_at is null,
                                    evenkeel.risk_stale(c.taken_at, c.seen_at, max_age),
                                    t.classes, l.rest, a.says, j.says, fi.says, hp.patch_ids, hp.states, hp.listed, f.likeness, d.says,
                                    case when j.visited or coalesce(t.unread, 0) & n.beyond <> n.beyond then o.host_id end)::text)
               order by o.place)
    from overlay_host o
    cross join (select coalesce(bit_or(unread), 0) as beyond from risk_file where file_id is null) n
    left join (select distinct host_id from judge_queue) q using (host_id)
    left join host_inventory_current i using (host_id)
    left join host_checkin c using (host_id)
    left join host_facts_current f using (host_id)
    left join risk_trait t using (host_id)
    left join risk_loose l using (host_id)
    left join accepted a using (host_id)
    left join risk_api_doubt d using (host_id)
    left join judged j using (host_id)
    left join found fi using (host_id)
    left join host_patch hp using (host_id);
    analyze risk_kind;
end
$$;
comment on function evenkeel.risk_alike(interval) is 'Fills risk_kind: for every host of the plan the one that stands for it.';

create or replace function evenkeel.risk_unlike(leads uuid[])
returns table (host_id uuid, sayable boolean) language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with reason as (
        -- Where files that stay on a host make up what is new. What is new of imports and of patches' own files is told by files of
        -- risk_file alone, and a level below the one that is needed is the same on all of them.
        select r.host_id, f ->> 'check' as what
        from risk_result r cross join jsonb_array_elements(r.findings) f
        where r.host_id = any (leads) and (f -> 'new')::boolean and f ->> 'check' not in ('unresolved-import', 'partial-patch')
          and not (f ->> 'check' = 'patch-below-prerequisite' and f #>> '{evidence,below_count}' = '0')
        union all
        -- Another level has other peers, which may have what is not here.
        select s.host_id, 'peers'
        from state_product s
        join host_facts_current f using (host_id)
        left join host_product b using (host_id, product_id)
        where s.host_id = any (leads)
          and evenkeel.peers_of(s.levels, s.declared, s.verdict,
                                f.facts) <> coalesce(evenkeel.peers_of(b.levels, b.declared, b.verdict, f.facts), '')
        union all
        -- Files that stay and confirm the level that was in question may not confirm the one that is after the patch.
        select s.host_id, 'level'
        from state_product s left join host_product b using (host_id, product_id)
        where s.host_id = any (leads) and s.verdict <> 'mixed' and s.at_ordinal is distinct from b.at_ordinal
    )
    select n.host_id,
           -- Which files are of other levels is told by chunks that say something of levels, where nothing else has a part in it.
           bool_and(n.what in ('mixed-level', 'patch-below-prerequisite'))
           and not exists (select from state_foreign s where s.host_id = n.host_id)
           and not exists (select from state_outside s where s.host_id = n.host_id)
           and not exists (select from state_doubt s where s.host_id = n.host_id)
           and not exists (select from state_trouble s where s.host_id = n.host_id)
           and not exists (select from state_product r join product p on p.product_id = r.product_id and p.unit_of is null
                           join component c on c.product_id = p.product_id cross join unnest(c.include) g (glob)
                           where r.host_id = n.host_id and g.glob like '%{%')
    from reason n
    group by n.host_id
$$;
comment on function evenkeel.risk_unlike(uuid[]) is
    'Those of these hosts whose result may not hold for the hosts that they stand for; sayable: it does for those that hold the same '
    'chunks of which something is said.';

create or replace function evenkeel.risk_part(leads uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set work_mem = '128MB'
as $$
declare
    unlike uuid[];
    sayable uuid[];
begin
    select array_agg(u.host_id), array_agg(u.host_id) filter (where u.sayable) into unlike, sayable from evenkeel.risk_unlike(leads) u;
    update risk_kind k set lead = k.host_id
    where k.lead <> k.host_id and k.lead = any (unlike) and not k.lead = any (coalesce(sayable, '{}'));
    if sayable is null then
        return;
    end if;
    -- A chunk all of whose files may be of any level, and were read, names no file and counts no other way than with its component.
    with chunk_said as materialized (
        select distinct chunk_id, hashint8extended(chunk_id, 0) as hash, hashint8extended(chunk_id, 1) as hash_again
        from chunk_level where levels <> '(,)' or unread > 0 or blind > 0
    ), said as (
        select i.host_id, array[sum(c.hash), sum(c.hash_again)] as says
        from host_inventory_current i
        cross join unnest(i.chunk_ids) u (chunk_id)
        join chunk_said c using (chunk_id)
        where i.host_id in (select k.host_id from risk_kind k where k.lead = any (sayable))
        group by i.host_id
    ), parted as (
        select k.host_id, first_value(k.host_id) over (partition by k.lead, s.says order by k.host_id <> k.lead, k.host_id) as lead
        from risk_kind k left join said s using (host_id)
        where k.lead = any (sayable)
    )
    update risk_kind k set lead = p.lead from parted p where p.host_id = k.host_id and k.lead <> p.lead;
end
$$;
comment on function evenkeel.risk_part(uuid[]) is
    'Parts hosts from those of these that stand for them, where what is found may be another on them: they are judged themselves, or one '
    'of them for those that hold the same.';

create or replace function evenkeel.risk_spread(leads uuid[])
returns bigint language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    told bigint;
begin
    perform evenkeel.risk_part(leads);
    insert into risk_result (host_id, verdict, reason, findings, kept, replaced, step)
    select k.host_id, r.verdict, r.reason, r.findings, r.kept, r.replaced, r.step
    from risk_kind k join risk_result r on r.host_id = k.lead
    where k.lead = any (leads) and k.host_id <> k.lead;
    get diagnostics told = row_count;
    perform evenkeel.risk_settle(array(select k.host_id from risk_kind k where k.lead = any (leads) and k.host_id <> k.lead));
    return told;
end
$$;
comment on function evenkeel.risk_spread(uuid[]) is
    'Gives the result of these hosts to those that they stand for, where it holds for them too; returns to how many.';
