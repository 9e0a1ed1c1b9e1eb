/* The agent's clockwork, with a clock, a spool and an aggregator that the test moves. */

#include "collector/agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR 3600u
#define DAY (24 * HOUR)

/* What happened, a letter each: t taken, f failed to take, a accepted, l later, u unwelcome, d dropped. */
struct world {
    int64_t now, end, jump_at, jump;
    size_t waiting;
    bool reachable, unwelcome, disk_full;
    int64_t reachable_at;
    char log[4096];
    size_t logged;
    size_t reports;
    int64_t last_given, longest_pause;
    struct agent_schedule schedule;
};

static void note(struct world *world, char what)
{
    if (world->logged + 1 < sizeof world->log)
        world->log[world->logged++] = what;
}

static int64_t world_now(void *context)
{
    return ((struct world *)context)->now;
}

static bool world_wait(void *context, uint32_t milliseconds)
{
    struct world *world = context;
    world->now += milliseconds * INT64_C(1000);
    world->end -= milliseconds * INT64_C(1000);
    world->reachable_at -= milliseconds * INT64_C(1000);
    world->jump_at -= milliseconds * INT64_C(1000);
    if (world->reachable_at <= 0)
        world->reachable = true;
    if (world->jump != 0 && world->jump_at <= 0) {
        world->now += world->jump;
        world->jump = 0;
    }
    return world->end <= 0;
}

/* The longest that may be drawn. */
static uint32_t world_random(void *context, uint32_t bound)
{
    (void)context;
    return bound - 1;
}

static int world_take(void *context, struct error *error)
{
    struct world *world = context;
    note(world, world->disk_full ? 'f' : 't');
    if (world->disk_full)
        return error_set(error, ERROR_IO, "the disk is full");
    world->waiting++;
    return 0;
}

static size_t world_waiting(void *context)
{
    return ((struct world *)context)->waiting;
}

static enum agent_answer world_give(void *context, struct error *error)
{
    struct world *world = context;
    if (world->last_given != 0 && world->now - world->last_given > world->longest_pause)
        world->longest_pause = world->now - world->last_given;
    world->last_given = world->now;
    if (world->unwelcome) {
        note(world, 'u');
        error_set(error, ERROR_REFUSED, "too large");
        return AGENT_UNWELCOME;
    }
    if (!world->reachable) {
        note(world, 'l');
        error_set(error, ERROR_NETWORK, "nobody there");
        return AGENT_LATER;
    }
    note(world, 'a');
    world->waiting--;
    return AGENT_ACCEPTED;
}

static int world_drop(void *context, struct error *error)
{
    (void)error;
    struct world *world = context;
    note(world, 'd');
    world->waiting--;
    return 0;
}

static void world_report(void *context, const char *sentence)
{
    assert_true(strlen(sentence) > 0);
    ((struct world *)context)->reports++;
}

static void run(struct world *world)
{
    struct agent_duties duties = {
        .context = world,
        .now = world_now,
        .wait = world_wait,
        .random = world_random,
        .take = world_take,
        .waiting = world_waiting,
        .give = world_give,
        .drop = world_drop,
        .report = world_report,
    };
    agent_run(&world->schedule, &duties);
}

static size_t times(const struct world *world, char what)
{
    size_t count = 0;
    for (size_t i = 0; i < world->logged; i++)
        count += world->log[i] == what;
    return count;
}

static struct world daily(int64_t days)
{
    return (struct world){
        .now = INT64_C(20000) * DAY * SECOND,
        .end = days * DAY * SECOND,
        .reachable = true,
        .schedule = {.every = DAY, .offset = 5 * HOUR},
    };
}

static void the_turn_of_a_host_is_at_its_own_time_of_the_schedule(void **state)
{
    (void)state;
    struct agent_schedule schedule = {.every = DAY, .offset = 5 * HOUR};
    const int64_t midnight = INT64_C(20000) * DAY * SECOND, five = midnight + INT64_C(5) * HOUR * SECOND;
    assert_int_equal(agent_next(&schedule, midnight), five);
    assert_int_equal(agent_next(&schedule, five - 1), five);
    assert_int_equal(agent_next(&schedule, five), five + DAY * SECOND);
    assert_int_equal(agent_next(&schedule, -1), INT64_C(5) * HOUR * SECOND);
}

