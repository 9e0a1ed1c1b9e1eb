-- In a fleet database the views are made of those of a cell, which come first: see 99_fleet.sql.

do $$
begin
    if evenkeel.is_fleet() then
        perform set_config('evenkeel.fleet_again', 'yes', true);
        perform evenkeel.unmake_fleet();
    end if;
end
$$;
