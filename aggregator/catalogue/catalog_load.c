/* Loading a directory of CSV files into the catalogue. */

#include "catalog_load.h"

#include "aggregator/base/sql_files.h"

#include "proto/cleanup.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *const tables[] = {"products",    "levels",    "lines",   "components", "rules",
                                     "known_files", "baselines", "patches", "patch_files"};

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

/*
 * The columns that the first line names, as SQL: a file may leave columns out, and have them in any order. -1 with
 * *error that names the one that is none.
 */
static int read_columns(PGconn *connection, const char *table, const char *path, const char *text, char *columns,
                        size_t size, struct error *error)
{
    size_t length = strcspn(text, "\r\n");
    if (length == 0)
        return error_set(error, ERROR_FORMAT, "'%s', line 1: there are no columns' names", path);
    if (length >= 1000)
        return error_set(error, ERROR_FORMAT, "'%s', line 1: too long to be the columns' names", path);
    char header[1000];
    snprintf(header, sizeof header, "%.*s", (int)length, text);
    struct parameter parameters[] = {PARAMETER_TEXT(table), PARAMETER_TEXT(header)};
    _cleanup_(cleanup_result) PGresult *row = database_query(
        connection,
        "select string_agg(quote_ident(h.name), ', ' order by h.place),"
        " (array_agg(h.name order by h.place) filter (where not coalesce(h.name = any (k.known), false)))[1],"
        " min(array_to_string(k.known, ', ')), count(*) <> count(distinct h.name)"
        " from (select lower(trim(btrim(trim(n), '\"'))) as name, place from string_to_table($2, ',') with ordinality"
        " t (n, place)) h, (select evenkeel.catalog_columns($1) as known) k",
        parameters, 2, false, error);
    if (row == NULL)
        return -1;
    if (!PQgetisnull(row, 0, 1))
        return error_set(error, ERROR_FORMAT, "'%s', line 1: '%s' is no column of it; there are %s", path,
                         PQgetvalue(row, 0, 1), PQgetvalue(row, 0, 2));
    if (strcmp(PQgetvalue(row, 0, 3), "t") == 0)
        return error_set(error, ERROR_FORMAT, "'%s', line 1: a column is named twice", path);
    snprintf(columns, size, "%s", PQgetvalue(row, 0, 0));
    return 0;
}

/* Copies a file into its staging table, and says which columns it has. */
static int copy_file(PGconn *connection, const char *table, const char *path, char *columns, size_t size,
                     struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t length, skipped = 0;
    _cleanup_free_ char *text = sql_files_read(path, &length, error);
    char statement[1200];
    if (text == NULL)
        return -1;
    if (strncmp(text, byte_order_mark, 3) == 0)
        skipped = 3;
    if (read_columns(connection, table, path, text + skipped, columns, size, error) < 0)
        return -1;
    snprintf(statement, sizeof statement, "copy stage_%s (%s) from stdin (format csv, header)", table, columns);
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
    for (int row = 0; row < PQntuples(rows) && row < CATALOG_TABLES; row++) {
        snprintf(change->tables[row], sizeof change->tables[row], "%s", PQgetvalue(rows, row, 0));
        change->changed[row] = database_i64(rows, row, 1);
        change->total += change->changed[row];
        change->count++;
    }
    return change->total > 0 ? database_execute(connection, "select evenkeel.catalog_refresh()", error) : 0;
}

/* What the file stated before, under the same edition, and states no more goes with the merge. */
static int name_edition(PGconn *connection, const char *table, const char *edition, const char *columns,
                        struct error *error)
{
    char name[PATH_MAX + 32];
    snprintf(name, sizeof name, "%s/%s.csv", edition, table);
    struct parameter parameters[] = {PARAMETER_TEXT(table), PARAMETER_TEXT(name), PARAMETER_TEXT(columns)};
    _cleanup_(cleanup_result) PGresult *named =
        database_query(connection, "select evenkeel.catalog_edition($1, $2, $3)", parameters, 3, false, error);
    return named != NULL ? 0 : -1;
}

/* The folder that 'evenkeel init' loads is the same edition when it is named by hand. */
static bool is_shipped(const char *directory)
{
    char shipped[PATH_MAX], path[PATH_MAX + 16], whole[PATH_MAX];
    struct error ignored = {0};
    if (sql_files_directory(NULL, shipped, sizeof shipped, &ignored) < 0)
        return false;
    snprintf(path, sizeof path, "%s/catalog", shipped);
    return realpath(path, whole) != NULL && strcmp(whole, directory) == 0;
}

int catalog_load(PGconn *connection, const char *directory, const char *edition, struct catalog_change *change,
                 struct error *error)
{
    bool any = false;
    char names[256], whole[PATH_MAX];
    if (edition == NULL)
        edition = realpath(directory, whole) != NULL ? whole : directory;
    if (is_shipped(edition))
        edition = "shipped";
    if (database_execute(connection, "select evenkeel.catalog_stage()", error) < 0)
        return -1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char path[PATH_MAX], columns[1000];
        int length = snprintf(path, sizeof path, "%s/%s.csv", directory, tables[i]);
        if (length < 0 || (size_t)length >= sizeof path || access(path, F_OK) != 0)
            continue;
        if (copy_file(connection, tables[i], path, columns, sizeof columns, error) < 0 ||
            name_edition(connection, tables[i], edition, columns, error) < 0)
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
