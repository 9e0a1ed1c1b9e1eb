/* Importing knowledge-base articles and lists of cumulative updates into the catalogue. */

#include "catalog_import.h"

#include "aggregator/kb/kb_article.h"

#include "proto/cleanup.h"

#include <string.h>
#include <strings.h>

enum { STAGE_FILE, STAGE_SECTION, STAGE_ROW, STAGE_REQUIREMENT, STAGE_CORRECTED, STAGE_COUNT };

static const char *const copies[STAGE_COUNT] = {
    [STAGE_FILE] = "copy kb_file (doc, path, article, number, is_list) from stdin (format binary)",
    [STAGE_SECTION] = "copy kb_section (doc, section, line, banner, architecture) from stdin (format binary)",
    [STAGE_ROW] = ("copy kb_row (doc, line, table_number, section, dated, version, printed, size, file, platform) "
                   "from stdin (format binary)"),
    [STAGE_REQUIREMENT] = "copy kb_requirement (doc, line, product, levels, or_later) from stdin (format binary)",
    [STAGE_CORRECTED] = "copy kb_corrected (doc, line, product, service_pack) from stdin (format binary)",
};

/* What was read of all files, as rows of the staging tables. */
struct stage {
    struct buffer rows[STAGE_COUNT];
};

static void stage_clear(struct stage *stage)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        buffer_clear(&stage->rows[i]);
}

static void put_text(struct buffer *rows, const char *text)
{
    buffer_field_bytes(rows, bytes_of(text, strlen(text)));
}

static void put_rows(struct buffer *rows, int32_t number, const struct kb_document *document)
{
    for (size_t i = 0; i < document->row_count; i++) {
        const struct kb_row *row = &document->rows[i];
        buffer_put_i16(rows, 10);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)row->line);
        buffer_field_i32(rows, (int32_t)row->table);
        if (row->has_section)
            buffer_field_i32(rows, (int32_t)row->section);
        else
            buffer_field_null(rows);
        put_text(rows, row->date);
        /* evenkeel.version: the top bit turned over, so that signed numbers keep the order. */
        if (row->has_version4)
            buffer_field_i64(rows, (int64_t)(row->version4 ^ (1ull << 63)));
        else
            buffer_field_null(rows);
        put_text(rows, row->version);
        if (row->has_size)
            buffer_field_i64(rows, (int64_t)row->size);
        else
            buffer_field_null(rows);
        put_text(rows, row->file);
        put_text(rows, row->platform);
    }
}

static void put_facts(struct stage *stage, int32_t number, const struct kb_document *document)
{
    for (size_t i = 0; i < document->section_count; i++) {
        struct buffer *rows = &stage->rows[STAGE_SECTION];
        buffer_put_i16(rows, 5);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)i);
        buffer_field_i32(rows, (int32_t)document->sections[i].line);
        put_text(rows, document->sections[i].banner);
        put_text(rows, document->sections[i].architecture);
    }
    for (size_t i = 0; i < document->requirement_count; i++) {
        struct buffer *rows = &stage->rows[STAGE_REQUIREMENT];
        buffer_put_i16(rows, 5);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)document->requirements[i].line);
        put_text(rows, document->requirements[i].product);
        put_text(rows, document->requirements[i].levels);
        buffer_field_bool(rows, document->requirements[i].or_later);
    }
    for (size_t i = 0; i < document->first_corrected_count; i++) {
        struct buffer *rows = &stage->rows[STAGE_CORRECTED];
        buffer_put_i16(rows, 4);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)document->first_corrected[i].line);
        put_text(rows, document->first_corrected[i].product);
        put_text(rows, document->first_corrected[i].service_pack);
    }
}

static int stage_file(struct stage *stage, int32_t number, const char *path, FILE *problems, struct error *error)
{
    _cleanup_(kb_document_clear) struct kb_document document = {.article = ""};
    const char *dot = strrchr(path, '.');
    if (kb_read_file(path, &document, error) < 0)
        return -1;
    for (size_t i = 0; i < document.problem_count; i++)
        fprintf(problems, "%s:%u: %s\n", path, document.problems[i].line, document.problems[i].sentence);
    if (document.problems_left_out > 0)
        fprintf(problems, "%s: %zu further problems\n", path, document.problems_left_out);
    struct buffer *rows = &stage->rows[STAGE_FILE];
    buffer_put_i16(rows, 5);
    buffer_field_i32(rows, number);
    put_text(rows, path);
    put_text(rows, document.article);
    buffer_field_i32(rows, (int32_t)document.number);
    buffer_field_bool(rows, document.section_count > 0 || (dot != NULL && strcasecmp(dot, ".csv") == 0));
    put_rows(&stage->rows[STAGE_ROW], number, &document);
    put_facts(stage, number, &document);
    return 0;
}

/* Prints what kb_import() tells: problems by FILE:LINE, and what was taken of each file; fails where that is nothing.
 */
static int tell(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(import->product), PARAMETER_TEXT(import->level)};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select doc, line, severity, sentence from evenkeel.kb_import($1::text, $2::text)",
                       parameters, 2, true, error);
    if (rows == NULL)
        return -1;
    bool any = false;
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t file = (size_t)database_i32(rows, row, 0);
        int32_t line = database_i32(rows, row, 1);
        struct bytes sentence = database_bytes(rows, row, 3);
        bool taken = database_i32(rows, row, 2) == 0;
        FILE *to = taken ? import->out : import->problems;
        any = any || taken;
        fprintf(to, "%s:", file < count ? paths[file] : "?");
        if (line > 0)
            fprintf(to, "%d:", line);
        fprintf(to, " %.*s\n", (int)sentence.length, (const char *)sentence.data);
    }
    if (any)
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
    _cleanup_(stage_clear) struct stage stage = {0};
    for (size_t i = 0; i < count; i++)
        if (stage_file(&stage, (int32_t)i, paths[i], import->problems, error) < 0)
            return -1;
    if (database_execute(connection, "select evenkeel.kb_stage()", error) < 0)
        return -1;
    for (int i = 0; i < STAGE_COUNT; i++)
        if (database_copy(connection, copies[i], &stage.rows[i], error) < 0)
            return -1;
    if (tell(connection, paths, count, import, error) < 0)
        return -1;
    return catalog_merge_staged(connection, change, error);
}
