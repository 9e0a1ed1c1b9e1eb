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

#define CERTIFICATE_NAMES_MAXIMUM 16

/* Whether a word can be a name or an address in a certificate; -1 with *error where not. */
int certificate_name_check(const char *name, struct error *error);

/*
 * Makes the directory and a CA in it, unless it has one, and a server certificate for these names (host names or
 * addresses; 'localhost' and 127.0.0.1 are added). An earlier server certificate is replaced. *made tells whether the
 * CA is new. -1 with *error.
 */
int certificate_authority_make(const char *directory, const char *const *names, size_t count, bool *made,
                               struct error *error);

#endif
