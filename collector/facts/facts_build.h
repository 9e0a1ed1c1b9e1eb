/* What the facts_*.c files share: the collection in progress, and how its fields and lists are filled. */

#ifndef EVENKEEL_FACTS_BUILD_H
#define EVENKEEL_FACTS_BUILD_H

#include "collector/registry/registry.h"
#include "facts.h"
#include "not_seen.h"
#include "proto/limits.h"

struct collection {
    struct registry *registry;                       /* NULL: none */
    unsigned lost;                                   /* hives that are there and can't be read, where there is none */
    bool borrowed;                                   /* the registry is the caller's */
    bool live;                                       /* the registry is the running system's */
    struct facts_drive drives[FACTS_DRIVES_MAXIMUM]; /* letters in lower case; the first is the system's */
    size_t drive_count;
    char *windows; /* the Windows directory as it is on its disk; NULL: not there */
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct string_list *problems;
};

/* The duties of each file. They return -1 only where going on is pointless (memory); all else is a problem. */
int facts_collect_places(struct collection *collection, const struct facts_options *options, struct error *error);
int facts_collect_system(struct collection *collection, struct error *error);
int facts_collect_paths(struct collection *collection, struct error *error);
int facts_collect_hotfixes(struct collection *collection, struct error *error);
int facts_collect_services(struct collection *collection, struct error *error);
int facts_collect_disk(struct collection *collection, struct error *error);
int facts_collect_winsxs(struct collection *collection, struct facts_store *found,
                         struct error *error); /* NULL: no store */

/*
 * Finds a folded path from its drive letter on the host's disks, as path_find(); 0 also where no disk has that letter.
 */
int facts_find(struct collection *collection, const char *path, char **found, struct error *error);

/* What text of the registry says as a path: variables filled in, folded, from the drive letter or a share on, to be
 * freed; NULL where it is no such path, or too long, which is a problem. In facts_paths.c. */
char *facts_path(struct collection *collection, const char *text);

/* Something that was not seen, not_seen.h. */
int facts_not_seen(struct collection *collection, Evenkeel__NotSeenKind kind, const char *what, uint64_t count,
                   struct error *error);

int facts_out_of_memory(struct error *error);

/* Opens a key; NULL where it is not there or can't be opened, which is a problem. */
struct registry_key *facts_key(struct collection *collection, const char *path);
struct registry_key *facts_key_in(struct collection *collection, struct registry_key *parent, const char *path);

/* Child number `index`, as registry_key_child(); what can't be opened is a problem and an empty *child with 1. */
int facts_child(struct collection *collection, struct registry_key *key, size_t index, struct registry_key **child);

void facts_close_key(struct registry_key **key); /* for _cleanup_ */

/* A value as text, trimmed of blanks, to be freed; NULL where it is not there, empty, or no string. */
char *facts_string(struct collection *collection, struct registry_key *key, const char *name);

/* A DWORD; false, and 0, where it is not there. */
bool facts_number(struct collection *collection, struct registry_key *key, const char *name, uint32_t *number);

/* All strings of a value; none where it is not there. */
int facts_strings(struct collection *collection, struct registry_key *key, const char *name,
                  struct string_list *strings, struct error *error);

/* Fills *field with `text` (NULL: leaves it empty), made well-formed UTF-8; over LIMIT_TEXT_BYTES it is a problem. */
int facts_set(struct collection *collection, ProtobufCBinaryData *field, const char *text, struct error *error);

/* Fills a list of texts; `sorted`: bytewise and without duplicates, otherwise in the order given. */
int facts_set_list(struct collection *collection, const struct string_list *texts, bool sorted, const char *what,
                   size_t *count, ProtobufCBinaryData **list, struct error *error);

/*
 * Appends an unpacked message, owned by the list from now on, also on -1. Over LIMIT_LIST_ENTRIES it is left out;
 * `what` names the list in the problem.
 */
int facts_append(struct collection *collection, const char *what, size_t *count, void *list, ProtobufCMessage *message,
                 struct error *error);

/* Sorts by `compare` (over pointers to messages) and removes those that compare equal. */
void facts_sort(size_t *count, void *list, int (*compare)(const void *, const void *));

/* Bytewise, shorter first. */
int facts_compare(ProtobufCBinaryData a, ProtobufCBinaryData b);

/* ASCII letters, in place. */
void facts_lower(char *text);
void facts_upper(char *text);

#endif
