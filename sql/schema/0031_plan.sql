-- What a plan is worked out by has another form: these had results, or arguments, of their own.
drop function if exists evenkeel.plan_targets(uuid);
drop function if exists evenkeel.overlay_sides();
