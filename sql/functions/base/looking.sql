-- What commands show that only look. These have their owner's rights, for who looks (evenkeel_read) may read no table; all names are
-- looked for where nobody else can put any.

create or replace function evenkeel.schema_version()
returns integer language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select coalesce(max(m.number), 0) from evenkeel.migration m $$;
comment on function evenkeel.schema_version() is 'The number of the newest file of sql/schema that was applied.';

create or replace function evenkeel.shown_unknown(hosts uuid[])
returns table (host text, product text, missing text) language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select o.host, coalesce(p.code, ''), coalesce(hp.missing, o.missing)
    from ops.host o
    join evenkeel.shown_host s on s.host_id = o.host_id
    left join (evenkeel.host_product hp join evenkeel.product p on p.product_id = hp.product_id)
      on hp.host_id = o.host_id and hp.verdict = 'unknown'
         -- What stands beside Windows is told of a host that is asked for by itself.
         and (not p.beside or cardinality(hosts) = 1)
    where (hosts is null or o.host_id = any (hosts)) and (o.verdict = 'unknown' or hp.verdict = 'unknown' or s.pending)
$$;
comment on function evenkeel.shown_unknown(uuid[]) is
  'A row per host, of these or all, and product of which it is not known whether it is at one level, with what would have to be known; one '
  'of which the state is newer than what was judged is among them, whatever its verdict was.';

create or replace function evenkeel.shown_unanswered(hosts uuid[])
returns table (host text, host_id uuid, check_code text, says text, files bigint)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select h.name, h.host_id, 'unresolved-import', evenkeel.blind_text(b.files), b.files
    from evenkeel.blind_hosts(hosts) b join evenkeel.shown_host h using (host_id)
    union all
    -- An export of parts tells of no services, or of no restart that is waited for: that is not that there are none.
    select h.name, h.host_id, k.check_code, evenkeel.not_seen_sentence(n.kind, n.what, n.entries), null
    from evenkeel.shown_host h
    join evenkeel.host_facts_current f using (host_id)
    cross join lateral evenkeel.not_seen_entries(f.facts) n
    join (values ('Services', 'missing-file'), ('Session Manager', 'pending-reboot')) k (key, check_code) on k.key = n.what
    where (hosts is null or h.host_id = any (hosts)) and f.facts -> 'not_seen' <> '[]' and n.kind = 'no_key'
$$;
comment on function evenkeel.shown_unanswered(uuid[]) is
  'A row per host, of these or all, and check that has no answer there, or not a whole one, whatever its verdict is: files without symbols '
  '(so many; null: it is not for files), keys that were not in the registry given.';

create or replace function evenkeel.shown_unassigned(hosts uuid[])
returns table (host text, host_id uuid, unassigned bigint, files bigint)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select h.name, h.host_id, i.files - coalesce(p.files, 0), i.files
    from evenkeel.shown_host h
    join evenkeel.host_inventory_current i using (host_id)
    left join (select hp.host_id, sum(hp.files) as files from evenkeel.host_product hp
               where hosts is null or hp.host_id = any (hosts) group by hp.host_id) p using (host_id)
    where (hosts is null or h.host_id = any (hosts)) and i.files > coalesce(p.files, 0)
$$;
comment on function evenkeel.shown_unassigned(uuid[]) is
  'A row per host, of these or all, that has files which belong to no product of the catalogue that it has; ops.host.unassigned, without '
  'those that have none.';

create or replace function evenkeel.blind_text(files bigint)
returns text language sql immutable parallel safe
as $$
    select format(case files when 1 then '%s file was read without symbols, or is damaged: what it imports is not known; collect it with '
                                         'symbols, or replace it'
                  else '%s files were read without symbols, or are damaged: what they import is not known; collect them with symbols, '
                       'or replace them' end, files)
$$;
comment on function evenkeel.blind_text(bigint) is 'Why imports of a host can''t be judged, and what helps, of so many files.';

create or replace function evenkeel.shown_choice(hosts text[], groups text[], excepted text[])
returns uuid[] language plpgsql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    stranger record;
begin
    if hosts is null and groups is null and excepted is null then
        return null;
    end if;
    perform evenkeel.check_choice(hosts, groups, excepted);
    select * into stranger from evenkeel.strange_hosts(hosts, excepted) limit 1;
    if found then
        raise exception 'there is no host ''%'': %', stranger.host, stranger.reason using errcode = 'no_data_found';
    end if;
    return array(select c.host_id from evenkeel.chosen_hosts(hosts, groups, excepted) c);
