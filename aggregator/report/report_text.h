/* The report for a terminal or a mail. */

#ifndef EVENKEEL_REPORT_TEXT_H
#define EVENKEEL_REPORT_TEXT_H

#include <cJSON.h>
#include <stdio.h>

void report_text(const cJSON *document, FILE *out);

#endif
