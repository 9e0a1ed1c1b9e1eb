-- Numbers and articles in sentences.

create or replace function evenkeel.counted(number bigint, one text, many text)
returns text language sql immutable parallel safe
as $$ select to_char(number, 'FM999,999,999,990') || ' ' || case number when 1 then one else many end $$;
comment on function evenkeel.counted(bigint, text, text) is '1 entry, 12,345 entries.';

create or replace function evenkeel.counted(number bigint, noun text)
returns text language sql immutable parallel safe
as $$ select evenkeel.counted(number, noun, noun || case when noun like '%ch' then 'es' else 's' end) $$;
comment on function evenkeel.counted(bigint, text) is '1 file, 2 files, 12,114 files.';

create or replace function evenkeel.with_article(word text)
returns text language sql immutable parallel safe
as $$ select case when word ~* '^[aeiou]' then 'an ' else 'a ' end || word $$;
comment on function evenkeel.with_article(text) is 'a kernel32.dll, an iisutil.dll.';
