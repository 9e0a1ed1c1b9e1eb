/* Objects of unfinished snapshots, in memory: what is kept, what has no room, what is forgotten. */

#include "aggregator/base/monotonic.h"
#include "aggregator/store/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t first_host[16] = {1, 2, 3}, second_host[16] = {1, 2, 4}; /* the same bucket */

static struct bytes text(const char *value)
{
    return bytes_of(value, strlen(value));
}

static bool put(struct staging *staging, const uint8_t host[16], const char *body)
{
    struct object object = {
        .kind = EVENKEEL__OBJECT_KIND__INVENTORY, .digest = digest_of(text(body)), .body = text(body)};
    return staging_put(staging, host, &object);
}

static size_t count(const struct staging *staging, const uint8_t host[16])
{
    size_t objects = 0;
    const struct staged_host *found = staging_find(staging, host);
    for (const struct staged_object *object = found != NULL ? found->objects : NULL; object; object = object->next)
        objects++;
    return objects;
}

static void an_object_is_kept_once_for_its_host_and_no_other(void **state)
{
    (void)state;
    struct staging staging = {.limit = 100};
    assert_true(put(&staging, first_host, "one"));
    assert_true(put(&staging, first_host, "one"));
    assert_int_equal(count(&staging, first_host), 1);
    assert_int_equal(count(&staging, second_host), 0);
    const struct staged_object *object = staging_find(&staging, first_host)->objects;
    assert_int_equal(object->kind, EVENKEEL__OBJECT_KIND__INVENTORY);
    assert_int_equal(object->body.length, 3);
    assert_memory_equal(object->body.data, "one", 3);
    assert_int_equal(staging.bytes, 3);
    staging_clear(&staging);
    assert_int_equal(staging.bytes, 0);
}

static void a_chunk_is_kept_as_it_is_decoded(void **state)
{
    (void)state;
    struct staging staging = {.limit = 1000};
    char first[] = "c:/a.dll", second[] = "c:/b/c.dll";
    struct decoded_entry entries[] = {{.path = text(first), .path_digest = digest_of(text(first)), .image = {{1}}},
                                      {.path = text(second), .path_digest = digest_of(text(second)), .image = {{2}}}};
    struct object object = {.kind = EVENKEEL__OBJECT_KIND__CHUNK,
                            .digest = digest_of(text("its body")),
                            .body = text("its body"),
                            .chunk = {.count = 2, .entries = entries}};
    assert_true(staging_put(&staging, first_host, &object));
    assert_int_equal(staging.bytes, sizeof entries + strlen(first) + strlen(second));
    /* Nothing of the request is needed any more. */
    memset(first, 0, sizeof first);
    memset(second, 0, sizeof second);
    memset(entries, 0, sizeof entries);
    const struct staged_object *kept = staging_find(&staging, first_host)->objects;
    assert_int_equal(kept->body.length, strlen("its body"));
    assert_int_equal(kept->chunk.count, 2);
    assert_memory_equal(kept->chunk.entries[0].path.data, "c:/a.dll", 8);
    assert_memory_equal(kept->chunk.entries[1].path.data, "c:/b/c.dll", 10);
    assert_int_equal(kept->chunk.entries[1].path.length, 10);
    struct digest expected = digest_of(text("c:/b/c.dll"));
    assert_true(digest_equal(&kept->chunk.entries[1].path_digest, &expected));
    assert_int_equal(kept->chunk.entries[1].image.bytes[0], 2);
    staging_clear(&staging);
    assert_int_equal(staging.bytes, 0);
}

static void what_has_no_room_is_not_taken_and_takes_nothing_away(void **state)
{
    (void)state;
    struct staging staging = {.limit = 8};
    assert_true(put(&staging, first_host, "12345"));
    assert_false(put(&staging, second_host, "1234"));
    assert_int_equal(count(&staging, first_host), 1);
    assert_null(staging_find(&staging, second_host));
    assert_true(put(&staging, second_host, "123"));
    staging_clear(&staging);
}

static void room_comes_back_when_a_host_is_done_or_an_object_is_dropped(void **state)
{
    (void)state;
    struct staging staging = {.limit = 8};
    assert_true(put(&staging, first_host, "1234"));
    assert_true(put(&staging, first_host, "5678"));
    assert_false(put(&staging, second_host, "x"));
    struct digest dropped = digest_of(text("1234"));
    staging_drop(&staging, second_host, &dropped);
    assert_int_equal(count(&staging, first_host), 2);
    staging_drop(&staging, first_host, &dropped);
    assert_int_equal(count(&staging, first_host), 1);
    assert_true(put(&staging, second_host, "abcd"));
    staging_forget(&staging, first_host);
    assert_null(staging_find(&staging, first_host));
    assert_int_equal(count(&staging, second_host), 1);
    assert_int_equal(staging.bytes, 4);
    staging_clear(&staging);
}

static void who_was_not_heard_of_for_long_makes_room(void **state)
{
    (void)state;
    struct staging staging = {.limit = 8};
    assert_true(put(&staging, first_host, "12345678"));
    ((struct staged_host *)staging_find(&staging, first_host))->touched -= (STAGING_SECONDS + 1) * MONOTONIC_SECOND;
    assert_true(put(&staging, second_host, "abcd"));
    assert_null(staging_find(&staging, first_host));
    staging_clear(&staging);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_kept_once_for_its_host_and_no_other),
        cmocka_unit_test(a_chunk_is_kept_as_it_is_decoded),
        cmocka_unit_test(what_has_no_room_is_not_taken_and_takes_nothing_away),
        cmocka_unit_test(room_comes_back_when_a_host_is_done_or_an_object_is_dropped),
        cmocka_unit_test(who_was_not_heard_of_for_long_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
