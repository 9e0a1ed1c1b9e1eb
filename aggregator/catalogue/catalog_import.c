/* Importing knowledge-base articles and lists of cumulative updates into the catalogue. */

#include "catalog_import.h"

#include "catalog_stage.h"

#include "aggregator/base/sql_files.h"
#include "aggregator/kb/kb_article.h"

#include "proto/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* Rows of so many bytes are handed on at once, so that hundreds of lists need no more memory than one. */
#define STAGE_BYTES (8u << 20)

static int stage_file(struct catalog_stage *stage, PGconn *connection, int32_t number, const char *path,
                      const struct catalog_import *import, struct error *error)
{
    _cleanup_(kb_document_clear) struct kb_document document = {.article = ""};
    size_t length;
    _cleanup_free_ char *text = sql_files_read(path, &length, error);
    if (text == NULL || kb_read(bytes_of(text, length), path, &document, error) < 0)
        return -1;
    for (size_t i = 0; i < document.problem_count; i++)
        fprintf(import->problems, "%s:%u: %s\n", path, document.problems[i].line, document.problems[i].sentence);
    if (document.problems_left_out > 0)
        fprintf(import->problems, "%s: %zu further problems\n", path, document.problems_left_out);
    catalog_stage_add(stage, number, path, &document, import->article);
    return stage->rows[CATALOG_STAGE_LIST].length + stage->rows[CATALOG_STAGE_ROW].length > STAGE_BYTES
               ? catalog_stage_copy(stage, connection, error)
               : 0;
}

int catalog_import_tell(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                        struct catalog_import_outcome *outcome, struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(import->product), PARAMETER_TEXT(import->level)};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select doc, line, severity, sentence from evenkeel.kb_import($1::text, $2::text)",
                       parameters, 2, true, error);
    *outcome = (struct catalog_import_outcome){0};
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t file = (size_t)database_i32(rows, row, 0);
        int32_t line = database_i32(rows, row, 1), severity = database_i32(rows, row, 2);
        struct bytes sentence = database_bytes(rows, row, 3);
        FILE *to = severity == 0 ? import->out : import->problems;
        outcome->taken += severity == 0;
        outcome->refused += severity == 2;
        fprintf(to, "%s:", file < count ? paths[file] : "?");
        if (line > 0)
            fprintf(to, "%d:", line);
        fprintf(to, " %.*s\n", (int)sentence.length, (const char *)sentence.data);
    }
    return 0;
}

static int tell(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                struct error *error)
{
    struct catalog_import_outcome outcome;
    if (catalog_import_tell(connection, paths, count, import, &outcome, error) < 0)
        return -1;
    if (outcome.refused > 0)
        return error_set(error, ERROR_FORMAT, "two lists claim one level, and nothing was taken of any file");
    if (outcome.taken > 0)
        return 0;
    char others[48] = "";
    if (count > 1)
        snprintf(others, sizeof others, ", nor of %zu other%s", count - 1, count > 2 ? "s" : "");
    return error_set(error, ERROR_FORMAT,
                     "nothing was taken of '%s'%s: a table of files was looked for that has versions of %s", paths[0],
                     others, import->product != NULL ? import->product : "a product of the catalogue");
}

int catalog_import(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                   struct catalog_change *change, struct error *error)
{
    _cleanup_(catalog_stage_clear) struct catalog_stage stage = {0};
    if (database_execute(connection, "select evenkeel.kb_stage()", error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (stage_file(&stage, connection, (int32_t)i, paths[i], import, error) < 0)
            return -1;
    if (catalog_stage_copy(&stage, connection, error) < 0 || tell(connection, paths, count, import, error) < 0)
        return -1;
    return catalog_merge_staged(connection, change, error);
}
