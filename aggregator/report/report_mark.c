/* Where the last report of a name ended, and the next one begins. */

#include "report.h"

#include "proto/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often, and for how long, a pause of those who store is waited for, so that all is told that was there when the
 * report was asked for: without one it ends where the oldest of them began, and the next one tells the rest. */
#define PAUSE_TRIES 50
#define PAUSE_MICROSECONDS 100000

/* Where the report ends: never before it begins. */
static int horizon(PGconn *connection, const char *asked, struct report_span *span, bool *is_whole, struct error *error)
{
    const struct parameter parameters[] = {PARAMETER_TEXT(asked), PARAMETER_TEXT(span->since)};
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        connection, "select greatest(h, $2::timestamptz)::text, h >= $1::timestamptz from evenkeel.report_horizon() h",
        parameters, 2, false, error);
    if (rows == NULL)
        return -1;
    snprintf(span->until, sizeof span->until, "%s", PQgetvalue(rows, 0, 0));
    *is_whole = PQgetvalue(rows, 0, 1)[0] == 't';
    return 0;
}

int report_next(PGconn *connection, const char *name, const char *choice, struct report_span *span, struct error *error)
{
    const struct parameter parameters[] = {PARAMETER_TEXT(name), PARAMETER_TEXT(choice)};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection,
                       "select evenkeel.report_since($1)::text, clock_timestamp()::text,"
                       " set_config('evenkeel.report', $1, false), set_config('evenkeel.silent_cells', '', false),"
                       " evenkeel.report_is_of($1, $2)",
                       parameters, 2, false, error);
    if (rows == NULL)
        return -1;
    snprintf(span->since, sizeof span->since, "%s", PQgetvalue(rows, 0, 0));
    bool is_whole = false;
    for (int tries = 0; tries < PAUSE_TRIES; tries++) {
        if (horizon(connection, PQgetvalue(rows, 0, 1), span, &is_whole, error) < 0)
            return -1;
        if (is_whole)
            break;
        usleep(PAUSE_MICROSECONDS);
    }
    return 0;
}

int report_told(PGconn *connection, const char *name, const char *choice, const struct report_span *span,
                struct error *error)
{
    const struct parameter parameters[] = {PARAMETER_TEXT(name), PARAMETER_TEXT(span->until), PARAMETER_TEXT(choice)};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.report_told($1, $2::timestamptz, $3)", parameters, 3, false, error);
    return rows != NULL ? 0 : -1;
}
