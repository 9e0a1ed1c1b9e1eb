-- In a fleet database the views ask cells.

do $$
begin
    if current_setting('evenkeel.fleet_again', true) = 'yes' then
        perform evenkeel.make_fleet();
    end if;
end
$$;
