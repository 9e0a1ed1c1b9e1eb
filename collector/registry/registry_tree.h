/* A registry held in memory: what a .reg export is read into. */

#ifndef EVENKEEL_REGISTRY_TREE_H
#define EVENKEEL_REGISTRY_TREE_H

#include "registry_source.h"

#define REGISTRY_TREE_LIMIT 4000000U /* keys and values together, deleted ones too */
#define REGISTRY_NAME_LIMIT 49149U   /* bytes of a name: Windows allows values 16,383 UTF-16 units, keys 255 */
#define REGISTRY_TREE_ROOT 0U        /* HKEY_LOCAL_MACHINE, which is always there */

/* An empty tree; NULL where memory is out. It is a registry: close it with registry_close(). */
struct registry *registry_tree_new(void);

/* Makes the key `path` with all that are above it, unless they are there; *key takes its number. */
int registry_tree_add_key(struct registry *registry, struct bytes path, uint32_t *key, struct error *error);

/* Removes the key `path` with all below it; nothing happens where it is not there. */
void registry_tree_remove_key(struct registry *registry, struct bytes path);

/*
 * Sets the value `name` of `key`, in place of one of that name. `data` is owned by the tree from now on, also on -1;
 * data over REGISTRY_VALUE_LIMIT is dropped, and reading such a value is an error.
 */
int registry_tree_set_value(struct registry *registry, uint32_t key, struct bytes name, uint32_t type, uint8_t *data,
                            size_t length, struct error *error);

void registry_tree_remove_value(struct registry *registry, uint32_t key, struct bytes name);

#endif
