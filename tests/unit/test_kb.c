/* The reader of knowledge-base articles: layouts of tables, forms of values, encodings, and inputs that are none of it.
 */

#include "kb_expect.h"

#include "aggregator/kb/kb_value.h"

#define ALL "Date  Time  Version  Size  File name  Platform"

static void missing_cells_are_told_by_the_kinds_of_the_others(void **state)
{
    (void)state;
    expect_one(ALL, "1/2/01 05:17p 5.0.2195.1 1,234 a.dll x86", "2001-01-02|17:17|5.0.2195.1|1234|a.dll|x86");
    expect_one(ALL, "1/2/01 05:17p 1,234 a.dll x86", "2001-01-02|17:17||1234|a.dll|x86");
    expect_one(ALL, "1/2/01 5.0.2195.1 a.dll", "2001-01-02||5.0.2195.1||a.dll|");
    expect_one(ALL, "1/2/01 05:17p 786 1,234 a.dll", "2001-01-02|17:17|786|1234|a.dll|");
    expect_one(ALL, "1/2/01 05:17p 1,328,039 a.dll I386", "2001-01-02|17:17||1328039|a.dll|I386");
    expect_one(ALL, "5.0.2195.1 a.dll", "||5.0.2195.1||a.dll|");
}

static void columns_may_come_in_any_order(void **state)
{
    (void)state;
    expect_one("Date Time Size File name Version# Platform", "9/15/98 08:26p 1,183,795 c.dll 12.00.8257.0 (x86)",
               "1998-09-15|20:26|12.00.8257.0|1183795|c.dll|x86");
    expect_one("Date Time Size File name Platform Version", "9/15/98 08:26p 5,677 54.sql Intel",
               "1998-09-15|20:26||5677|54.sql|Intel");
    expect_one("Version Size File name Operating system", "4.0.1381.7095 21,776 l.dll Windows NT 4.0",
               "||4.0.1381.7095|21776|l.dll|Windows NT 4.0");
    expect_one("Date File Name Version", "2/19/2001 Asp.dll 5.0.2195.3269", "2001-02-19||5.0.2195.3269||Asp.dll|");
}

static void dates_come_in_many_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"3/27/2001",   "03/27/01",       "27-Mar-2001", "Mar-27-2001", "MAR-27-2001",
                                        "27 Mar 2001", "March 27, 2001", "2001-03-27",  "27/03/2001",  "27.03.2001",
                                        "03-27-2001",  "27-March-01",    "Mar 27 2001", "2001/03/27"};
    char row[128];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(row, sizeof row, "%s  10:00  1,234  a.dll", forms[i]);
        expect_one("Date Time Size File name", row, "2001-03-27|10:00||1234|a.dll|");
    }
    expect_one("Date Size File name", "1/2/69 17 a.dll", "2069-01-02|||17|a.dll|");
    expect_one("Date Size File name", "1/2/70 17 a.dll", "1970-01-02|||17|a.dll|");
    expect_one("Date Size File name", "98/10/28 17 a.dll", "1998-10-28|||17|a.dll|");
    expect_one("Date Size File name", "2/29/2000 17 a.dll", "2000-02-29|||17|a.dll|");
}

static void a_date_that_cannot_be_is_left_empty_and_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("Date Time Size File name\n2/30/2001 10:00 1,234 a.dll\n");
    expect_row(&document, 0, "|10:00||1234|a.dll|");
    expect_problem(&document, 2, "'2/30/2001' is no date");
}

