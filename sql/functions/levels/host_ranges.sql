-- What registries declare, and what hosts' files and declarations allow together.

create or replace function evenkeel.find_declarations()
returns void language plpgsql
as $$
declare
    known_markers text[] := array(select distinct marker_hotfix from evenkeel.level where marker_hotfix <> '');
begin
    delete from state_declaration;
    insert into state_declaration (host_id, os_version, os_build, inetstp_major, has_registry, service_pack, ubr, product_type,
                                   installation_type, hotpatch, markers, dotnet_release, not_seen)
    with held as materialized (
        select host_id, likeness from state_facts
    ), told as materialized (
        -- Once for all hosts that say the same of themselves: facts may be large.
        select f.likeness, f.os_version, f.os_build, f.inetstp_major, f.has_registry,
               evenkeel.declared_service_pack(f.facts) as service_pack, f.ubr, evenkeel.declared_product_type(f.facts) as product_type,
               coalesce(f.facts ->> 'installation_type', '') as installation_type, coalesce(f.facts ->> 'hotpatch', '') as hotpatch,
               case when f.hotfix_ids ?| known_markers then array(select m from unnest(known_markers) m where f.hotfix_ids ? m) end
                 as markers,
               nullif((f.facts ->> 'dotnet_release')::integer, 0) as dotnet_release,
               coalesce(f.facts -> 'not_seen' <> '[]', false) as not_seen
        from state_facts f
        where f.host_id = any (array(select (array_agg(h.host_id))[1] from held h group by h.likeness))
    )
    select h.host_id, t.os_version, t.os_build, t.inetstp_major, t.has_registry, t.service_pack, coalesce(u.ubr, t.ubr), t.product_type,
           t.installation_type, t.hotpatch, t.markers, t.dotnet_release, t.not_seen
    from held h join told t using (likeness) left join state_update u on u.host_id = h.host_id;
    analyze state_declaration;
end
$$;
comment on function evenkeel.find_declarations() is
  'Fills state_declaration: what registries declare that levels are told by; of hotfixes those alone that mark a level.';

create or replace function evenkeel.product_type_number(product_type text)
returns integer language sql immutable parallel safe
as $$ select case upper(product_type) when 'WORKSTATION' then 1 when 'SERVER' then 2 when 'DOMAIN_CONTROLLER' then 3 else 0 end $$;
comment on function evenkeel.product_type_number(text) is 'ProductType of evenkeel.proto by its name; 0: not known.';

create or replace function evenkeel.declared_product_type(facts jsonb)
returns integer language sql immutable parallel safe
as $$
    -- Where the key ProductOptions was not read, other names of the same registry tell a client from a server.
    select coalesce(nullif(evenkeel.product_type_number(facts ->> 'product_type'), 0),
                    case when facts ->> 'installation_type' ~* '^client' then 1 when facts ->> 'installation_type' ~* '^(server|nano)'
                      then 2
                         when facts ->> 'edition' ~* '^server' then 2 when facts ->> 'product_name' ~* '\mserver\M' then 2
                         when facts ->> 'edition' <> '' or facts ->> 'product_name' ~* '\mwindows (vista|7|8|8\.1|10|11)\M' then 1 end, 0)
$$;
comment on function evenkeel.declared_product_type(jsonb) is
  'Whether a host is a workstation (1), a server (2) or a domain controller (3), by ProductType, else by InstallationType, EditionID and '
  'ProductName; 0: not known.';

