-- What levels ship under a file's name and place: of statements that disagree those of the better source.

create or replace function evenkeel.find_statements()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from content_told;
    insert into content_told (file_id, product_id, version, at_release, relation, shipped, first_ordinal, last_ordinal, rank, source, kind)
    with told as materialized (
        select j.file_id, j.product_id, j.version, j.at_release, s.relation, s.version as shipped, s.first_ordinal, s.last_ordinal,
               statement_rank(s.kind) * 2 + (s.file <> j.location)::integer as rank, s.source, s.kind
        from content_held j
        cross join lateral statements_of(j.product_id, j.name, j.location, j.machine) s
        where j.on_line
    ), best as materialized (
        select file_id, product_id, min(rank) as rank from told where relation = '=' group by file_id, product_id
    ), placed as materialized (
        select t.*, t.relation <> '>=' and b.rank < t.rank as may_be_outranked from told t left join best b using (file_id, product_id)
    )
    select file_id, product_id, version, at_release, relation, shipped, first_ordinal, last_ordinal, rank, source, kind
    from placed where may_be_outranked is not true
    union all
    -- Stated outranks captured, captured outranks learned; what a level ships at a place outranks what it ships under that name anywhere.
    select file_id, product_id, version, at_release, relation, shipped, first_ordinal, last_ordinal, rank, source, kind
    from placed t
    where t.may_be_outranked and not exists (
        select from told b
        where (b.file_id, b.product_id) = (t.file_id, t.product_id) and b.relation = '=' and b.rank < t.rank
          and b.first_ordinal <= t.first_ordinal and t.last_ordinal <= b.last_ordinal);
    analyze content_told;
end
$$;
comment on function evenkeel.find_statements() is
  'Fills content_told; an exact statement that a better source contradicts, or repeats, is left out.';

create or replace function evenkeel.implied_statements()
returns table (file_id integer, product_id integer, shipped bigint, first_ordinal integer, last_ordinal integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with complete as materialized (
        select l.product_id, max(l.ordinal) as newest from evenkeel.level l where l.complete and l.line = '' group by l.product_id
    ), baseless as materialized (
        -- What a list leaves out is as in its base: where one is named that is not known whole, nor the release, nobody knows how.
        select l.product_id, l.ordinal
        from evenkeel.level l
        join evenkeel.level b on (b.product_id, b.ordinal) = (l.product_id, l.base_ordinal) and not b.complete
        where l.complete and l.line = ''
          and exists (select from evenkeel.level e where e.product_id = b.product_id and e.ordinal < b.ordinal)
    ), held as materialized (
        select j.file_id, j.product_id, j.name, j.location, j.machine, j.version, j.revision, c.newest, q.rtm_revision
        from content_held j
        join complete c using (product_id)
        join evenkeel.product q using (product_id)
        where j.on_line
    ), stated as materialized (
        select h.file_id, h.product_id, s.version as shipped, s.first_ordinal, s.last_ordinal,
               lead(s.first_ordinal) over (partition by h.file_id, h.product_id order by s.first_ordinal, s.last_ordinal) as next_ordinal
        from held h
        cross join lateral evenkeel.statements_of(h.product_id, h.name, h.location, h.machine) s
        where s.relation = '=' and evenkeel.statement_rank(s.kind) = 1
    ), following as materialized (
        -- Nearly always the next statement begins there: that is seen once for where statements end, not for each file.
        select e.product_id, e.last_ordinal, (select min(l.ordinal) from evenkeel.level l
                                              where l.product_id = e.product_id and l.line = '' and l.complete
                                                and l.ordinal > e.last_ordinal) as ordinal
        from (select distinct product_id, last_ordinal from stated) e
    )
    -- After its last statement a file is as it was, through the complete levels that follow each other.
    select s.file_id, s.product_id, s.shipped, s.last_ordinal + 1, f.last_ordinal
    from stated s
    join complete c using (product_id)
    join following n on (n.product_id, n.last_ordinal) = (s.product_id, s.last_ordinal) and n.ordinal < coalesce(s.next_ordinal, 2147483647)
    cross join lateral (
        select max(l.ordinal) as last_ordinal
        from evenkeel.level l
        where l.product_id = s.product_id and l.line = '' and l.complete and l.ordinal > s.last_ordinal
          and l.ordinal < coalesce(s.next_ordinal, 2147483647)
          and (l.product_id, l.ordinal) not in (select product_id, ordinal from baseless)
          and not exists (select from evenkeel.level g
                          where g.product_id = s.product_id and g.line = ''
                            and (not g.complete or (g.product_id, g.ordinal) in (select product_id, ordinal from baseless))
                            and g.ordinal > s.last_ordinal and g.ordinal < l.ordinal)) f
    where s.last_ordinal < c.newest and f.last_ordinal is not null
    union all
    -- Updates are cumulative: what the list of one leaves out, and none below it had, is as the product was released.
    select h.file_id, h.product_id, (h.version - h.revision + h.rtm_revision)::bigint, 0, f.last_ordinal
    from held h
    left join (select s.file_id, s.product_id, min(s.first_ordinal) as ordinal from stated s group by s.file_id, s.product_id) b
         using (file_id, product_id)
    cross join lateral (
        select max(l.ordinal) as last_ordinal
        from evenkeel.level l
        where l.product_id = h.product_id and l.line = '' and l.complete
          and (l.product_id, l.ordinal) not in (select product_id, ordinal from baseless)
          and l.ordinal < coalesce(b.ordinal, 2147483647)) f
    where h.rtm_revision is not null and f.last_ordinal is not null
$$;
comment on function evenkeel.implied_statements() is
  'What complete lists say of the files of content_held that they leave out: such a level ships them as the levels below have them, at '
  'last as the product was released.';