static void a_date_is_whole_and_its_year_has_two_digits_or_four(void **state)
{
    (void)state;
    struct kb_date date;
    assert_true(kb_value_date(kb_span_of("Mar-27-2001"), &date));
    assert_int_equal(date.year, 2001);
    static const char *const none[] = {"Mar-27-200", "Mar-27-2001 5", "Mar-27-2001x", "Mar-32-2001"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(kb_value_date(kb_span_of(none[i]), &date));
}

static void day_and_month_are_ordered_by_the_table_not_the_article(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("Date Size File name\n3/8/99 1 a.dll\n23/8/99 2 b.dll\n\n"
                                                    "Date Size File name\n3/8/99 3 c.dll\n");
    assert_int_equal(document.row_count, 3);
    assert_string_equal(document.rows[0].date, "1999-08-03");
    assert_string_equal(document.rows[1].date, "1999-08-23");
    assert_string_equal(document.rows[2].date, "1999-03-08");
}

static void contradicting_dates_are_told_and_the_month_stays_first(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("Date Size File name\n3/8/99 1 a.dll\n23/8/99 2 b.dll\n8/24/99 3 c.dll\n");
    assert_string_equal(document.rows[0].date, "1999-03-08");
    assert_string_equal(document.rows[1].date, "1999-08-23");
    assert_string_equal(document.rows[2].date, "1999-08-24");
    expect_problem(&document, 2, "day first and the month first");
}

static void times_are_of_twenty_four_hours(void **state)
{
    (void)state;
    static const char *const times[][2] = {{"12:05am", "00:05"}, {"12:05pm", "12:05"},    {"05:17p", "17:17"},
                                           {"5:17 PM", "17:17"}, {"3:32:23 PM", "15:32"}, {"9:08:54", "09:08"},
                                           {"1815", "18:15"},    {"17:06pm", "17:06"},    {"22.36", "22:36"},
                                           {"xx:xx", ""},        {"5:17 p.m.", "17:17"},  {"0:00", "00:00"}};
    char row[128], wanted[128];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        snprintf(row, sizeof row, "1/2/2001   %s   5.0.1.2   1,234   a.dll", times[i][0]);
        snprintf(wanted, sizeof wanted, "2001-01-02|%s|5.0.1.2|1234|a.dll|", times[i][1]);
        expect_one("Date       Time    Version   Size    File name", row, wanted);
    }
}

static void sizes_are_bytes_or_nothing(void **state)
{
    (void)state;
    static const char *const sizes[][2] = {{"177,424", "177424"},
                                           {"177.424", "177424"},
                                           {"1.135.104", "1135104"},
                                           {"1234567", "1234567"},
                                           {"283,104 bytes", "283104"},
                                           {"157,285b", "157285"},
                                           {"322KB", ""},
                                           {"1.32 MB", ""},
                                           {"15,66 KB", ""},
                                           {"306K", ""},
                                           {"n/a", ""},
                                           {"84 304", "84304"}};
    char row[128], wanted[128];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(row, sizeof row, "1/2/2001  10:00  %s  a.dll  x86", sizes[i][0]);
        snprintf(wanted, sizeof wanted, "2001-01-02|10:00||%s|a.dll|x86", sizes[i][1]);
        expect_one("Date      Time   Size     File name  Platform", row, wanted);
    }
}

static void oddly_grouped_sizes_are_read_and_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("Date Size File name\n1/2/2001 1,23456 a.dll\n");
    expect_row(&document, 0, "2001-01-02|||123456|a.dll|");
    expect_problem(&document, 2, "grouped oddly");
}

static void versions_pack_into_four_numbers_where_they_are_such(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("Date Version File name\n1/2/2001 06.00.9569 a.dll\n"
                                                    "1/2/2001 4.0.1381.33476 b.dll\n1/2/2001 5.0.1.2 rc c.dll\n"
                                                    "1/2/2001 1.2.3.4.5 d.dll\n1/2/2001 5.0.70000.1 e.dll\n");
    assert_int_equal(document.row_count, 5);
    assert_true(document.rows[0].has_version4);
    assert_true(document.rows[0].version4 == (6ull << 48 | 9569ull << 16));
    assert_string_equal(document.rows[0].version, "06.00.9569");
    assert_true(document.rows[1].version4 == (4ull << 48 | 1381ull << 16 | 33476));
    assert_string_equal(document.rows[2].version, "5.0.1.2 rc");
    assert_true(document.rows[2].version4 == (5ull << 48 | 1ull << 16 | 2));
    assert_false(document.rows[3].has_version4);
    assert_false(document.rows[4].has_version4);
    expect_problem(&document, 6, "below 65536");
}

static void platforms_lose_their_brackets_and_go_on_below(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("  Date      Size  File name  Platform\n"
                                                    "  --------------------------------------\n"
                                                    "  03/23/00   17  a.exe      Windows 98\n"
                                                    "                            Second Edition\n"
                                                    "  03/23/00   18  a.exe      <alpha>\n"
                                                    "  03/23/00   19  a.exe      R3000   (Debug)\n"
                                                    "  03/23/00   20  a.exe      N/A\n");
    assert_int_equal(document.row_count, 4);
    assert_string_equal(document.rows[0].platform, "Windows 98 Second Edition");
    assert_string_equal(document.rows[1].platform, "alpha");
    assert_string_equal(document.rows[2].platform, "R3000 (Debug)");
    assert_string_equal(document.rows[3].platform, "");
}

