/* The nightly drift report: one JSON document out of PostgreSQL (evenkeel.report_drift), and what is made of it. */

#ifndef EVENKEEL_REPORT_H
#define EVENKEEL_REPORT_H

#include "aggregator/base/database.h"

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

#endif