end
$$;
comment on function evenkeel.shown_choice(text[], text[], text[]) is
  'The hosts that are chosen, as evenkeel.chosen_hosts(); null where nothing is chosen, an error where one that is named is not there.';

create or replace function evenkeel.shown_groups(shown uuid)
returns text language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$ select coalesce(string_agg(g.label, ', ' order by g.label), '') from evenkeel.host_group g where g.host_id = shown $$;
comment on function evenkeel.shown_groups(uuid) is 'The groups that a host is in.';

create or replace function evenkeel.shown_collectors(shown uuid)
returns text language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select coalesce(string_agg(distinct nullif(k.collector_version, ''), ', '), '') from evenkeel.host_key k where k.host_id = shown
$$;
comment on function evenkeel.shown_collectors(uuid) is 'The versions of the collectors that report a host, as they last told them.';

create or replace function evenkeel.shown_waivers(only_host uuid)
returns table (host text, "check" text, subject text, state text, until timestamptz, waived_by text, waived_at timestamptz,
               reason text)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select h.host, w.check_code, w.subject,
           case when w.until <= now() then 'ended' when f.host_id is null then 'finding closed' else 'waived' end,
           w.until::timestamptz(0), w.waived_by, w.waived_at::timestamptz(0), w.reason
    from evenkeel.waiver w
    join ops.host h using (host_id)
    left join evenkeel.finding f on f.host_id = w.host_id and f.check_code = w.check_code and f.subject = w.subject
                                    and f.closed_at = 'infinity'
    where only_host is null or h.host_id = only_host
    order by h.host, w.check_code, w.subject
$$;
comment on function evenkeel.shown_waivers(uuid) is 'A row per finding of that host, or of all, that a person accepted, or once did.';

create or replace function evenkeel.shown_patches()
returns table (patch text, product text, level text, files bigint, imports text, payload boolean, requires text, supersedes text,
               title text)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select t.code, p.code, coalesce(k.code, ''),
           greatest(count(f.*), (select max(l.files) from evenkeel.level_list l
                                 where (l.product_id, l.ordinal) = (t.product_id, t.level_ordinal))),
           case when not t.has_payload then 'not known'
                when bool_or(i.image_id is null or evenkeel.image_unread(i.has_symbols, i.defects, i.machine, i.hybrid))
                then 'known of some' else 'known' end,
           t.has_payload,
           coalesce((select string_agg(l.code, ' ' order by l.ordinal) from evenkeel.level l
                     where l.product_id = t.product_id and l.ordinal = any (t.required_levels)), ''),
           array_to_string(t.supersedes, ' '), t.title
    from evenkeel.patch t
    join evenkeel.product p using (product_id)
    left join evenkeel.patch_file f using (patch_id)
    left join evenkeel.image i using (image_id)
    left join evenkeel.level k on (k.product_id, k.ordinal) = (t.product_id, t.level_ordinal)
    group by t.patch_id, p.code, k.code
    order by t.code, p.code
$$;
comment on function evenkeel.shown_patches() is 'A row per patch of the catalogue.';

create or replace function evenkeel.patch_is_known(patch_code text)
returns boolean language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$ select exists (select from evenkeel.patch p where p.code = upper(patch_code)) $$;
comment on function evenkeel.patch_is_known(text) is 'Whether the catalogue has a patch of that code.';

create or replace function evenkeel.shown_patch_files(shown text)
returns table (file text, version text, machine text, branch text, product text, payload boolean, exports integer, imports text)
language sql stable security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select f.file, coalesce(evenkeel.version_text(f.version), ''), coalesce(evenkeel.machine_name(f.machine), ''), f.branch, p.code,
           f.image_id is not null, coalesce(array_length(i.export_names, 1), 0),
           (select string_agg(m.dll, ' ' order by m.position) from evenkeel.image_import m where m.image_id = f.image_id)
    from evenkeel.patch t
    join evenkeel.product p using (product_id)
    join evenkeel.patch_table f using (patch_id)
    left join evenkeel.image i using (image_id)
    where t.code = upper(shown)
    order by p.code, f.branch, f.file, f.version, f.machine
$$;
comment on function evenkeel.shown_patch_files(text) is 'A row per file that a patch brings.';
