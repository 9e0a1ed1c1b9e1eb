/* Reading the report's document. */

#include "report_document.h"

#include <stdio.h>
#include <string.h>

const struct report_section report_sections[] = {
    {"new", "New", "nothing new"},
    {"worsened", "Worse", "nothing got worse"},
    {"closed", "Closed", "nothing was closed"},
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
