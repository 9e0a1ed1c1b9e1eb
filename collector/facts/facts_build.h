/* What the facts_*.c files share: the collection in progress, and how its fields and lists are filled. */

#ifndef EVENKEEL_FACTS_BUILD_H
#define EVENKEEL_FACTS_BUILD_H

#include "collector/registry/registry.h"
#include "facts.h"
#include "not_seen.h"
#include "proto/limits.h"

struct collection {
    struct registry *registry; /* NULL: none */
    bool borrowed;             /* the registry is the caller's */
    bool live;                 /* the registry is the running system's */
    char *disk;                /* folder that holds the host's system drive; NULL: none */
    char *windows;             /* the Windows directory as it is on that disk; NULL: not there */
    char drive;                /* lower case */
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct string_list *problems;
};

/* The duties of each file. They return -1 only where going on is pointless (memory); all else is a problem. */
int facts_collect_system(struct collection *collection, struct error *error);
int facts_collect_paths(struct collection *collection, struct error *error);
int facts_collect_hotfixes(struct collection *collection, struct error *error);
int facts_collect_services(struct collection *collection, struct error *error);
int facts_collect_disk(struct collection *collection, struct error *error);
int facts_collect_store(struct collection *collection, struct facts_store *found, struct error *error);

/* The folded directory that 'Common AppData' names, from the drive letter; NULL where it is not known. In
 * facts_paths.c. */
char *facts_common_data(struct collection *collection);

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
