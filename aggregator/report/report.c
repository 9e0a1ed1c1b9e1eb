/* The drift report: fetched, and written in the format asked for. */

#include "report.h"

#include "report_archive.h"
#include "report_html.h"
#include "report_place.h"
#include "report_text.h"

#include "aggregator/base/buffer.h"
#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

static int copy_csv(PGconn *connection, const struct report_asked *asked, FILE *out, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer source = {0};
    const char *const words[] = {asked->since, asked->until != NULL ? asked->until : "infinity", asked->choice};
    static const char *const before[] = {"evenkeel.report_rows(evenkeel.report_drift(ops.moment(", "), ", ", "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *literal = words[i] != NULL ? PQescapeLiteral(connection, words[i], strlen(words[i])) : NULL;
        if (words[i] != NULL && literal == NULL)
            return error_set(error, ERROR_FORMAT, "'%s' is no text", words[i]);
        buffer_put_text(&source, before[i]);
        buffer_put_text(&source, literal != NULL ? literal : "null");
        PQfreemem(literal);
    }
    buffer_put(&source, "))", 3);
    if (source.failed)
        return error_set(error, ERROR_MEMORY, "no memory for the report");
    return database_copy_csv(connection, (const char *)source.data, out, NULL, error);
}

static void delete_document(cJSON **document)
{
    cJSON_Delete(*document);
}

static int render(PGconn *connection, const struct report_asked *asked, enum report_format format, FILE *out,
                  struct error *error)
{
    static const char *const queries[] = {
        [REPORT_JSON] = "select jsonb_pretty(evenkeel.report_drift(ops.moment($1), $2, $3))",
        [REPORT_TEXT] = "select evenkeel.report_drift(ops.moment($1), $2, $3)::text",
        [REPORT_HTML] =
            ("select (d || jsonb_build_object('hosts', h))::text"
             " from evenkeel.report_hosts(choice => $3) h, evenkeel.report_drift(ops.moment($1), $2, $3) d"),
    };
    const struct parameter parameters[] = {PARAMETER_TEXT(asked->since),
                                           PARAMETER_TEXT(asked->until != NULL ? asked->until : "infinity"),
                                           PARAMETER_TEXT(asked->choice)};
    _cleanup_(cleanup_result) PGresult *rows = database_query(connection, queries[format], parameters, 3, false, error);
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

int report_drift(PGconn *connection, const struct report_asked *asked, enum report_format format, FILE *out,
                 struct error *error)
{
    if (strlen(asked->since) > 200)
        return error_set(error, ERROR_USAGE, "'%.40s...' is no time", asked->since);
    if (database_execute(connection, "begin isolation level repeatable read read only", error) < 0)
        return -1;
    int result =
        format == REPORT_CSV ? copy_csv(connection, asked, out, error) : render(connection, asked, format, out, error);
    /* Nothing is stored, but what the session keeps of cells that did not answer. */
    struct error after = {0};
    if (database_execute(connection, result == 0 ? "commit" : "rollback", &after) < 0 && result == 0)
        result = error_set(error, after.code, "%s", after.message);
    return result;
}

/* What is asked of the database, for whoever writes it. */
struct wanted {
    PGconn *connection;
    const struct report_asked *asked;
    enum report_format format;
};

static int write_wanted(const void *context, FILE *out, struct error *error)
{
    const struct wanted *wanted = context;
    return report_drift(wanted->connection, wanted->asked, wanted->format, out, error);
}

int report_drift_file(PGconn *connection, const struct report_asked *asked, enum report_format format, const char *path,
                      struct error *error)
{
    struct wanted wanted = {connection, asked, format};
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

int report_drift_page(PGconn *connection, const struct report_asked *asked, char **page, size_t *length,
                      struct error *error)
{
    *page = NULL;
    FILE *out = open_memstream(page, length);
    if (out == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a report");
    int result = report_drift(connection, asked, REPORT_HTML, out, error);
    if (fclose(out) != 0 && result == 0)
        result = error_set(error, ERROR_MEMORY, "no memory for a report");
    if (result < 0) {
        free(*page);
        *page = NULL;
    }
    return result;
}

int report_drift_kept(PGconn *connection, const struct report_asked *asked, const char *directory, const char *path,
                      struct error *error)
{
    struct page page;
    if (report_drift_page(connection, asked, &page.bytes, &page.length, error) < 0)
        return -1;
    const struct report_source source = {write_page, &page};
    int result = report_archive(&source, directory, error);
    if (result == 0 && path != NULL)
        result = report_place(&source, path, error);
    free(page.bytes);
    return result;
}
