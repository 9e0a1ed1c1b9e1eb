/*
 * A collector on its connection: nng's REQ protocol, whose messages are requests with a number each, answered with that
 * number in any order (SP over TCP: 'TCP Mapping for SPs', version 1; ipc has one byte more before every length).
 *
 * What one connection may have under way is its share: so many requests, and so many bytes of them and their answers.
 * Beyond that nothing more is read from it until answers were taken, so that one that asks and does not read waits for
 * itself, and is ended with its time.
 */

#ifndef EVENKEEL_PEER_H
#define EVENKEEL_PEER_H

#include "connections.h"

#include "proto/bytes.h"

/* Requests of one connection that are under way; a collector has one. */
#define PEER_REQUESTS 32

/* One request, with what its answer needs. */
struct peer_message {
    struct connection *connection;
    struct bytes body; /* stays until peer_answer() */
    size_t charged;    /* of the connection's share */
    size_t trace_length;
    uint8_t trace[32]; /* the numbers that go before the answer */
    uint8_t *buffer;   /* what `body` points into */
};

/* What the connections' context must be. */
struct peer_duty {
    void (*asked)(void *context, struct peer_message *message); /* must lead to one peer_answer() */
    void *context;
    size_t share;       /* bytes */
    size_t longest;     /* message that is read at all */
    atomic_uint unsent; /* answers that were not taken yet, of all connections */
};

extern const struct connection_kind peer_kind;

/* Counts more memory that a request takes as its connection's. */
void peer_charge(struct peer_message *message, size_t bytes);

/* Sends an answer, which is copied, and frees the message; without an answer the peer has to ask again. From any
 * thread. */
void peer_answer(struct peer_message *message, struct bytes body);

#endif
