/* What was read of articles and lists, on its way into the staging tables of an import. */

#include "catalog_stage.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const copies[CATALOG_STAGE_COUNT] = {
    [CATALOG_STAGE_FILE] = "copy kb_file (doc, path, article, number, is_list, edition) from stdin (format binary)",
    [CATALOG_STAGE_SECTION] = "copy kb_section (doc, section, line, banner, architecture) from stdin (format binary)",
    [CATALOG_STAGE_ROW] = ("copy kb_row (doc, line, table_number, section, dated, version, printed, size, file, "
                           "platform) from stdin (format binary)"),
    [CATALOG_STAGE_LIST] = "copy list_row (doc, section, line, version, file, dated, size) from stdin (format binary)",
    [CATALOG_STAGE_REQUIREMENT] = ("copy kb_requirement (doc, line, product, levels, or_later) from stdin (format "
                                   "binary)"),
    [CATALOG_STAGE_CORRECTED] = "copy kb_corrected (doc, line, product, service_pack) from stdin (format binary)",
};

void catalog_stage_clear(struct catalog_stage *stage)
{
    for (int i = 0; i < CATALOG_STAGE_COUNT; i++)
        buffer_clear(&stage->rows[i]);
}

static void put_text(struct buffer *rows, const char *text)
{
    buffer_field_bytes(rows, bytes_of(text, strlen(text)));
}

static void put_section(struct buffer *rows, const struct kb_row *row)
{
    if (row->has_section)
        buffer_field_i32(rows, (int32_t)row->section);
    else
        buffer_field_null(rows);
}

/* evenkeel.version: the top bit turned over, so that signed numbers keep the order. */
static void put_version(struct buffer *rows, const struct kb_row *row)
{
    if (row->has_version4)
        buffer_field_i64(rows, (int64_t)(row->version4 ^ (1ull << 63)));
    else
        buffer_field_null(rows);
}

static void put_size(struct buffer *rows, const struct kb_row *row)
{
    if (row->has_size)
        buffer_field_i64(rows, (int64_t)row->size);
    else
        buffer_field_null(rows);
}

static void put_rows(struct buffer *rows, int32_t number, const struct kb_document *document)
{
    for (size_t i = 0; i < document->row_count; i++) {
        const struct kb_row *row = &document->rows[i];
        buffer_put_i16(rows, 10);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)row->line);
        buffer_field_i32(rows, (int32_t)row->table);
        put_section(rows, row);
        put_text(rows, row->date);
        put_version(rows, row);
        put_text(rows, row->version);
        put_size(rows, row);
        put_text(rows, row->file);
        put_text(rows, row->platform);
    }
}

/* The name behind the last slash, in small letters, as levels know files; other letters than ASCII's stay. */
static void put_name(struct buffer *rows, const char *file)
{
    char name[512];
    size_t length = 0;
    for (const char *at = file; *at != 0; at++)
        if (*at == '/' || *at == '\\')
            file = at + 1;
    for (; length < sizeof name && file[length] != 0; length++)
        name[length] = (char)(file[length] >= 'A' && file[length] <= 'Z' ? file[length] - 'A' + 'a' : file[length]);
    buffer_field_bytes(rows, bytes_of(name, length));
}

/* A list has tens of thousands of rows: only what is used of them is staged. */
static void put_list(struct buffer *rows, int32_t number, const struct kb_document *document)
{
    for (size_t i = 0; i < document->row_count; i++) {
        const struct kb_row *row = &document->rows[i];
        buffer_put_i16(rows, 7);
        buffer_field_i32(rows, number);
        put_section(rows, row);
        buffer_field_i32(rows, (int32_t)row->line);
        put_version(rows, row);
        put_name(rows, row->file);
        put_text(rows, row->date);
        put_size(rows, row);
    }
}

static void put_facts(struct catalog_stage *stage, int32_t number, const struct kb_document *document)
{
    for (size_t i = 0; i < document->section_count; i++) {
        struct buffer *rows = &stage->rows[CATALOG_STAGE_SECTION];
        buffer_put_i16(rows, 5);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)i);
        buffer_field_i32(rows, (int32_t)document->sections[i].line);
        put_text(rows, document->sections[i].banner);
        put_text(rows, document->sections[i].architecture);
    }
    for (size_t i = 0; i < document->requirement_count; i++) {
        struct buffer *rows = &stage->rows[CATALOG_STAGE_REQUIREMENT];
        buffer_put_i16(rows, 5);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)document->requirements[i].line);
        put_text(rows, document->requirements[i].product);
        put_text(rows, document->requirements[i].levels);
        buffer_field_bool(rows, document->requirements[i].or_later);
    }
    for (size_t i = 0; i < document->first_corrected_count; i++) {
        struct buffer *rows = &stage->rows[CATALOG_STAGE_CORRECTED];
        buffer_put_i16(rows, 4);
        buffer_field_i32(rows, number);
        buffer_field_i32(rows, (int32_t)document->first_corrected[i].line);
        put_text(rows, document->first_corrected[i].product);
        put_text(rows, document->first_corrected[i].service_pack);
    }
}

void catalog_stage_add(struct catalog_stage *stage, int32_t number, const char *path,
                       const struct kb_document *document, uint32_t article)
{
    const char *dot = strrchr(path, '.');
    bool is_list = document->section_count > 0 || (dot != NULL && strcasecmp(dot, ".csv") == 0);
    char whole[PATH_MAX];
    struct buffer *rows = &stage->rows[CATALOG_STAGE_FILE];
    buffer_put_i16(rows, 6);
    buffer_field_i32(rows, number);
    put_text(rows, path);
    put_text(rows, document->article);
    buffer_field_i32(rows, (int32_t)(article != 0 ? article : document->number));
    buffer_field_bool(rows, is_list);
    put_text(rows, realpath(path, whole) != NULL ? whole : path);
    if (is_list)
        put_list(&stage->rows[CATALOG_STAGE_LIST], number, document);
    else
        put_rows(&stage->rows[CATALOG_STAGE_ROW], number, document);
    put_facts(stage, number, document);
}

int catalog_stage_copy(struct catalog_stage *stage, PGconn *connection, struct error *error)
{
    for (int i = 0; i < CATALOG_STAGE_COUNT; i++) {
        if (stage->rows[i].length > 0 && database_copy(connection, copies[i], &stage->rows[i], error) < 0)
            return -1;
        buffer_clear(&stage->rows[i]);
    }
    return 0;
}
