/* The part of the report's page that shows components by level. */

#ifndef EVENKEEL_REPORT_MATRIX_H
#define EVENKEEL_REPORT_MATRIX_H

#include <cJSON.h>
#include <stdio.h>

/* Writes the table of one product, an entry of the document's list 'levels'. */
void report_matrix(const cJSON *document, const cJSON *product, FILE *out);

#endif
