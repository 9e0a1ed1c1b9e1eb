-- Numbers that checks go by.

create or replace function evenkeel.setting(name text)
returns text language sql stable strict
as $$ select s.value from evenkeel.setting s where s.name = setting.name $$;
comment on function evenkeel.setting(text) is 'The value of a setting; null where there is none of that name.';
