/* Who gives way where too much waits for the writer. */

#include "aggregator/service/waiting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Sources are told by their addresses. */
static const char loud, other, newcomer_source;
static struct request requests[16];
static struct waiting waiting;

static int empty(void **state)
{
    (void)state;
    waiting_clear(&waiting);
    return 0;
}

static void wait_of(size_t at, const void *source)
{
    requests[at] = (struct request){.source = source};
    waiting_add(&waiting, &requests[at]);
}

static void expect_order(const size_t *order, size_t count)
{
    const struct request *at = waiting.first;
    for (size_t i = 0; i < count; i++, at = at->next)
        assert_ptr_equal(at, &requests[order[i]]);
    assert_null(at);
    assert_ptr_equal(waiting.last, count > 0 ? &requests[order[count - 1]].next : &waiting.first);
}

static void who_has_the_most_makes_room_with_its_latest(void **state)
{
    (void)state;
    const struct request newcomer = {.source = &newcomer_source};
    wait_of(0, &loud);
    wait_of(1, &loud);
    wait_of(2, &other);
    wait_of(3, &loud);
    wait_of(4, &other);
    assert_ptr_equal(waiting_displace(&waiting, &newcomer), &requests[3]);
    expect_order((size_t[]){0, 1, 2, 4}, 4);
    /* The last of all leaves, and what comes then comes last. */
    assert_ptr_equal(waiting_displace(&waiting, &newcomer), &requests[1]);
    assert_ptr_equal(waiting_displace(&waiting, &newcomer), &requests[4]);
    expect_order((size_t[]){0, 2}, 2);
    wait_of(5, &newcomer_source);
    expect_order((size_t[]){0, 2, 5}, 3);
}

static void who_has_as_much_as_others_makes_no_room_for_them(void **state)
{
    (void)state;
    const struct request newcomer = {.source = &newcomer_source}, from_loud = {.source = &loud};
    assert_null(waiting_displace(&waiting, &newcomer));
    wait_of(0, &loud);
    wait_of(1, &other);
    assert_null(waiting_displace(&waiting, &newcomer));
    wait_of(2, &other);
    assert_null(waiting_displace(&waiting, &from_loud));
    expect_order((size_t[]){0, 1, 2}, 3);
    wait_of(3, &other);
    assert_ptr_equal(waiting_displace(&waiting, &from_loud), &requests[3]);
    wait_of(4, &loud);
    assert_null(waiting_displace(&waiting, &from_loud));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_has_the_most_makes_room_with_its_latest, empty),
        cmocka_unit_test_setup(who_has_as_much_as_others_makes_no_room_for_them, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
