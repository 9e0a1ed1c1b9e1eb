/* Evidence is read by its shapes, not by its check: a new check's is shown without a word here. */

#include "report_evidence.h"

#include "aggregator/base/html.h"
#include "report_document.h"

#include <stdbool.h>
#include <string.h>

#define ITEMS_SHOWN 200
#define DEPTH_MAXIMUM 6

static void put_value(const cJSON *value, unsigned depth, FILE *out);

/* What yes and no mean where that alone says little. */
static const struct {
    const char *key, *yes, *no;
} words[] = {
    {"definite", "whoever loads it fails", "not every program that loads it need fail"},
    {"delay", "only when it is called", "at the start of the program"},
    {"listed", "the registry lists it", "the registry does not list it"},
    {"one_link", "the component store has no link to it", "the component store links to it"},
    {"reboot_pending", "Windows says so itself", "Windows does not say so"},
    {"suspected", "this is likely, not proven", "this is proven"},
};

static void put_bool(const char *key, bool is, FILE *out)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].key, key) == 0) {
            fputs(is ? words[i].yes : words[i].no, out);
            return;
        }
    }
    fputs(is ? "yes" : "no", out);
}

/* What a key is called where its own words say little to who has not read the check. */
static const struct {
    const char *key, *name;
} names[] = {
    {"move", "files to move"},     {"lower", "the older side"},    {"upper", "the newer side"},
    {"target", "level to reach"},  {"target_why", "why that one"}, {"coverage", "what is known"},
    {"covered", "of known level"},
};

static void put_key(const char *key, FILE *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].key, key) == 0) {
            fputs(names[i].name, out);
            return;
        }
    }
    html_words(key, out);
}

/* Whether a number only counts a list beside it: 'move_count' of 'move', 'host_count' of 'hosts'. */
static bool counts_list(const cJSON *object, const cJSON *number)
{
    static const char ending[] = "_count";
    char key[80];
    size_t length = strlen(number->string);
    if (!cJSON_IsNumber(number) || length < sizeof ending || length > sizeof key ||
        strcmp(number->string + length - strlen(ending), ending) != 0)
        return false;
    length -= strlen(ending);
    snprintf(key, sizeof key, "%.*ss", (int)length, number->string);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);
    key[length] = 0;
    if (list == NULL)
        list = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsArray(list) && cJSON_GetArraySize(list) == (int)number->valuedouble;
}

/* Whether a number only is the place of a level that is named beside it: 'target_ordinal' of 'target'. */
static bool is_place(const cJSON *object, const cJSON *number)
{
    static const char ending[] = "_ordinal";
    char key[80];
    size_t length = strlen(number->string);
    if (!cJSON_IsNumber(number) || length < sizeof ending || length > sizeof key ||
        strcmp(number->string + length - strlen(ending), ending) != 0)
        return false;
    snprintf(key, sizeof key, "%.*s", (int)(length - strlen(ending)), number->string);
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void put_text(const char *before, const char *text, FILE *out)
{
    if (*text == 0)
        return;
    fputs(before, out);
    html_text(text, out);
}

/* Keys that a file's sentence says, in its order. */
static const char *const said[] = {"path", "location", "version", "level", "levels", "basis", "declared", NULL};

static bool is_said(const char *key)
{
    for (size_t i = 0; said[i] != NULL; i++)
        if (strcmp(said[i], key) == 0)
            return true;
    return false;
}

/* 'c:/windows/system32/ntdll.dll 5.2.3790.0 is RTM: SP1 ships 5.2.3790.1830; winner ...' */
static void put_file(const cJSON *file, const char *path, unsigned depth, FILE *out)
{
    const cJSON *item;
    fputs("<code>", out);
    html_text(path, out);
    fputs("</code>", out);
    put_text(" ", report_string(file, "version"), out);
    put_text(" is ", report_string(file, "level"), out);
    put_text(" is ", report_string(file, "levels"), out);
    put_text(": ", report_string(file, "basis"), out);
    cJSON_ArrayForEach(item, file)
    {
        if (is_said(item->string) || cJSON_IsNull(item) || is_place(file, item) || counts_list(file, item))
            continue;
        fputs("; ", out);
        html_words(item->string, out);
        fputs(" ", out);
        put_value(item, depth + 1, out);
    }
}

static void put_object(const cJSON *object, unsigned depth, FILE *out)
{
    const cJSON *item;
    const char *path = report_string(object, "path"), *location = report_string(object, "location");
    if (*path != 0 || *location != 0) {
        put_file(object, *path != 0 ? path : location, depth, out);
        return;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "declared"))) {
        put_text("the registry declares ", report_string(object, "level"), out);
        return;
    }
    fputs("<dl>", out);
    cJSON_ArrayForEach(item, object)
    {
        if (cJSON_IsNull(item) || is_place(object, item) || counts_list(object, item))
            continue;
        fputs("<div><dt>", out);
        put_key(item->string, out);
        fputs("</dt><dd>", out);
        put_value(item, depth + 1, out);
        fputs("</dd></div>", out);
    }
    fputs("</dl>", out);
}

static void put_list(const cJSON *list, unsigned depth, FILE *out)
{
    const cJSON *item;
    int shown = 0, count = cJSON_GetArraySize(list);
    if (count == 0) {
        fputs("none", out);
        return;
    }
    fputs("<ul>", out);
    cJSON_ArrayForEach(item, list)
    {
        fputs("<li>", out);
        if (shown++ == ITEMS_SHOWN) {
            fprintf(out, "and %d more</li>", count - ITEMS_SHOWN);
            break;
        }
        put_value(item, depth + 1, out);
        fputs("</li>", out);
    }
    fputs("</ul>", out);
}

static void put_value(const cJSON *value, unsigned depth, FILE *out)
{
    if (cJSON_IsObject(value) && depth < DEPTH_MAXIMUM)
        put_object(value, depth, out);
    else if (cJSON_IsArray(value) && depth < DEPTH_MAXIMUM)
        put_list(value, depth, out);
    else if (cJSON_IsString(value))
        html_text(value->valuestring, out);
    else if (cJSON_IsNumber(value))
        fprintf(out, "%.15g", value->valuedouble);
    else if (cJSON_IsBool(value))
        put_bool(value->string != NULL ? value->string : "", cJSON_IsTrue(value), out);
}

void report_evidence(const cJSON *evidence, FILE *out)
{
    put_value(evidence, 0, out);
}
