/* The CSV 'File information' lists of cumulative updates. */

#ifndef EVENKEEL_KB_CSV_H
#define EVENKEEL_KB_CSV_H

#include "kb_document.h"
#include "kb_text.h"

/* Whether the text is such a list: by a heading of commas in its first lines, or by rows that are quoted or begin with
 * a file's name. */
bool kb_csv_is(const struct kb_text *text, const char *name);

/*
 * Reads the list. A section begins with a line that names product and architecture ('Windows 11, version 24H2 LCU
 * x64-based'), a heading and rows follow, in any order of columns; old lists have neither, then the columns are told by
 * what the first rows hold and a problem says which were taken for which.
 */
int kb_csv_read(struct kb_document *document, const struct kb_text *text, struct error *error);

#endif
