/* What is asked of a page: its parameters, looked at before the database sees them. */

#ifndef EVENKEEL_PAGE_QUERY_H
#define EVENKEEL_PAGE_QUERY_H

#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>

enum query_parameter {
    QUERY_COMPONENT,
    QUERY_CHECK,
    QUERY_CODE,
    QUERY_FORMAT,
    QUERY_GROUP,
    QUERY_ID,
    QUERY_NAME,
    QUERY_PAGE,
    QUERY_PART,
    QUERY_PRODUCT,
    QUERY_SEARCH,
    QUERY_SEVERITY,
    QUERY_SINCE,
    QUERY_VERDICT,
    QUERY_VERSION,
    QUERY_WAIVED,
    QUERY_PARAMETERS
};

#define QUERY_BYTES 256
#define QUERY_PAGE_MAXIMUM 100

struct page_query {
    bool given[QUERY_PARAMETERS];
    char values[QUERY_PARAMETERS][QUERY_BYTES];
};

/* A parameter's value; NULL where it was not given, or is empty. */
const char *query_value(const struct page_query *query, enum query_parameter parameter);

/* Reads a query, of which a page takes those parameters (a bit each) and the format; -1 with *error for one that it
 * does not know, or whose value can't be meant. */
int query_read(const char *text, unsigned allowed, struct page_query *query, struct error *error);

#endif
