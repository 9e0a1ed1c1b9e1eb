/* Finds the file tables of an article and reads their rows into the document. */

#ifndef EVENKEEL_KB_TABLE_H
#define EVENKEEL_KB_TABLE_H

#include "kb_document.h"
#include "kb_row.h"
#include "kb_text.h"

/*
 * The rows of one table while it is read: the order of day and month is known only when all its dates are.
 * Use kb_table_begin(), kb_table_add() for each row, kb_table_end(); free with kb_table_clear().
 */
struct kb_table {
    struct kb_document *document;
    struct kb_heading heading;
    size_t first_row;      /* index into document->rows */
    struct kb_date *dates; /* of each row from first_row on; year 0 where there is none */
    size_t date_count;
    uint32_t section;
    bool has_section;
};

void kb_table_begin(struct kb_table *table, struct kb_document *document, const struct kb_heading *heading);

/* Adds a row; a cell that can't be read stays empty and becomes a problem of that line. */
int kb_table_add(struct kb_table *table, const struct kb_cells *given, uint32_t line, struct error *error);

/* Dates the rows, counts the table if it has any. */
int kb_table_end(struct kb_table *table, struct error *error);
void kb_table_clear(struct kb_table *table);

/*
 * Reads all tables whose rows are lines. A table goes from its heading to the next heading or to running text; where a
 * heading has no rows below it, it is left to kb_table_read_run_together(). used[i] is set for lines that belong to a
 * table.
 */
int kb_table_read_lines(struct kb_document *document, const struct kb_text *text, bool *used, struct error *error);

/*
 * Reads tables whose heading and rows lost their line breaks, or have one in every cell, from the lines that are not
 * used yet.
 */
int kb_table_read_run_together(struct kb_document *document, const struct kb_text *text, const bool *used,
                               struct error *error);

#endif
