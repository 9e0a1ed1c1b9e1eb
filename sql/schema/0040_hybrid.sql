-- Images that processes of two machines load.

alter table evenkeel.image add column hybrid integer not null default 0;
comment on column evenkeel.image.hybrid is
  'What an image for Windows on ARM64 serves beside its machine: 1 nothing, 2 it is ARM64EC, 3 ARM64X; 0: not told, or for no such '
  'Windows.';
