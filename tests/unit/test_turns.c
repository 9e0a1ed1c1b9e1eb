/* Whose requests took much of the writer's time. */

#include "aggregator/service/turns.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>

#include <cmocka.h>

static struct digest sender(unsigned number)
{
    return digest_of(bytes_of(&number, sizeof number));
}

static void who_took_much_rests_in_proportion_and_who_took_little_does_not(void **state)
{
    (void)state;
    struct turns turns = {0};
    struct digest much = sender(1), little = sender(2);
    int64_t now = 1000;
    turns_charge(&turns, &little, 10000, now);
    turns_charge(&turns, &much, TURNS_FREE, now);
    assert_int_equal(turns_rest(&turns, &much, now), 0);
    turns_charge(&turns, &much, 50000, now);
    assert_int_equal(turns_rest(&turns, &much, now), now + TURNS_REST * 50000);
    assert_int_equal(turns_rest(&turns, &much, now + TURNS_REST * 50000), 0);
    assert_int_equal(turns_rest(&turns, &little, now), 0);
    turns_charge(&turns, &much, 100 * TURNS_REST_MOST, now);
    assert_int_equal(turns_rest(&turns, &much, now), now + TURNS_REST_MOST);
}

static void what_was_taken_is_forgotten_by_halves(void **state)
{
    (void)state;
    struct turns turns = {0};
    struct digest one = sender(1);
    turns_charge(&turns, &one, TURNS_FREE + 1, 0);
    assert_int_not_equal(turns_rest(&turns, &one, 0), 0);
    turns_charge(&turns, &one, TURNS_FREE / 2 - 1, TURNS_HALF);
    assert_int_equal(turns_rest(&turns, &one, TURNS_HALF), 0);
    turns_charge(&turns, &one, 2, TURNS_HALF);
    assert_int_not_equal(turns_rest(&turns, &one, TURNS_HALF), 0);
    turns_charge(&turns, &one, TURNS_FREE, TURNS_HALF * 1000);
    assert_int_equal(turns_rest(&turns, &one, TURNS_HALF * 1000), 0);
}

static void who_asks_often_is_forgotten_too(void **state)
{
    (void)state;
    struct turns turns = {0};
    struct digest one = sender(1);
    int64_t now = 0;
    for (unsigned i = 0; i < 1000; i++, now += TURNS_HALF / 2) {
        turns_charge(&turns, &one, TURNS_FREE / 8, now);
        assert_int_equal(turns_rest(&turns, &one, now), 0);
    }
}

static void who_took_least_makes_room(void **state)
{
    (void)state;
    struct turns turns = {0};
    struct digest first = sender(0), last = sender(TURNS_SENDERS);
    for (unsigned i = 0; i <= TURNS_SENDERS; i++) {
        struct digest one = sender(i);
        turns_charge(&turns, &one, 2 * TURNS_FREE + (int64_t)i, 0);
    }
    assert_int_equal(turns.count, TURNS_SENDERS);
    assert_int_equal(turns_rest(&turns, &first, 0), 0);
    assert_int_not_equal(turns_rest(&turns, &last, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_took_much_rests_in_proportion_and_who_took_little_does_not),
        cmocka_unit_test(what_was_taken_is_forgotten_by_halves),
        cmocka_unit_test(who_asks_often_is_forgotten_too),
        cmocka_unit_test(who_took_least_makes_room),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
