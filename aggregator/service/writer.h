/* The writer: one thread that takes what waits, stores it as one transaction, and answers after the commit. */

#ifndef EVENKEEL_WRITER_H
#define EVENKEEL_WRITER_H

#include "aggregator/store/request.h"
#include "aggregator/store/store.h"

#include <stdatomic.h>

/* Requests that may wait before new ones are told 'busy', or whoever has the most of them; a batch leaves a third. */
#define WRITER_QUEUE_REQUESTS 1536
/* Seconds that 'busy' names: long enough for a restart of the database, spread by the collectors' own jitter. */
#define WRITER_RETRY_SECONDS 5
/* Where the database took nothing for so long, that is no passing trouble. */
#define WRITER_BROKEN_SECONDS 60

/* What comes while a batch is stored for longer than this is answered 'busy' at once: its commit may wait for a standby
 * for hours, and a collector waits for an answer only so long. */
#define WRITER_PATIENCE_SECONDS 20

/* RefusalReason of evenkeel.proto is below this. */
#define WRITER_REFUSAL_REASONS 32

struct writer_options {
    const char *dsn;
    struct store_options store;
    void (*stored)(void *context, unsigned hosts); /* called after a commit: so many are to be judged, or still give */
    void *context;
};

struct writer_counters {
    atomic_ullong batches, requests, accepted, unchanged, enrolled, wants, held, busy, displaced, failures;
    atomic_ullong refused[WRITER_REFUSAL_REASONS]; /* by RefusalReason */
    atomic_ullong commit_microseconds;
    atomic_llong failing_since; /* by the monotonic clock: since when the database takes nothing; 0: it does */
    atomic_llong storing_since; /* likewise: since when it is at one batch; 0: there is none */
    atomic_size_t queued_requests;
    atomic_size_t request_bytes; /* what requests hold, as they came and decoded; the service counts */
};

struct writer; /* opaque; its functions may be called from any thread */

/* Starts the thread, which connects to the database, and again whenever the connection is lost; NULL with *error. */
struct writer *writer_start(const struct writer_options *options, struct error *error);

/* Queues a request; answers it 'busy' at once where too much waits, a batch takes too long, or the writer is stopping.
 */
void writer_submit(struct writer *writer, struct request *request);

struct writer_counters *writer_counters(struct writer *writer);

/* For how many seconds the database has taken nothing, or has been at one batch; 0: it takes it, or was not asked. */
unsigned writer_failing_seconds(const struct writer_counters *counters);

/* Finishes what waits, within `seconds`, answers the rest 'busy', and ends the thread. What is submitted later is
 * answered 'busy', too, until writer_free(). */
void writer_stop(struct writer *writer, unsigned seconds);
void writer_free(struct writer *writer); /* NULL is allowed */

#endif