static void a_snapshot_is_taken_soon_after_the_start_and_then_once_a_turn(void **state)
{
    (void)state;
    struct world world = daily(3);
    run(&world);
    assert_string_equal(world.log, "tatatata"); /* at once, then on three mornings */
    assert_int_equal(world.reports, 0);
}

static void failures_hold_back_twice_as_long_each_up_to_an_hour_and_are_told_once(void **state)
{
    (void)state;
    struct agent_schedule schedule = {.every = DAY};
    assert_int_equal(agent_backoff(&schedule, 1), 2000);
    assert_int_equal(agent_backoff(&schedule, 2), 4000);
    assert_int_equal(agent_backoff(&schedule, 5), 32000);
    assert_int_equal(agent_backoff(&schedule, 4000000000u), 3600000);
    schedule.every = 60;
    assert_int_equal(agent_backoff(&schedule, 50), 15000); /* a short schedule is not spent waiting */

    struct world world = daily(1);
    world.reachable = false;
    world.reachable_at = 2 * DAY * SECOND;
    run(&world);
    assert_in_range(times(&world, 'l'), 20, 40);
    assert_in_range(world.longest_pause / SECOND, HOUR - 60, HOUR);
    assert_int_equal(world.reports, 1);
}

static void all_that_waited_is_given_in_one_go_once_somebody_answers(void **state)
{
    (void)state;
    struct world world = daily(4);
    world.reachable = false;
    world.reachable_at = 3 * DAY * SECOND;
    run(&world);
    world.log[world.logged] = 0;
    assert_int_equal(times(&world, 't'), 5);
    assert_int_equal(times(&world, 'a'), 5);
    assert_non_null(strstr(world.log, "aaaa"));
    assert_int_equal(world.waiting, 0);
}

static void an_unwelcome_state_makes_way_for_a_newer_one_but_the_newest_stays(void **state)
{
    (void)state;
    struct world world = daily(2);
    world.unwelcome = true;
    run(&world);
    assert_int_equal(times(&world, 't'), 3);
    assert_int_equal(times(&world, 'd'), 2);
    assert_int_equal(world.waiting, 1);
}

static void what_could_not_be_taken_is_told_and_taken_the_next_time(void **state)
{
    (void)state;
    struct world world = daily(2);
    world.disk_full = true;
    run(&world);
    assert_string_equal(world.log, "fff");
    assert_int_equal(world.reports, 3);
}

static void a_clock_that_jumps_a_day_either_way_puts_nothing_off(void **state)
{
    (void)state;
    for (int64_t direction = -1; direction <= 1; direction += 2) {
        struct world world = daily(4);
        world.jump_at = DAY * SECOND / 2;
        world.jump = direction * DAY * SECOND;
        run(&world);
        assert_in_range(times(&world, 't'), 5, 6);
        assert_int_equal(times(&world, 'a'), times(&world, 't'));

        world = daily(1);
        world.reachable = false;
        world.reachable_at = DAY * SECOND;
        world.jump_at = HOUR * SECOND;
        world.jump = direction * DAY * SECOND;
        run(&world);
        assert_in_range(times(&world, 'l'), 20, 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_turn_of_a_host_is_at_its_own_time_of_the_schedule),
        cmocka_unit_test(a_snapshot_is_taken_soon_after_the_start_and_then_once_a_turn),
        cmocka_unit_test(failures_hold_back_twice_as_long_each_up_to_an_hour_and_are_told_once),
        cmocka_unit_test(all_that_waited_is_given_in_one_go_once_somebody_answers),
        cmocka_unit_test(an_unwelcome_state_makes_way_for_a_newer_one_but_the_newest_stays),
        cmocka_unit_test(what_could_not_be_taken_is_told_and_taken_the_next_time),
        cmocka_unit_test(a_clock_that_jumps_a_day_either_way_puts_nothing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
