/* The names of components, as keys below SideBySide\Winners and as folders of WinSxS, component_store.h. */

#ifndef EVENKEEL_DISK_COMPONENT_NAME_H
#define EVENKEEL_DISK_COMPONENT_NAME_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names are compared by their hashes: two of a host's hundred thousand meet by chance once in a billion hosts. */
typedef uint64_t name_hash;

/* A random key for them, so that nobody can make names that meet. */
struct name_key {
    uint8_t bytes[crypto_shorthash_KEYBYTES];
};

struct component_name {
    name_hash hash; /* of machine, name, token, version and language */
    uint64_t version;
    uint16_t machine; /* PE_MACHINE_* */
};

name_hash name_hash_of(const struct name_key *key, const char *text, size_t length);

/* The same of `text` folded as path_fold() does. */
name_hash name_hash_folded(const struct name_key *key, const char *text);

/* Whether the component is one of those that component_store.h leaves out. */
bool component_name_skips(const char *name);

/* A winner's key and the version that won ('10.0.17763.1518'); false where it is none of a component that counts. */
bool component_name_of_winner(const struct name_key *key, const char *name, const char *version,
                              struct component_name *component);

/* A folder's name; the same. */
bool component_name_of_folder(const struct name_key *key, const char *name, struct component_name *component);

#endif
