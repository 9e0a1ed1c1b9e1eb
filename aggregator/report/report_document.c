/* Reading the report's document. */

#include "report_document.h"

#include <stdio.h>
#include <string.h>

const struct report_section report_sections[] = {
    {"new", "New", "nothing new"},
    {"worsened", "Worse", "nothing got worse"},
    {"closed", "Closed", "nothing was closed"},
    {"passed", "Opened and closed since", "nothing was open in between"},
    {"waived", "Waived", "nothing is waived"},
    {NULL, NULL, NULL},
};

const char *report_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

long long report_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? (long long)item->valuedouble : 0;
}

const cJSON *report_list(const cJSON *object, const char *key)
{
    static const cJSON none = {.type = cJSON_Array};
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsArray(item) ? item : &none;
}

const char *report_options(const cJSON *document)
{
    return report_string(cJSON_GetObjectItemCaseSensitive(document, "chosen"), "options");
}

const cJSON *report_same(const cJSON *finding, int *count)
{
    static const char *const keys[] = {"check_code", "severity", "subject", "summary", "why", "reason", "waived_by"};
    const cJSON *next = finding;
    for (*count = 0; next != NULL; next = next->next, ++*count)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strcmp(report_string(finding, keys[i]), report_string(next, keys[i])) != 0)
                return next;
    return NULL;
}

static size_t cut_find(struct report_cut *cut, const char *code)
{
    size_t at = 0;
    while (at < cut->count && (cut->checks[at].code == NULL || strcmp(cut->checks[at].code, code) != 0))
        at++;
    if (at == cut->count && at < REPORT_CHECKS_MAXIMUM) {
        cut->checks[at].code = at + 1 < REPORT_CHECKS_MAXIMUM ? code : NULL;
        cut->count++;
    }
    return at < REPORT_CHECKS_MAXIMUM ? at : REPORT_CHECKS_MAXIMUM - 1;
}

bool report_cut_takes(struct report_cut *cut, const cJSON *finding, int hosts)
{
    size_t at = cut_find(cut, report_string(finding, "check_code"));
    const char *host = hosts == 1 ? report_string(finding, "host") : "";
    int shown = cut->checks[at].shown, of_host = 0;
    for (int i = 0; i < shown && *host != 0; i++)
        of_host += strcmp(cut->checks[at].hosts[i], host) == 0;
    if (shown >= cut->per_check || shown >= REPORT_LINES_MAXIMUM || of_host >= cut->per_host) {
        cut->checks[at].left += hosts;
        return false;
    }
    cut->checks[at].hosts[shown] = host;
    cut->checks[at].shown++;
    return true;
}

const char *report_cut_command(const struct report_cut *cut, size_t at, const char *section, const cJSON *document,
                               char *text, size_t size)
{
    char time[20];
    const char *code = cut->checks[at].code;
    if (code == NULL || strcmp(section, "closed") == 0 || strcmp(section, "passed") == 0 ||
        strcmp(section, "waived") == 0)
        snprintf(text, size, "evenkeel report drift --since '%s'%s --format csv",
                 report_time(report_string(document, "since"), time), report_options(document));
    else
        snprintf(text, size, "evenkeel check --check %s%s", code, report_options(document));
    return text;
}

long long report_shown(const cJSON *groups, const char *check_code)
{
    long long hosts = 0;
    const cJSON *group;
    cJSON_ArrayForEach(group, groups) if (strcmp(report_string(group, "check_code"), check_code) == 0) hosts +=
        report_number(group, "hosts");
    return hosts;
}

const char *report_time(const char *iso, char text[20])
{
    snprintf(text, 20, "%.16s", iso);
    if (strlen(text) > 10 && text[10] == 'T')
        text[10] = ' ';
    return text;
}

const char *report_step(const cJSON *file, char *text, size_t size)
{
    const cJSON *old = report_list(file, "old"), *version;
    const char *new_version = report_string(file, "new");
    size_t length = 0;
    text[0] = 0;
    cJSON_ArrayForEach(version, old)
    {
        int written = snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", version->valuestring);
        length += written > 0 ? (size_t)written : 0;
        if (length >= size)
            return text;
    }
    snprintf(text + length, size - length, "%s → %s", length > 0 ? "" : "(not there)",
             *new_version != 0 ? new_version : "(gone)");
    return text;
}
