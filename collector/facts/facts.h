/*
 * What is true of a host rather than of a file: its registry and a few places on its disk, as the messages Facts and
 * Times (proto/evenkeel.proto). The same host gives the same packed Facts from every source: lists are sorted bytewise
 * and without duplicates, text is UTF-8 without NUL (what is no UTF-16 becomes U+FFFD).
 */

#ifndef EVENKEEL_FACTS_H
#define EVENKEEL_FACTS_H

#include "collector/base/string_list.h"
#include "collector/registry/registry.h"
#include "evenkeel.pb-c.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>

#define FACTS_METABASE_LIMIT (1024U << 20) /* bytes of a metabase that are digested; a longer one is not */

struct component_store;

/* What facts_collect() fills of a component store, for component_store_end(). */
struct facts_store {
    struct component_store *store; /* the caller's */
    bool there;                    /* the host's Windows has such a store */
    char *folder;                  /* WinSxS on its disk, to be freed; NULL: not found */
};

#define FACTS_DRIVES_MAXIMUM 26 /* letters there are */

/* A drive of the host's: the folder that holds it, and its letter there. */
struct facts_drive {
    const char *root;
    char letter;
};

struct facts_options {
    const char *root;               /* folder that holds the host's system drive; NULL: the running system */
    char drive;                     /* letter of that drive on the host; 0: as its registry says, or else 'c' */
    const struct facts_drive *more; /* further drives of the host */
    size_t more_count;
    char *drive_found;         /* receives the letter of the first drive; NULL: nobody wants to know */
    const char *registry_file; /* a .reg export to use instead of the host's own registry; NULL: none */
    unsigned code_page;        /* of an 8-bit export; 0: as it says itself, or else 1252 */
    struct registry *registry; /* one that is open already, instead of both; stays the caller's; NULL: none */
    const char *const *groups; /* labels of the configuration; any order */
    size_t group_count;
    struct facts_store *store; /* receives the winners of the component store; NULL: nobody wants to know */
};

/*
 * Collects into *facts and *times, ordinary unpacked messages: free them with evenkeel__facts__free_unpacked(facts,
 * NULL) and evenkeel__times__free_unpacked(times, NULL). What can't be read stays empty and is said in *problems, a
 * sentence each, for stderr; that there is nothing to read (a root without a registry) is one of them. What of it could
 * bear on a verdict stands in facts->not_seen as well. An error is only
 * what makes the whole pointless: a root or a registry file that the caller named and that can't be read.
 *
 * What can be told apart from 'there is none': without a registry has_registry is false. machine_keys_read is true if
 * RSA/MachineKeys was listed, or is known not to be in the folder that holds all users' application data.
 *
 * The Windows directory, the folders of programs and of profiles are those that the registry names; only where it names
 * none, usual names are looked for.
 *
 * Hotfixes are those that are installed: HotFix\<id> with Installed not 0; Updates\<product>[\SPn]\<id>; servicing
 * packages Package_for_KB… at CurrentState 112 or 128. Servicing states are those of all packages under way or stuck
 * (neither absent 0, resolved 32, staged 64, superseded 80, installed 112 nor permanent 128), and of superseded
 * Package_for_KB…. Assemblies are WinSxS folders that a program can load DLLs from; components of Windows itself are
 * stored there, too, and left out.
 */
int facts_collect(const struct facts_options *options, Evenkeel__Facts **facts, Evenkeel__Times **times,
                  struct string_list *problems, struct error *error);

/* Sets facts->covered, sorted and without duplicates; takes the texts out of *covered. */
int facts_set_covered(Evenkeel__Facts *facts, struct string_list *covered, struct error *error);

#endif
