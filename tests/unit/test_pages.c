/* What pages say, and that they are whole HTML, whatever there is to say. */

#include "aggregator/pages/page_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Elements that have no end. */
static bool is_void(const char *name)
{
    static const char *const names[] = {"br", "hr", "img", "input", "link", "meta", "wbr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Every element ends, in the order in which they began. */
static void whole_html(const char *html)
{
    char open[64][16];
    size_t depth = 0;
    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at + 1, '<')) {
        char name[16];
        bool ends = at[1] == '/';
        if (at[1] == '!' || sscanf(at + 1 + ends, "%15[a-zA-Z0-9]", name) != 1)
            continue;
        const char *close = strchr(at, '>');
        assert_non_null(close);
        if (is_void(name) || close[-1] == '/')
            continue;
        if (!ends) {
            assert_true(depth < sizeof open / sizeof *open);
            strcpy(open[depth++], name);
            if (strcmp(name, "style") == 0)
                at = strstr(at, "</style") - 1;
            continue;
        }
        assert_true(depth > 0);
        assert_string_equal(open[--depth], name);
    }
    assert_int_equal(depth, 0);
}

static char *page_of(void (*page)(const cJSON *, FILE *), const char *document)
{
    char *text = NULL;
    size_t size;
    cJSON *json = cJSON_Parse(document);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(json);
    assert_non_null(out);
    page(json, out);
    assert_int_equal(fclose(out), 0);
    cJSON_Delete(json);
    whole_html(text);
    return text;
}

static void says(void (*page)(const cJSON *, FILE *), const char *document, const char *wanted)
{
    char *text = page_of(page, document);
    if (strstr(text, wanted) == NULL)
        fail_msg("'%s' is not in %s", wanted, text);
    free(text);
}

static void says_not(void (*page)(const cJSON *, FILE *), const char *document, const char *unwanted)
{
    char *text = page_of(page, document);
    assert_null(strstr(text, unwanted));
    free(text);
}

#define SUMMARY                                                                                                        \
    "\"summary\": {\"hosts\": 3, \"mixed\": 0, \"unknown\": 0, \"level\": 3, \"made_at\": \"2026-11-29T03:00:00\", "   \
    "\"products\": [{\"product\": \"windows-2003\", \"name\": \"Windows Server 2003\", \"hosts\": 3, \"level\": 3}], " \
    "\"groups\": [{\"group\": \"farm\", \"hosts\": 2, \"mixed\": 1, \"level\": 1}], "                                  \
    "\"checks\": [{\"check\": \"missing-file\", \"title\": \"Files are missing\", \"high\": 1, \"hosts\": 1}]}"
#define HOST                                                                                                           \
    "{\"host_id\": \"6f9619ff\", \"host\": \"web-1\", \"verdict\": \"unknown\", \"os\": \"Windows\", \"missing\": "    \
    "\"push it\", \"high\": 1, \"medium\": 2, \"created_at\": \"2026-11-01T03:00:00\"}"
static const char level_fleet[] = "{\"whole\": true, \"number\": 1, \"hosts\": [], " SUMMARY "}";
static const char unknown_hosts[] =
    "{\"number\": 1, \"filter\": {\"verdict\": \"unknown\", \"group\": \"farm\"}, \"hosts\": [" HOST "], " SUMMARY "}";
static const char nobody[] =
    "{\"number\": 1, \"filter\": {\"verdict\": \"mixed\", \"search\": \"web\"}, \"hosts\": [], " SUMMARY "}";

static void a_fleet_of_which_all_are_level_says_so(void **state)
{
    (void)state;
    says(page_fleet, level_fleet, "<h1>All 3 hosts are level</h1>");
    says(page_fleet, level_fleet, "No host is mixed, and none can’t be judged.");
    says(page_fleet, level_fleet, "href=\"fleet?product=windows-2003\">Windows Server 2003</a>");
    says(page_fleet, level_fleet, "href=\"findings?check=missing-file\">missing-file</a>");
}

static void a_list_that_was_narrowed_says_to_what(void **state)
{
    (void)state;
    says(page_fleet, unknown_hosts, "<h1>Hosts that can’t be judged in group farm</h1>");
    says(page_fleet, unknown_hosts, "To know: push it");
    says(page_fleet, nobody, "<h1>Mixed hosts named like ‘web’</h1>");
    says_not(page_fleet, nobody, "that can’t be judged in");
    says(page_fleet, nobody, "There is no such host.");
    says_not(page_fleet, nobody, "No host is mixed");
}

static void findings_are_told_by_check(void **state)
{
    (void)state;
    static const char document[] =
        "{\"number\": 1, \"filter\": {\"check\": \"missing-file\"}, \"title\": \"Files are missing\", \"checks\": "
        "[{\"check\": \"missing-file\", \"high\": 1, \"low\": 2}, {\"check\": \"outlier\", \"medium\": 4}, "
        "{\"check\": \"group-skew\"}], \"findings\": []}";
    says(page_findings, document, "<h1>3 open findings of missing-file, 1 of severity high</h1>");
    says(page_findings, document, "aria-current=\"true\">missing-file <b>3</b></a>");
    says(page_findings, document, "<a href=\"findings?check=outlier\">outlier <b>4</b></a>");
    says_not(page_findings, document, "group-skew");
    says(page_findings, document, "There is none.");
}

static void hosts_of_one_name_are_told_apart(void **state)
{
    (void)state;
    static const char document[] = "{\"page\": \"hosts\", \"name\": \"web-1\", \"hosts\": [" HOST ", " HOST "]}";
    says(page_host, document, "href=\"host?id=6f9619ff\">");
    says(page_host, document, "2026-11-01 03:00");
}

static void what_a_host_is_called_is_no_markup(void **state)
{
    (void)state;
    static const char document[] = "{\"number\": 1, \"hosts\": [{\"host_id\": \"1\", \"host\": \"<script>\", "
                                   "\"verdict\": \"mixed\", \"worst\": \"<b>\"}], " SUMMARY "}";
    says(page_fleet, document, "&lt;script&gt;");
    says_not(page_fleet, document, "<script");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_of_which_all_are_level_says_so),
        cmocka_unit_test(a_list_that_was_narrowed_says_to_what),
        cmocka_unit_test(findings_are_told_by_check),
        cmocka_unit_test(hosts_of_one_name_are_told_apart),
        cmocka_unit_test(what_a_host_is_called_is_no_markup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
