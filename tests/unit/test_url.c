/* Percent-encoding and the parameters of a query. */

#include "aggregator/base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_decoded(const char *text, const char *wanted)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    if (wanted == NULL) {
        assert_false(url_decode(copy, true));
        return;
    }
    assert_true(url_decode(copy, true));
    assert_string_equal(copy, wanted);
}

static void escapes_are_read_wherever_they_stand(void **state)
{
    (void)state;
    expect_decoded("", "");
    expect_decoded("plain", "plain");
    expect_decoded("%41", "A");
    expect_decoded("%41%42c%64", "ABcd");
    expect_decoded("a+b%2B", "a b+");
    expect_decoded("%25%32%35", "%25");
    expect_decoded("%c3%A9", "\xc3\xa9");
}

static void broken_escapes_and_nul_are_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"%", "%4", "a%", "%zz", "%4g", "%00", "a%00b", "% 41"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        expect_decoded(broken[i], NULL);
}

static void a_query_is_read_parameter_by_parameter(void **state)
{
    (void)state;
    struct url_parameter parameter;
    const char *at = "&a=1&&b=%26x%3D&c&d=x=y&e=%zz&=z&f=";
    static const char *const wanted[][2] = {{"a", "1"},   {"b", "&x="}, {"c", ""}, {"d", "x=y"},
                                            {NULL, NULL}, {"", "z"},    {"f", ""}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_int_equal(url_next(&at, &parameter), wanted[i][0] != NULL ? 1 : -1);
        if (wanted[i][0] == NULL)
            continue;
        assert_string_equal(parameter.name, wanted[i][0]);
        assert_string_equal(parameter.value, wanted[i][1]);
    }
    assert_int_equal(url_next(&at, &parameter), 0);
}

static void what_is_too_long_is_told_and_passed_over(void **state)
{
    (void)state;
    struct url_parameter parameter;
    char query[2048];
    snprintf(query, sizeof query, "a=%01100d&b=2&%050d=3&c=4", 0, 0);
    const char *at = query;
    assert_int_equal(url_next(&at, &parameter), -1);
    assert_int_equal(url_next(&at, &parameter), 1);
    assert_string_equal(parameter.value, "2");
    assert_int_equal(url_next(&at, &parameter), -1);
    assert_int_equal(url_next(&at, &parameter), 1);
    assert_string_equal(parameter.value, "4");
    assert_int_equal(url_next(&at, &parameter), 0);
}

static void any_text_comes_back_as_it_was(void **state)
{
    (void)state;
    char text[256], written[1024];
    for (int i = 1; i < 256; i++)
        text[i - 1] = (char)i;
    text[255] = 0;
    FILE *out = fmemopen(written, sizeof written, "w");
    assert_non_null(out);
    url_put(text, out);
    fclose(out);
    assert_null(strpbrk(written, "<>\"'& "));
    assert_true(url_decode(written, true));
    assert_string_equal(written, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_read_wherever_they_stand),
        cmocka_unit_test(broken_escapes_and_nul_are_refused),
        cmocka_unit_test(a_query_is_read_parameter_by_parameter),
        cmocka_unit_test(what_is_too_long_is_told_and_passed_over),
        cmocka_unit_test(any_text_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
