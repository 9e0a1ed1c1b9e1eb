-- The column of the views that names a check is no longer called by a word of SQL, which had to be quoted. Where the views are there
-- already they are renamed in place: what people built on them stays.

alter view if exists ops.finding rename column "check" to check_name;
alter view if exists ops.finding_history rename column "check" to check_name;
alter view if exists ops.risk_acceptance rename column "check" to check_name;
