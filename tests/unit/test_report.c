/* What a report leaves out, it says, and no check or host crowds out another. */

#include "aggregator/report/report_document.h"
#include "aggregator/report/report_evidence.h"
#include "aggregator/report/report_html.h"
#include "aggregator/report/report_matrix.h"
#include "aggregator/report/report_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(cJSON *list, const char *check, const char *host, int number)
{
    char summary[80];
    cJSON *finding = cJSON_CreateObject();
    snprintf(summary, sizeof summary, "%s number %d", check, number);
    cJSON_AddStringToObject(finding, "check_code", check);
    cJSON_AddStringToObject(finding, "severity", "high");
    cJSON_AddStringToObject(finding, "host", host);
    cJSON_AddStringToObject(finding, "summary", summary);
    cJSON_AddItemToArray(list, finding);
}

/* 500 clones come before three mixed hosts, one of which has 60 files that are not there. */
static cJSON *document_of(const char *section)
{
    cJSON *document = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(document, section);
    cJSON_AddStringToObject(document, "sentence", "much happened");
    cJSON_AddStringToObject(document, "since", "2026-11-28T03:00:12.345+00:00");
    cJSON_AddStringToObject(document, "until", "2026-11-29T03:00:12.345+00:00");
    for (int i = 0; i < 500; i++) {
        char host[32];
        snprintf(host, sizeof host, "clone-%d", i);
        add(list, "cloned-identity", host, i);
    }
    for (int i = 0; i < 60; i++)
        add(list, "missing-file", "gaunt", i);
    add(list, "missing-file", "other", 60);
    add(list, "mixed-level", "web-1", 1);
    add(list, "mixed-level", "web-2", 2);
    add(list, "mixed-level", "web-3", 3);
    return document;
}

/* The document goes with it. */
static char *rendered(void (*write)(const cJSON *, FILE *), cJSON *document)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write(document, out);
    assert_int_equal(fclose(out), 0);
    cJSON_Delete(document);
    return text;
}

