/* What a snapshot could not see: counted by kind and place, sorted, bounded. */

#include "collector/facts/not_seen.h"
#include "proto/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Evenkeel__Facts *facts;

static int make(void **state)
{
    (void)state;
    facts = malloc(sizeof *facts);
    if (facts == NULL)
        return -1;
    evenkeel__facts__init(facts);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    evenkeel__facts__free_unpacked(facts, NULL);
    return 0;
}

static void add(Evenkeel__NotSeenKind kind, const char *what, uint64_t count)
{
    assert_int_equal(not_seen_add(facts, kind, what, count, NULL), 0);
}

static void assert_entry(size_t index, Evenkeel__NotSeenKind kind, const char *what, uint32_t count)
{
    assert_true(index < facts->n_not_seen);
    const Evenkeel__NotSeen *entry = facts->not_seen[index];
    assert_int_equal(entry->kind, kind);
    assert_int_equal(entry->what.len, strlen(what));
    assert_memory_equal(entry->what.data, what, strlen(what));
    assert_int_equal(entry->count, count);
}

static void the_same_place_is_counted_once_and_places_are_sorted(void **state)
{
    (void)state;
    add(EVENKEEL__NOT_SEEN_KIND__LINK, "c:/program files", 1);
    add(EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows/system32", 2);
    add(EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows", 1);
    add(EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows/system32", 3);
    add(EVENKEEL__NOT_SEEN_KIND__CUT, "services", 0);
    assert_int_equal(facts->n_not_seen, 3);
    assert_entry(0, EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows", 1);
    assert_entry(1, EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows/system32", 5);
    assert_entry(2, EVENKEEL__NOT_SEEN_KIND__LINK, "c:/program files", 1);
}

static void past_the_limit_places_are_counted_without_their_names(void **state)
{
    (void)state;
    char place[40], long_place[NOT_SEEN_WHAT_BYTES + 2];
    for (unsigned i = 0; i < NOT_SEEN_PLACES + 7; i++) {
        snprintf(place, sizeof place, "c:/windows/%03u", i);
        add(EVENKEEL__NOT_SEEN_KIND__SAME_PATH, place, 1);
    }
    add(EVENKEEL__NOT_SEEN_KIND__SAME_PATH, "c:/windows/000", 1);
    memset(long_place, 'a', sizeof long_place - 1);
    long_place[sizeof long_place - 1] = 0;
    add(EVENKEEL__NOT_SEEN_KIND__SAME_PATH, long_place, 1);
    assert_int_equal(facts->n_not_seen, NOT_SEEN_PLACES + 1);
    assert_entry(0, EVENKEEL__NOT_SEEN_KIND__SAME_PATH, "", 8);
    assert_entry(1, EVENKEEL__NOT_SEEN_KIND__SAME_PATH, "c:/windows/000", 2);
}

static void facts_with_it_are_an_object_that_is_accepted(void **state)
{
    (void)state;
    struct bytes packed;
    struct error error = {0};
    add(EVENKEEL__NOT_SEEN_KIND__NO_FOLDER, "machine keys", UINT64_MAX);
    assert_entry(0, EVENKEEL__NOT_SEEN_KIND__NO_FOLDER, "machine keys", INT32_MAX);
    assert_int_equal(object_check_facts(facts, &error), 0);
    assert_true(object_pack(&facts->base, &packed));
    struct arena *arena = arena_new(1 << 20);
    assert_non_null(object_unpack(&evenkeel__facts__descriptor, packed, arena, &error));
    arena_free(arena);
    free((void *)packed.data);
}

static void it_is_summed_up_in_one_line(void **state)
{
    (void)state;
    char text[NOT_SEEN_TEXT_BYTES], short_text[16];
    assert_string_equal(not_seen_text(facts, text, sizeof text), "");
    add(EVENKEEL__NOT_SEEN_KIND__LINK, "c:/program files", 1);
    assert_string_equal(not_seen_text(facts, text, sizeof text), "links not followed (1): c:/program files");
    add(EVENKEEL__NOT_SEEN_KIND__UNREADABLE, "c:/windows/system32", 2);
    add(EVENKEEL__NOT_SEEN_KIND__UNREADABLE, NULL, 3);
    assert_string_equal(not_seen_text(facts, text, sizeof text),
                        "unreadable (5): c:/windows/system32, ...; links not followed (1): c:/program files");
    assert_string_equal(not_seen_text(facts, short_text, sizeof short_text), "unreadable (5):");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_place_is_counted_once_and_places_are_sorted, make, clear),
        cmocka_unit_test_setup_teardown(past_the_limit_places_are_counted_without_their_names, make, clear),
        cmocka_unit_test_setup_teardown(it_is_summed_up_in_one_line, make, clear),
        cmocka_unit_test_setup_teardown(facts_with_it_are_an_object_that_is_accepted, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
