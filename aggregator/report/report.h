/* The nightly drift report: one JSON document out of PostgreSQL (evenkeel.report_drift), and what is made of it. */

#ifndef EVENKEEL_REPORT_H
#define EVENKEEL_REPORT_H

#include "aggregator/base/database.h"

#include <cJSON.h>
#include <stdio.h>

enum report_format { REPORT_TEXT, REPORT_HTML, REPORT_JSON, REPORT_CSV };

/*
 * Writes the report of what changed since a time, in words that ops.moment() understands (yesterday, monday, 3 days,
 * 2026-06-01). All of it is read in one snapshot of the database. -1 with *error; `out` then may hold a part.
 */
int report_drift(PGconn *connection, const char *since, enum report_format format, FILE *out, struct error *error);

/*
 * The same into a file, whole or not at all: it is written beside `path`, or beside what that links to, and renamed
 * once it is on the disk. What is there and is no file, as a device or a pipe, is written into. NULL or "-" is stdout,
 * which is not flushed.
 */
int report_drift_file(PGconn *connection, const char *since, enum report_format format, const char *path,
                      struct error *error);

/* What report_drift() calls: the document as text for a terminal or a mail, and as one self-contained page. */
void report_text(const cJSON *document, FILE *out);
void report_html(const cJSON *document, FILE *out);

/* Inline SVG for the page: mixed hosts by night, and for each product its hosts by level and night. */
void report_chart_mixed(const cJSON *document, FILE *out);
void report_chart_levels(const cJSON *document, FILE *out);

/* Sections that list findings, in the order of the report; ends with a section whose name is NULL. */
struct report_section {
    const char *name;  /* key of the document */
    const char *title; /* 'New' */
    const char *none;  /* what is said where there are none: 'nothing new' */
};
extern const struct report_section report_sections[];

/* Access to the document: "" and 0 for what is not there. */
const char *report_string(const cJSON *object, const char *key);
long long report_number(const cJSON *object, const char *key);
const cJSON *report_list(const cJSON *object, const char *key); /* never NULL: an empty array for what is not there */

/* How many findings from this one on say the same of different hosts, which are told as one; returns the first that
 * does not, or NULL. */
const cJSON *report_same(const cJSON *finding, int *count);

/* '2026-11-21 10:04' out of an ISO time; written to `text`, which is returned. */
const char *report_time(const char *iso, char text[20]);

/* The versions a file had and has: '6.0.3790.0 → 6.0.3790.3959', '(not there) → 1.0.0.0'; to `text`, cut where needed.
 */
const char *report_step(const cJSON *file, char *text, size_t size);

#endif
