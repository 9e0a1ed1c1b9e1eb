-- What the fleet itself teaches about versions that go together, for the check outlier.
--
-- Per component, the fleet is first reduced to its version sets with their host counts (evenkeel.fleet_key). The 256 sets that most hosts
-- have are the evidence. Files count that have two versions with at least 20 hosts each; those whose versions change together on
-- all the evidence are one family, and families that differ from one of the 16 largest on few hosts only join it. Of at most 200 that are
-- left, the largest first, every two are compared. That bounds the cost of learning, however large the fleet: at the very worst 16 times
-- the files of the component and 20,100 pairs over 256 sets, some millions of rows. evenkeel.learn_from_fleet() decides when. Judging a
-- host by what was learnt is linear in its files that vary.

create or replace function evenkeel.version_set_holders(component integer, most integer)
returns table (place integer, hosts integer, host_id uuid, chunk_ids bigint[]) language sql
as $$
    -- A host that waits to be judged may no longer hold the set that it is counted for.
    select row_number() over (order by s.hosts desc, s.key)::integer, s.hosts, i.host_id, i.chunk_ids
    from (select k.key, count(*)::integer as hosts, min(k.host_id::text) filter (where q.host_id is null)::uuid as host_id
          from evenkeel.fleet_key k
          left join (select distinct host_id from evenkeel.judge_queue) q using (host_id)
          where k.check_code = 'outlier' and k.key like component || ' %'
          group by k.key
          order by 2 desc, 1
          limit most) s
    join evenkeel.host_inventory_current i using (host_id)
$$;
comment on function evenkeel.version_set_holders(integer, integer) is
    'The version sets of a component that most hosts have, how many, and for each a host to look at.';

create or replace function evenkeel.evidence_hosts()
returns integer language sql immutable parallel safe
as $$ select 20 $$;
comment on function evenkeel.evidence_hosts() is 'So many hosts must have two versions together before it is taken for more than chance.';

