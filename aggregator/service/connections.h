/*
 * Who is connected: byte streams that others opened, at most so many at once, none of which can hold its place without
 * doing what it is there for. A stream is any of nng's (TCP, TLS, a local socket); its handshake is part of its time,
 * and it counts from the moment that the system accepted it.
 *
 * Where all places are taken a newcomer takes that of another. One that is not trusted goes first: of those in their
 * handshake, those that are silent and those that ask, which ever are the most, the oldest of the address that holds
 * the most such places; so a flood of any kind displaces itself. A trusted one goes only after
 * CONNECTIONS_SILENT_SECONDS of silence; where all are trusted and speak, the newcomer is turned away. Whoever honestly
 * loses a place comes again by itself.
 */

#ifndef EVENKEEL_CONNECTIONS_H
#define EVENKEEL_CONNECTIONS_H

#include "proto/error.h"
#include "tally.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define CONNECTIONS_OPENING_SECONDS 10 /* for TCP, TLS and the first words of the protocol together */
#define CONNECTIONS_STALLED_SECONDS 30 /* without a byte in the midst of a message */
/* For what is sent to be taken: these, and one more for every so many bytes. */
#define CONNECTIONS_UNREAD_SECONDS 10
#define CONNECTIONS_UNREAD_BYTES_A_SECOND 16384u
/* Longer than any honest collector is silent: it waits for an answer, or at most twice as long as 'busy' says. */
#define CONNECTIONS_SILENT_SECONDS 150
/* Trusted places of one key. One collector that speaks for many hosts opens up to 64 connections. */
#define CONNECTIONS_A_KEY 64

enum connection_end {
    CONNECTION_OPEN,
    CONNECTION_GONE,        /* by the peer, or when all was said */
    CONNECTION_LATE,        /* not opened in time */
    CONNECTION_STALLED,     /* silent in the midst of a message */
    CONNECTION_UNREAD,      /* does not read what it asked for */
    CONNECTION_MALFORMED,   /* speaks something else */
    CONNECTION_DISPLACED,   /* gave its place to a newcomer */
    CONNECTION_TURNED_AWAY, /* found no place */
    CONNECTION_ENDS
};

/* As a metric's label: 'late', 'unread'. */
const char *connection_end_name(enum connection_end end);

struct connections_counters {
    atomic_size_t open;    /* all that hold a place */
    atomic_size_t opening; /* of these, in their handshake */
    atomic_ullong ended[CONNECTION_ENDS];
};

struct connections; /* opaque, as the next; their functions may be called from any thread */
struct connection;

/* What is spoken. The functions are called on nng's threads and must not wait; what received() and sent() do may
 * overlap, but neither overlaps itself. */
struct connection_kind {
    size_t state_bytes; /* that every connection has for it, zeroed */
    void (*opened)(struct connection *connection);
    void (*received)(struct connection *connection, size_t length); /* connection_receive() is done */
    void (*sent)(struct connection *connection);                    /* connection_send() is done */
    void (*freed)(struct connection *connection);                   /* the last moment of its state */
};

struct connections_options {
    const char *name; /* for the log: who connects */
    const struct connection_kind *kind;
    void *context;
    size_t most;
};

/* Counters must outlive it. NULL with *error. */
struct connections *connections_new(const struct connections_options *options, struct connections_counters *counters,
                                    struct error *error);

/*
 * Listens on an URL (tcp, tls+tcp, ipc, each with 4 or 6 for one family), with a TLS configuration where that needs
 * one; the number of the listener, or the negative nng error.
 */
int connections_listen(struct connections *set, const char *url, nng_tls_config *tls);

/* From the next connection on; an nng error, or 0. */
int connections_set_tls(struct connections *set, int listener, nng_tls_config *tls);

/* Lets them in, on all that it listens on. */
void connections_start(struct connections *set);

/* Lets nobody else in; those that are there stay. */
void connections_close(struct connections *set);

/* Ends all of them and waits for that; connections that somebody holds must be released before. NULL is allowed. */
void connections_free(struct connections *set);

/* Of a connection. */
void *connection_state(struct connection *connection);
void *connection_context(struct connection *connection);
bool connection_is_local(const struct connection *connection); /* came over ipc */
bool connection_is_open(struct connection *connection);
/* What counts as one address: that of IPv4, the network (/64) of IPv6; 'this machine' over ipc, '?' where it can't be
 * told. As long as the connection. */
const char *connection_address(const struct connection *connection);

/* A connection that is held outlives its end. */
void connection_hold(struct connection *connection);
void connection_release(struct connection *connection);

/*
 * Receives at least `least` bytes, at most `most`, into memory that stays until received() is called or the connection
 * is freed; one at a time. `begun`: a message is under way already, else it is once the first byte has come.
 */
void connection_receive(struct connection *connection, void *into, size_t least, size_t most, bool begun);
/* Sends all; likewise. */
void connection_send(struct connection *connection, const void *data, size_t length);

/* The handshake is done. */
void connection_opened(struct connection *connection);
/* A message came whole; and: what was asked is answered, nothing is under way any more. */
void connection_asked(struct connection *connection);
void connection_answered(struct connection *connection);
/* It keeps its place from now on, on behalf of a key (NULL: nobody's) that holds no more than CONNECTIONS_A_KEY. */
void connection_trust(struct connection *connection, const struct tally_key *key);
bool connection_is_trusted(const struct connection *connection);

/* All was said: it ends when the peer has taken that. Nothing may be received or sent after this. */
void connection_finish(struct connection *connection);
void connection_end(struct connection *connection, enum connection_end end);

#endif
