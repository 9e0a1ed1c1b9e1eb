/* A file that is there is of use until the new one is whole, whatever becomes of that. */

#include "aggregator/report/report_place.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64], path[128], link_path[128];

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/evenkeel-place-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/page.html", directory);
    snprintf(link_path, sizeof link_path, "%s/link", directory);
    return 0;
}

/* Fails where something else was left there. */
static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    unlink(link_path);
    return rmdir(directory);
}

static void holds(const char *name, const char *wanted)
{
    char text[64] = {0};
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(length, strlen(wanted));
    assert_string_equal(text, wanted);
}

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* What is written, and what stands at `path` meanwhile (NULL: nothing). */
struct page {
    const char *text, *meanwhile;
    bool fails;
};

static int write_page(const void *context, FILE *out, struct error *error)
{
    const struct page *page = context;
    fputs(page->text, out);
    fflush(out);
    if (page->meanwhile != NULL)
        holds(path, page->meanwhile);
    else
        assert_int_equal(access(path, F_OK), -1);
    return page->fails ? error_set(error, ERROR_IO, "the database is gone") : 0;
}

static int place(const struct page *page, const char *where)
{
    struct error error = {0};
    return report_place(&(struct report_source){write_page, page}, where, &error);
}

static void a_new_file_is_there_once_it_is_whole(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(place(&(struct page){.text = "new"}, path), 0);
    holds(path, "new");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
}

static void the_file_before_is_there_until_the_new_one_is_whole(void **state)
{
    (void)state;
    put("before");
    FILE *reader = fopen(path, "r");
    assert_non_null(reader);
    assert_int_equal(place(&(struct page){.text = "a longer one", .meanwhile = "before"}, path), 0);
    holds(path, "a longer one");
    char text[16] = {0};
    assert_int_equal(fread(text, 1, sizeof text - 1, reader), strlen("before"));
    assert_string_equal(text, "before"); /* who reads it sees no part of another */
    fclose(reader);
}

static void a_page_that_fails_leaves_the_one_before(void **state)
{
    (void)state;
    put("before");
    assert_int_equal(place(&(struct page){.text = "half", .meanwhile = "before", .fails = true}, path), -1);
    holds(path, "before");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(place(&(struct page){.text = "half", .fails = true}, path), -1);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_link_stays_and_what_it_leads_to_is_replaced(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(symlink("page.html", link_path), 0);
    put("before");
    assert_int_equal(place(&(struct page){.text = "half", .meanwhile = "before", .fails = true}, link_path), -1);
    holds(path, "before");
    assert_int_equal(place(&(struct page){.text = "after", .meanwhile = "before"}, link_path), 0);
    holds(path, "after");
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void a_link_that_leads_nowhere_yet_stays(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(symlink("page.html", link_path), 0);
    assert_int_equal(place(&(struct page){.text = "new", .meanwhile = "new"}, link_path), 0);
    holds(path, "new");
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void a_name_that_is_too_long_is_said(void **state)
{
    (void)state;
    static char name[PATH_MAX + 8];
    struct error error = {0};
    memset(name, 'n', sizeof name - 1);
    assert_int_equal(report_place(&(struct report_source){write_page, NULL}, name, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_there_once_it_is_whole),    TEST(the_file_before_is_there_until_the_new_one_is_whole),
        TEST(a_page_that_fails_leaves_the_one_before), TEST(a_link_stays_and_what_it_leads_to_is_replaced),
        TEST(a_link_that_leads_nowhere_yet_stays),     TEST(a_name_that_is_too_long_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