static void groups_divide_a_table_and_running_text_ends_it(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("Date Size File name Platform\nNorthern edition\n1/2/00 17 a.exe x86\n\n"
                  "Southern edition:\n1/2/00 18 a.exe x86\n\n"
                  "Should you need the files of earlier editions, look for these.\n"
                  "1/2/00 19 b.exe x86\n");
    assert_int_equal(document.row_count, 2);
    assert_int_equal(document.tables, 1);
    assert_int_equal(document.rows[1].line, 6);
    expect_problem(&document, 9, "running text stands between");
}

static void lists_that_begin_with_the_file_name_are_no_tables(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("File name   Size    Date\na.dll      1,234   1/2/2001\n\n"
                                                    "01/02/2001  10:00a   1,234 b.dll\nSee a.dll 5.0.1.2, too.\n");
    assert_int_equal(document.row_count, 0);
}

static void drawn_tables_are_read_by_their_cells(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("+-----------------------------------------+\n"
                                                    "| Date    | Time | Size | File Name | Platform |\n"
                                                    "+-----------------------------------------+\n"
                                                    "| 1/07/99 |      | 42   | a b.dll   | (x86)    |\n"
                                                    "+-----------------------------------------+\n"
                                                    "|         |      |      |           | debug    |\n"
                                                    "| soon    | 5:0p | many | c.dll     |          |\n");
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "1999-01-07|||42|a b.dll|x86 debug");
    expect_row(&document, 1, "||||c.dll|");
    expect_problem(&document, 7, "'soon' is no date");
    expect_problem(&document, 7, "'many' is no size");
}

static void paths_and_names_without_extension_are_names(void **state)
{
    (void)state;
    expect_one("Date Time Size File name and path", "1/2/01 10:00 17 %Windir%\\System32\\a.dll",
               "2001-01-02|10:00||17|%Windir%\\System32\\a.dll|");
    expect_one("Date Time Size File name Platform", "1/2/01 10:00 17 Ntldr Intel", "2001-01-02|10:00||17|Ntldr|Intel");
}

static void a_row_without_room_goes_on_in_the_next_line(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("Date Time Version Size File name\n01-Mar-2001 18:55 2.0.1493.1 23,520\n"
                  "          long_name.dll\n01-Mar-2001 18:56 2.0.1493.1 23,521 b.dll\n");
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "2001-03-01|18:55|2.0.1493.1|23520|long_name.dll|");
}

static void a_line_that_only_begins_like_a_row_is_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("Date Time Size File name\n1/2/01 10:00 17 a.dll\n1/2/01 10:00 17 ???\n");
    assert_int_equal(document.row_count, 1);
    expect_problem(&document, 3, "do not fit the columns");
}

static void a_table_run_together_is_read_word_by_word(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text(
        "Article ID: 884999 Times are as in the Control Panel.Date Time Version Size File name Platform ------------- "
        "14-Sep-2004 07:08 5.0.2195.6968 382,224 a.dll x86 24-Mar-2004\n02:17 5.0.2195.6824 42,256 b.dll "
        "21-Sep-2003 00:45 3 c.exe Intel STATUSThis is known. Nothing else is.\n");
    assert_int_equal(document.row_count, 3);
    assert_string_equal(document.article, "Q884999");
    expect_row(&document, 0, "2004-09-14|07:08|5.0.2195.6968|382224|a.dll|x86");
    expect_row(&document, 1, "2004-03-24|02:17|5.0.2195.6824|42256|b.dll|");
    expect_row(&document, 2, "2003-09-21|00:45||3|c.exe|Intel");
    assert_int_equal(document.rows[2].line, 2);
}

static void a_heading_without_rows_is_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("one\ntwo\nDate Time Version Size File name\n\nThere is nothing here.\n");
    assert_int_equal(document.row_count, 0);
    expect_problem(&document, 3, "without rows");
}

