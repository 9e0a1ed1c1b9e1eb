/* Registry hives that were not finished being written: which logs fit, and what is laid over the hive. */

#include "hive_craft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BINS 8192u
#define SIZE (HIVE_BASE_BYTES + BINS)
#define LIMIT (1u << 20)

/* A hive of two bins and its three logs, in memory. */
struct world {
    uint8_t hive[SIZE], logs[HIVE_LOG_COUNT][16384];
    size_t lengths[HIVE_LOG_COUNT];
    bool missing[HIVE_LOG_COUNT];
    uint8_t replayed[HIVE_BASE_BYTES + 2 * BINS];
    struct hive_plan plan;
};

static struct world *world_new(uint32_t primary, uint32_t secondary)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    craft_base(world->hive, primary, secondary, 0, BINS, 77);
    craft_u64(world->hive + HIVE_BASE_BYTES + 20, 77); /* the first bin's copy of the time */
    world->missing[0] = true;
    return world;
}

/* Log `index` becomes one of the new format that starts at that number and holds so many entries, each of which fills
 * another page with its number. */
static void put_entries(struct world *world, size_t index, uint32_t first, uint32_t count)
{
    craft_base(world->logs[index], first, first, 6, BINS, 77);
    for (uint32_t i = 0; i < count; i++)
        craft_entry(world->logs[index] + 512 + i * CRAFT_ENTRY, first + i, BINS, (first + i) % 16 * 512,
                    (uint8_t)(first + i));
    world->lengths[index] = 512 + count * CRAFT_ENTRY;
}

/* Log `index` becomes one of the old format with pages 1 and 9 of the bins. */
static void put_old(struct world *world, size_t index, uint32_t sequence, uint32_t kind, uint64_t written, uint8_t fill)
{
    uint8_t *log = world->logs[index];
    craft_base(log, sequence, sequence, kind, BINS, written);
    memcpy(log + 512, "DIRT", 4);
    log[516] = log[517] = 1 << 1;
    memset(log + 1024, fill, 1024);
    world->lengths[index] = 2048;
}

static void look(struct world *world, enum hive_state wanted)
{
    struct bytes hive = bytes_of(world->hive, SIZE), logs[HIVE_LOG_COUNT];
    struct hive_source sources[HIVE_LOG_COUNT] = {0}, source = craft_source(&hive);
    struct error error = {0};
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        logs[i] = bytes_of(world->logs[i], world->lengths[i]);
        if (!world->missing[i])
            sources[i] = craft_source(&logs[i]);
    }
    assert_int_equal(hive_plan(&source, sources, LIMIT, &world->plan, &error), 0);
    assert_int_equal(world->plan.state, wanted);
    assert_true((world->plan.state == HIVE_STALE) == (world->plan.why != NULL));
    memset(world->replayed, 0, sizeof world->replayed);
    memcpy(world->replayed, world->hive, SIZE);
    assert_true(world->plan.size <= sizeof world->replayed);
    if (world->plan.is_changed)
        assert_int_equal(hive_apply(&world->plan, world->replayed, &error), 0);
}

/* What fills page `page` of the bins after the replay. */
static uint8_t page(const struct world *world, size_t number)
{
    const uint8_t *at = world->replayed + HIVE_BASE_BYTES + number * 512;
    for (size_t i = 1; i < 512; i++)
        assert_int_equal(at[i], at[0]);
    return at[0];
}

static uint32_t base_u32(const struct world *world, uint64_t at)
{
    uint32_t value;
    bytes_u32(bytes_of(world->replayed, 512), at, &value);
    return value;
}

static void the_hash_is_that_of_a_real_log(void **state)
{
    (void)state;
    /* The first 32 bytes of an entry that Windows 10 wrote, and its second hash. */
    uint8_t head[32] = "HvLE";
    craft_u32(head + 4, 15872);
    craft_u32(head + 8, 1);
    craft_u32(head + 12, 2107);
    craft_u32(head + 16, 12398592);
    craft_u32(head + 20, 3);
    craft_u64(head + 24, UINT64_C(0x4b70b6a1be2c81c4));
    assert_true(hive_log_hash(bytes_of(head, sizeof head)) == UINT64_C(0xdd88c5d7df48f30a));
}