static char *written(void (*write)(const cJSON *, FILE *), const char *section)
{
    return rendered(write, document_of(section));
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

static void expect_all(const char *text, int clones, int files, const char *const *told, size_t count)
{
    assert_int_equal(count_of(text, "cloned-identity number"), clones);
    assert_int_equal(count_of(text, "missing-file number"), files + 1);
    assert_int_equal(count_of(text, "mixed-level number"), 3);
    assert_non_null(strstr(text, "missing-file number 60"));
    for (size_t i = 0; i < count; i++)
        if (strstr(text, told[i]) == NULL)
            fail_msg("it does not say: %s", told[i]);
}

static void text_is_cut_by_check_and_host(void **state)
{
    (void)state;
    static const char *const told[] = {
        "New (564)",
        "and 460 more of cloned-identity: evenkeel check --check cloned-identity\n",
        "and 50 more of missing-file: evenkeel check --check missing-file\n",
    };
    char *text = written(report_text, "new");
    expect_all(text, 40, 10, told, sizeof told / sizeof *told);
    assert_int_equal(count_of(text, "more of mixed-level"), 0);
    free(text);
}

static void what_is_closed_is_found_in_the_report_of_that_time(void **state)
{
    (void)state;
    static const char *const told[] = {
        "and 460 more of cloned-identity: evenkeel report drift --since '2026-11-28 03:00' --format csv\n",
        "and 50 more of missing-file: evenkeel report drift --since '2026-11-28 03:00' --format csv\n",
    };
    char *text = written(report_text, "closed");
    expect_all(text, 40, 10, told, sizeof told / sizeof *told);
    free(text);
}

static void page_is_cut_by_check_and_host(void **state)
{
    (void)state;
    static const char *const told[] = {
        "And 400 more of cloned-identity: <code>evenkeel check --check cloned-identity</code>",
        "And 40 more of missing-file: <code>evenkeel check --check missing-file</code>",
    };
    char *text = written(report_html, "new");
    expect_all(text, 100, 20, told, sizeof told / sizeof *told);
    free(text);
}

static void take_out(char *text, const char *what)
{
    for (char *at = text; (at = strstr(at, what)) != NULL;)
        memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

static const char *behind(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    return at + strlen(mark);
}

/* The page's part that names so many hosts, n0 and on, without the marks around each name. */
static char *named(int hosts, char *line, size_t size)
{
    cJSON *document = cJSON_CreateObject(), *facts = cJSON_AddArrayToObject(document, "facts"),
          *fact = cJSON_CreateObject();
    cJSON_AddNumberToObject(fact, "hosts", hosts);
    cJSON *names = cJSON_AddArrayToObject(fact, "host_names");
    cJSON_AddItemToArray(facts, fact);
    for (int i = 0; i < hosts; i++) {
        char host[32];
        snprintf(host, sizeof host, "n%d", i);
        cJSON_AddItemToArray(names, cJSON_CreateString(host));
    }
    char *text = rendered(report_html, document);
    const char *from = behind(behind(text, "Changed facts"), "</b> ");
    size_t cell = (size_t)(behind(from, "</td>") - from) - strlen("</td>");
    assert_true(cell < size);
    snprintf(line, size, "%.*s", (int)cell, from);
    take_out(line, "<bdi class=\"host\">");
    take_out(line, "</bdi>");
    free(text);
    return line;
}

static void names_of_hosts_are_folded_past_the_first_and_cut_at_last(void **state)
{
    (void)state;
    static char line[64 << 10];
    assert_string_equal(named(1, line, sizeof line), "n0");
    assert_string_equal(named(4, line, sizeof line), "n0, n1, n2, n3");
    assert_string_equal(named(5, line, sizeof line),
                        "n0, n1, n2 <details><summary>and 2 more</summary>n3, n4</details>");
    named(200, line, sizeof line);
    assert_non_null(strstr(line, ", n199</details>"));
    named(203, line, sizeof line);
    assert_non_null(strstr(line, ", n199, and 3 that the CSV has</details>"));
    assert_null(strstr(line, "n200"));
}

static void groups_past_the_fortieth_are_counted(void **state)
{
    (void)state;
    static const char *const endings[] = {
        [40] = "G39: 3 hosts, 0 in danger, 0 mixed, 0 unknown, 0 level\n",
        [41] = "0 level\n  and 1 more group: evenkeel report drift --format csv\n",
        [42] = "0 level\n  and 2 more groups: evenkeel report drift --format csv\n",
    };
    for (int count = 40; count <= 42; count++) {
        cJSON *document = cJSON_CreateObject(), *groups = cJSON_AddArrayToObject(document, "groups");
        for (int i = 0; i < count; i++) {
            char name[16];
            cJSON *group = cJSON_CreateObject();
            snprintf(name, sizeof name, "G%d", i);
            cJSON_AddStringToObject(group, "group_name", name);
            cJSON_AddNumberToObject(group, "hosts", 3);
            cJSON_AddItemToArray(groups, group);
        }
        char *text = rendered(report_text, document);
        assert_int_equal(count_of(text, ": 3 hosts, "), 40);
        size_t length = strlen(text), ending = strlen(endings[count]);
        assert_true(length > ending);
        assert_string_equal(text + length - ending, endings[count]);
        free(text);
    }
}

static void more_checks_than_there_is_place_for_are_counted_together(void **state)
{
    (void)state;
    struct report_cut cut = {.per_check = 2, .per_host = 1};
    cJSON *list = cJSON_CreateArray(), *finding;
    long long left = 0;
    int taken = 0;
    char check[32];
    for (int i = 0; i < 300; i++) {
        snprintf(check, sizeof check, "check-%d", i % 100);
        add(list, check, "one", i);
    }
    cJSON_ArrayForEach(finding, list) taken += report_cut_takes(&cut, finding, 1);
    for (size_t at = 0; at < cut.count; at++)
        left += cut.checks[at].left;
    assert_int_equal(cut.count, REPORT_CHECKS_MAXIMUM);
    assert_int_equal(taken, REPORT_CHECKS_MAXIMUM);
    assert_int_equal(left + taken, 300);
    assert_null(cut.checks[REPORT_CHECKS_MAXIMUM - 1].code);
    cJSON_Delete(list);
}

static void evidence_is_read_as_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *evidence, *html;
    } cases[] = {
        {"{\"upper\": {\"path\": \"c:/a.dll\", \"version\": \"1.0.0.1\", \"level\": \"at least SP2\", \"basis\": \"SP2 "
         "ships it\"}}",
         "<dl><div><dt>the newer side</dt><dd><code>c:/a.dll</code> 1.0.0.1 is at least SP2: SP2 ships "
         "it</dd></div></dl>"},
        {"{\"move\": [{\"path\": \"c:/<b>\", \"levels\": \"RTM\", \"brought\": \"1.2\"}], \"move_count\": 1}",
         "<dl><div><dt>files to move</dt><dd><ul><li><code>c:/&lt;b&gt;</code> is RTM; brought "
         "1.2</li></ul></dd></div></dl>"},
        {"{\"move\": [1], \"move_count\": 2}",
         "<dl><div><dt>files to move</dt><dd><ul><li>1</li></ul></dd></div><div><dt>move "
         "count</dt><dd>2</dd></div></dl>"},
        {"{\"hosts\": [], \"host_count\": 0, \"note\": null}", "<dl><div><dt>hosts</dt><dd>none</dd></div></dl>"},
        {"{\"target\": \"SP2\", \"target_ordinal\": 2}", "<dl><div><dt>level to reach</dt><dd>SP2</dd></div></dl>"},
        {"{\"target_ordinal\": 2}", "<dl><div><dt>target ordinal</dt><dd>2</dd></div></dl>"},
        {"{\"lower\": {\"declared\": true, \"level\": \"SP1\"}}",
         "<dl><div><dt>the older side</dt><dd>the registry declares SP1</dd></div></dl>"},
        {"{\"definite\": true, \"odd\": false}", "<dl><div><dt>definite</dt><dd>whoever loads it fails</dd></div>"
                                                 "<div><dt>odd</dt><dd>no</dd></div></dl>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        cJSON *evidence = cJSON_Parse(cases[i].evidence);
        assert_non_null(out);
        assert_non_null(evidence);
        report_evidence(evidence, out);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, cases[i].html);
        cJSON_Delete(evidence);
        free(text);
    }
}

