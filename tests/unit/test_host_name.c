/* A host's name can't pass for another's, for several hosts, or for a host_id. */

#include "proto/host_name.h"

#include "proto/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int checked(const char *name, struct error *error)
{
    *error = (struct error){0};
    return host_name_check(bytes_of(name, strlen(name)), error);
}

static void names_that_people_give_are_taken(void **state)
{
    (void)state;
    static const char *const names[] = {
        "web-01",
        "WEB-01",
        "web 01 of the second hall",
        "a",
        "nt4-01.example.org",
        "münchen-1",
        "東京",
        "x'; drop--",
        "--all",
        "12345678-1234-1234-1234-12345678901",
        "12345678-1234-1234-1234-1234567890123",
        "<b>",
        "10.0.0.1",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error error;
        if (checked(names[i], &error) < 0)
            fail_msg("'%s': %s", names[i], error.message);
    }
}

static void names_that_pass_for_others_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    /* Spelt as bytes, for it would turn this line around too. */
    static const char right_to_left[] = {'w', 'e', 'b', '-', '\xe2', '\x80', '\xae', '1', '0', 0};
    static const struct {
        const char *name, *fault;
    } cases[] = {
        {"web-01 ", "'web-01 ' can't be a host's name: it has a blank behind it"},
        {" web-01", "a blank before it"},
        {"web-01\xc2\xa0", "a blank behind it"},
        {"\xe3\x80\x80web-01", "a blank before it"},
        {"web-01.", "a dot behind it"},
        {".", "a dot behind it"},
        {"web-01\xe2\x80\x8b", "that can't be seen"},
        {"web\xc2\xad-01", "that can't be seen"},
        {"web-01\xef\xbb\xbf", "that can't be seen"},
        {"web-01\xf3\xa0\x80\xa1", "that can't be seen"},
        {right_to_left, "turns the direction of text"},
        {"web-01\n", "'web-01?' can't be a host's name: it has a control character"},
        {"*", "one of *, ? and ["},
        {"web-0?", "one of *, ? and ["},
        {"[a-z]", "one of *, ? and ["},
        {"f52855d7-812b-4e8e-8bdd-fbe1af9aab9f", "the form of a host_id"},
        {"F52855D7-812B-4E8E-8BDD-FBE1AF9AAB9F", "the form of a host_id"},
        {"", "1 to 255 bytes of UTF-8; this one has 0"},
        {"web\xff", "1 to 255 bytes of UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        if (checked(cases[i].name, &error) == 0)
            fail_msg("case %zu, '%s', was taken", i, cases[i].name);
        if (strstr(error.message, cases[i].fault) == NULL)
            fail_msg("case %zu: %s", i, error.message);
    }
}

static void a_name_is_as_long_as_the_limit_at_most_and_holds_no_nul(void **state)
{
    (void)state;
    char name[LIMIT_HOST_NAME_BYTES + 1];
    struct error error = {0};
    memset(name, 'x', sizeof name);
    assert_int_equal(host_name_check(bytes_of(name, LIMIT_HOST_NAME_BYTES), &error), 0);
    assert_int_equal(host_name_check(bytes_of(name, LIMIT_HOST_NAME_BYTES + 1), &error), -1);
    assert_int_equal(host_name_check(bytes_of("web-01\0", 7), &error), -1);
    assert_int_equal(host_name_check(bytes_of("web-01\0x", 8), &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_people_give_are_taken),
        cmocka_unit_test(names_that_pass_for_others_are_refused_with_what_is_wrong),
        cmocka_unit_test(a_name_is_as_long_as_the_limit_at_most_and_holds_no_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
