-- A path says where a file lies; what place that is depends on where the host keeps its Windows. Rows of paths, files and chunks are
-- shared by
-- all hosts that read them alike; for a host that reads them otherwise there are rows of their own.

alter table evenkeel.path drop constraint path_digest_key;
alter table evenkeel.path add column reading text not null default '';
alter table evenkeel.path add constraint path_reading_key unique (digest, reading);
comment on column evenkeel.path.location is
  'The path with the Windows directory written %windir%, so that c:/winnt and c:/windows compare; as reading says.';
comment on column evenkeel.path.reading is
  'Empty: as the usual names of the Windows directory say. Else for hosts that read the path otherwise: the Windows directory that it is '
  'in, or - where it is in none.';

alter table evenkeel.chunk drop constraint chunk_digest_key;
alter table evenkeel.chunk add column reading text not null default '';
alter table evenkeel.chunk add column usual_windows text[];
alter table evenkeel.chunk add constraint chunk_reading_key unique (digest, reading);
comment on column evenkeel.chunk.reading is
  'Empty: its paths are read as usual. Else the Windows directory of the hosts that read some of them otherwise.';
comment on column evenkeel.chunk.usual_windows is
  'The folders called as the Windows directory usually is that its paths lie in; null: not known yet.';
