-- shown_host loses two columns, which a view cannot while others stand on it: they are put on a new one, and the old one goes then
-- (sql/views/98_before.sql).

alter view if exists evenkeel.shown_host rename to shown_host_before;
