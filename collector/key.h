/*
 * The collector's own key, Ed25519, in a file that only its owner may read, and what tells its machine from another.
 *
 * The file is text: 'evenkeel-collector key 1', then the seed in hexadecimal.
 */

#ifndef EVENKEEL_KEY_H
#define EVENKEEL_KEY_H

#include "proto/digest.h"
#include "proto/envelope.h"
#include "proto/error.h"

/* Reads the key in the directory `state`, or makes one there on first use. One that others may read is refused. */
int key_load(const char *state, struct signing_key *key, struct error *error);

/* Where the key is: the digest of its volume's id and this machine's name. */
int key_location(const char *state, struct digest *location, struct error *error);

#endif
