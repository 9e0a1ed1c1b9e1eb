/* The CSV lists of cumulative updates: sections, orders of columns, lists without heading, lines that are no rows. */

#include "kb_expect.h"

static void csv_sections_keep_their_architectures_apart(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_csv("\xef\xbb\xbfHarbour 11, version 24H2 LCU arm64-based\r\n"
                 "\"File name\",\"File version\",\"Date\",\"Time\",\"File size\"\r\n"
                 "\"spool.dll\",\"10.0.26100.8246\",\"11-Apr-2026\",\"21:53\",\"805,376\"\r\n\r\n"
                 "Harbour 11, version 24H2 LCU x64-based\r\n"
                 "\"File name\",\"File version\",\"Date\",\"Time\",\"File size\"\r\n"
                 "\"spool.dll\",\"10.0.26100.8246\",\"11-Apr-2026\",\"21:54\",\"705,376\"\r\n"
                 "\"old.dll\",\"10.0.26100.1\",\"01-Apr-2024\",\"07:12\",\"15\"\r\n"
                 "\"a.manifest\",\"Not versioned\",\"11-Apr-2026\",\"\",\"1,015\"\r\n");
    assert_string_equal(document.article, "KB5044999");
    assert_int_equal(document.section_count, 2);
    assert_string_equal(document.sections[0].architecture, "arm64");
    assert_string_equal(document.sections[1].architecture, "x64");
    assert_string_equal(document.sections[1].product, "Harbour 11, version 24H2");
    assert_int_equal(document.row_count, 4);
    assert_int_equal(document.rows[0].section, 0);
    assert_int_equal(document.rows[1].section, 1);
    expect_row(&document, 2, "2024-04-01|07:12|10.0.26100.1|15|old.dll|");
    expect_row(&document, 3, "2026-04-11|||1015|a.manifest|");
    assert_int_equal(document.problem_count, 0);
}

static void csv_columns_may_come_in_other_orders_and_without_quotes(void **state)
{
    (void)state;
    CLEARED struct kb_document first =
        read_csv("File  name,File version,File size,Date,Time,Platform,SP requirement,Service branch\n"
                 "a.dll,6.1.7601.23543,\"1,024\",9/12/16,18:42,x64,SP1,GDR\n"
                 "b.dll,6.1.7601.23543,12,13/9/16,18:42,x86,None,QFE\n");
    assert_int_equal(first.row_count, 2);
    expect_row(&first, 0, "2016-12-09|18:42|6.1.7601.23543|1024|a.dll|x64");
    expect_row(&first, 1, "2016-09-13|18:42|6.1.7601.23543|12|b.dll|x86");
    CLEARED struct kb_document second = read_csv("Name,Version,ModifiedTime,ModifiedTime,Size\n"
                                                 "a.dll,10.0.14393.4169,04-Jan-2021,21:34,1024\n");
    assert_int_equal(second.row_count, 1);
    expect_row(&second, 0, "2021-01-04|21:34|10.0.14393.4169|1024|a.dll|");
}

static void csv_without_heading_says_how_it_was_understood(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_csv("\"a.dll\",\"10.0.14393.1198\",\"27-Apr-2017\",\"23:55\",\"1,024\"\n"
                                                   "\"b.mui\",\"\",\"28-Apr-2017\",\"23:55\",\"24\"\n");
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "2017-04-27|23:55|10.0.14393.1198|1024|a.dll|");
    expect_row(&document, 1, "2017-04-28|23:55||24|b.mui|");
    expect_problem(&document, 1, "file name, version, date, time, size");
}

static void csv_lines_that_are_no_rows_are_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_csv("A list of files\n\nFile name,File version,Date\n\"a.dll,1.2.3.4,1-Jan-2001\n"
                 ",1.2.3.4,1-Jan-2001\nb.dll,1.2.3.4,1-Jan-2001,more\n\"c \"\"d\"\".dll\",1.2.3.4,\n"
                 "e.dll,1.2.3.4,yesterday\n");
    assert_int_equal(document.row_count, 1);
    expect_row(&document, 0, "||1.2.3.4||e.dll|");
    expect_problem(&document, 1, "no architecture");
    expect_problem(&document, 4, "quote left open");
    expect_problem(&document, 5, "no file name");
    expect_problem(&document, 6, "more fields than the heading");
    expect_problem(&document, 7, "no file name");
    expect_problem(&document, 8, "'yesterday' is no date");
}

static void further_problems_are_counted_not_kept(void **state)
{
    (void)state;
    size_t lines = KB_PROBLEM_LIMIT + 5, length = 0;
    _cleanup_free_ char *text = malloc(64 * lines);
    assert_non_null(text);
    length += (size_t)sprintf(text, "File name,File version,Date\n");
    for (size_t i = 0; i < lines; i++)
        length += (size_t)sprintf(text + length, "a.dll,1.2.3.4,never\n");
    CLEARED struct kb_document document = read_csv(text);
    assert_int_equal(document.row_count, lines);
    assert_int_equal(document.problem_count, KB_PROBLEM_LIMIT);
    assert_int_equal(document.problems_left_out, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_sections_keep_their_architectures_apart),
        cmocka_unit_test(csv_columns_may_come_in_other_orders_and_without_quotes),
        cmocka_unit_test(csv_without_heading_says_how_it_was_understood),
        cmocka_unit_test(csv_lines_that_are_no_rows_are_told),
        cmocka_unit_test(further_problems_are_counted_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