static void any_encoding_gives_the_same_rows(void **state)
{
    (void)state;
    static const char windows[] = "Date Size File name\r\n1/2/01 17 caf\xe9.dll\r\n";
    static const char utf8[] = "\xef\xbb\xbf"
                               "Date Size File name\n1/2/01 17 caf\xc3\xa9.dll\n";
    uint8_t little[128], big[128];
    size_t length = 0;
    for (const char *c = windows; *c != '\0'; c++, length += 2) {
        little[length] = big[length + 1] = (uint8_t)*c;
        little[length + 1] = big[length] = 0;
    }
    CLEARED struct kb_document of_windows = read_bytes(windows, sizeof windows - 1, "");
    CLEARED struct kb_document of_utf8 = read_bytes(utf8, sizeof utf8 - 1, "");
    CLEARED struct kb_document of_little = read_bytes(little, length, "");
    CLEARED struct kb_document of_big = read_bytes(big, length, "");
    const struct kb_document *const all[] = {&of_windows, &of_utf8, &of_little, &of_big};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(all[i]->row_count, 1);
        assert_string_equal(all[i]->rows[0].file, "caf\xc3\xa9.dll");
        assert_int_equal(all[i]->rows[0].line, 2);
    }
}

static void html_tables_are_read_by_their_cells_and_layout_tables_are_not(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text(
        "<!DOCTYPE html>\n<html><head><title>Lights (100501)</title><style>td { }</style></head>\n"
        "<body><table><tr><td>menu</td><td><p>This update requires Windows Server 2003 Service Pack 1.</p>\n"
        "<table><tr><th>File name</th><th>File version</th><th>File size</th><th>Date</th><th>Time</th></tr>\n"
        "<tr><td>a&amp;b.dll</td><td><!-- none --> </td><td>1,024</td><td>14-Oct-2009</td><td>18:42</td></tr>\n"
        "</table></td></tr></table>\n<pre>Date      Size  File name\n1/2/2001    17  "
        "c.dll\n</pre>&lt;end&#62;</body></html>");
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "2009-10-14|18:42||1024|a&b.dll|");
    assert_int_equal(document.rows[0].line, 5);
    expect_row(&document, 1, "2001-01-02|||17|c.dll|");
    assert_int_equal(document.requirement_count, 1);
    assert_string_equal(document.requirements[0].product, "Windows Server 2003");
}

static void pasted_pages_have_tabs_between_cells(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("File name\tFile version\tFile size\tDate\tTime\tPlatform\n"
                                                    "a.dll\tNot applicable\t1,024\t14-Oct-2009\t18:42\tx64\n"
                                                    "b.dll\t6.0.3790.4601\t1,025\t14-Oct-2009\t\tx64\n");
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "2009-10-14|18:42||1024|a.dll|x64");
    expect_row(&document, 1, "2009-10-14||6.0.3790.4601|1025|b.dll|x64");
}

