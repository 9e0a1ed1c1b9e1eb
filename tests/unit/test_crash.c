/*
 * What a power failure leaves of the collector's own files. fsync() and rename() are this file's (the linker's --wrap):
 * they note what is on the disk for sure, and can fail. A crash keeps of each file what was last synced of it, and of a
 * directory either the names that were last synced or those that it has: both must do.
 */

#include "collector/agent/key.h"
#include "collector/agent/spool.h"
#include "collector/disk/cache.h"
#include "collector/platform/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MOST 32
#define FILE_BYTES 8192

struct content {
    ino_t inode;
    char bytes[FILE_BYTES];
    size_t length;
};

struct name {
    char name[NAME_MAX + 1];
    ino_t inode;
};

/* What is on the disk for sure: contents by inode, and the names that the directory had when it was last synced. */
static struct disk {
    struct content contents[FILES_MOST];
    size_t content_count;
    struct name names[FILES_MOST];
    size_t name_count;
} disk;

static char directory[32], after[32];
static unsigned syncs, sync_that_fails; /* counted from 1; 0: none fails */
static void (*looked_at)(void);         /* called with a crash's remains in `after`, as each step may be the last */
static struct error error;

int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static size_t list_names(struct name *names)
{
    size_t count = 0;
    DIR *open_directory = opendir(directory);
    assert_non_null(open_directory);
    for (struct dirent *entry; (entry = readdir(open_directory)) != NULL;)
        if (entry->d_name[0] != '.') {
            assert_true(count < FILES_MOST);
            snprintf(names[count].name, sizeof names[count].name, "%s", entry->d_name);
            names[count++].inode = entry->d_ino;
        }
    closedir(open_directory);
    return count;
}

static struct content *content_of(ino_t inode)
{
    for (size_t i = 0; i < disk.content_count; i++)
        if (disk.contents[i].inode == inode)
            return &disk.contents[i];
    return NULL;
}

static void clear_after(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s && mkdir -m 700 %s", after, after);
    assert_int_equal(system(command), 0);
}

/* Lays out what a crash leaves under these names, and has it looked at. */
static void crash_with(const struct name *names, size_t count)
{
    clear_after();
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", after, names[i].name);
        const struct content *content = content_of(names[i].inode);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        if (content != NULL)
            assert_int_equal(write(fd, content->bytes, content->length), content->length);
        close(fd);
    }
    looked_at();
}

static void crash(void)
{
    struct name now[FILES_MOST];
    size_t count = list_names(now);
    if (looked_at == NULL)
        return;
    crash_with(disk.names, disk.name_count);
    crash_with(now, count);
}

int __wrap_fsync(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    if (++syncs == sync_that_fails) {
        errno = EIO;
        return -1;
    }
    crash();
    if (S_ISDIR(status.st_mode)) {
        disk.name_count = list_names(disk.names);
        return 0;
    }
    struct content *content = content_of(status.st_ino);
    if (content == NULL) {
        assert_true(disk.content_count < FILES_MOST);
        content = &disk.contents[disk.content_count++];
    }
    content->inode = status.st_ino;
    ssize_t got = -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    if (again >= 0) {
        got = read(again, content->bytes, sizeof content->bytes);
        close(again);
    }
    assert_true(got >= 0 && got < FILE_BYTES);
    content->length = (size_t)got;
    return 0;
}

int __wrap_rename(const char *from, const char *to)
{
    crash();
    int status = __real_rename(from, to);
    crash();
    return status;
}

static int start(void **state)
{
    (void)state;
    disk = (struct disk){0};
    syncs = sync_that_fails = 0;
    looked_at = NULL;
    error = (struct error){0};
    strcpy(directory, "crash.XXXXXX");
    strcpy(after, "after.XXXXXX");
    return mkdtemp(directory) != NULL && mkdtemp(after) != NULL && sodium_init() >= 0 ? 0 : -1;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s %s", directory, after);
    return system(command);
}

