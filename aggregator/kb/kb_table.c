/* The rows of one file table: cells into values, and the order of day and month once all dates are known. */

#include "kb_table.h"

#include <stdlib.h>

void kb_table_begin(struct kb_table *table, struct kb_document *document, const struct kb_heading *heading)
{
    *table = (struct kb_table){.document = document, .heading = *heading, .first_row = document->row_count};
}

void kb_table_clear(struct kb_table *table)
{
    free(table->dates);
    table->dates = NULL;
    table->date_count = 0;
}

static int keep_date(struct kb_table *table, const struct kb_date *date, struct error *error)
{
    size_t count = table->date_count;
    if (count == 0 || (count >= 16 && (count & (count - 1)) == 0)) {
        struct kb_date *larger = realloc(table->dates, (count == 0 ? 16 : count * 2) * sizeof *larger);
        if (larger == NULL)
            return error_set(error, ERROR_MEMORY, "no memory left while reading an article");
        table->dates = larger;
    }
    table->dates[table->date_count++] = *date;
    return 0;
}

/* A cell that holds something which is no value of its column. */
static int complain(struct kb_table *table, uint32_t line, const char *what, struct kb_span cell, struct error *error)
{
    return kb_document_add_problem(table->document, error, line, "'%.*s' is no %s; the field is left empty",
                                   (int)(cell.length < 80 ? cell.length : 80), cell.text, what);
}

static bool has_value(struct kb_span cell)
{
    return cell.length > 0 && !kb_value_is_none(cell);
}

/* Date and time may stand in one cell: 11-Apr-2026 21:53. */
static bool split_date_and_time(struct kb_cells *cells)
{
    struct kb_span cell = cells->cell[KB_DATE];
    struct kb_date date;
    char time[6];
    for (size_t at = 6; at < cell.length; at++) {
        struct kb_span before = {.text = cell.text, .length = at},
                       after = {.text = cell.text + at, .length = cell.length - at};
        if (cell.text[at] == ' ' && kb_value_date(before, &date) && kb_value_time(after, time)) {
            cells->cell[KB_DATE] = before;
            cells->cell[KB_TIME] = after;
            return true;
        }
    }
    return false;
}

static int read_date_and_time(struct kb_table *table, struct kb_cells *cells, struct kb_row *row, struct error *error)
{
    struct kb_date date = {0};
    if (has_value(cells->cell[KB_DATE]) && !kb_value_date(cells->cell[KB_DATE], &date)) {
        date = (struct kb_date){0};
        if (!has_value(cells->cell[KB_TIME]) && split_date_and_time(cells))
            kb_value_date(cells->cell[KB_DATE], &date);
        else if (complain(table, row->line, "date", cells->cell[KB_DATE], error) < 0)
            return -1;
    }
    if (has_value(cells->cell[KB_TIME]) && !kb_value_time(cells->cell[KB_TIME], row->time) &&
        complain(table, row->line, "time", cells->cell[KB_TIME], error) < 0)
        return -1;
    return keep_date(table, &date, error);
}

static int read_version(struct kb_table *table, struct kb_span cell, struct kb_row *row, struct error *error)
{
    uint64_t parts[4];
    if (!has_value(cell))
        return 0;
    if (kb_value_version4(cell, parts)) {
        row->has_version4 = (parts[0] | parts[1] | parts[2] | parts[3]) <= UINT16_MAX;
        row->version4 =
            parts[0] << 48 | (parts[1] & UINT16_MAX) << 32 | (parts[2] & UINT16_MAX) << 16 | (parts[3] & UINT16_MAX);
    }
    if (!row->has_version4) {
        row->version4 = 0;
        if (kb_document_add_problem(table->document, error, row->line,
                                    "version '%.*s' is not two to four numbers below 65536; it can't be compared",
                                    (int)(cell.length < 80 ? cell.length : 80), cell.text) < 0)
            return -1;
    }
    return kb_document_keep(table->document, cell.text, cell.length, &row->version, error);
}

static int read_size(struct kb_table *table, struct kb_span cell, struct kb_row *row, struct error *error)
{
    if (!has_value(cell))
        return 0;
    enum kb_size_kind kind = kb_value_size(cell, &row->size);
    row->has_size = kind == KB_SIZE_BYTES || kind == KB_SIZE_ODD;
    if (kind == KB_SIZE_NONE)
        return complain(table, row->line, "size", cell, error);
    if (kind == KB_SIZE_ODD)
        return kb_document_add_problem(
            table->document, error, row->line, "size '%.*s' is grouped oddly; read as %llu bytes",
            (int)(cell.length < 80 ? cell.length : 80), cell.text, (unsigned long long)row->size);
    return 0;
}

/* Copies the words with one blank between them; returns the length. */
static size_t single_blanks(struct kb_span span, char *copy, size_t room)
{
    size_t length = 0;
    for (size_t i = 0; i < span.length && length < room; i++) {
        bool blank = (unsigned char)span.text[i] <= ' ';
        if (!blank || (length > 0 && copy[length - 1] != ' '))
            copy[length++] = blank ? ' ' : span.text[i];
    }
    return length;
}

int kb_table_add(struct kb_table *table, const struct kb_cells *given, uint32_t line, struct error *error)
{
    struct kb_cells cells;
    struct kb_row row = {.version = "",
                         .platform = "",
                         .file = "",
                         .line = line,
                         .table = table->document->tables,
                         .section = table->section,
                         .has_section = table->has_section};
    for (size_t i = 0; i < KB_COLUMN_KINDS; i++)
        cells.cell[i] = kb_span_trim(given->cell[i]);
    char platform[128];
    size_t platform_length = single_blanks(kb_value_platform(cells.cell[KB_PLATFORM]), platform, sizeof platform);
    if (!has_value((struct kb_span){.text = platform, .length = platform_length}))
        platform_length = 0;
    if (read_date_and_time(table, &cells, &row, error) < 0 ||
        read_version(table, cells.cell[KB_VERSION], &row, error) < 0 ||
        read_size(table, cells.cell[KB_SIZE], &row, error) < 0 ||
        kb_document_keep(table->document, cells.cell[KB_FILE].text, cells.cell[KB_FILE].length, &row.file, error) < 0 ||
        kb_document_keep(table->document, platform, platform_length, &row.platform, error) < 0)
        return -1;
    return kb_document_add_row(table->document, &row, error);
}

int kb_table_end(struct kb_table *table, struct error *error)
{
    struct kb_document *document = table->document;
    bool day_first = false, month_first = false;
    for (size_t i = 0; i < table->date_count; i++) {
        const struct kb_date *date = &table->dates[i];
        day_first = day_first || date->day_first;
        month_first = month_first || (date->open && !date->day_first && date->day > 12);
    }
    if (day_first && month_first) {
        day_first = false;
        if (kb_document_add_problem(document, error, document->rows[table->first_row].line,
                                    "dates of this table have the day first and the month first; where both are "
                                    "possible the month is taken as first") < 0)
            return -1;
    }
    for (size_t i = 0; i < table->date_count && table->first_row + i < document->row_count; i++)
        if (table->dates[i].year != 0)
            kb_date_print(&table->dates[i], day_first, document->rows[table->first_row + i].date);
    if (document->row_count > table->first_row)
        document->tables++;
    return 0;
}
