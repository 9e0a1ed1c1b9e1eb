-- title: a file of a component that Windows' servicing owns was not put there by servicing
-- scope: host
-- reads: files, facts
-- rank: 2
-- counted: has files from outside its component store | have files from outside their component stores
--
-- From Vista on such files are hard links into WinSxS, to the version of their component that won. One that is no such link
-- was copied over: servicing does not update it, and checks of the store do not see it. Files are counted where others in the
-- same folder are such links; of drivers, languages' files and .NET's nothing is said, and nothing of a host whose links
-- or store could not be seen (not_seen: no_store).
--
-- Subject: the file's path. Evidence:
--   path, version           the file, and its version, null: none
--   winner                  version of the component that won; the least, where several have a file of that name and machine
--   older                   it is older than all of these
--   one_link                it has no other name, so that it is in no store at all
select o.host_id, o.path as subject, case when o.older then 'high' else 'medium' end as severity,
       format('%s%s is not the file that servicing put there, of version %s%s', o.path,
              case when o.version is not null then format(' at %s', version_text(o.version)) else '' end, version_text(o.winner),
              case when o.older then ': it is older' when o.one_link then ': it is in no component store' else '' end) as summary,
       jsonb_build_object('path', o.path, 'version', version_text(o.version), 'winner', version_text(o.winner), 'older', o.older,
                          'one_link', o.one_link) as evidence
from state_outside o
join state_file f using (host_id, file_id)
