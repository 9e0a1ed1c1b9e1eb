/*
 * The signed envelope: a request's exact bytes, the collector's Ed25519 public key and its signature over
 * 'evenkeel request 1' NUL and those bytes (libsodium crypto_sign_init/update/final: Ed25519ph of RFC 8032). nng 1.5.2
 * can't tell who a TLS peer is, so identity is here.
 */

#ifndef EVENKEEL_ENVELOPE_H
#define EVENKEEL_ENVELOPE_H

#include "arena.h"
#include "bytes.h"
#include "error.h"
#include "evenkeel.pb-c.h"

#include <sodium.h>
#include <stdint.h>

#define ENVELOPE_VERSION 1

struct signing_key {
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
};

/* Packs, signs and packs again; *sealed is from malloc, the caller frees it. */
int envelope_seal(const struct signing_key *key, const Evenkeel__Request *request, struct bytes *sealed,
                  struct error *error);

/*
 * Opens what arrived: checks size, form, version and signature, then the form of the request within, all into the
 * arena. On failure -1 with *error, and *reason tells which refusal fits. On success *key (32 bytes, inside the arena)
 * and *request.
 */
int envelope_open(struct bytes sealed, struct arena *arena, struct bytes *key, Evenkeel__Request **request,
                  Evenkeel__RefusalReason *reason, struct error *error);

#endif