create or replace function evenkeel.declared_levels()
returns table (product_id integer, service_pack text, ubr integer, markers text[], declared int4range, base_ordinal integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Once per product and what is declared, however many hosts declare it.
    with said as materialized (
        select distinct service_pack, ubr, markers from state_declaration where has_registry and os_version <> ''
    )
    select p.product_id, s.service_pack, s.ubr, s.markers, d.declared, null::integer
    from product p
    cross join said s
    cross join lateral (
        select int4range(min(l.ordinal), max(l.ordinal) + 1) as declared
        from (select l.ordinal, l.marker_hotfix <> '' and coalesce(l.marker_hotfix = any (s.markers), false) as marked,
                     bool_or(l.marker_hotfix <> '' and coalesce(l.marker_hotfix = any (s.markers), false)) over () as any_marked
              from level l
              where l.product_id = p.product_id and l.service_pack = s.service_pack) l
        where l.marked or not l.any_marked
        having count(*) > 0) d
    where p.follows_os and p.level_kind = 'service pack'
    union all
    -- A number is a level whether or not the catalogue lists it. One on a line of its own stands on its base.
    select p.product_id, s.service_pack, s.ubr, s.markers, int4range(coalesce(l.base_ordinal, s.ubr), s.ubr + 1), l.base_ordinal
    from product p
    cross join said s
    left join level l on l.product_id = p.product_id and l.ordinal = s.ubr and l.line <> ''
    where p.follows_os and p.level_kind = 'cumulative update' and s.ubr is not null
$$;
comment on function evenkeel.declared_levels() is
  'What the registries of state_declaration declare of each product that follows its Windows; base_ordinal where the level stands on '
  'another one than the one below it (hotpatches).';

create or replace function evenkeel.declared_releases()
returns table (product_id integer, release integer, declared int4range)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- A level is declared by all numbers from its own up to the next one's: each Windows has its own for one release.
    select l.product_id, s.release, int4range(l.ordinal, l.ordinal + 1)
    from (select distinct dotnet_release as release from state_declaration where dotnet_release is not null) s
    cross join lateral (select distinct on (n.product_id) n.product_id, n.ordinal from level n 
                        join product q on q.product_id = n.product_id and q.beside
                        where n.ubr <= s.release order by n.product_id, n.ubr desc) l
$$;
comment on function evenkeel.declared_releases() is
  'The levels of products beside Windows that the registries of state_declaration declare by a release number.';

create or replace function evenkeel.product_fits()
returns table (host_id uuid, product_id integer, undecided text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- What a registry leaves out decides nothing: of products that differ in that alone none is judged.
    select c.host_id, c.product_id,
           case when f.has_registry and f.os_version <> '' and f.os_build = 0 and p.os_build is not null
                     and exists (select from product o where o.product_id <> p.product_id and o.os_version = p.os_version
                                   and o.os_build is distinct from p.os_build)
                then 'the registry does not say which build of Windows this is: export CurrentBuildNumber too'
                when f.has_registry and f.os_version <> '' and f.product_type = 0 and p.product_types is not null
                     and exists (select from product o where o.product_id <> p.product_id and o.os_version = p.os_version
                                   and o.os_build is not distinct from p.os_build and o.product_types is distinct from p.product_types)
                then 'the registry does not say whether this is a client or a server: export Control\ProductOptions too'
                when f.has_registry and f.os_version <> '' and f.installation_type = '' and p.installation_types is not null
                     and exists (select from product o where o.product_id <> p.product_id and o.os_version = p.os_version
                                   and o.os_build is not distinct from p.os_build and o.product_types is not distinct from p.product_types
                                   and o.installation_types is distinct from p.installation_types)
                then 'the registry does not say how this Windows was installed: export InstallationType of CurrentVersion too' end
    from (select distinct host_id, product_id from state_component
          union select distinct host_id, product_id from state_foreign) c
    join product p using (product_id)
    left join state_declaration f using (host_id)
    where (p.os_version = '' or coalesce(f.os_version, '') in ('', p.os_version))
      and (p.os_build is null or coalesce(f.os_build, 0) = 0 or f.os_build between p.os_build and coalesce(p.os_build_to, p.os_build))
      and (p.inetstp_major is null or coalesce(f.inetstp_major, 0) in (0, p.inetstp_major))
      and (p.product_types is null or coalesce(f.product_type, 0) = 0 or f.product_type = any (p.product_types))
      and (p.installation_types is null or coalesce(f.installation_type, '') = '' or f.installation_type = any (p.installation_types))
$$;
comment on function evenkeel.product_fits() is
  'Which products the hosts of a state may have, by files that lie where theirs do and by what registries declare; undecided: what would '
  'have to be known to tell.';

create or replace function evenkeel.find_ranges()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from state_range;
    insert into state_range (host_id, product_id, levels, greatest_lower, least_upper, hint, revision, declared, base_ordinal, ordinal,
                             files, covered, undecided)
    with said as (
        select host_id, product_id, range_lower_end(levels) as greatest_lower, range_upper_end(levels) as least_upper, hint, revision,
          files, covered
        from state_component
        union all
        select host_id, product_id, range_lower_end(levels), range_upper_end(levels), null, null, counted::integer,
               (counted and upper(levels) is not null)::integer
        from state_foreign
    ), combined as materialized (
        select host_id, product_id, max(greatest_lower) as greatest_lower, min(least_upper) as least_upper, max(hint) as hint,
               max(revision) as revision, sum(files)::integer as files, sum(covered)::integer as covered
        from said group by host_id, product_id
    ), declared as materialized (
        select * from declared_levels()
    ), released as materialized (
        select * from declared_releases()
    ), placed as materialized (
        select c.*, f.undecided, coalesce(d.declared, e.declared) as declared, d.base_ordinal, q.level_kind,
               -- What a hotpatch brings is newer than the level that it stands on, and no contradiction.
               case when c.greatest_lower > d.base_ordinal and c.greatest_lower < upper(d.declared) then d.base_ordinal
                    else c.greatest_lower end as firm_lower
        from combined c
        join product_fits() f using (host_id, product_id)
        join product q using (product_id)
        left join state_declaration s using (host_id)
        left join declared d on d.product_id = c.product_id and s.has_registry and s.os_version <> '' and d.service_pack = s.service_pack
             and coalesce(d.ubr, -1) = coalesce(s.ubr, -1) and coalesce(d.markers, '{}') = coalesce(s.markers, '{}')
        left join released e on e.product_id = c.product_id and e.release = s.dotnet_release
    ), known as materialized (
        select p.product_id, case p.level_kind when 'service pack' then (select max(l.ordinal) + 1 from level l
          where l.product_id = p.product_id) end as past
        from product p
    )
    select p.host_id, p.product_id,
           range_of_ends(greatest(p.firm_lower, 0, lower(p.declared)), least(p.least_upper, k.past, upper(p.declared))),
           p.firm_lower, p.least_upper, p.hint, p.revision, p.declared, p.base_ordinal, null, p.files, p.covered, p.undecided
    from placed p
    join known k using (product_id);
    if exists (select from state_range where base_ordinal is not null and isempty(levels)) then
        perform find_based_ranges();
    end if;
    -- The level that is to be proven: the declared one where it lies in the range, else the one that files prove.
    update state_range set ordinal = coalesce(base_ordinal, lower(levels))
    where not isempty(levels) and (declared is not null or greatest_lower > -2147483648);
    analyze state_range;
end
$$;
comment on function evenkeel.find_ranges() is
  'Fills state_range: what the components and foreign files of hosts say together, with what their registries declare.';