/* The whole text of a file, "" where there is none. */
static const char *text_of(const char *folder, const char *name)
{
    static char text[FILE_BYTES];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = 0;
    if (file != NULL)
        fclose(file);
    return text;
}

/* ---- a file that is replaced ---- */

static bool new_is_promised;

static void old_or_new(void)
{
    const char *text = text_of(after, "file");
    if (new_is_promised ? strcmp(text, "new text") != 0 : strcmp(text, "old") != 0 && strcmp(text, "new text") != 0)
        fail_msg("a crash leaves '%s'", text);
}

static void a_file_that_is_replaced_is_the_old_or_the_new_one(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(platform_file_replace(path, "old", 3, &error), 0);
    new_is_promised = false;
    looked_at = old_or_new;
    assert_int_equal(platform_file_replace(path, "new text", 8, &error), 0);
    new_is_promised = true;
    crash();
    assert_int_equal(syncs, 4); /* the file and its directory, each time */
}

static void a_file_that_the_disk_does_not_take_leaves_the_old_one(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(platform_file_replace(path, "old", 3, &error), 0);
    sync_that_fails = syncs + 1;
    assert_int_equal(platform_file_replace(path, "new text", 8, &error), -1);
    assert_int_equal(error.code, ERROR_IO);
    assert_string_equal(text_of(directory, "file"), "old");
    struct name names[FILES_MOST];
    assert_int_equal(list_names(names), 1); /* nothing is left beside it */
}

/* ---- the key ---- */

static struct signing_key first_key;
static bool key_is_known;

static void same_key_or_none(void)
{
    struct signing_key key;
    struct error problem = {0};
    bool is_there = *text_of(after, "key") != 0;
    if (key_is_known)
        assert_true(is_there);
    if (!is_there)
        return;
    void (*mine)(void) = looked_at;
    looked_at = NULL; /* reading it is no step of its own */
    assert_int_equal(key_load(after, &key, &problem), 0);
    looked_at = mine;
    if (key_is_known)
        assert_memory_equal(&key, &first_key, sizeof key);
}

static void a_key_that_was_used_is_the_key_after_a_crash(void **state)
{
    (void)state;
    key_is_known = false;
    looked_at = same_key_or_none;
    assert_int_equal(key_load(directory, &first_key, &error), 0);
    key_is_known = true;
    crash();
    struct signing_key again;
    assert_int_equal(key_load(directory, &again, &error), 0);
    assert_memory_equal(&again, &first_key, sizeof again);
}

static void a_key_that_the_disk_does_not_take_is_not_used(void **state)
{
    struct signing_key key;
    (void)state;
    sync_that_fails = 1;
    assert_int_equal(key_load(directory, &key, &error), -1);
    assert_string_equal(text_of(directory, "key"), "");
}

/* ---- the spool ---- */

#define OBJECTS "the objects of a snapshot"

static struct spool_offer offer_of(char letter)
{
    struct spool_offer offer = {.host = "web-01", .taken_at = letter, .files = 1, .chunks = 1};
    memset(&offer.inventory, letter, sizeof offer.inventory);
    return offer;
}

static char letters_promised[8];

/* What waits after a crash is whole, in order, and lacks nothing of what was promised. */
static void promised_snapshots_are_whole(void)
{
    struct spool *spool;
    struct spool_offer offer;
    struct error problem = {0};
    FILE *file;
    char found[8] = "", objects[64];
    void (*mine)(void) = looked_at;
    looked_at = NULL;
    assert_int_equal(spool_open(after, 1 << 20, &spool, &problem), 0);
    for (size_t count = 0; spool_count(spool) > 0; count++) {
        if (spool_oldest(spool, &file, &offer, &problem) != 1)
            fail_msg("a crash leaves a damaged snapshot: %s", problem.message);
        memset(objects, 0, sizeof objects);
        assert_int_equal(fread(objects, 1, strlen(OBJECTS), file), strlen(OBJECTS));
        assert_string_equal(objects, OBJECTS);
        fclose(file);
        found[count] = (char)offer.taken_at;
        assert_int_equal(spool_drop(spool, &problem), 0);
    }
    spool_close(spool);
    looked_at = mine;
    assert_memory_equal(found, letters_promised, strlen(letters_promised));
}

