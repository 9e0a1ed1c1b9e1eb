-- The lock 'storing' of evenkeel.lock_order(), as those of 0019_locks.sql are.

create table evenkeel.lock_on_storing ();
comment on table evenkeel.lock_on_storing is 'Holds nothing: who locks it has the lock ''storing''.';
