/* Paths: the folding that decides identity, and finding a folded path on a disk that minds the case of letters. */

#include "collector/base/path.h"

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

static char root[] = "path-test-XXXXXX";

static void make(const char *name, bool directory)
{
    char *path = path_join(root, name);
    assert_non_null(path);
    if (directory) {
        assert_int_equal(mkdir(path, 0700), 0);
    } else {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    free(path);
}

static int make_tree(void **state)
{
    (void)state;
    if (mkdtemp(root) == NULL)
        return -1;
    make("WINNT", true);
    make("WINNT/System32", true);
    make("WINNT/System32/Config", true);
    make("WINNT/System32/Config/SOFTWARE", false);
    make("WINNT/Readme", false);
    make("Both", true);
    make("both", true);
    make("both/inner", false);
    return symlink(root, "path-link") == 0 ? 0 : -1;
}

static int drop_tree(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s path-link", root);
    return system(command);
}

/* Expects `found` below root; NULL: nothing. */
static void assert_finds(const char *path, const char *found)
{
    struct error error = {0};
    char *seen;
    int got = path_find(root, path, &seen, &error);
    if (found == NULL) {
        assert_int_equal(got, 0);
        assert_null(seen);
        return;
    }
    char *wanted = path_join(root, found);
    assert_int_equal(got, 1);
    assert_string_equal(seen, wanted);
    free(wanted);
    free(seen);
}

static void folding_touches_ascii_letters_and_backslashes_alone(void **state)
{
    (void)state;
    char path[] = "C:\\WINDOWS\\B\xc3\x84R[Z]@`{\xff.Dll";
    path_fold(path);
    assert_string_equal(path, "c:/windows/b\xc3\x84r[z]@`{\xff.dll");
}

static void joining_puts_exactly_one_slash(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a//", "/b", "a/b"}, {"/", "b", "/b"}, {"c:", "x/y", "c:/x/y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *joined = path_join(cases[i][0], cases[i][1]);
        assert_string_equal(joined, cases[i][2]);
        free(joined);
    }
}

static void a_path_is_found_whatever_its_case_on_disk(void **state)
{
    (void)state;
    assert_finds("winnt/system32/config/software", "WINNT/System32/Config/SOFTWARE");
    assert_finds("winnt", "WINNT");
    assert_finds("winnt/system32/config", "WINNT/System32/Config");
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    assert_finds("winnt/system32/config/system", NULL);
    assert_finds("winn", NULL);
    assert_finds("winnt2", NULL);
}

static void nothing_is_below_a_file(void **state)
{
    (void)state;
    assert_finds("winnt/readme/x", NULL);
}

static void of_names_that_fold_alike_the_first_in_byte_order_that_leads_there_counts(void **state)
{
    (void)state;
    assert_finds("both", "Both");
    assert_finds("both/inner", "both/inner");
}

static void links_below_the_root_are_not_followed(void **state)
{
    (void)state;
    struct error error = {0};
    char *found;
    assert_int_equal(path_find(".", "path-link/system32", &found, &error), 0);
    assert_int_equal(path_find(".", "path-link", &found, &error), 0);
}

static void a_root_that_is_not_there_is_an_error_that_names_it(void **state)
{
    (void)state;
    struct error error = {0};
    char *found;
    assert_int_equal(path_find("no-such-root", "winnt", &found, &error), -1);
    assert_null(found);
    assert_non_null(strstr(error.message, "no-such-root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_touches_ascii_letters_and_backslashes_alone),
        cmocka_unit_test(joining_puts_exactly_one_slash),
        cmocka_unit_test(a_path_is_found_whatever_its_case_on_disk),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(nothing_is_below_a_file),
        cmocka_unit_test(of_names_that_fold_alike_the_first_in_byte_order_that_leads_there_counts),
        cmocka_unit_test(links_below_the_root_are_not_followed),
        cmocka_unit_test(a_root_that_is_not_there_is_an_error_that_names_it),
    };
    return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
