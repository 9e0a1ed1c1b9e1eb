/* Chunks that many hosts have at once are asked of one. */

#include "aggregator/store/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST = 1, SECOND = 2, CHUNKS = 8 };

/* Chunks that are numbered from `number` on. */
static const struct digest *chunks_from(unsigned number)
{
    static struct digest chunks[CHUNKS];
    memset(chunks, 0, sizeof chunks);
    for (unsigned i = 0; i < CHUNKS; i++)
        chunks[i].bytes[0] = (uint8_t)(number + i);
    return chunks;
}

static void of_two_hosts_with_the_same_chunks_the_second_waits(void **state)
{
    (void)state;
    struct asked asked = {0};
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5000));
    assert_true(asked_of_others(&asked, chunks_from(0), CHUNKS, SECOND, 5000));
    assert_true(asked_of_others(&asked, chunks_from(0), CHUNKS, SECOND, 5000 + ASKED_MICROSECONDS - 1));
    asked_clear(&asked);
}

static void nobody_waits_for_a_host_that_does_not_give(void **state)
{
    (void)state;
    struct asked asked = {0};
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5000));
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, SECOND, 5000 + ASKED_MICROSECONDS));
    assert_true(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5000 + ASKED_MICROSECONDS));
    asked_clear(&asked);
}

static void a_host_that_repeats_its_offer_does_not_wait_for_itself(void **state)
{
    (void)state;
    struct asked asked = {0};
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5000));
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5001));
    asked_clear(&asked);
}

static void a_host_with_less_than_a_quarter_in_common_does_not_wait(void **state)
{
    (void)state;
    struct asked asked = {0};
    assert_false(asked_of_others(&asked, chunks_from(0), CHUNKS, FIRST, 5000));
    assert_false(asked_of_others(&asked, chunks_from(CHUNKS - 1), CHUNKS, SECOND, 5000));
    assert_true(asked_of_others(&asked, chunks_from(CHUNKS - 2), CHUNKS, 3, 5000));
    assert_false(asked_of_others(&asked, chunks_from(100), CHUNKS, 4, 5000));
    assert_false(asked_of_others(&asked, chunks_from(0), 0, 5, 5000));
    asked_clear(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_hosts_with_the_same_chunks_the_second_waits),
        cmocka_unit_test(nobody_waits_for_a_host_that_does_not_give),
        cmocka_unit_test(a_host_that_repeats_its_offer_does_not_wait_for_itself),
        cmocka_unit_test(a_host_with_less_than_a_quarter_in_common_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
