/* What a source of registry.h fills in; only the registry_*.c files see it. */

#ifndef EVENKEEL_REGISTRY_SOURCE_H
#define EVENKEEL_REGISTRY_SOURCE_H

#include "registry.h"

#define REGISTRY_HIVE_COUNT 3
extern const char *const registry_hive_names[REGISTRY_HIVE_COUNT]; /* SYSTEM, SOFTWARE, SAM */

/* A source's own struct starts with one of these. `control_set` is the registry's business, not the source's. */
struct registry {
    const struct registry_verbs *verbs;
    uint32_t control_set;                  /* number out of SYSTEM\Select\Current; 0: not known */
    unsigned code_page;                    /* of an 8-bit export, where it was assumed or does not fit; 0: neither */
    uint64_t misspelt;                     /* lines and values of it that may not say what they should */
    unsigned defects[REGISTRY_HIVE_COUNT]; /* enum registry_defect; in the order of registry_hive_names */
};

struct registry_key {
    struct registry *registry;
    char *name; /* owned, freed by the source's key_close */
    int64_t written;
};

/*
 * Return values as in registry.h. Paths have no leading, trailing or doubled backslashes. A source shows the registry
 * as the system itself sees it: a 32-bit program on 64-bit Windows must ask for the 64-bit view. CurrentControlSet is
 * asked for under its number first, and under that name where the number is not there.
 */
struct registry_verbs {
    /* `path` below `parent`; NULL: below HKEY_LOCAL_MACHINE. */
    int (*key_open)(struct registry *registry, struct registry_key *parent, const char *path, struct registry_key **key,
                    struct error *error);
    int (*key_child)(struct registry_key *key, size_t index, struct registry_key **child, struct error *error);
    void (*key_close)(struct registry_key *key);
    int (*value_read)(struct registry_key *key, const char *name, struct registry_value *value, struct error *error);
    int (*value_at)(struct registry_key *key, size_t index, struct registry_value *value, struct error *error);
    void (*close)(struct registry *registry);
};

/* To be called once by each source before it hands its registry out. */
void registry_find_control_set(struct registry *registry);

/* Letters of names match by their ASCII case, on every system alike. */
bool registry_names_match(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
