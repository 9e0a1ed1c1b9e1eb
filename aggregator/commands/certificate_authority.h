/*
 * A small certificate authority for a start: one key that signs, one certificate for the aggregator. Whoever holds the
 * CA's key can pose as the aggregator; an own PKI is better and needs nothing of this.
 *
 * Files in its directory, PEM, keys readable by their owner only: ca.pem, ca-key.pem, server.pem, server-key.pem. All
 * keys are ECDSA on P-256 (RFC 5480), which is cheap for an aggregator that many hosts connect to.
 */

#ifndef EVENKEEL_CERTIFICATE_AUTHORITY_H
#define EVENKEEL_CERTIFICATE_AUTHORITY_H

#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_NAMES_MAXIMUM 16

/* Whether a word can be a name or an address in a certificate; -1 with *error where not. */
int certificate_name_check(const char *name, struct error *error);

/* What certificate_authority_make() found and did. */
struct certificate_authority {
    bool made;       /* the CA is new */
    bool server_new; /* the server certificate is; else it is the one that was there, with its key */
    int64_t end;     /* of the server certificate, seconds since 1970 UTC */
    char names[(CERTIFICATE_NAMES_MAXIMUM + 2) * 256]; /* that it is for, between ', ', without localhost */
    char first[256];                                   /* of them */
};

/*
 * Makes the directory and a CA in it, unless it has one, and a server certificate for these names (host names or
 * addresses; without any `own` is the name; 'localhost' and 127.0.0.1 are added). A server certificate of this CA that
 * is there stays: a name that it lacks is an error. With `renew` it is replaced, key and all, for the names that it has
 * and these. One of another CA, or without its key, is no use and is replaced. -1 with *error.
 */
int certificate_authority_make(const char *directory, const char *const *names, size_t count, const char *own,
                               bool renew, struct certificate_authority *authority, struct error *error);

#endif
