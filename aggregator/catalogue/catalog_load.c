/* Loading a directory of CSV files into the catalogue. */

#include "catalog_load.h"

#include "aggregator/base/sql_files.h"

#include "proto/cleanup.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *const tables[] = {"products", "levels",    "lines",   "components",
                                     "rules",    "baselines", "patches", "patch_files"};

/* 'products.csv, levels.csv, ...' */
static void name_tables(char *names, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && length < size; i++)
        length += (size_t)snprintf(names + length, size - length, "%s%s.csv", i > 0 ? ", " : "", tables[i]);
}

/* Says of each CSV file that is none of the catalogue's that it is not read: its name may be a typing error. */
static int tell_unread(const char *directory, struct error *error)
{
    _cleanup_(sql_files_free) struct sql_files files = {0};
    char names[256];
    if (sql_files_list(directory, ".", "", &files, error) < 0)
        return -1;
    name_tables(names, sizeof names);
    for (size_t i = 0; i < files.count; i++) {
        const char *suffix = strrchr(files.names[i], '.');
        bool known = suffix == NULL || strcasecmp(suffix, ".csv") != 0;
        for (size_t j = 0; j < sizeof tables / sizeof *tables && !known; j++) {
            size_t length = strlen(tables[j]);
            known = strncmp(files.names[i], tables[j], length) == 0 && strcmp(files.names[i] + length, ".csv") == 0;
        }
        if (!known)
            fprintf(stderr, "evenkeel catalog: '%s/%s' is not read: the catalogue's files are %s\n", directory,
                    files.names[i], names);
    }
    return 0;
}

/* COPY's error context tells the line: 'COPY stage_levels, line 3, column ordinal: ...'. */
static int fail_copy(PGconn *connection, const PGresult *result, const char *path, struct error *error)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *line = context != NULL ? strstr(context, "line ") : NULL;
    return error_set(error, ERROR_FORMAT, "'%s'%s%.*s: %s", path, line != NULL ? ", " : "",
                     line != NULL ? (int)strcspn(line, ",:") : 0, line != NULL ? line : "",
                     message != NULL ? message : PQerrorMessage(connection));
}

static int copy_file(PGconn *connection, const char *table, const char *path, struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t length, skipped = 0;
    _cleanup_free_ char *text = sql_files_read(path, &length, error);
    char statement[128];
    if (text == NULL)
        return -1;
    if (strncmp(text, byte_order_mark, 3) == 0)
        skipped = 3;
    snprintf(statement, sizeof statement, "copy stage_%s from stdin (format csv, header match)", table);
    _cleanup_(cleanup_result) PGresult *begun = PQexec(connection, statement);
    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return fail_copy(connection, begun, path, error);
    bool sent = length == skipped || PQputCopyData(connection, text + skipped, (int)(length - skipped)) == 1;
    PQputCopyEnd(connection, sent ? NULL : "not sent whole");
    int outcome = 0;
    for (PGresult *result = PQgetResult(connection); result != NULL; result = PQgetResult(connection)) {
        if (outcome == 0 && PQresultStatus(result) != PGRES_COMMAND_OK)
            outcome = fail_copy(connection, result, path, error);
        PQclear(result);
    }
    return outcome;
}

int catalog_merge_staged(PGconn *connection, struct catalog_change *change, struct error *error)
{
    *change = (struct catalog_change){0};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select table_name, changed from evenkeel.catalog_merge()", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows) && row < 8; row++) {
        snprintf(change->tables[row], sizeof change->tables[row], "%s", PQgetvalue(rows, row, 0));
        change->changed[row] = database_i64(rows, row, 1);
        change->total += change->changed[row];
        change->count++;
    }
    return change->total > 0 ? database_execute(connection, "select evenkeel.catalog_refresh()", error) : 0;
}

int catalog_load(PGconn *connection, const char *directory, struct catalog_change *change, struct error *error)
{
    bool any = false;
    char names[256];
    if (database_execute(connection, "select evenkeel.catalog_stage()", error) < 0)
        return -1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s.csv", directory, tables[i]);
        if (length < 0 || (size_t)length >= sizeof path || access(path, F_OK) != 0)
            continue;
        if (copy_file(connection, tables[i], path, error) < 0)
            return -1;
        any = true;
    }
    name_tables(names, sizeof names);
    if (!any)
        return error_set(error, ERROR_NOT_FOUND, "'%s' holds none of the catalogue's files (%s)", directory, names);
    if (tell_unread(directory, error) < 0 ||
        database_execute(connection, "select evenkeel.catalog_verify()", error) < 0)
        return -1;
    return catalog_merge_staged(connection, change, error);
}
