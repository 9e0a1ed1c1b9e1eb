/* The drift report: fetched, and written in the format asked for. */

#include "report.h"

#include "report_archive.h"
#include "report_html.h"
#include "report_place.h"
#include "report_text.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

static int copy_csv(PGconn *connection, const char *since, const char *until, FILE *out, struct error *error)
{
    char source[1024];
    char *literal = PQescapeLiteral(connection, since, strlen(since));
    if (literal == NULL)
        return error_set(error, ERROR_FORMAT, "'%s' is no text", since);
    /* The end is a time of the database's own. */
    snprintf(source, sizeof source, "evenkeel.report_rows(evenkeel.report_drift(ops.moment(%s), '%.64s'))", literal,
             until);
    PQfreemem(literal);
    return database_copy_csv(connection, source, out, NULL, error);
}

static void delete_document(cJSON **document)
{
    cJSON_Delete(*document);
}

static int render(PGconn *connection, const char *since, const char *until, enum report_format format, FILE *out,
                  struct error *error)
{
    static const char *const queries[] = {
        [REPORT_JSON] = "select jsonb_pretty(evenkeel.report_drift(ops.moment($1), $2))",
        [REPORT_TEXT] = "select evenkeel.report_drift(ops.moment($1), $2)::text",
        [REPORT_HTML] = ("select (d || jsonb_build_object('hosts', h))::text from evenkeel.report_hosts() h, "
                         "evenkeel.report_drift(ops.moment($1), $2) d"),
    };
    const struct parameter parameters[] = {PARAMETER_TEXT(since), PARAMETER_TEXT(until)};
    _cleanup_(cleanup_result) PGresult *rows = database_query(connection, queries[format], parameters, 2, false, error);
    if (rows == NULL)
        return -1;
    if (format == REPORT_JSON) {
        utf8_print_json(PQgetvalue(rows, 0, 0), out);
        putc('\n', out);
        return 0;
    }
    _cleanup_(delete_document) cJSON *document =
        cJSON_ParseWithLength(PQgetvalue(rows, 0, 0), (size_t)PQgetlength(rows, 0, 0));
    if (document == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the report");
    if (format == REPORT_HTML)
        report_html(document, out);
    else
        report_text(document, out);
    return 0;
}

int report_drift(PGconn *connection, const char *since, const char *until, enum report_format format, FILE *out,
                 struct error *error)
{
    if (strlen(since) > 200)
        return error_set(error, ERROR_USAGE, "'%.40s...' is no time", since);
    if (database_execute(connection, "begin isolation level repeatable read read only", error) < 0)
        return -1;
    if (until == NULL)
        until = "infinity";
    int result = format == REPORT_CSV ? copy_csv(connection, since, until, out, error)
                                      : render(connection, since, until, format, out, error);
    /* Nothing is stored, but what the session keeps of cells that did not answer. */
    struct error after = {0};
    if (database_execute(connection, result == 0 ? "commit" : "rollback", &after) < 0 && result == 0)
        result = error_set(error, after.code, "%s", after.message);
    return result;
}

/* What is asked of the database, for whoever writes it. */
struct wanted {
    PGconn *connection;
    const char *since, *until;
    enum report_format format;
};

static int write_wanted(const void *context, FILE *out, struct error *error)
{
    const struct wanted *wanted = context;
    return report_drift(wanted->connection, wanted->since, wanted->until, wanted->format, out, error);
}

int report_drift_file(PGconn *connection, const char *since, const char *until, enum report_format format,
                      const char *path, struct error *error)
{
    struct wanted wanted = {connection, since, until, format};
    return report_place(&(struct report_source){write_wanted, &wanted}, path, error);
}

struct page {
    char *bytes;
    size_t length;
};

static int write_page(const void *context, FILE *out, struct error *error)
{
    const struct page *page = context;
    if (fwrite(page->bytes, 1, page->length, out) != page->length)
        return error_set(error, ERROR_IO, "can't write the report");
    return 0;
}

int report_drift_page(PGconn *connection, const char *since, const char *until, char **page, size_t *length,
                      struct error *error)
{
    *page = NULL;
    FILE *out = open_memstream(page, length);
    if (out == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a report");
    int result = report_drift(connection, since, until, REPORT_HTML, out, error);
    if (fclose(out) != 0 && result == 0)
        result = error_set(error, ERROR_MEMORY, "no memory for a report");
    if (result < 0) {
        free(*page);
        *page = NULL;
    }
    return result;
}

int report_drift_kept(PGconn *connection, const char *since, const char *until, const char *directory, const char *path,
                      struct error *error)
{
    struct page page;
    if (report_drift_page(connection, since, until, &page.bytes, &page.length, error) < 0)
        return -1;
    const struct report_source source = {write_page, &page};
    int result = report_archive(&source, directory, error);
    if (result == 0 && path != NULL)
        result = report_place(&source, path, error);
    free(page.bytes);
    return result;
}