static void a_finished_hive_is_left_as_it_is(void **state)
{
    (void)state;
    struct world *world = world_new(5, 5);
    put_entries(world, 1, 5, 3);
    look(world, HIVE_CLEAN);
    assert_false(world->plan.is_changed);
    free(world);
}

static void entries_of_both_logs_are_applied_in_their_order(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    put_entries(world, 2, 7, 2); /* the earlier ones are in the second */
    put_entries(world, 1, 9, 2);
    craft_entry(world->logs[1] + 512 + CRAFT_ENTRY, 10, BINS, 7 * 512, 0xaa); /* page 7 again */
    look(world, HIVE_REPLAYED);
    assert_int_equal(page(world, 7), 0xaa);
    assert_int_equal(page(world, 8), 8);
    assert_int_equal(page(world, 9), 9);
    assert_int_equal(base_u32(world, 4), 10);
    assert_int_equal(base_u32(world, 8), 10);
    assert_int_equal(base_u32(world, 508), hive_checksum(bytes_of(world->replayed, 508)));
    free(world);
}

static void a_hive_grows_as_its_log_says(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    put_entries(world, 1, 7, 1);
    craft_entry(world->logs[1] + 512, 7, 2 * BINS, 2 * BINS - 512, 0x55);
    look(world, HIVE_REPLAYED);
    assert_int_equal(world->plan.size, HIVE_BASE_BYTES + 2 * BINS);
    assert_int_equal(page(world, 31), 0x55);
    assert_int_equal(base_u32(world, 40), 2 * BINS);
    free(world);
}

static void older_entries_behind_the_last_are_remnants(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    put_entries(world, 1, 7, 3);
    craft_entry(world->logs[1] + 512 + 2 * CRAFT_ENTRY, 3, BINS, 3 * 512, 0xbb);
    look(world, HIVE_REPLAYED);
    assert_int_equal(base_u32(world, 4), 8);
    assert_int_equal(page(world, 3), 0);
    free(world);
}

static void logs_that_are_missing_old_or_cut_leave_the_hive_stale(void **state)
{
    (void)state;
    struct world *world = world_new(20, 19);
    look(world, HIVE_STALE); /* both empty */
    put_entries(world, 1, 7, 3);
    look(world, HIVE_STALE); /* older than the hive */
    assert_false(world->plan.is_changed);
    put_entries(world, 1, 20, 3);
    look(world, HIVE_REPLAYED);
    world->missing[2] = true;
    look(world, HIVE_STALE); /* the other one may go on from it */
    world->missing[2] = false;
    world->logs[1][512 + 2 * CRAFT_ENTRY + 100] ^= 1;
    look(world, HIVE_STALE); /* what is sound is applied all the same */
    assert_int_equal(base_u32(world, 4), 21);
    put_entries(world, 1, 20, 3);
    put_entries(world, 2, 24, 1);
    look(world, HIVE_STALE); /* 23 is lacking */
    assert_int_equal(base_u32(world, 4), 22);
    put_entries(world, 2, 23, 1);
    world->logs[2][20] ^= 1;
    look(world, HIVE_STALE); /* the second's own block is damaged */
    free(world);
}

static void a_page_outside_the_hive_or_the_entry_is_not_taken(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, length, pages;
    } wrong[] = {{BINS, 512, 1},      {BINS - 256, 512, 1}, {UINT32_MAX, 512, 1}, {0, UINT32_MAX, 1},
                 {0, CRAFT_ENTRY, 1}, {0, 512, UINT32_MAX}, {0, 512, 123},        {BINS - 512, 513, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct world *world = world_new(6, 5);
        put_entries(world, 1, 7, 1);
        uint8_t *entry = world->logs[1] + 512;
        craft_u32(entry + 20, wrong[i].pages);
        craft_u32(entry + 40, wrong[i].offset);
        craft_u32(entry + 44, wrong[i].length);
        craft_hashes(entry, CRAFT_ENTRY);
        look(world, HIVE_STALE);
        assert_false(world->plan.is_changed);
        free(world);
    }
}

