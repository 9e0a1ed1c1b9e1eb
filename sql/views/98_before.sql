-- What a migration put aside until nothing stood on it any more.

drop view if exists evenkeel.shown_host_before;
