/* The cache of what was read before: what it knows again, what it does not, and what it does with a damaged file. */

#include "collector/disk/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR 3600000000

static char path[32]; /* of the test's cache file */

static int cache_path_make(void **state)
{
    (void)state;
    strcpy(path, "cache.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return unlink(path);
}

static int cache_path_remove(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct bytes text(const char *string)
{
    return bytes_of(string, strlen(string));
}

static struct platform_stat settled(uint64_t size)
{
    int64_t then = platform_now() / HOUR * HOUR - 24 * HOUR;
    return (struct platform_stat){
        .size = size, .modified = then, .changed = then, .device = 1, .identity = 100 + size, .kind = PLATFORM_FILE};
}

static const struct cache_entry sample = {
    .is_pe = true,
    .image = {.data = (const uint8_t *)"a packed image", .length = 14},
    .has_version = true,
    .has_sha256 = true,
    .machine = 0x8664,
    .time_date_stamp = 0xfedcba98,
    .checksum = 0x12345678,
    .file_version = 0x000500020ece0f77,
    .product_version = 0xffff00000000ffff,
    .sha256 = {1, 2, [31] = 3},
};

static struct cache *opened(const char *kind)
{
    struct error error = {0};
    struct cache *cache;
    assert_int_equal(cache_open(path, kind, &cache, &error), 0);
    return cache;
}

static void committed(struct cache *cache)
{
    struct error error = {0};
    assert_int_equal(cache_commit(cache, &error), 0);
    cache_close(cache);
}

/* A cache of three files, the second of which is no PE. */
static void fill(const char *kind)
{
    struct cache *cache = opened(kind);
    struct cache_entry other = {0};
    struct platform_stat a = settled(1), b = settled(2), c = settled(3);
    cache_put(cache, text("c:/a/one.dll"), &a, &sample);
    cache_put(cache, text("c:/a/only.txt"), &b, &other);
    cache_put(cache, text("c:/b"), &c, &sample);
    committed(cache);
}

static bool knows(struct cache *cache, const char *file, uint64_t size)
{
    struct cache_entry entry;
    struct platform_stat stat = settled(size);
    return cache_find(cache, text(file), &stat, &entry);
}

static void what_was_put_is_found_again_with_every_field(void **state)
{
    (void)state;
    fill("tsv");
    struct cache *cache = opened("tsv");
    struct cache_entry entry;
    struct platform_stat stat = settled(1);
    assert_true(cache_find(cache, text("c:/a/one.dll"), &stat, &entry));
    assert_true(entry.is_pe && entry.has_version && entry.has_sha256);
    assert_int_equal(entry.image.length, sample.image.length);
    assert_memory_equal(entry.image.data, sample.image.data, sample.image.length);
    assert_int_equal(entry.machine, sample.machine);
    assert_int_equal(entry.time_date_stamp, sample.time_date_stamp);
    assert_int_equal(entry.checksum, sample.checksum);
    assert_true(entry.file_version == sample.file_version && entry.product_version == sample.product_version);
    assert_memory_equal(entry.sha256, sample.sha256, sizeof sample.sha256);
    stat = settled(2);
    assert_true(cache_find(cache, text("c:/a/only.txt"), &stat, &entry));
    assert_false(entry.is_pe || entry.has_version || entry.has_sha256);
    assert_true(knows(cache, "c:/b", 3));
    cache_close(cache);
}

static void files_that_came_or_went_do_not_hide_the_others(void **state)
{
    (void)state;
    fill("tsv");
    struct cache *cache = opened("tsv");
    assert_false(knows(cache, "c:/a/new.dll", 1)); /* before the first; one.dll is gone */
    assert_true(knows(cache, "c:/a/only.txt", 2));
    assert_false(knows(cache, "c:/azure", 9));
    assert_true(knows(cache, "c:/b", 3));
    assert_false(knows(cache, "c:/z", 3));
    cache_close(cache);
}

static void a_file_with_another_size_time_or_inode_is_not_known(void **state)
{
    (void)state;
    for (int field = 0; field < 5; field++) {
        fill("tsv");
        struct cache *cache = opened("tsv");
        struct platform_stat stat = settled(1);
        struct cache_entry entry;
        stat.size += field == 0;
        stat.modified += field == 1;
        stat.changed += field == 2;
        stat.device += field == 3;
        stat.identity += field == 4;
        assert_false(cache_find(cache, text("c:/a/one.dll"), &stat, &entry));
        cache_close(cache);
    }
}

static void a_file_that_changed_just_now_is_not_kept(void **state)
{
    (void)state;
    struct cache *cache = opened("tsv");
    struct platform_stat fresh = settled(1);
    fresh.changed = platform_now() - CACHE_SETTLED / 2;
    cache_put(cache, text("c:/fresh"), &fresh, &sample);
    committed(cache);
    cache = opened("tsv");
    struct cache_entry entry;
    assert_false(cache_find(cache, text("c:/fresh"), &fresh, &entry));
    cache_close(cache);
}

static void a_cache_of_another_kind_counts_as_empty(void **state)
{
    (void)state;
    fill("tsv");
    struct cache *cache = opened("tsv hash");
    assert_false(knows(cache, "c:/a/one.dll", 1));
    cache_close(cache);
}

static void a_damaged_cache_counts_as_empty_and_is_replaced(void **state)
{
    (void)state;
    fill("tsv");
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    fclose(file);
    for (long at = 0; at < length; at += 7) {
        fill("tsv");
        file = fopen(path, "r+b");
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 0x10, file);
        fclose(file);
        struct cache *cache = opened("tsv");
        assert_false(knows(cache, "c:/a/one.dll", 1));
        cache_close(cache);
        fill("tsv");
        assert_return_code(truncate(path, at), 0);
        cache = opened("tsv");
        assert_false(knows(cache, "c:/a/one.dll", 1));
        committed(cache);
    }
    fill("tsv");
    struct cache *cache = opened("tsv");
    assert_true(knows(cache, "c:/a/one.dll", 1));
    cache_close(cache);
}

static void without_a_commit_the_old_cache_stays(void **state)
{
    (void)state;
    fill("tsv");
    struct cache *cache = opened("tsv");
    struct platform_stat stat = settled(8);
    cache_put(cache, text("c:/other"), &stat, &sample);
    cache_close(cache);
    cache = opened("tsv");
    assert_true(knows(cache, "c:/a/one.dll", 1));
    cache_close(cache);
    char beside[40];
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(access(beside, F_OK), -1);
}

static void a_place_that_can_not_be_written_is_told(void **state)
{
    (void)state;
    struct error error = {0};
    struct cache *cache;
    assert_int_equal(cache_open("no/such/folder/cache", "tsv", &cache, &error), -1);
    assert_non_null(strstr(error.message, "'no/such/folder/cache'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cache_path_make, cache_path_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found_again_with_every_field),
        TEST(files_that_came_or_went_do_not_hide_the_others),
        TEST(a_file_with_another_size_time_or_inode_is_not_known),
        TEST(a_file_that_changed_just_now_is_not_kept),
        TEST(a_cache_of_another_kind_counts_as_empty),
        TEST(a_damaged_cache_counts_as_empty_and_is_replaced),
        TEST(without_a_commit_the_old_cache_stays),
        TEST(a_place_that_can_not_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
