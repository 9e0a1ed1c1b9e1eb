/* Senders whose requests the database refused. */

#include "aggregator/base/monotonic.h"
#include "aggregator/service/penalties.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>

#include <cmocka.h>

static struct digest sender(unsigned number)
{
    return digest_of(bytes_of(&number, sizeof number));
}

static void a_penalty_ends_and_the_next_is_twice_as_long(void **state)
{
    (void)state;
    struct penalties penalties = {0};
    struct digest one = sender(1), other = sender(2);
    int64_t now = 1000;
    assert_null(penalties_find(&penalties, &one, now));
    for (unsigned seconds = PENALTY_SECONDS; seconds < PENALTY_SECONDS_MOST; seconds *= 2) {
        penalties_add(&penalties, &one, "value out of range", now);
        assert_string_equal(penalties_find(&penalties, &one, now)->reason, "value out of range");
        assert_null(penalties_find(&penalties, &other, now));
        now += seconds * MONOTONIC_SECOND;
        assert_non_null(penalties_find(&penalties, &one, now - 1));
        assert_null(penalties_find(&penalties, &one, now));
    }
    penalties_add(&penalties, &one, "again", now);
    assert_int_equal(penalties_find(&penalties, &one, now)->seconds, PENALTY_SECONDS_MOST);
    now += (int64_t)(2 * PENALTY_SECONDS_MOST + 1) * MONOTONIC_SECOND;
    penalties_add(&penalties, &one, "anew", now);
    assert_int_equal(penalties_find(&penalties, &one, now)->seconds, PENALTY_SECONDS);
    penalties_clear(&penalties);
}

static void there_are_only_so_many_and_the_first_to_end_makes_room(void **state)
{
    (void)state;
    struct penalties penalties = {0};
    for (unsigned i = 0; i <= PENALTIES_MOST; i++) {
        struct digest one = sender(i);
        penalties_add(&penalties, &one, "", i);
    }
    struct digest first = sender(0), second = sender(1), last = sender(PENALTIES_MOST);
    assert_int_equal(penalties.count, PENALTIES_MOST);
    assert_null(penalties_find(&penalties, &first, 0));
    assert_non_null(penalties_find(&penalties, &second, 0));
    assert_non_null(penalties_find(&penalties, &last, 0));
    penalties_clear(&penalties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_penalty_ends_and_the_next_is_twice_as_long),
        cmocka_unit_test(there_are_only_so_many_and_the_first_to_end_makes_room),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
