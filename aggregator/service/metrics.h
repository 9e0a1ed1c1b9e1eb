/* What the aggregator counts and what the database holds, in Prometheus' text format. */

#ifndef EVENKEEL_METRICS_H
#define EVENKEEL_METRICS_H

#include "aggregator/base/database.h"
#include "connections.h"
#include "writer.h"

#include <stdio.h>

/* What one scrape may cost the database: Prometheus waits for ten seconds, and /healthz for this. */
#define METRICS_MILLISECONDS 5000

/* Where this process counts. */
struct metrics_sources {
    const struct writer_counters *writer;
    const struct connections_counters *collectors, *http;
    const _Atomic int64_t *certificate_end; /* of what TLS shows; 0: nothing */
};

/*
 * Writes all metrics: this process' counters, and with a connection the database's gauges. Without one (NULL), or where
 * a query fails, evenkeel_database_up is 0 and the gauges are left out, for a stale number would look like a true one.
 * So are those for which the database would need more than METRICS_MILLISECONDS in all: evenkeel_gauges_left_out
 * counts them.
 * Format: Prometheus documentation, 'Exposition formats'; names after 'Metric and label naming'.
 */
void metrics_write(const struct metrics_sources *sources, PGconn *connection, FILE *out);

#endif
