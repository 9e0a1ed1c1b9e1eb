/* The page's charts: inline SVG. */

#ifndef EVENKEEL_REPORT_CHART_H
#define EVENKEEL_REPORT_CHART_H

#include <cJSON.h>
#include <stdio.h>

/* Mixed hosts by night, and for each product its hosts by level and night. */
void report_chart_mixed(const cJSON *document, FILE *out);
void report_chart_levels(const cJSON *document, FILE *out);

#endif
