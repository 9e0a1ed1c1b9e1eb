-- title: files of a component are together at versions that do not go together anywhere else in the fleet
-- scope: fleet
-- reads: files, facts
-- rank: 6
-- counted: holds files together as no other does | hold files together as no others do
--
-- Needs no catalogue of versions: for two files of a component whose versions determine each other one to one on other hosts (at least 20
-- hosts with the one pair of versions, at least 20 with another), this host holds one version of each pair. Five hosts, or one in twenty,
-- that do not keep to a pair do not disprove it. sql/functions/fleet/fleet_bonds.sql tells what is compared, and its bounds.
--
-- Subject: product/component. Evidence:
--   product, component      their names
--   odd, against            the two sides of the clearest contradiction, the side with fewer files first: path, version, and files, how
--                           many files of the host stand on that side of it. %windir% is the Windows directory
--   usual                   what the versions of these two files go with elsewhere: path, version, with {path, version}, hosts
--   contradictions          all: path, version, other_path, other_version, files, other_files; at most 50
--   contradiction_count     how many there are
-- keys
select host_id, component_id || ' ' || version_set as key from state_version_sets(false)
-- widen
select host_id from count_evidence()
-- verdict
with conflict as materialized (
    select * from version_conflicts('state_host')
), clearest as (
    select distinct on (c.host_id, c.component_id) c.*
    from (select x.*, sum(x.other_files) over (partition by x.host_id, x.component_id, x.family, x.member) as contradicted
          from conflict x) c
    order by c.host_id, c.component_id, c.contradicted desc, c.files, c.other_files desc, c.location, c.other_location
), listed as (
    select l.host_id, l.component_id, max(l.place) as conflicts,
           jsonb_agg(jsonb_build_object('path', l.location, 'version', version_text(l.version), 'other_path', l.other_location,
                                        'other_version', version_text(l.other_version), 'files', l.files, 'other_files', l.other_files)
                     order by l.place) filter (where l.place <= 50) as list
    from (select c.*, row_number() over (partition by c.host_id, c.component_id order by c.files, c.location, c.other_files,
                                         c.other_location) as place
          from conflict c
          -- Each is there both ways round: the side with fewer files is the odd one.
          where (c.files, c.location) < (c.other_files, c.other_location)) l
    group by l.host_id, l.component_id
), told as (
    select c.*, l.conflicts, l.list, p.code as product, p.name as product_name, cm.code as component, cm.name as component_name,
           (select u.version from version_family u
            where (u.component_id, u.location, u.family, u.member) = (c.component_id, c.other_location, c.other_family, c.usual_other)
            order by u.version limit 1) as odd_goes_with,
           (select u.version from version_family u
            where (u.component_id, u.location, u.family, u.member) = (c.component_id, c.location, c.family, c.other_usual)
            order by u.version limit 1) as against_goes_with
    from clearest c
    join listed l using (host_id, component_id)
    join component cm using (component_id)
    join product p using (product_id)
)
select host_id, product || '/' || component as subject, 'medium' as severity,
       format('%s: %s %s beside %s %s: %s other hosts that have the former have the latter at %s, and %s that have the latter have the '
              'former at %s',
              component_name, location, version_text(version), other_location, version_text(other_version), usual_hosts,
              version_text(odd_goes_with), other_usual_hosts, version_text(against_goes_with)) as summary,
       jsonb_build_object(
           'product', product_name, 'component', component_name,
           'odd', jsonb_build_object('path', location, 'version', version_text(version), 'files', files),
           'against', jsonb_build_object('path', other_location, 'version', version_text(other_version), 'files', other_files),
           'usual', jsonb_build_array(
               jsonb_build_object('path', location, 'version', version_text(version), 'hosts', usual_hosts,
                                  'with', jsonb_build_object('path', other_location, 'version', version_text(odd_goes_with))),
               jsonb_build_object('path', other_location, 'version', version_text(other_version), 'hosts', other_usual_hosts,
                                  'with', jsonb_build_object('path', location, 'version', version_text(against_goes_with)))),
           'contradictions', list, 'contradiction_count', conflicts) as evidence
from told
