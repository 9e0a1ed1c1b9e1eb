-- What was found, as dashboards see it.

create or replace view ops.finding as
select h.name as host, f.check_code as check_name, f.subject, f.severity, f.summary, f.evidence, f.opened_at,
       f.evidence_at, w.until as waived_until, w.reason as waived_because, h.host_id, w.waived_by
from evenkeel.finding f
join evenkeel.host h using (host_id)
left join evenkeel.waiver w on (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now()
where f.closed_at = 'infinity' and h.merged_into is null;
comment on view ops.finding is 'A row per open finding.';
comment on column ops.finding.host is 'The host''s name.';
comment on column ops.finding.check_name is 'Which check: mixed-level, missing-file, ...';
comment on column ops.finding.subject is 'What it is about: a product, a patch, a DLL and symbol, an identity.';
comment on column ops.finding.severity is 'high, medium or low.';
comment on column ops.finding.summary is 'One line of evidence.';
comment on column ops.finding.evidence is 'All of it; keys are documented in sql/checks.';
comment on column ops.finding.opened_at is 'Since when.';
comment on column ops.finding.evidence_at is 'When the evidence last changed.';
comment on column ops.finding.waived_until is 'Accepted by a person until then; null: not.';
comment on column ops.finding.waived_because is 'The reason given.';
comment on column ops.finding.host_id is 'The host.';
comment on column ops.finding.waived_by is 'The person who accepted it.';

create or replace view evenkeel.danger as
select f.host_id, h.name, f.check_code, f.subject, f.summary, f.opened_at
from evenkeel.finding f
join evenkeel.host h on h.host_id = f.host_id and h.merged_into is null
where f.closed_at = 'infinity' and f.severity = 'high'
  and not exists (select from evenkeel.waiver w
                  where (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now());
comment on view evenkeel.danger is 'A row per open finding of severity high that nobody has waived.';
comment on column evenkeel.danger.host_id is 'The host.';
comment on column evenkeel.danger.name is 'Its name.';
comment on column evenkeel.danger.check_code is 'Which check.';
comment on column evenkeel.danger.subject is 'What it is about.';
comment on column evenkeel.danger.summary is 'One line of evidence.';
comment on column evenkeel.danger.opened_at is 'Since when.';

create or replace view ops.finding_history as
select h.name as host, f.check_code as check_name, f.subject, f.severity, f.summary, f.evidence, f.opened_at,
       nullif(f.closed_at, 'infinity') as closed_at, f.evidence_at, h.host_id, f.closed_because
from evenkeel.finding f
join evenkeel.host h using (host_id);
comment on view ops.finding_history is 'A row per finding, open or closed.';
comment on column ops.finding_history.host is 'The host''s name.';
comment on column ops.finding_history.check_name is 'Which check.';
comment on column ops.finding_history.subject is 'What it is about.';
comment on column ops.finding_history.severity is 'high, medium or low.';
comment on column ops.finding_history.summary is 'One line of its last evidence.';
comment on column ops.finding_history.evidence is 'All of it.';
comment on column ops.finding_history.opened_at is 'When it was first found.';
comment on column ops.finding_history.closed_at is 'When it was no longer found; null: open.';
comment on column ops.finding_history.evidence_at is 'When the evidence last changed.';
comment on column ops.finding_history.host_id is 'The host.';
comment on column ops.finding_history.closed_because is
  'Why it was closed although nobody looked whether it is still so: its host was retired; null: it was found no longer, or is open.';

create or replace view ops.mixed_level as
select h.name as host, p.code as product,
       f.evidence #>> '{lower,path}' as lower_file, f.evidence #>> '{lower,level}' as lower_level,
       f.evidence #>> '{upper,path}' as upper_file, f.evidence #>> '{upper,level}' as upper_level,
       round((hp.covered::numeric / greatest(hp.files, 1)), 3) as coverage,
       (f.evidence ->> 'move_count')::integer as files_to_move,
       f.evidence #>> '{lower,version}' as lower_version, f.evidence #>> '{upper,version}' as upper_version,
       f.evidence ->> 'declared' as declared_level, f.evidence ->> 'target' as target_level,
       f.evidence -> 'move' as move, f.opened_at, h.host_id,
       upper(hp.declared) - 1 as declared_ordinal, (f.evidence ->> 'target_ordinal')::integer as target_ordinal,
       f.evidence ->> 'target_why' as target_why
from evenkeel.finding f
join evenkeel.host h using (host_id)
join evenkeel.product p on p.code = f.subject
join evenkeel.host_product hp on hp.host_id = f.host_id and hp.product_id = p.product_id
where f.check_code = 'mixed-level' and f.closed_at = 'infinity' and h.merged_into is null;
comment on view ops.mixed_level is
  'A row per product of a host whose files belong to different levels, with the shortest evidence there is.';
comment on column ops.mixed_level.host is 'The host''s name.';
comment on column ops.mixed_level.product is 'The product.';
comment on column ops.mixed_level.lower_file is 'The file with the least upper end; null where the registry''s declaration is that side.';
comment on column ops.mixed_level.lower_level is 'What that file proves.';
comment on column ops.mixed_level.upper_file is
  'The file with the greatest lower end; null where the registry''s declaration is that side.';
comment on column ops.mixed_level.upper_level is 'What that file proves.';
comment on column ops.mixed_level.coverage is 'Share of the product''s component files that say something, 0 to 1.';
comment on column ops.mixed_level.files_to_move is 'How many files must move to reach the target.';
comment on column ops.mixed_level.lower_version is 'The lower file''s version.';
comment on column ops.mixed_level.upper_version is 'The upper file''s version.';
comment on column ops.mixed_level.declared_level is 'What the registry declares.';
comment on column ops.mixed_level.target_level is 
  'The level to reach: the declared one, or where most files are above it, or none is declared, the one that most files prove; or what a '
  'patch that is there needs.';
comment on column ops.mixed_level.move is 'Those files: path, version, levels.';
comment on column ops.mixed_level.opened_at is 'Since when it is mixed.';
comment on column ops.mixed_level.host_id is 'The host.';
comment on column ops.mixed_level.declared_ordinal is
  'Where the declared level stands among the product''s levels, a greater number being later; null: none is declared.';
comment on column ops.mixed_level.target_ordinal is 'Where the target level stands among them.';
comment on column ops.mixed_level.target_why is 'Why that one is the level to reach.';

create or replace view ops.level_matrix as
select m.product, m.component, m.level, m.hosts, m.lowest_ordinal, m.highest_ordinal from evenkeel.component_levels(null) m;
comment on view ops.level_matrix is 'How many hosts hold a component at which level.';
comment on column ops.level_matrix.product is 'The product.';
comment on column ops.level_matrix.component is 'The component.';
comment on column ops.level_matrix.level is
  'The levels that its files allow together; mixed: none; null: unknown, since the product has no levels in the catalogue.';
comment on column ops.level_matrix.hosts is 'How many hosts.';
comment on column ops.level_matrix.lowest_ordinal is
  'Where the lower end of that stands among the product''s levels, a greater number being later; null: open, or mixed.';
comment on column ops.level_matrix.highest_ordinal is 'Where its upper end stands; null: open, or mixed.';
