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

#include <stdbool.h>

/* Whether there is a file for a key in `state`, whatever it holds. */
bool key_exists(const char *state);

/* Reads the key in the directory `state`, or makes one there on first use. One that others may read is refused, and
 * where root asks a key or directory that others own or may write. */
int key_load(const char *state, struct signing_key *key, struct error *error);

/* Makes a new key in place of the one in `state`: this machine goes on as itself. */
int key_renew(const char *state, struct signing_key *key, struct error *error);

/*
 * Whether the key in `state` was copied here from another machine: at least two of the marks differ from those that
 * were noted when it was last used. Where fewer do, this machine's are noted. An empty mark says nothing. The note is
 * text in the file 'machine' beside the key, with digests for the marks.
 */
int key_check_machine(const char *state, const Evenkeel__MachineMarks *marks, bool *copied, struct error *error);

/* Notes this machine's marks, whatever was noted before. */
int key_note_machine(const char *state, const Evenkeel__MachineMarks *marks, struct error *error);

/* Where the key is: the digest of its volume's id and this machine's name. */
int key_location(const char *state, struct digest *location, struct error *error);

#endif
