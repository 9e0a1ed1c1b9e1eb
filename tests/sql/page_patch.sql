-- The list of patches that pages show.
begin;
select plan(5);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1']), fixture.product('other', array['RTM', 'SP1'], false) \g /dev/null
select fixture.patch('app', code, '{}', '{}') from unnest(array['ZZ-OLD', 'ZZ-UNDATED', 'ZZ-NEW', 'ZZ-ALIKE', 'YY-NEWEST']) code \g /dev/null
select fixture.patch('other', 'ZZ-OLD', '{}', '{}') \g /dev/null
update evenkeel.patch set released = case code when 'ZZ-OLD' then date '2003-01-01' when 'YY-NEWEST' then '2031-01-01' else '2030-01-01' end
where code ~ '^(ZZ|YY)-' and code <> 'ZZ-UNDATED';
create function fixture.listed(search text, page integer) returns text language sql as $$
    select string_agg(e ->> 'code', ' ' order by ord)
    from jsonb_array_elements(evenkeel.page_patches(search, page) -> 'patches') with ordinality x (e, ord)
$$;
select is(fixture.listed('zz-', 1), 'ZZ-ALIKE ZZ-NEW ZZ-OLD ZZ-UNDATED', 'the newest first, those of a day by their codes, without a day last');
select is((select e ->> 'products' from jsonb_array_elements(evenkeel.page_patches('zz-old', 1) -> 'patches') e), 'The app, The other', 'each once, with all its products');
select is(evenkeel.page_patches('zz-', 1) -> 'more', 'false'::jsonb, 'there are no more than these');

select fixture.patch('app', format('XX-%s', to_char(n, 'FM000')), '{}', '{}') from generate_series(1, 101) n \g /dev/null
select is(fixture.listed('xx-', 2), 'XX-101', 'after a hundred comes the next page');
select is(array[evenkeel.page_patches('xx-', 1) -> 'more', evenkeel.page_patches('xx-', 2) -> 'more'], array['true', 'false']::jsonb[], 'which is told of');
select * from finish();
rollback;
