/* The report as one page that needs nothing else. */

#ifndef EVENKEEL_REPORT_HTML_H
#define EVENKEEL_REPORT_HTML_H

#include <cJSON.h>
#include <stdio.h>

void report_html(const cJSON *document, FILE *out);

#endif
