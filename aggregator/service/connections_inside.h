/* What connections.c (who has a place) and connection.c (what passes over one) share; nobody else includes it. */

#ifndef EVENKEEL_CONNECTIONS_INSIDE_H
#define EVENKEEL_CONNECTIONS_INSIDE_H

#include "connections.h"

#include <pthread.h>
#include <stdalign.h>

/* How far a connection has come; each is in the set's list for that, or in that of ended ones. */
enum connection_level { LEVEL_OPENING, LEVEL_SILENT, LEVEL_ASKING, LEVEL_TRUSTED, LEVELS };

/* One place. */
struct connection {
    struct connections *set;
    nng_stream *stream;
    nng_aio *receiving, *sending; /* complete in connection.c */
    atomic_uint references;       /* one is the set's */
    bool local;
    char address[64]; /* for the log */
    char network[64]; /* what counts as one address, as text */

    pthread_mutex_t lock; /* no transfer is begun while the set ends this; guards the transfers */
    uint8_t *into;        /* where what comes next is put */
    size_t received, least, most;
    const uint8_t *out;
    size_t left;
    bool finishing;
    uint8_t rest[64]; /* what comes while it finishes: nobody reads it */

    /* By the monotonic clock, 0: at no time. Looked at by the set's thread. */
    _Atomic int64_t receive_until, send_until, finish_until;

    /* The rest is the set's, under its lock; the first two are looked at without. */
    _Atomic enum connection_end end;
    _Atomic enum connection_level level;
    bool has_source, has_key;     /* they are counted */
    struct tally_key source, key; /* the address; the host's key that vouches for it */
    int64_t came_at, heard_at;
    struct connection *previous, *next;

    alignas(max_align_t) uint8_t state[];
};

/* Of connection.c: a connection for a stream that was accepted, NULL without memory (the stream is then freed); the end
 * of its transfers and its stream, from the set's thread. */
struct connection *connection_new(struct connections *set, const struct connection_kind *kind, nng_stream *stream,
                                  bool local);
void connection_shut(struct connection *connection);

/* Of connections.c. */
const struct connection_kind *connections_kind(const struct connections *set);
void *connections_context(const struct connections *set);
void connections_ended(struct connections *set, struct connection *connection, enum connection_end end);
void connections_level(struct connections *set, struct connection *connection, enum connection_level level);
void connections_trust(struct connections *set, struct connection *connection, const struct tally_key *key);

#endif
