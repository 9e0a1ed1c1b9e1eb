/* The nightly drift report: one JSON document out of PostgreSQL (evenkeel.report_drift), and what is made of it. */

#ifndef EVENKEEL_REPORT_H
#define EVENKEEL_REPORT_H

#include "aggregator/base/database.h"

#include <stdio.h>

enum report_format { REPORT_TEXT, REPORT_HTML, REPORT_JSON, REPORT_CSV };

/* Of what the report is. */
struct report_asked {
    const char *since;  /* in words that ops.moment() understands: yesterday, monday, 3 days, 2026-06-01 */
    const char *until;  /* as the database writes times; NULL: now */
    const char *choice; /* of which hosts: what evenkeel.report_choice() gave; NULL: of all */
};

/*
 * Writes the report of what changed since a time and until another. All of it is read in one snapshot of the database.
 * -1 with *error; `out` then may hold a part.
 */
int report_drift(PGconn *connection, const struct report_asked *asked, enum report_format format, FILE *out,
                 struct error *error);

/*
 * The same into a file, whole or not at all: it is written beside `path`, or beside what that links to, and renamed
 * once it is on the disk. What is there and is no file, as a device or a pipe, is written into. NULL or "-" is stdout,
 * which is not flushed.
 */
int report_drift_file(PGconn *connection, const struct report_asked *asked, enum report_format format, const char *path,
                      struct error *error);

/* Where `evenkeel serve` shows its pages, without a slash at the end: links of report pages that are made from now on
 * lead there; NULL, as at first: they have none. The text must live as long. */
void report_base_url(const char *url);

/* The page in memory, which is the caller's to free; NULL with -1 and *error. */
int report_drift_page(PGconn *connection, const struct report_asked *asked, char **page, size_t *length,
                      struct error *error);

/*
 * The page, made once: kept in `directory` under its time, where the index then leads to it (report_archive()), and,
 * unless `path` is NULL, written there as by report_drift_file().
 */
int report_drift_kept(PGconn *connection, const struct report_asked *asked, const char *directory, const char *path,
                      struct error *error);

/*
 * Reports that follow each other without a gap: where the next one of that name begins, as text for `since`, and where
 * it ends, for `until`; both to be asked for before it is made. -1 with *error, also where the reports of that name are
 * of other hosts than the choice (as in struct report_asked): of those between nobody would be told.
 */
struct report_span {
    char since[64], until[64];
};
int report_next(PGconn *connection, const char *name, const char *choice, struct report_span *span,
                struct error *error);

/* Remembers that the report of that name is written, so that the next one begins at span->until. */
int report_told(PGconn *connection, const char *name, const char *choice, const struct report_span *span,
                struct error *error);

#endif
