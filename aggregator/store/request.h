/* A request as the aggregator works on it: opened, checked and decoded by the service's threads, answered by the
 * writer. */

#ifndef EVENKEEL_REQUEST_H
#define EVENKEEL_REQUEST_H

#include "evenkeel.pb-c.h"
#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/digest.h"
#include "proto/error.h"
#include "proto/object.h"

#include <stdbool.h>
#include <stddef.h>

/* One entry of a chunk, with what the store looks up. */
struct decoded_entry {
    struct bytes path;
    struct digest path_digest;
    struct digest image;
};

struct decoded_chunk {
    size_t count;
    struct decoded_entry *entries;
};

/* One object that came with a request, or that an earlier request left in the table upload. */
struct object {
    Evenkeel__ObjectKind kind;
    struct bytes body;
    struct digest digest;
    ProtobufCMessage *message;  /* as unpacked; for chunks NULL, see chunk */
    struct decoded_chunk chunk; /* for chunks */
    bool wanted;                /* the snapshot refers to it */
};

enum request_kind { REQUEST_ENROLL, REQUEST_SNAPSHOT };

/* Everything but the reply lives in the arena. */
struct request {
    struct arena *arena;
    enum request_kind kind;
    struct bytes key;                      /* 32 bytes */
    Evenkeel__Enroll *enroll;              /* for REQUEST_ENROLL */
    Evenkeel__Offer *offer;                /* for REQUEST_SNAPSHOT: an offer, or the one that a give repeats */
    struct digest offer_digest;            /* of the offer's packed bytes */
    struct digest inventory, facts, times; /* the offer's */
    struct object *objects;                /* of a give */
    size_t object_count;
    size_t bytes;       /* on the wire, for the bound on a batch */
    int64_t held_since; /* by the monotonic clock: since when it waits for other hosts' objects; 0: it does not */

    struct bytes reply;              /* packed Reply, from malloc; the answer's sender frees it */
    Evenkeel__RefusalReason refusal; /* why, where the reply is a refusal: for the metrics */
    bool let_in;                     /* the answer is one that only an approved key gets: accepted, or what is wanted */
    void (*answered)(struct request *request); /* called once with `reply` filled, from any thread */
    void *owner;                               /* the answerer's own */
    const void *source;                        /* in whose share of the queue it counts: its connection */
    const char *address;  /* in whose share of what many want: the peer's, see connection_address() */
    struct request *next; /* in the writer's queue */
};

/*
 * Opens a sealed envelope into `request` (whose arena is set): signature, form, limits, digests of all objects, their
 * contents. -1 with the refusal as `reply`.
 */
int request_open(struct request *request, struct bytes sealed);

/* Decodes an object's body by its kind; -1 with *error and *reason. */
int request_decode_object(struct object *object, struct arena *arena, Evenkeel__RefusalReason *reason,
                          struct error *error);

/* Fill `reply`. A sentence is for the person who reads the collector's log. */
void request_refuse(struct request *request, Evenkeel__RefusalReason reason, uint64_t sequence, const char *sentence);
void request_accept(struct request *request, int64_t valid_from, bool changed);
void request_enrolled(struct request *request, struct bytes host_id, bool approved, uint64_t sequence);
void request_busy(struct request *request, unsigned retry_after_seconds, bool broken);

/* Wanted digests by kind, in order, up to LIMIT_WANTED_DIGESTS in all. */
struct wanted {
    struct digest *digests; /* in the arena; room for LIMIT_WANTED_DIGESTS */
    size_t count;
};
void request_want(struct request *request, const struct wanted wanted[OBJECT_KINDS]);

#endif
