-- Microsoft's own catalogue of 2001 for HFNetChk and MBSA (mssecure.xml): bulletins, patches, the service packs that they are for, files.

create or replace function evenkeel.mssecure_product(number text)
returns text language sql immutable strict parallel safe
as $$
    select case when number in ('1', '2', '3', '16') then 'windows-nt-4.0' when number = '4' then 'windows-nt-4.0-tse'
                when number in ('5', '6', '7', '8', '17', '18') then 'windows-2000' end
$$;
comment on function evenkeel.mssecure_product(text) is 'The product of a ProductID of mssecure.xml; null: none of ours.';

create or replace function evenkeel.mssecure_level(number text)
returns text language sql immutable strict parallel safe
as $$
    select case number when '69' then 'SP3' when '4' then 'SP4' when '5' then 'SP5' when '6' then 'SP6' when '7' then 'SP6a'
                       when '81' then 'RTM' when '82' then 'SP4' when '83' then 'SP5' when '8' then 'SP6'
                       when '74' then 'RTM' when '1' then 'SP1' when '2' then 'SP2' when '3' then 'SP3' end
$$;
comment on function evenkeel.mssecure_level(text) is 'The level of a ServicePackID of mssecure.xml.';

create or replace function evenkeel.facts_mssecure(doc integer, path text, body xml)
returns void language plpgsql
as $$
begin
    drop table if exists secure_patch;
    create temporary table secure_patch on commit drop as
    select b.bulletin, b.posted, b.numbers, p.place, p.name, p.sbid, p.patch,
           case when substring(lower(p.name) from 'q(\d{6})') is not null and 'Q' || substring(lower(p.name)
             from 'q(\d{6})') = any (b.numbers)
                then 'Q' || substring(lower(p.name) from 'q(\d{6})')
                when cardinality(b.numbers) = 1 then b.numbers[1]
                when p.sq ~ '^Q\d{5,6}$' then p.sq else b.bulletin end as code
    from xmltable('/BulletinDatastore/Bulletins/Bulletin' passing body
                  columns bulletin text path '@BulletinID', posted text path '@DatePosted', whole xml path '.') x
    cross join lateral (
        select x.bulletin, replace(x.posted, '/', '-') as posted, array(select trim(q.n)
          from xmltable('/Bulletin/QNumbers/QNumber' passing x.whole
                                                                     columns n text path '@QNumber') q) as numbers) b
    cross join lateral xmltable('/Bulletin/Patches/Patch' passing x.whole
                  columns place for ordinality, name text path '@PatchName', sbid text path '@SBID', sq text path '@SQNumber',
                    patch xml path '.') p
    where b.bulletin ~ '^MS\d\d-\d{3}$';
    comment on table secure_patch is
        'A patch of a bulletin in mssecure.xml, and the code that the registry knows it by. Filled by facts_mssecure; read by '
        'facts_mssecure, facts_mssecure_patches; ends with the transaction.';
    drop table if exists secure_affected;
    create temporary table secure_affected on commit drop as
    select s.bulletin, s.place, s.code, evenkeel.mssecure_product(a.product) as product,
      evenkeel.mssecure_level(nullif(a.fixed, '0')) as fixed,
           array(select evenkeel.mssecure_level(l.number) from xmltable('/AffectedProduct/AffectedServicePack' passing a.whole
                                                                columns number text path '@ServicePackID') l) as levels
    from secure_patch s
    cross join lateral xmltable('/Patch/AffectedProduct' passing s.patch
                                columns product text path '@ProductID', fixed text path '@FixedInSP', whole xml path '.') a
    where evenkeel.mssecure_product(a.product) is not null;
    comment on table secure_affected is
        'A product that such a patch is for, and its levels. Filled by facts_mssecure; read by facts_mssecure, '
        'facts_mssecure_patches; ends with the transaction.';
    insert into fact_patch_file
    select distinct doc, a.code, a.product, f.file, f.version, f.dated, f.size
    from secure_affected a
    join secure_patch s using (bulletin, place)
    cross join lateral xmltable('/Patch/FileChgs/FileChg' passing s.patch columns number text path '@FileChangeID') c
    join (select lower(f.name) as file, c.version, replace(c.dated, '/', '-') as dated, c.size, c.number
          from xmltable('/BulletinDatastore/Files/File' passing body columns name text path '@Name', whole xml path '.') f
          cross join lateral xmltable('/File/FileChanges/FileChange' passing f.whole
                                      columns number text path '@FileChangeID', version text path '@Version', dated text path '@Date',
                                        size text path '@Size') c) f
      on f.number = c.number
    where f.version ~ '^\d{1,5}(\.\d{1,5}){3}$';
    perform evenkeel.facts_mssecure_patches(doc, body);
    insert into fact_file values (doc, path, 'mssecure');
end
$$;
comment on function evenkeel.facts_mssecure(integer, text, xml) is
  'Reads mssecure.xml: the patches of the products that the catalogue has, the levels that they are for, their files.';

create or replace function evenkeel.facts_mssecure_patches(doc integer, body xml)
returns void language sql
as $$
    with level as (
        select a.code, a.product, l from secure_affected a cross join unnest(a.levels) l where l is not null
        union
        -- Where 6a is named 6 is meant, too: the registry calls both so.
        select a.code, a.product, 'SP6' from secure_affected a where 'SP6a' = any (a.levels)
    ), superseded as (
        select distinct later.code, later.product, s.code as earlier
        from xmltable('/BulletinDatastore/SupercededBys/SupercededBy' passing body columns sbid text path '@SBID', whole xml path '.') b
        cross join lateral xmltable('/SupercededBy/SupercededBulletins/SupercededBulletin' passing b.whole
                                    columns bulletin text path '@BulletinID', whole xml path '.') u
        cross join lateral xmltable('/SupercededBulletin/SupercededPatches/SupercededPatch' passing u.whole
                                    columns name text path '@PatchName') p
        join secure_patch n on n.bulletin = u.bulletin and lower(n.name) = lower(p.name)
        join secure_affected later on (later.bulletin, later.place) = (n.bulletin, n.place)
        join secure_patch e on e.sbid = b.sbid and b.sbid not in ('', '0')
        join secure_affected s on (s.bulletin, s.place) = (e.bulletin, e.place) and s.product = later.product and s.code <> later.code
    )
    insert into fact_patch
    select doc, a.code, min(s.bulletin), a.product,
           array(select distinct l.l from level l where (l.code, l.product) = (a.code, a.product) order by 1),
           array_remove(array_agg(distinct a.fixed), null), bool_and(cardinality(a.levels) > 0), min(s.posted)::date,
           array(select distinct u.earlier from superseded u where (u.code, u.product) = (a.code, a.product) order by 1)
    from secure_affected a join secure_patch s using (bulletin, place)
    group by a.code, a.product
$$;
comment on function evenkeel.facts_mssecure_patches(integer, xml) is
  'The patches among what facts_mssecure() read, with the levels that they are for and what they replace.';
