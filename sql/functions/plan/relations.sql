-- The working relations of a plan: a host, its files and what it says of itself, as they are after each step.

create or replace function evenkeel.plan_open()
returns void language plpgsql
as $$
begin
    perform evenkeel.overlay_open();
    if to_regclass('pg_temp.plan_step') is not null then
        truncate pg_temp.plan_step, pg_temp.plan_file, pg_temp.plan_change, pg_temp.plan_facts, pg_temp.plan_found, pg_temp.plan_fresh,
                 pg_temp.plan_doubt, pg_temp.plan_row;
        return;
    end if;
    create temporary table plan_step (number integer primary key, stage integer, place bigint, action text, what text, why text,
        product_id integer, ordinal integer, restart boolean, file_path text, subject text, laid boolean not null default false,
        left_out text, instead text) on commit drop;
    comment on table plan_step is
        'A step, as evenkeel.plan_steps() has it. laid: what it changes of files is known, and was laid over the host; left_out: why it '
        'is no step of the plan; instead: the patch that takes its place. Filled by plan_begin, plan_lay, plan_lay_hotfix, '
        'plan_lay_levels, plan_reset; read by plan_answer, plan_doubts, plan_fresh_of, plan_lay, plan_lay_hotfix, plan_lay_levels, '
        'plan_says; ends with the transaction.';
    create temporary table plan_file (path_id integer primary key, was integer, before integer, file_id integer) on commit drop;
    comment on table plan_file is
        'A file of the host: what it is now (was), before the step in hand, and after it; null: it is not there. Filled by plan_keep, '
        'plan_lay_levels, plan_put, plan_reset, plan_take_back; read by plan_changes, plan_doubts, plan_judge, plan_land_level, '
        'plan_land_patch, plan_land_renames, plan_says; ends with the transaction.';
    create temporary table plan_change (path_id integer primary key, image_id integer, file_id integer) on commit drop;
    comment on table plan_change is
        'What the step in hand puts at a path; no image: it takes away what is there. Filled by plan_land_file, plan_land_level, '
        'plan_land_patch, plan_land_renames, plan_put; read by plan_land_level, plan_put; ends with the transaction.';
    create temporary table plan_facts (like evenkeel.host_facts_current including generated) on commit drop;
    comment on table plan_facts is
        'What the host''s registry would say after the steps so far. Filled by plan_reset, plan_say, plan_try; read by plan_judge, '
        'plan_land_file, plan_land_patch, plan_land_renames, plan_list, plan_try, view state_facts, view state_lead_facts; ends with the '
        'transaction.';
    create temporary table plan_found (check_code text, subject text, severity text, symbols jsonb, primary key (check_code, subject))
        on commit drop;
    comment on table plan_found is
        'What was found before the step in hand. Filled by plan_keep, plan_reset; read by plan_fresh_of; ends with the transaction.';
    create temporary table plan_fresh (number integer, check_code text, subject text, summary text) on commit drop;
    comment on table plan_fresh is
        'A grave finding that came with a level, which a later step may mend. Filled by plan_lay_levels; read by plan_lay; ends with the '
        'transaction.';
    create temporary table plan_doubt (place integer, says text, unique (place, says)) on commit drop;
    comment on table plan_doubt is
        'Why not all of what the steps lead to is known. Filled by plan_doubts, plan_land_level, plan_land_patch, plan_land_renames, '
        'plan_lay_hotfix; read by plan_doubts, plan_says; ends with the transaction.';
    create temporary table plan_row (place integer, step integer, action text, what text, why text) on commit drop;
    comment on table plan_row is
        'What is told of the plan. Filled by plan_answer, plan_says; read by plan, plan_answer; ends with the transaction.';
    create or replace temporary view state_facts with (security_barrier) as
        select f.* from plan_facts f join state_host h using (host_id);
    create or replace temporary view state_lead_facts with (security_barrier) as
        select f.* from plan_facts f join state_alike a on a.host_id = f.host_id and a.lead = f.host_id;
end
$$;
comment on function evenkeel.plan_open() is
    'Prepares a transaction that ends by being rolled back for laying a plan over one host: in it the host says of itself what the steps '
    'make it say.';
