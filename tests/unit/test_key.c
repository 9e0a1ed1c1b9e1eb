/* Which machine a key file belongs to: two marks of three tell. */

#include "collector/agent/key.h"
#include "collector/platform/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

/* Who this program is and whose its files are, as it is told here (the linker's --wrap): the same for root
 * and for anybody. With 64-bit offsets these are the functions that stat() and fstat() stand for. */
static struct pretence {
    bool active;
    uid_t user, file_owner, directory_owner;
    gid_t directory_group; /* 0: the program's own */
    mode_t directory_mode; /* more bits */
} pretence;

uid_t __wrap_geteuid(void);
uid_t __real_geteuid(void);
int __wrap_fstat64(int fd, struct stat *found);
int __real_fstat64(int fd, struct stat *found);
int __wrap_stat64(const char *path, struct stat *found);
int __real_stat64(const char *path, struct stat *found);

uid_t __wrap_geteuid(void)
{
    return pretence.active ? pretence.user : __real_geteuid();
}

int __wrap_fstat64(int fd, struct stat *found)
{
    int status = __real_fstat64(fd, found);
    if (pretence.active)
        found->st_uid = pretence.file_owner;
    return status;
}

int __wrap_stat64(const char *path, struct stat *found)
{
    int status = __real_stat64(path, found);
    if (pretence.active && strcmp(path, directory) == 0) {
        found->st_uid = pretence.directory_owner;
        found->st_gid = pretence.directory_group != 0 ? pretence.directory_group : getegid();
        found->st_mode |= pretence.directory_mode;
    }
    return status;
}