static void a_hive_that_would_grow_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    put_entries(world, 1, 7, 1);
    craft_entry(world->logs[1] + 512, 7, 1u << 30, 0, 1);
    struct bytes hive = bytes_of(world->hive, SIZE), log = bytes_of(world->logs[1], world->lengths[1]), none = {0};
    struct hive_source source = craft_source(&hive), sources[] = {{0}, craft_source(&log), craft_source(&none)};
    struct error error = {0};
    assert_int_equal(hive_plan(&source, sources, LIMIT, &world->plan, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    free(world);
}

static void a_lost_base_block_comes_from_the_log(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    memset(world->hive, 0xee, 512);
    put_entries(world, 1, 7, 2);
    put_entries(world, 2, 3, 2); /* long since written */
    look(world, HIVE_REPLAYED);
    assert_memory_equal(world->replayed, "regf", 4);
    assert_int_equal(base_u32(world, 28), 0);
    assert_int_equal(base_u32(world, 4), 8);
    assert_int_equal(page(world, 3), 0);
    free(world);
}

static void an_old_log_fits_the_change_of_its_time(void **state)
{
    (void)state;
    for (uint32_t kind = 1; kind <= 2; kind++) {
        struct world *world = world_new(6, 5);
        world->missing[0] = false;
        world->missing[1] = world->missing[2] = true;
        put_old(world, 0, 5, kind, 77, 0x11);
        look(world, HIVE_REPLAYED);
        assert_int_equal(page(world, 1), 0x11);
        assert_int_equal(page(world, 9), 0x11);
        assert_int_equal(page(world, 2), 0);
        put_old(world, 0, 5, kind, 76, 0x11);
        look(world, HIVE_STALE);
        assert_int_equal(page(world, 1), 0);
        free(world);
    }
}

static void of_two_old_logs_that_fit_the_later_counts(void **state)
{
    (void)state;
    struct world *world = world_new(9, 5);
    put_old(world, 1, 8, 1, 77, 0x11);
    put_old(world, 2, 9, 1, 77, 0x22);
    look(world, HIVE_REPLAYED);
    assert_int_equal(page(world, 1), 0x22);
    free(world);
}

static void an_old_log_that_is_cut_or_not_done_does_not_fit(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    put_old(world, 1, 6, 1, 77, 0x11);
    world->lengths[1] -= 1;
    look(world, HIVE_STALE);
    put_old(world, 1, 6, 1, 77, 0x11);
    craft_base(world->logs[1], 6, 5, 1, BINS, 77);
    look(world, HIVE_STALE);
    put_old(world, 1, 6, 1, 77, 0x11);
    memcpy(world->logs[1] + 512, "DIRX", 4);
    look(world, HIVE_STALE);
    free(world);
}

static void a_disk_of_large_sectors_has_its_log_in_these(void **state)
{
    (void)state;
    struct world *world = world_new(6, 5);
    uint8_t *log = world->logs[1];
    put_old(world, 1, 6, 1, 77, 0);
    craft_u32(log + 44, 8);
    craft_sum(log);
    memcpy(log + 4096, "DIRT\2", 5);
    memset(log + 8192, 0x33, 512);
    world->lengths[1] = 8704;
    look(world, HIVE_REPLAYED);
    assert_int_equal(page(world, 1), 0x33);
    free(world);
}

static void what_is_no_hive_is_an_error(void **state)
{
    (void)state;
    struct bytes small = bytes_of("regf", 4);
    struct hive_source source = craft_source(&small), none[HIVE_LOG_COUNT] = {0};
    struct hive_plan plan;
    struct error error = {0};
    assert_int_equal(hive_plan(&source, none, LIMIT, &plan, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_that_of_a_real_log),
        cmocka_unit_test(a_finished_hive_is_left_as_it_is),
        cmocka_unit_test(entries_of_both_logs_are_applied_in_their_order),
        cmocka_unit_test(a_hive_grows_as_its_log_says),
        cmocka_unit_test(older_entries_behind_the_last_are_remnants),
        cmocka_unit_test(logs_that_are_missing_old_or_cut_leave_the_hive_stale),
        cmocka_unit_test(a_page_outside_the_hive_or_the_entry_is_not_taken),
        cmocka_unit_test(a_hive_that_would_grow_over_the_limit_is_refused),
        cmocka_unit_test(a_lost_base_block_comes_from_the_log),
        cmocka_unit_test(an_old_log_fits_the_change_of_its_time),
        cmocka_unit_test(of_two_old_logs_that_fit_the_later_counts),
        cmocka_unit_test(an_old_log_that_is_cut_or_not_done_does_not_fit),
        cmocka_unit_test(a_disk_of_large_sectors_has_its_log_in_these),
        cmocka_unit_test(what_is_no_hive_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
