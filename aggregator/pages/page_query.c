/* What is asked of a page. */

#include "page_query.h"

#include "aggregator/base/url.h"
#include "proto/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `words`: what may be said, separated by blanks; NULL: any text. */
static const struct {
    const char *name, *words;
} parameters[QUERY_PARAMETERS] = {
    [QUERY_COMPONENT] = {"component", NULL},
    [QUERY_CHECK] = {"check", NULL},
    [QUERY_CODE] = {"code", NULL},
    [QUERY_FORMAT] = {"format", "html json"},
    [QUERY_GROUP] = {"group", NULL},
    [QUERY_ID] = {"id", NULL},
    [QUERY_NAME] = {"name", NULL},
    [QUERY_PAGE] = {"page", NULL},
    [QUERY_PART] = {"part", "overview files history services"},
    [QUERY_PRODUCT] = {"product", NULL},
    [QUERY_SEARCH] = {"search", NULL},
    [QUERY_SEVERITY] = {"severity", "high medium low"},
    [QUERY_SINCE] = {"since", NULL},
    [QUERY_VERDICT] = {"verdict", "mixed unknown level"},
    [QUERY_VERSION] = {"version", NULL},
    [QUERY_WAIVED] = {"waived", "yes no"},
};

const char *query_value(const struct page_query *query, enum query_parameter parameter)
{
    return query->given[parameter] ? query->values[parameter] : NULL;
}

static bool is_word_of(const char *words, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = words; *at != 0; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && strncmp(at, value, length) == 0)
            return true;
    return false;
}

static bool is_uuid(const char *text)
{
    size_t i = 0;
    for (; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : text[i] == 0 || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return text[i] == 0;
}

static bool is_page(const char *text)
{
    return strlen(text) <= 3 && strspn(text, "0123456789") == strlen(text) && atoi(text) >= 1 &&
           atoi(text) <= QUERY_PAGE_MAXIMUM;
}

static int take(enum query_parameter at, const char *value, struct page_query *query, struct error *error)
{
    const char *name = parameters[at].name;
    if (strlen(value) >= QUERY_BYTES)
        return error_set(error, ERROR_USAGE, "The value of '%s' is longer than %d bytes.", name, QUERY_BYTES - 1);
    if (!bytes_are_utf8((struct bytes){(const uint8_t *)value, strlen(value)}))
        return error_set(error, ERROR_USAGE, "The value of '%s' is no text in UTF-8.", name);
    if (parameters[at].words != NULL && !is_word_of(parameters[at].words, value))
        return error_set(error, ERROR_USAGE, "'%s' is no value of '%s', which is one of: %s.", value, name,
                         parameters[at].words);
    if (at == QUERY_ID && !is_uuid(value))
        return error_set(error, ERROR_USAGE, "'%s' is no host_id, as f81d4fae-7dec-11d0-a765-00a0c91e6bf6 is.", value);
    if (at == QUERY_PAGE && !is_page(value))
        return error_set(error, ERROR_USAGE,
                         "'%s' is no number of a page from 1 to %d; what lies behind them is found by a narrower list.",
                         value, QUERY_PAGE_MAXIMUM);
    query->given[at] = true;
    snprintf(query->values[at], QUERY_BYTES, "%s", value);
    return 0;
}

int query_read(const char *text, unsigned allowed, struct page_query *query, struct error *error)
{
    struct url_parameter parameter;
    memset(query, 0, sizeof *query);
    for (int status; (status = url_next(&text, &parameter)) != 0;) {
        if (status < 0)
            return error_set(error, ERROR_USAGE, "The address has a parameter that is broken or too long.");
        enum query_parameter at = 0;
        while (at < QUERY_PARAMETERS && strcmp(parameters[at].name, parameter.name) != 0)
            at++;
        if (at == QUERY_PARAMETERS || ((allowed | 1u << QUERY_FORMAT) & 1u << at) == 0)
            return error_set(error, ERROR_USAGE, "This page has no parameter '%s'.", parameter.name);
        if (*parameter.value != 0 && take(at, parameter.value, query, error) < 0)
            return -1;
    }
    return 0;
}
