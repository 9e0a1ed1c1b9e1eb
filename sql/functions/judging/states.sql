-- What is worked out of a state, in its order.

create or replace function evenkeel.judge_state()
returns void language plpgsql
as $$
begin
    while evenkeel.judge_content_of(array(select h.host_id from state_host h), 100000) > 0 loop
    end loop;
    perform evenkeel.find_component_stores();
    perform evenkeel.judge_levels();
    perform evenkeel.judge_patches();
end
$$;
comment on function evenkeel.judge_state() is 'Fills state_component, state_product and state_patch for the hosts of state_host.';
