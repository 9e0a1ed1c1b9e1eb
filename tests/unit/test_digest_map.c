/* What is put in stays in, however many there are, and where memory ends nothing is lost. */

#include "aggregator/store/digest_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 5000 };

/* Whether there is memory, as it is told here (the linker's --wrap). */
static bool no_memory;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

static struct digest numbered(uint32_t number)
{
    struct digest digest = {{0}};
    number *= 2654435761u; /* spread, as digests are */
    memcpy(digest.bytes, &number, sizeof number);
    return digest;
}

static void each_digest_has_its_value(void **state)
{
    (void)state;
    struct digest_map map = DIGEST_MAP(uint32_t);
    struct digest digest = numbered(1);
    bool added;
    assert_null(digest_map_get(&map, &digest));
    for (uint32_t i = 0; i < MANY; i++) {
        digest = numbered(i);
        uint32_t *value = digest_map_put(&map, &digest, &added);
        assert_non_null(value);
        assert_true(added);
        assert_int_equal(*value, 0);
        *value = i;
    }
    assert_int_equal(map.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        digest = numbered(i);
        assert_int_equal(*(uint32_t *)digest_map_get(&map, &digest), i);
        assert_int_equal(*(uint32_t *)digest_map_put(&map, &digest, &added), i);
        assert_false(added);
    }
    digest = numbered(MANY);
    assert_null(digest_map_get(&map, &digest));
    assert_int_equal(map.count, MANY);
    digest_map_clear(&map);
    digest = numbered(1);
    assert_null(digest_map_get(&map, &digest));
}

static void without_memory_what_is_in_stays_and_what_is_new_is_refused(void **state)
{
    (void)state;
    struct digest_map map = DIGEST_MAP(uint32_t);
    struct digest digest = numbered(0);
    uint32_t count = 0;
    no_memory = true;
    assert_null(digest_map_put(&map, &digest, NULL));
    no_memory = false;
    assert_non_null(digest_map_put(&map, &digest, NULL));
    no_memory = true;
    do
        digest = numbered(++count);
    while (count < MANY && digest_map_put(&map, &digest, NULL) != NULL);
    assert_true(count < MANY);
    assert_null(digest_map_get(&map, &digest));
    for (uint32_t i = 0; i < count; i++) {
        digest = numbered(i);
        assert_non_null(digest_map_get(&map, &digest));
    }
    no_memory = false;
    digest = numbered(count);
    assert_non_null(digest_map_put(&map, &digest, NULL));
    assert_int_equal(map.count, count + 1);
    digest_map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_digest_has_its_value),
        cmocka_unit_test(without_memory_what_is_in_stays_and_what_is_new_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