static int make_directory(void **state)
{
    (void)state;
    pretence.active = false;
    strcpy(directory, "/tmp/evenkeel-key-XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    char path[128];
    static const char *const names[] = {"key", "machine", "lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

/* Whether the key counts as copied on a machine with these marks. */
static bool copied_on(const char *sid, const char *guid, const char *location)
{
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    struct error error = {0};
    bool copied = true;
    marks.machine_sid = (ProtobufCBinaryData){.data = (uint8_t *)sid, .len = strlen(sid)};
    marks.machine_guid = (ProtobufCBinaryData){.data = (uint8_t *)guid, .len = strlen(guid)};
    marks.key_location = (ProtobufCBinaryData){.data = (uint8_t *)location, .len = strlen(location)};
    assert_int_equal(key_check_machine(directory, &marks, &copied, &error), 0);
    return copied;
}

static void the_first_machine_is_noted(void **state)
{
    (void)state;
    assert_false(copied_on("S-1", "guid", "here"));
    assert_false(copied_on("S-1", "guid", "here"));
}

static void any_two_marks_that_differ_mean_a_copy(void **state)
{
    (void)state;
    assert_false(copied_on("S-1", "guid", "here"));
    assert_true(copied_on("S-2", "other", "here"));
    assert_true(copied_on("S-2", "guid", "there"));
    assert_true(copied_on("S-1", "other", "there"));
    assert_true(copied_on("S-2", "other", "there"));
    assert_false(copied_on("S-1", "guid", "here"));
}

static void one_mark_may_change_and_is_noted(void **state)
{
    (void)state;
    assert_false(copied_on("S-1", "guid", "here"));
    assert_false(copied_on("S-1", "reset", "here"));
    assert_false(copied_on("S-1", "reset", "renamed"));
    assert_true(copied_on("S-1", "guid", "here"));
}

static void a_mark_that_cannot_be_read_says_nothing_and_is_not_forgotten(void **state)
{
    (void)state;
    assert_false(copied_on("S-1", "guid", "here"));
    assert_false(copied_on("", "", "there"));
    assert_true(copied_on("S-2", "other", "there"));
}

/* Where the disk, or somebody, put something else in its place. */
static void what_is_noted_and_far_too_long_is_read_no_further_than_it_can_be(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/machine", directory);
    assert_false(copied_on("S-1", "guid", "here"));
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        fputc('z', file);
    assert_int_equal(fclose(file), 0);
    assert_true(copied_on("S-2", "other", "here"));
    file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        fputc('z', file);
    assert_int_equal(fclose(file), 0);
    assert_false(copied_on("S-1", "guid", "here"));
    assert_true(copied_on("S-2", "other", "here"));
}

static void a_machine_that_enrols_anew_is_the_one_noted(void **state)
{
    (void)state;
    struct error error = {0};
    struct signing_key first, second, read;
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    assert_int_equal(key_load(directory, &first, &error), 0);
    assert_false(copied_on("S-1", "guid", "here"));
    assert_int_equal(key_renew(directory, &second, &error), 0);
    assert_memory_not_equal(first.public_key, second.public_key, sizeof first.public_key);
    assert_int_equal(key_load(directory, &read, &error), 0);
    assert_memory_equal(second.secret_key, read.secret_key, sizeof read.secret_key);
    marks.machine_sid = (ProtobufCBinaryData){.data = (uint8_t *)"S-2", .len = 3};
    marks.machine_guid = (ProtobufCBinaryData){.data = (uint8_t *)"other", .len = 5};
    assert_int_equal(key_note_machine(directory, &marks, &error), 0);
    assert_false(copied_on("S-2", "other", "there"));
    assert_true(copied_on("S-1", "guid", "here"));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    struct signing_key key;
    struct stat stat_of_key;
    char path[128];
    snprintf(path, sizeof path, "%s/key", directory);
    assert_int_equal(key_load(directory, &key, &error), 0);
    assert_int_equal(stat(path, &stat_of_key), 0);
    assert_int_equal(stat_of_key.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(key_load(directory, &key, &error), -1);
    assert_non_null(strstr(error.message, "can be read by others"));
}

static void root_takes_no_key_and_no_directory_of_others(void **state)
{
    (void)state;
    struct error error = {0};
    struct signing_key key;
    pretence = (struct pretence){.active = true};
    assert_int_equal(key_load(directory, &key, &error), 0);
    pretence.file_owner = 65534;
    assert_int_equal(key_load(directory, &key, &error), -1);
    assert_non_null(strstr(error.message, "key file '"));
    assert_non_null(strstr(error.message, "belongs to another user"));
    pretence = (struct pretence){.active = true, .directory_owner = 65534};
    assert_int_equal(key_load(directory, &key, &error), -1);
    assert_non_null(strstr(error.message, "the state directory"));
    pretence = (struct pretence){.active = true, .directory_mode = S_IWOTH};
    assert_int_equal(key_load(directory, &key, &error), -1);
    pretence = (struct pretence){.active = true, .directory_mode = S_IWGRP, .directory_group = 65534};
    assert_int_equal(key_load(directory, &key, &error), -1);
    pretence = (struct pretence){.active = true};
    assert_int_equal(key_load(directory, &key, &error), 0);
}

static void who_is_not_root_takes_what_he_was_given(void **state)
{
    (void)state;
    struct error error = {0};
    struct signing_key key;
    pretence = (struct pretence){.active = true, .user = 1000, .file_owner = 65534, .directory_owner = 65534};
    assert_int_equal(key_load(directory, &key, &error), 0);
    assert_int_equal(key_load(directory, &key, &error), 0);
}

static void a_lock_is_held_once(void **state)
{
    (void)state;
    struct error error = {0};
    struct platform_file first = PLATFORM_FILE_NONE, second = PLATFORM_FILE_NONE;
    char path[128];
    snprintf(path, sizeof path, "%s/lock", directory);
    assert_int_equal(platform_lock(path, &first, &error), 0);
    assert_int_equal(platform_lock(path, &second, &error), -1);
    assert_int_equal(error.code, ERROR_BUSY);
    platform_file_close(&first);
    assert_int_equal(platform_lock(path, &second, &error), 0);
    platform_file_close(&second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(the_first_machine_is_noted),
        TEST(any_two_marks_that_differ_mean_a_copy),
        TEST(one_mark_may_change_and_is_noted),
        TEST(a_mark_that_cannot_be_read_says_nothing_and_is_not_forgotten),
        TEST(what_is_noted_and_far_too_long_is_read_no_further_than_it_can_be),
        TEST(a_machine_that_enrols_anew_is_the_one_noted),
        TEST(a_key_that_others_can_read_is_refused),
        TEST(root_takes_no_key_and_no_directory_of_others),
        TEST(who_is_not_root_takes_what_he_was_given),
        TEST(a_lock_is_held_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
