/* Headings of file tables, and a row's words matched to the heading's columns. */

#ifndef EVENKEEL_KB_ROW_H
#define EVENKEEL_KB_ROW_H

#include "kb_value.h"

enum kb_column { KB_DATE, KB_TIME, KB_VERSION, KB_SIZE, KB_FILE, KB_PLATFORM, KB_OTHER, KB_COLUMN_KINDS };

#define KB_COLUMNS_MAX 12 /* columns of a heading; the widest seen has eight */
#define KB_TOKENS_MAX 24  /* words of a row; a longer line is running text */

/* A word of a line. Its place is the column on paper: tabs go to multiples of eight. */
struct kb_token {
    struct kb_span span;
    uint32_t from, to;
};

struct kb_heading {
    enum kb_column columns[KB_COLUMNS_MAX];
    uint32_t from[KB_COLUMNS_MAX]; /* where the column's title begins on paper */
    size_t count;
    bool has[KB_COLUMN_KINDS];
};

/* The cells of a row by kind of column; empty spans where the row has none. */
struct kb_cells {
    struct kb_span cell[KB_COLUMN_KINDS];
};

/* Splits a line into words at blanks and tabs; returns how many there are, of which at most `room` are written. */
size_t kb_tokens(struct kb_span line, struct kb_token *tokens, size_t room);

/* The kind of column that a heading's cell names; false if it is no known title. */
bool kb_heading_cell(struct kb_span cell, enum kb_column *column);

/*
 * Reads column titles from the first words on; returns how many words they take. A heading is found if there is a
 * file-name column, not the first, and one of date, time, version and size: then heading->count is not 0.
 */
size_t kb_heading_tokens(const struct kb_token *tokens, size_t count, struct kb_heading *heading);

/* As above for a heading in cells. There the file name may come first, if at least two other columns are known. */
bool kb_heading_cells(const struct kb_span *cells, size_t count, struct kb_heading *heading);

/*
 * Matches all the words of a row to the columns, any of which but the file name may be left out; the words' kinds
 * decide, and where they leave it open, their place on paper (`with_places`). False if they are no row of such a table.
 * Words that follow the last column are given in *rest.
 */
bool kb_row_match(const struct kb_heading *heading, const struct kb_token *tokens, size_t count, bool with_places,
                  struct kb_cells *cells, struct kb_span *rest);

#endif
