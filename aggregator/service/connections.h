/*
 * Who is connected, at most so many at once: for each, nng may hold a message of LIMIT_MESSAGE_BYTES (and a little
 * more) that is on its way. Where no place is left a newcomer takes that of whoever has been silent for longest, if
 * that was long, and is turned away otherwise; a collector comes again by itself.
 */

#ifndef EVENKEEL_CONNECTIONS_H
#define EVENKEEL_CONNECTIONS_H

#include "proto/error.h"

#include <nng/nng.h>
#include <stdatomic.h>
#include <stddef.h>

/* Longer than any honest collector is silent: it waits for an answer, or at most twice as long as 'busy' says. */
#define CONNECTIONS_SILENT_SECONDS 150

struct connections; /* opaque; its functions may be called from any thread */

/* Watches the socket, which must be closed before connections_free(). *count and *refused are kept for the metrics.
 * NULL with *error. */
struct connections *connections_new(nng_socket socket, size_t most, atomic_size_t *count, atomic_ullong *refused,
                                    struct error *error);
void connections_free(struct connections *connections); /* NULL is allowed */

/* A message came from there. */
void connections_heard(struct connections *connections, nng_pipe from);

#endif