create or replace function evenkeel.evidence_gather(component integer)
returns void language plpgsql
as $$
begin
    insert into evidence_set select * from evenkeel.version_set_holders(component, 256);
    analyze evidence_set;
    -- Chunks that all the sets have hold nothing that varies.
    insert into evidence_item
    with varying as materialized (
        select c.chunk_id from evidence_set s cross join unnest(s.chunk_ids) c (chunk_id)
        group by c.chunk_id having count(*) < (select count(*) from evidence_set)
    ), item as materialized (
        select v.chunk_id, p.location, min(i.file_version) as version
        from varying v
        join evenkeel.chunk k using (chunk_id)
        cross join unnest(k.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        join evenkeel.path_component pc on pc.path_id = f.path_id and pc.component_id = component
        join evenkeel.path p on p.path_id = f.path_id
        join evenkeel.image i using (image_id)
        where i.file_version is not null
        group by v.chunk_id, p.location
    )
    select s.place, t.location, min(t.version)
    from evidence_set s cross join unnest(s.chunk_ids) c (chunk_id) join item t using (chunk_id)
    group by s.place, t.location;
    -- Known to be empty from the component before, it would be read once for each of its rows.
    analyze evidence_item;
    delete from evidence_item e
    where not exists (
        select from (select t.location
                     from (select t.location, t.version from evidence_item t join evidence_set s using (place)
                           group by t.location, t.version having sum(s.hosts) >= evenkeel.evidence_hosts()) t
                     group by t.location having count(*) >= 2) counting
        where counting.location = e.location);
    analyze evidence_item;
end
$$;
comment on function evenkeel.evidence_gather(integer) is
    'Fills evidence_set and evidence_item: the version sets of a component, and the files in them of which several versions are common.';

create or replace function evenkeel.evidence_find_families()
returns void language plpgsql
as $$
begin
    -- A version is called by the first set that has it, so files that divide the sets alike look alike.
    insert into evidence_family
    select min(d.location), count(*), array_agg(d.location)
    from (select n.location, md5(string_agg(n.place || ':' || n.name, ',' order by n.place)) as division
          from (select e.location, e.place, min(e.place) over (partition by e.location, e.version) as name from evidence_item e) n
          group by n.location) d
    group by d.division;
    analyze evidence_family;
    insert into evidence_member
    select f.family, e.place, e.version, s.hosts
    from evidence_family f join evidence_item e on e.location = f.family join evidence_set s using (place);
    analyze evidence_member;
end
$$;
comment on function evenkeel.evidence_find_families() is
    'Fills evidence_family and evidence_member: the files that divide the sets alike, and how.';

create or replace function evenkeel.evidence_find_leads()
returns void language plpgsql
as $$
begin
    -- A single mixed host is enough for a file to divide the sets otherwise than those it belongs to. So files that keep to one of the
    -- largest families but for few hosts join it; what is left is compared.
    insert into evidence_lead
    with ranked as materialized (
        select f.family, row_number() over (order by f.files desc, f.family) as place from evidence_family f
    ), kept as (
        select m.family, count(*) as members
        from (select family, member from evidence_member group by 1, 2 having sum(hosts) >= evenkeel.evidence_hosts()) m group by m.family
    ), met as (
        select a.family as lead, a.member as lead_member, b.family, b.member, sum(a.hosts)::integer as hosts
        from ranked r
        join evidence_member a on a.family = r.family
        join evidence_member b on b.place = a.place
        join ranked rb on rb.family = b.family and rb.place > r.place
        where r.place <= 16
        group by 1, 2, 3, 4
    ), counted as (
        select m.*, sum(m.hosts) over (partition by m.lead, m.lead_member, m.family) as here,
               sum(m.hosts) over (partition by m.lead, m.family, m.member) as there
        from met m
    ), bond as materialized (
        select c.lead, c.lead_member, c.family, c.member, count(*) over (partition by c.lead, c.family) as bonds
        from counted c
        where c.hosts >= evenkeel.evidence_hosts() and c.here - c.hosts <= greatest(5, c.here / 20)
          and c.there - c.hosts <= greatest(5, c.there / 20)
    ), whole as materialized (
        select distinct b.lead, b.family
        from bond b join kept kl on kl.family = b.lead join kept kf on kf.family = b.family
        where b.bonds = kl.members and b.bonds = kf.members
    ), chosen as (
        select distinct on (w.family) w.family, w.lead
        from whole w join ranked r on r.family = w.lead
        where not exists (select from whole other where other.family = w.lead)
        order by w.family, r.place
    )
    select b.family, b.member, b.lead, b.lead_member from bond b join chosen c using (family, lead);
    analyze evidence_lead;
    delete from evidence_family f
    where f.family not in (
        select coalesce(l.lead, g.family)
        from evidence_family g left join (select distinct family, lead from evidence_lead) l using (family)
        group by 1 order by sum(g.files) desc, 1 limit 200)
      and not exists (select from evidence_lead l where l.family = f.family);
    delete from evidence_member m
    where exists (select from evidence_lead l where l.family = m.family) or not exists (select from evidence_family f
      where f.family = m.family);
    analyze evidence_member;
end
$$;
comment on function evenkeel.evidence_find_leads() is
    'Fills evidence_lead: families that keep to a larger one but for few hosts; these leave evidence_member, and so does what '
    'is beyond the 200 largest.';

create or replace function evenkeel.evidence_find_bonds(component integer)
returns void language plpgsql
as $$
begin
    insert into evidence_bond (component_id, family, member, other_family, other_member, hosts)
    with met as (
        select a.family, a.member, b.family as other_family, b.member as other_member, sum(a.hosts)::integer as hosts
        from evidence_member a join evidence_member b on b.place = a.place and b.family >= a.family
        group by 1, 2, 3, 4
    ), counted as (
        select m.*, sum(m.hosts) over (partition by m.family, m.member, m.other_family) as here,
               sum(m.hosts) over (partition by m.family, m.other_family, m.other_member) as there
        from met m
    ), bond as (
        -- The few hosts that do not keep to it are the ones that are looked for: five of them, or one in twenty, do not disprove it.
        select c.family, c.member, c.other_family, c.other_member, c.hosts
        from counted c
        where c.hosts >= evenkeel.evidence_hosts() and c.here - c.hosts <= greatest(5, c.here / 20)
          and c.there - c.hosts <= greatest(5, c.there / 20)
    ), told as (
        -- One bond alone can't be broken: that takes two versions on either side.
        select b.*, count(*) over (partition by b.family, b.other_family) as bonds from bond b
    )
    select component, t.family, t.member, t.other_family, t.other_member, t.hosts from told t where t.bonds >= 2
    union
    select component, t.other_family, t.other_member, t.family, t.member, t.hosts from told t where t.bonds >= 2;

    insert into evidence_version (component_id, location, version, family, member)
    select distinct component, e.location, e.version, coalesce(l.lead, f.family), coalesce(l.lead_member, m.version)
    from evidence_family f
    cross join unnest(f.locations) u (location)
    join evidence_item e on e.location = u.location
    join evidence_item m on m.location = f.family and m.place = e.place
    left join evidence_lead l on l.family = f.family and l.member = m.version
    where exists (select from evidence_bond b where b.family = coalesce(l.lead, f.family) and b.member = coalesce(l.lead_member, m.version))
      and (l.lead is not null or not exists (select from evidence_lead joined where joined.family = f.family));
end
$$;
comment on function evenkeel.evidence_find_bonds(integer) is
    'Fills evidence_bond and evidence_version: which versions go together, and which family each file''s version stands for.';

create or replace function evenkeel.evidence_keep(component integer)
returns boolean language plpgsql
as $$
declare
    changed boolean;
begin
    select exists ((select component_id, location, version, family, member from evidence_version
                    except select component_id, location, version, family, member from evenkeel.version_family
                      where component_id = component)
                   union all
                   (select component_id, location, version, family, member from evenkeel.version_family where component_id = component
                    except select component_id, location, version, family, member from evidence_version))
        or exists ((select family, member, other_family, other_member from evidence_bond
                    except select family, member, other_family, other_member from evenkeel.version_bond where component_id = component)
                   union all
                   (select family, member, other_family, other_member from evenkeel.version_bond where component_id = component
                    except select family, member, other_family, other_member from evidence_bond))
        into changed;
    if changed then
        delete from evenkeel.version_family where component_id = component;
        delete from evenkeel.version_bond where component_id = component;
        insert into evenkeel.version_family select * from evidence_version;
        insert into evenkeel.version_bond select * from evidence_bond;
    end if;
    return changed;
end
$$;
comment on function evenkeel.evidence_keep(integer) is
    'Keeps what was found of a component; says whether that is other than before.';

create or replace function evenkeel.learn_version_bonds(component integer)
returns boolean language plpgsql
as $$
declare
    changed boolean;
    judged_before integer := (select e.judged from evenkeel.version_evidence e where e.component_id = component);
begin
    perform evenkeel.state_open(), evenkeel.evidence_open();
    delete from evidence_set; delete from evidence_item; delete from evidence_family; delete from evidence_member;
    delete from evidence_lead; delete from evidence_bond; delete from evidence_version;
    perform evenkeel.evidence_gather(component);
    perform evenkeel.evidence_find_families();
    perform evenkeel.evidence_find_leads();
    perform evenkeel.evidence_find_bonds(component);
    changed := evenkeel.evidence_keep(component);
    update evenkeel.version_evidence
    set judged = judged - judged_before, hosts = (select count(*) from evenkeel.fleet_key k
                                                  where k.check_code = 'outlier' and k.key like component || ' %')
    where component_id = component;
    return changed;
end
$$;
comment on function evenkeel.learn_version_bonds(integer) is
    'Learns from the fleet which versions of a component''s files go together; says whether that is other than before.';

create or replace function evenkeel.version_conflicts(over text)
returns table (host_id uuid, component_id integer, family text, member bigint, other_family text, other_member bigint,
               files integer, other_files integer, location text, version bigint, other_location text, other_version bigint,
               usual_other bigint, usual_hosts integer, other_usual bigint, other_usual_hosts integer)
language plpgsql
as $$
begin
    create temporary table if not exists version_entry (host_id uuid, component_id integer, family text, member bigint, files integer,
                                                        location text, version bigint) on commit delete rows;
    create temporary table if not exists version_twin (host_id uuid, component_id integer, lead uuid) on commit delete rows;
    delete from version_entry; delete from version_twin;
    -- Hosts that hold the same version set come out alike, so one of them is looked at.
    execute format('
    insert into version_twin
    select k.host_id, split_part(k.key, '' '', 1)::integer, first_value(k.host_id) over (partition by k.key order by k.host_id)
    from evenkeel.fleet_key k join %1$I h using (host_id)
    where k.check_code = ''outlier''', over);
    analyze version_twin;
    -- Once per chunk as far as it goes: hosts differ in few of theirs, and have hundreds of files in each.
    execute format('
    insert into version_entry
    with looked_at as materialized (
        select distinct lead as host_id, component_id from version_twin
    ), holding as materialized (
        select h.host_id, c.chunk_id
        from %1$I h cross join unnest(h.chunk_ids) c (chunk_id)
        where h.host_id in (select host_id from looked_at)
    ), held as materialized (
        select distinct chunk_id from holding
    ), versioned as materialized (
        select k.chunk_id, pc.component_id, p.location, i.file_version as version
        from held k
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        -- A path belongs to components of dozens of products, of which hosts have one or two.
        join evenkeel.path_component pc
          on pc.path_id = f.path_id and pc.product_id = any (array(select distinct c.product_id
                                                                   from looked_at o join evenkeel.component c using (component_id)))
        join evenkeel.path p on p.path_id = f.path_id
        join evenkeel.image i using (image_id)
    ), part as materialized (
        -- Apart from the joins above: what was learnt a moment ago has no statistics, and is looked up by all of its key or not at all.
        select x.chunk_id, v.component_id, v.family, v.member, count(*) as files, min(v.location) as location,
               (array_agg(v.version order by v.location))[1] as version
        from versioned x
        join evenkeel.version_family v on (v.component_id, v.location, v.version) = (x.component_id, x.location, x.version)
        group by 1, 2, 3, 4
    ), entry as materialized (
        select h.host_id, t.* from holding h join part t using (chunk_id)
    )
    select e.host_id, e.component_id, e.family, e.member, sum(e.files), min(e.location),
           (array_agg(e.version order by e.location))[1]
    from entry e
    join looked_at using (host_id, component_id)
    group by 1, 2, 3, 4', over);
    analyze version_entry;
    return query
    select t.host_id, a.component_id, a.family, a.member, b.family, b.member, a.files, b.files,
           a.location, a.version, b.location, b.version,
           ab.other_member::bigint, ab.hosts, ba.other_member::bigint, ba.hosts
    from version_entry a
    join evenkeel.version_bond ab on (ab.component_id, ab.family, ab.member) = (a.component_id, a.family, a.member)
    join version_entry b on (b.host_id, b.component_id, b.family) = (a.host_id, a.component_id, ab.other_family)
      and b.member <> ab.other_member
    join evenkeel.version_bond ba on (ba.component_id, ba.family, ba.member, ba.other_family) = (b.component_id, b.family, b.member,
      a.family)
     and ba.other_member <> a.member
    join version_twin t on (t.lead, t.component_id) = (a.host_id, a.component_id);
end
$$;
comment on function evenkeel.version_conflicts(text) is
    'Versions that a host holds side by side though each of them goes with another version of the other file. over: a relation of '
    '(host_id, chunk_ids), state_host or one like it. Each conflict is there both ways round.';

create or replace function evenkeel.queue_outliers(component integer)
returns void language plpgsql
as $$
begin
    create temporary table if not exists version_holder (host_id uuid not null, chunk_ids bigint[] not null) on commit delete rows;
    delete from version_holder;
    insert into version_holder select s.host_id, s.chunk_ids from evenkeel.version_set_holders(component, null) s;
    analyze version_holder;
    insert into evenkeel.judge_queue (host_id)
    select o.host_id
    from (select k.host_id
          from (select distinct held.key
                from evenkeel.version_conflicts('version_holder') c
                join evenkeel.fleet_key held on held.host_id = c.host_id and held.check_code = 'outlier'
                 and held.key like component || ' %'
                where c.component_id = component) o
          join evenkeel.fleet_key k on k.check_code = 'outlier' and k.key = o.key
          union
          select f.host_id
          from evenkeel.finding f
          join evenkeel.component c on c.component_id = queue_outliers.component
          join evenkeel.product p using (product_id)
          where f.check_code = 'outlier' and f.closed_at = 'infinity' and f.subject = p.code || '/' || c.code) o
    join evenkeel.host_inventory_current i using (host_id)
    order by 1
    on conflict do nothing;
end
$$;
comment on function evenkeel.queue_outliers(integer) is
    'Queues the hosts whose verdict may be another one by what was learnt of a component: those that it contradicts, and those that '
    'have the finding.';

create or replace function evenkeel.count_evidence()
returns table (host_id uuid) language plpgsql
as $$
begin
    insert into evenkeel.version_evidence as e (component_id, judged)
    select split_part(k.key, ' ', 1)::integer, count(*) from state_host_key k group by 1 order by 1
    on conflict on constraint version_evidence_pkey do update set judged = e.judged + excluded.judged;
end
$$;
comment on function evenkeel.count_evidence() is
    'Counts the hosts that are judged, so that learning knows when it is due. Gives no hosts: what one holds is no verdict on another '
    'before it is learnt.';
