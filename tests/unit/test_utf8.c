/* Code points become UTF-8, and what is foreign is shown so that it can't play with whoever reads it. */

#include "proto/bytes.h"
#include "proto/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static void what_a_terminal_obeys_or_turns_text_round_is_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"web-01", "web-01"},
        {"\xc3\x84pfel \xe2\x82\xac \xf0\x9f\x92\xa9", "\xc3\x84pfel \xe2\x82\xac \xf0\x9f\x92\xa9"},
        {"\x1b[31mred\x7f\t\n", "?[31mred???"},
        {"a\xc2\x9b"
         "31m\xc2\x80\xc2\x9f\xc2\xa0",
         "a?31m??\xc2\xa0"},
        {"x\xe2\x80\xaey\xe2\x80\xaa\xe2\x81\xa6z\xe2\x81\xa9\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xac\xe2\x80\xac",
         "x?y??z??????"},
        {"line\xe2\x80\xa8paragraph\xe2\x80\xa9", "line?paragraph?"},
        {"\xff\xc3 \xe2\x82", "?? ?"
                              "?"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char in_place[64], *printed = NULL;
        size_t length;
        FILE *out = open_memstream(&printed, &length);
        utf8_print(cases[i].text, out);
        fclose(out);
        assert_string_equal(printed, cases[i].shown);
        free(printed);
        snprintf(in_place, sizeof in_place, "%s", cases[i].text);
        utf8_make_showable(in_place);
        assert_string_equal(in_place, cases[i].shown);
    }
}

static void json_says_the_same_with_escapes(void **state)
{
    (void)state;
    char *printed = NULL;
    size_t length;
    FILE *out = open_memstream(&printed, &length);
    utf8_print_json("{\"a\":\n \"\xc2\x9b\xe2\x80\xae\x7f\xe2\x80\xac\xc3\x84\"}", out);
    fclose(out);
    assert_string_equal(printed, "{\"a\":\n \"\\u009b\\u202e\\u007f\\u202c\xc3\x84\"}");
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_of_each_length_are_written_as_the_standard_has_them),
        cmocka_unit_test(every_code_point_but_surrogates_is_well_formed),
        cmocka_unit_test(what_a_terminal_obeys_or_turns_text_round_is_not_shown),
        cmocka_unit_test(json_says_the_same_with_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
