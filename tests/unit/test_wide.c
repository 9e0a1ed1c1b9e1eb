/* Windows' names as bytes and back. */

#include "collector/platform/wide.h"

#include "proto/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect_bytes(const uint16_t *wide, size_t length, const char *wanted, bool utf8)
{
    char bytes[64];
    uint16_t back[64];
    size_t back_length;
    assert_int_equal(wide_to_bytes(wide, length, bytes), strlen(wanted));
    assert_string_equal(bytes, wanted);
    assert_int_equal(bytes_are_utf8(bytes_of(bytes, strlen(bytes))), utf8);
    assert_true(wide_from_bytes(bytes, back, &back_length));
    assert_int_equal(back_length, length);
    assert_memory_equal(back, wide, length * sizeof *wide);
}

static void letters_of_every_length_are_utf_8_and_lead_back(void **state)
{
    (void)state;
    const uint16_t name[] = {'a', 0xe4, 0x20ac, 0xd83d, 0xde00, 'z'};
    expect_bytes(name, 6, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z", true);
    expect_bytes(name, 0, "", true);
}

static void a_lone_surrogate_is_no_utf_8_and_leads_back_all_the_same(void **state)
{
    (void)state;
    const uint16_t high[] = {'a', 0xd800}, low[] = {0xdc00, 'a'}, swapped[] = {0xdc00, 0xd800};
    expect_bytes(high, 2, "a\xed\xa0\x80", false);
    expect_bytes(low, 2,
                 "\xed\xb0\x80"
                 "a",
                 false);
    expect_bytes(swapped, 2, "\xed\xb0\x80\xed\xa0\x80", false);
}

static void bytes_that_name_nothing_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\x80",                     /* continues nothing */
        "\xc3",                     /* cut */
        "\xe2\x82",                 /* cut */
        "\xc0\xaf",                 /* '/' the long way */
        "\xe0\x80\xaf",             /* likewise */
        "\xf4\x90\x80\x80",         /* beyond Unicode */
        "\xff",                     /* no start */
        "\xed\xa0\x80\xed\xb0\x80", /* a pair as two */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint16_t wide[16];
        assert_false(wide_from_bytes(wrong[i], wide, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_of_every_length_are_utf_8_and_lead_back),
        cmocka_unit_test(a_lone_surrogate_is_no_utf_8_and_leads_back_all_the_same),
        cmocka_unit_test(bytes_that_name_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
