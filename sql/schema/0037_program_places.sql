-- Hosts that keep their programs elsewhere than the usual folders: their paths are other places than these were taken for.

comment on column evenkeel.path.location is
  'The path with the Windows directory written %windir%, and the folders of programs called as usual, so that c:/winnt and c:/windows, '
  'c:/programme and c:/program files compare; as reading says.';
comment on column evenkeel.path.reading is
  'Empty: as the usual names of these directories say. Else for hosts that read the path otherwise: the Windows directory that it is in, '
  'or the host''s folders of programs (evenkeel.host_reading), or - where it is in none.';
comment on column evenkeel.chunk.reading is
  'Empty: its paths are read as usual. Else as much of the evenkeel.host_reading of the hosts that read some of them otherwise.';

create table evenkeel.host_to_read (host_id uuid primary key references evenkeel.host on delete cascade);
comment on column evenkeel.host_to_read.host_id is 'Which.';
comment on table evenkeel.host_to_read is
  'Hosts whose chunks were stored before their folders of programs counted; the next end of init reads them and removes the rows.';
insert into evenkeel.host_to_read
select f.host_id from evenkeel.host_facts_current f
where f.facts ->> 'program_files' <> 'c:/program files' or f.facts ->> 'program_files_x86' <> 'c:/program files (x86)'
   or f.facts ->> 'common_files' <> 'c:/program files/common files' or f.facts ->> 'windows_directory' !~ '^c:';
