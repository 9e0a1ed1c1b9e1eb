/* The HTTP side of the aggregator: the last report and pages for people, health and metrics for machines. Reads only.
 */

#ifndef EVENKEEL_HTTP_H
#define EVENKEEL_HTTP_H

#include "connections.h"
#include "writer.h"

struct http; /* opaque */

struct http_options {
    const char *url; /* http://ADDRESS:PORT; loopback only, unless allow_plain */
    bool allow_plain;
    const char *dsn;
    const char *read_dsn; /* the database as a role that may only read, for pages; NULL: without pages */
    const char *report; /* the page that 'evenkeel report drift -o' wrote; where it is old or not there, one is made */
    const struct writer_counters *counters;
    const struct connections_counters *connections; /* collectors' */
    const _Atomic int64_t *certificate_end;         /* as service_certificate_end() has it */
};

/*
 * Answers GET and HEAD of
 *   /         the last report
 *   /healthz  200 'ok' while the database answers and takes what comes, and verdicts follow; else 503 and why
 *   /metrics  Prometheus' text format
 *   /fleet and the other pages of aggregator/pages/pages.h, a few at once
 * A report that is made takes its time on a thread of its own. On loopback only requests that were addressed to
 * loopback are answered, so that a page from elsewhere can't read this one by a name that it points here. NULL with
 * *error that names the address; ERROR_BUSY where it is taken.
 */
struct http *http_start(const struct http_options *options, struct error *error);

/* Before the writer is stopped, for its counters are read here. */
void http_stop(struct http *http);

#endif