static void tables_of_other_languages_are_read(void **state)
{
    (void)state;
    static const char german[] = "Artikel-ID: 900123\n"
                                 "Die Datei hat diese Attribute.\n\n"
                                 "   Datum        Uhrzeit  Version        Größe    Dateiname\n"
                                 "   --------------------------------------------------------\n"
                                 "   03.02.2003   21:56    5.0.2195.6621  322.320  Eins.dll\n"
                                 "   14.01.2003   21:57    5.0.2195.6620    8.976  Zwei.dll\n";
    CLEARED struct kb_document document = read_bytes(german, strlen(german), "notes.txt");
    assert_string_equal(document.article, "Q900123");
    assert_int_equal(document.problem_count, 0);
    assert_int_equal(document.row_count, 2);
    expect_row(&document, 0, "2003-02-03|21:56|5.0.2195.6621|322320|Eins.dll|");
    expect_row(&document, 1, "2003-01-14|21:57|5.0.2195.6620|8976|Zwei.dll|");
    expect_one("Date  Heure  Version  Taille  Nom de fichier", "14/01/2003  21:56  5.0.2195.6621  322320  un.dll",
               "2003-01-14|21:56|5.0.2195.6621|322320|un.dll|");
    expect_one("Fecha  Hora  Versión  Tamaño  Nombre de archivo", "14/01/2003  21:56  5.0.2195.6621  322.320  uno.dll",
               "2003-01-14|21:56|5.0.2195.6621|322320|uno.dll|");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const uint8_t zeroes[4096] = {'M', 'Z'};
    struct kb_document document;
    struct error error = {0};
    assert_int_equal(kb_read(bytes_of(zeroes, sizeof zeroes), "a.exe", &document, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_string_equal(error.message, "'a.exe': no text: 4094 zero bytes; give an article as text, HTML or CSV");
    assert_null(document.rows);
    assert_string_equal(document.article, "");
}

static void empty_and_cut_off_inputs_give_no_rows(void **state)
{
    (void)state;
    static const char text[] = "DOCUMENT:Q100500\nDate Size File name\n1/2/01 17 a.dll\n<p>requires SP\n";
    for (size_t length = 0; length < sizeof text; length++) {
        CLEARED struct kb_document document = read_bytes(text, length, "");
        assert_true(document.row_count <= 1);
        if (length == 0)
            assert_int_equal(document.row_count, 0);
    }
}

static void an_article_far_too_long_is_refused(void **state)
{
    (void)state;
    size_t length = 3u << 20;
    _cleanup_free_ char *text = malloc(length);
    struct kb_document document;
    struct error error = {0};
    assert_non_null(text);
    memset(text, 'a', length);
    assert_int_equal(kb_read(bytes_of(text, length), "a.txt", &document, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
}

static void a_missing_file_is_told_and_the_others_are_printed(void **state)
{
    (void)state;
    char path[] = "kb-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "DOCUMENT:Q100500\nDate Time Version Size File name\n1/2/01 5:17p 5.0.1 17 c:\\a.dll\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    _cleanup_free_ char *rows = NULL, *told = NULL;
    size_t rows_size, told_size;
    FILE *out = open_memstream(&rows, &rows_size), *problems = open_memstream(&told, &told_size);
    const char *const paths[] = {"there/is/none", path};
    struct error error = {0};
    assert_int_equal(kb_print_tsv(paths, 2, out, problems, &error), -1);
    assert_int_equal(error.code, ERROR_NOT_FOUND);
    fclose(out);
    fclose(problems);
    unlink(path);
    assert_string_equal(rows, "article\tdate\ttime\tversion\tversion4\tsize\tfile\tplatform\n"
                              "Q100500\t2001-01-02\t17:17\t5.0.1\t5.0.1.0\t17\tc:\\a.dll\t\n");
    assert_non_null(strstr(told, "there/is/none: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_cells_are_told_by_the_kinds_of_the_others),
        cmocka_unit_test(columns_may_come_in_any_order),
        cmocka_unit_test(dates_come_in_many_forms),
        cmocka_unit_test(a_date_that_cannot_be_is_left_empty_and_told),
        cmocka_unit_test(a_date_is_whole_and_its_year_has_two_digits_or_four),
        cmocka_unit_test(day_and_month_are_ordered_by_the_table_not_the_article),
        cmocka_unit_test(contradicting_dates_are_told_and_the_month_stays_first),
        cmocka_unit_test(times_are_of_twenty_four_hours),
        cmocka_unit_test(sizes_are_bytes_or_nothing),
        cmocka_unit_test(oddly_grouped_sizes_are_read_and_told),
        cmocka_unit_test(versions_pack_into_four_numbers_where_they_are_such),
        cmocka_unit_test(platforms_lose_their_brackets_and_go_on_below),
        cmocka_unit_test(groups_divide_a_table_and_running_text_ends_it),
        cmocka_unit_test(lists_that_begin_with_the_file_name_are_no_tables),
        cmocka_unit_test(drawn_tables_are_read_by_their_cells),
        cmocka_unit_test(paths_and_names_without_extension_are_names),
        cmocka_unit_test(a_row_without_room_goes_on_in_the_next_line),
        cmocka_unit_test(a_line_that_only_begins_like_a_row_is_told),
        cmocka_unit_test(a_table_run_together_is_read_word_by_word),
        cmocka_unit_test(a_heading_without_rows_is_told),
        cmocka_unit_test(any_encoding_gives_the_same_rows),
        cmocka_unit_test(html_tables_are_read_by_their_cells_and_layout_tables_are_not),
        cmocka_unit_test(pasted_pages_have_tabs_between_cells),
        cmocka_unit_test(tables_of_other_languages_are_read),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(empty_and_cut_off_inputs_give_no_rows),
        cmocka_unit_test(an_article_far_too_long_is_refused),
        cmocka_unit_test(a_missing_file_is_told_and_the_others_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