static int put(struct spool *spool, char letter)
{
    FILE *file;
    size_t merged;
    struct spool_offer offer = offer_of(letter);
    assert_int_equal(spool_begin(spool, &file, &error), 0);
    fputs(OBJECTS, file);
    return spool_end(spool, &offer, &merged, &error);
}

static void a_snapshot_that_was_kept_is_there_after_a_crash(void **state)
{
    struct spool *spool;
    (void)state;
    memset(letters_promised, 0, sizeof letters_promised);
    looked_at = promised_snapshots_are_whole;
    assert_int_equal(spool_open(directory, 1 << 20, &spool, &error), 0);
    for (const char *letters = "abc"; *letters != 0; letters++) {
        char letter = *letters;
        assert_int_equal(put(spool, letter), 0);
        letters_promised[strlen(letters_promised)] = letter;
        crash();
    }
    spool_close(spool);
    assert_int_equal(syncs, 6); /* the file and its directory, each time */
}

static void a_snapshot_that_the_disk_does_not_take_is_not_promised(void **state)
{
    struct spool *spool;
    (void)state;
    memset(letters_promised, 0, sizeof letters_promised);
    assert_int_equal(spool_open(directory, 1 << 20, &spool, &error), 0);
    sync_that_fails = 1;
    assert_int_equal(put(spool, 'a'), -1);
    assert_int_equal(error.code, ERROR_IO);
    assert_int_equal(spool_count(spool), 0);
    looked_at = promised_snapshots_are_whole;
    assert_int_equal(put(spool, 'b'), 0);
    strcpy(letters_promised, "b");
    crash();
    spool_close(spool);
}

/* ---- the cache ---- */

static const struct platform_stat known_stat = {.kind = PLATFORM_FILE, .size = 5, .modified = 1000, .changed = 1000};

static bool cache_knows(const char *folder)
{
    struct cache *cache;
    struct cache_entry entry;
    char path[64];
    snprintf(path, sizeof path, "%s/cache", folder);
    assert_int_equal(cache_open(path, "test", &cache, &error), 0);
    bool found = cache_find(cache, bytes_of("c:/a.dll", 8), &known_stat, &entry);
    if (found)
        assert_int_equal(entry.machine, 0x14c);
    cache_close(cache);
    return found;
}

static void cache_is_whole_or_empty(void)
{
    void (*mine)(void) = looked_at;
    looked_at = NULL;
    cache_knows(after); /* whatever is found is right */
    looked_at = mine;
}

static void a_cache_is_whole_or_empty_after_a_crash(void **state)
{
    struct cache *cache;
    struct cache_entry entry = {.is_pe = true, .machine = 0x14c};
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/cache", directory);
    looked_at = cache_is_whole_or_empty;
    assert_int_equal(cache_open(path, "test", &cache, &error), 0);
    cache_put(cache, bytes_of("c:/a.dll", 8), &known_stat, &entry);
    assert_int_equal(cache_commit(cache, &error), 0);
    cache_close(cache);
    crash();
    looked_at = NULL;
    assert_true(cache_knows(directory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_is_replaced_is_the_old_or_the_new_one, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_the_disk_does_not_take_leaves_the_old_one, start, end),
        cmocka_unit_test_setup_teardown(a_key_that_was_used_is_the_key_after_a_crash, start, end),
        cmocka_unit_test_setup_teardown(a_key_that_the_disk_does_not_take_is_not_used, start, end),
        cmocka_unit_test_setup_teardown(a_snapshot_that_was_kept_is_there_after_a_crash, start, end),
        cmocka_unit_test_setup_teardown(a_snapshot_that_the_disk_does_not_take_is_not_promised, start, end),
        cmocka_unit_test_setup_teardown(a_cache_is_whole_or_empty_after_a_crash, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
