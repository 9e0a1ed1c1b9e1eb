/* Code points become UTF-8. */

#include "proto/bytes.h"
#include "proto/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_ends_of_each_length_are_written_as_the_standard_has_them(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        const char *bytes;
    } cases[] = {
        {0x01, "\x01"},
        {0x7f, "\x7f"},
        {0x80, "\xc2\x80"},
        {0x7ff, "\xdf\xbf"},
        {0x800, "\xe0\xa0\x80"},
        {0xffff, "\xef\xbf\xbf"},
        {0x20ac, "\xe2\x82\xac"},
        {UTF8_REPLACEMENT, "\xef\xbf\xbd"},
        {0x10000, "\xf0\x90\x80\x80"},
        {0x10ffff, "\xf4\x8f\xbf\xbf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char at[UTF8_MOST];
        size_t length = utf8_put(at, cases[i].code);
        assert_int_equal(length, strlen(cases[i].bytes));
        assert_memory_equal(at, cases[i].bytes, length);
    }
}

static void every_code_point_but_surrogates_is_well_formed(void **state)
{
    (void)state;
    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        char at[UTF8_MOST];
        size_t length = utf8_put(at, code);
        bool surrogate = code >= 0xd800 && code < 0xe000;
        if (bytes_are_utf8(bytes_of(at, length)) == surrogate)
            fail_msg("U+%04X", code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_of_each_length_are_written_as_the_standard_has_them),
        cmocka_unit_test(every_code_point_but_surrogates_is_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
