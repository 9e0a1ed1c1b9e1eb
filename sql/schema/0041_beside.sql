-- Parts that Windows brings along and that are updated by themselves (.NET Framework): products whose verdict stands beside the host's.

alter table evenkeel.product add column beside boolean not null default false;
comment on column evenkeel.product.beside is
  'A part of Windows that has updates of its own (.NET Framework): its levels are releases, its updates patches. Mixed it makes its host '
  'mixed; unknown it leaves the host''s verdict to the others, and is shown beside.';

comment on column evenkeel.level.ubr is
  'The update build revision that declares it; of a product that stands beside Windows the least Release of its setup key that does.';

alter table evenkeel.level_rule drop constraint level_rule_relation_check;
alter table evenkeel.level_rule add constraint level_rule_relation_check check (relation in ('=', '>=', '<='));
comment on column evenkeel.level_rule.relation is
  '>=: by this version and above it is proven; =: files at this version are those that the level ships; <=: the level ships no file below '
  'this version as it was released, so that what is no older is confirmed at it, and no end is proven.';
alter table evenkeel.level_rule add column minor integer;
comment on column evenkeel.level_rule.minor is
  'The second part of the version, compared before build and revision; null: these are compared alone.';

alter table evenkeel.patch add column os_builds integer[];
comment on column evenkeel.patch.os_builds is
  'Of products that stand beside Windows: the builds of Windows that it is for, since each has updates and builds of its own; empty: '
  'which is not known, and it counts only where the registry lists it; null: any.';

drop function if exists evenkeel.rule_holds(text, integer, integer, evenkeel.version);
