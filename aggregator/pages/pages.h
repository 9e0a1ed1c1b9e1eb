/*
 * Pages about the fleet as it is now, for people with a browser: /fleet, /host, /findings, /file, /patch. Each is one
 * JSON document out of PostgreSQL (evenkeel.page_...()), which is what '?format=json' gives and what the HTML is made
 * of. Pages only read, link to each other by relative addresses, so that a proxy may put them below any path, and need
 * no script.
 */

#ifndef EVENKEEL_PAGES_H
#define EVENKEEL_PAGES_H

#include "aggregator/base/database.h"

/* A page that was made; clear with page_clear(). */
struct page {
    unsigned status; /* of HTTP */
    const char *type;
    char *body;
    size_t length;
};

/* Whether a path is a page's. */
bool pages_holds(const char *path);

/*
 * Makes the page of a path, which pages_holds(), and the text of a query as it came (without '?'). Reads over
 * *connection, which is opened with `dsn` where it is NULL or gone, and stays the caller's. What can't be shown becomes
 * a page that says why: 400 for a query that can't be meant, 404 for a host, patch or file that is not there, 503 where
 * the database does not answer, or not within PAGES_SECONDS.
 */
#define PAGES_SECONDS 5
void pages_make(const char *dsn, PGconn **connection, const char *path, const char *text, struct page *page);

/* A page that says a sentence in place of another. */
void pages_refuse(unsigned status, const char *sentence, struct page *page);

void page_clear(struct page *page);

#endif