/* In the order of the rows none of these stands where it belongs. */
static void a_matrix_has_what_is_mixed_first_and_levels_in_their_order(void **state)
{
    (void)state;
    static const char *const levels[] = {"SP1..SP2", "SP2", "", "RTM", "mixed"};
    cJSON *document = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(document, "matrix");
    cJSON *product = cJSON_Parse("{\"product\": \"windows-2003\", \"name\": \"Windows\", \"levels\": "
                                 "[\"RTM\", \"SP1\", \"SP2\"]}");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "product", "windows-2003");
        cJSON_AddStringToObject(row, "component", "os");
        cJSON_AddStringToObject(row, "level", levels[i]);
        cJSON_AddNumberToObject(row, "hosts", 1);
        cJSON_AddItemToArray(rows, row);
    }
    cJSON *of_another = cJSON_Duplicate(cJSON_GetArrayItem(rows, 0), true);
    cJSON_ReplaceItemInObject(of_another, "product", cJSON_CreateString("windows-xp"));
    cJSON_ReplaceItemInObject(of_another, "level", cJSON_CreateString("SP1"));
    cJSON_AddItemToArray(rows, of_another);
    char *text = NULL, seen[256] = "";
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    report_matrix(document, product, out);
    assert_int_equal(fclose(out), 0);
    for (const char *at = strstr(text, "<th scope=\"col\""); at != NULL; at = strstr(at + 1, "<th scope=\"col\"")) {
        const char *begin = strchr(at, '>') + 1;
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s|", (int)strcspn(begin, "<"), begin);
    }
    assert_string_equal(seen, "Component|mixed|RTM|SP2|SP1..SP2|unknown|");
    free(text);
    cJSON_Delete(product);
    cJSON_Delete(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_by_check_and_host),
        cmocka_unit_test(what_is_closed_is_found_in_the_report_of_that_time),
        cmocka_unit_test(page_is_cut_by_check_and_host),
        cmocka_unit_test(names_of_hosts_are_folded_past_the_first_and_cut_at_last),
        cmocka_unit_test(groups_past_the_fortieth_are_counted),
        cmocka_unit_test(evidence_is_read_as_sentences),
        cmocka_unit_test(more_checks_than_there_is_place_for_are_counted_together),
        cmocka_unit_test(a_matrix_has_what_is_mixed_first_and_levels_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
