/* The spool: whole or not at all, oldest first, bounded, the newest never lost. */

#include "collector/agent/spool.h"

#include "collector/platform/platform.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SNAPSHOT_BYTES 1000
#define SPACIOUS (1u << 20)

static char directory[32];
static struct error error;

static int start(void **state)
{
    (void)state;
    strcpy(directory, "spool.XXXXXX");
    error = (struct error){0};
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int end(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static struct spool *open_spool(uint64_t limit)
{
    struct spool *spool;
    assert_int_equal(spool_open(directory, limit, &spool, &error), 0);
    return spool;
}

/* A snapshot whose objects are SNAPSHOT_BYTES times its letter. */
static struct spool_offer offer_of(char letter)
{
    struct spool_offer offer = {.host = "web server 1", .taken_at = -letter, .unreadable = 3, .files = 70, .chunks = 2};
    memset(&offer.inventory, letter, sizeof offer.inventory);
    memset(&offer.facts, 0xff, sizeof offer.facts);
    memset(&offer.marks, 0x01, sizeof offer.marks);
    return offer;
}

static void write_objects(struct spool *spool, char letter)
{
    FILE *file;
    assert_int_equal(spool_begin(spool, &file, &error), 0);
    for (int i = 0; i < SNAPSHOT_BYTES; i++)
        fputc(letter, file);
}

static size_t add(struct spool *spool, char letter)
{
    size_t merged;
    struct spool_offer offer = offer_of(letter);
    write_objects(spool, letter);
    assert_int_equal(spool_end(spool, &offer, &merged, &error), 0);
    return merged;
}

/* The oldest one's letter, 0 where there is none; it goes. */
static char take(struct spool *spool)
{
    FILE *file;
    struct spool_offer offer;
    char objects[SNAPSHOT_BYTES];
    int found = spool_oldest(spool, &file, &offer, &error);
    if (found == 0)
        return 0;
    assert_int_equal(found, 1);
    assert_int_equal(fread(objects, 1, sizeof objects, file), sizeof objects);
    fclose(file);
    char letter = objects[SNAPSHOT_BYTES - 1];
    struct spool_offer wanted = offer_of(letter);
    assert_memory_equal(&offer, &wanted, sizeof offer);
    assert_int_equal(spool_drop(spool, &error), 0);
    return letter;
}

static void what_was_kept_is_there_after_a_restart_oldest_first(void **state)
{
    (void)state;
    struct spool *spool = open_spool(SPACIOUS);
    assert_int_equal(add(spool, 'a'), 0);
    assert_int_equal(add(spool, 'b'), 0);
    assert_int_equal(add(spool, 'c'), 0);
    spool_close(spool);
    spool = open_spool(SPACIOUS);
    assert_int_equal(spool_count(spool), 3);
    assert_int_equal(take(spool), 'a');
    assert_int_equal(take(spool), 'b');
    spool_close(spool);
    spool = open_spool(SPACIOUS);
    assert_int_equal(take(spool), 'c');
    assert_int_equal(take(spool), 0);
    spool_close(spool);
}

static void an_unfinished_snapshot_does_not_survive(void **state)
{
    (void)state;
    struct spool *spool = open_spool(SPACIOUS);
    add(spool, 'a');
    write_objects(spool, 'b');
    spool_close(spool);
    spool = open_spool(SPACIOUS);
    assert_int_equal(spool_count(spool), 1);
    assert_int_equal(take(spool), 'a');
    spool_close(spool);
    assert_int_equal(rmdir(directory), 0); /* nothing is left */
}

static void a_full_spool_gives_up_its_oldest_states_and_says_how_many(void **state)
{
    (void)state;
    struct spool *spool = open_spool(5 * SNAPSHOT_BYTES);
    assert_int_equal(add(spool, 'a'), 0);
    assert_int_equal(add(spool, 'b'), 0);
    assert_int_equal(add(spool, 'c'), 0);
    assert_int_equal(add(spool, 'd'), 1);
    assert_int_equal(take(spool), 'b');
    spool_close(spool);
}

static void the_newest_state_stays_however_small_the_limit(void **state)
{
    (void)state;
    struct spool *spool = open_spool(1);
    assert_int_equal(add(spool, 'a'), 0);
    assert_int_equal(add(spool, 'b'), 1);
    assert_int_equal(spool_count(spool), 1);
    assert_in_range(spool_bytes(spool), SNAPSHOT_BYTES, 2 * SNAPSHOT_BYTES); /* more than the limit, and said so */
    assert_int_equal(take(spool), 'b');
    assert_int_equal(spool_bytes(spool), 0);
    spool_close(spool);
}

static void a_state_seen_twice_waits_once(void **state)
{
    (void)state;
    struct spool *spool = open_spool(SPACIOUS);
    add(spool, 'a');
    assert_int_equal(add(spool, 'b'), 0);
    assert_int_equal(add(spool, 'b'), 0);
    spool_close(spool);
    spool = open_spool(SPACIOUS);
    assert_int_equal(add(spool, 'b'), 0);
    add(spool, 'a');
    assert_int_equal(spool_count(spool), 3);
    assert_int_equal(take(spool), 'a');
    assert_int_equal(take(spool), 'b');
    assert_int_equal(take(spool), 'a');
    spool_close(spool);
}

static void a_damaged_file_is_told_and_makes_way(void **state)
{
    (void)state;
    struct spool *spool = open_spool(SPACIOUS);
    add(spool, 'a');
    add(spool, 'b');
    char path[128];
    snprintf(path, sizeof path, "%s/00000000000000000001.snapshot", directory);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, -100, SEEK_END);
    fputc('x', file);
    fclose(file);
    struct spool_offer offer;
    assert_int_equal(spool_oldest(spool, &file, &offer, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "damaged"));
    assert_int_equal(spool_drop(spool, &error), 0);
    assert_int_equal(take(spool), 'b');
    spool_close(spool);
}

static void a_cut_file_is_told(void **state)
{
    (void)state;
    struct spool *spool = open_spool(SPACIOUS);
    add(spool, 'a');
    char path[128];
    snprintf(path, sizeof path, "%s/00000000000000000001.snapshot", directory);
    for (off_t length = 1500; length >= 0; length -= 7) {
        FILE *file;
        struct spool_offer offer;
        assert_return_code(truncate(path, length < 1400 ? length : 1399), errno);
        assert_int_equal(spool_oldest(spool, &file, &offer, &error), -1);
        assert_int_equal(error.code, ERROR_FORMAT);
    }
    spool_close(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_there_after_a_restart_oldest_first, start, end),
        cmocka_unit_test_setup_teardown(an_unfinished_snapshot_does_not_survive, start, end),
        cmocka_unit_test_setup_teardown(a_full_spool_gives_up_its_oldest_states_and_says_how_many, start, end),
        cmocka_unit_test_setup_teardown(the_newest_state_stays_however_small_the_limit, start, end),
        cmocka_unit_test_setup_teardown(a_state_seen_twice_waits_once, start, end),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_told_and_makes_way, start, end),
        cmocka_unit_test_setup_teardown(a_cut_file_is_told, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
