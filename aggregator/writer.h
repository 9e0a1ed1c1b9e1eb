/* The writer: one thread that takes what waits, stores it as one transaction, and answers after the commit. */

#ifndef EVENKEEL_WRITER_H
#define EVENKEEL_WRITER_H

#include "request.h"
#include "store.h"

#include <stdatomic.h>

/* What may wait before new requests are told 'busy': far more than one batch, far less than memory. */
#define WRITER_QUEUE_BYTES (192u << 20)

struct writer_options {
    const char *dsn;
    struct store_options store;
    void (*stored)(void *context); /* called after a commit that queued hosts to be judged */
    void *context;
};

struct writer_counters {
    atomic_ullong batches, requests, accepted, unchanged, enrolled, wants, busy, failures;
    atomic_ullong refused[EVENKEEL__REFUSAL_REASON__TOKEN_INVALID + 1];
    atomic_ullong commit_microseconds;
    atomic_size_t queued_bytes, queued_requests;
};

struct writer; /* opaque; its functions may be called from any thread */

/* Starts the thread, which connects to the database, and again whenever the connection is lost; NULL with *error. */
struct writer *writer_start(const struct writer_options *options, struct error *error);

/* Queues a request; answers it 'busy' at once where too much waits, or the writer is stopping. */
void writer_submit(struct writer *writer, struct request *request);

struct writer_counters *writer_counters(struct writer *writer);

/* Finishes what waits, within `seconds`, answers the rest 'busy', and ends the thread. */
void writer_stop(struct writer *writer, unsigned seconds);

#endif
