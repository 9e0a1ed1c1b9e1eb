/* The report as one page that needs nothing else. */

#ifndef EVENKEEL_REPORT_HTML_H
#define EVENKEEL_REPORT_HTML_H

#include <cJSON.h>
#include <stdio.h>

/* A page's beginning, up to its body: title and style, and a policy under which nothing but its own script runs. The
 * day may be empty. */
void report_html_head(const char *title, const char *day, FILE *out);

void report_html(const cJSON *document, FILE *out);

#endif
