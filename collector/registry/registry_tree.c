/* A registry held in memory: keys and values by number, found by hash. */

#include "registry_tree.h"
#include "proto/cleanup.h"

#include <sodium.h>

enum item_kind { ITEM_KEY, ITEM_VALUE };

/* Numbers of items stand for links; 0, the root, is nobody's child and so means none. */
struct links {
    uint32_t first, last;
};

struct item {
    enum item_kind kind;
    uint32_t parent;
    uint32_t next, previous;  /* among the parent's items of the same kind */
    struct links children[2]; /* by kind */
    char *name;
    size_t name_length;
    uint32_t type;
    uint8_t *data;
    size_t length; /* over REGISTRY_VALUE_LIMIT: data was dropped */
};

/* Where an item is in its bucket, apart from the items: a search goes through these alone. */
struct place {
    uint32_t hash, next;
};

struct tree {
    struct registry base;
    struct item *items;
    struct place *places; /* of the items */
    uint32_t count, room;
    uint32_t *buckets; /* a power of two of them */
    uint32_t bucket_count;
    uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* random: foreign names must not be able to aim at one bucket */
    uint32_t recent[REGISTRY_DEPTH_LIMIT];       /* the key that was last added and those above it, from the top */
    size_t recent_count;
};

/* An open key remembers where it was in its lists, so that going through them is linear. */
struct tree_key {
    struct registry_key base;
    uint32_t item;
    struct {
        size_t index;
        uint32_t item;
    } at[2];
};

static struct tree *tree_of(struct registry *registry)
{
    return (struct tree *)registry;
}

static uint32_t hash_of(const struct tree *tree, enum item_kind kind, uint32_t parent, struct bytes name)
{
    uint8_t folded[REGISTRY_NAME_LIMIT + 5], hash[crypto_shorthash_BYTES];
    uint32_t start;

    memcpy(folded, &parent, sizeof parent);
    folded[4] = (uint8_t)kind;
    for (uint64_t i = 0; i < name.length; i++) {
        bytes_u8(name, i, &folded[5 + i]);
        if (folded[5 + i] >= 'A' && folded[5 + i] <= 'Z')
            folded[5 + i] = (uint8_t)(folded[5 + i] - 'A' + 'a');
    }
    crypto_shorthash(hash, folded, 5 + name.length, tree->hash_key);
    memcpy(&start, hash, sizeof start);
    return start;
}

static uint32_t *bucket_of(const struct tree *tree, uint32_t hash)
{
    return &tree->buckets[hash & (tree->bucket_count - 1)];
}

static uint32_t find_hashed(const struct tree *tree, enum item_kind kind, uint32_t parent, struct bytes name,
                            uint32_t hash)
{
    for (uint32_t i = *bucket_of(tree, hash); i != 0; i = tree->places[i].next) {
        const struct item *item = &tree->items[i];
        if (tree->places[i].hash == hash && item->kind == kind && item->parent == parent &&
            registry_names_match(item->name, item->name_length, (const char *)name.data, name.length))
            return i;
    }
    return 0;
}

static uint32_t find(const struct tree *tree, enum item_kind kind, uint32_t parent, struct bytes name)
{
    return name.length > REGISTRY_NAME_LIMIT ? 0
                                             : find_hashed(tree, kind, parent, name, hash_of(tree, kind, parent, name));
}

static void enter_bucket(struct tree *tree, uint32_t number)
{
    uint32_t *bucket = bucket_of(tree, tree->places[number].hash);
    tree->places[number].next = *bucket;
    *bucket = number;
}

static int grow(struct tree *tree, struct error *error)
{
    uint32_t room = tree->room * 2;
    struct item *items = realloc(tree->items, room * sizeof *items);
    if (items != NULL)
        tree->items = items;
    struct place *places = realloc(tree->places, room * sizeof *places);
    if (places != NULL)
        tree->places = places;
    uint32_t *buckets = calloc(room, sizeof *buckets);
    if (items == NULL || places == NULL || buckets == NULL) {
        free(buckets);
        return error_set(error, ERROR_MEMORY, "out of memory holding a registry: give the collector more");
    }
    tree->room = room;
    free(tree->buckets);
    tree->buckets = buckets;
    tree->bucket_count = room;
    /* Removed items come back into their buckets, but nothing can find them: their key is out of its parent's bucket.
     */
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->items[i].name != NULL)
            enter_bucket(tree, i);
    return 0;
}

/* Finds the parent's item of that name, or adds it. */
static int find_or_add(struct tree *tree, enum item_kind kind, uint32_t parent, struct bytes name, uint32_t *number,
                       struct error *error)
{
    uint32_t hash = 0;
    if (name.length <= REGISTRY_NAME_LIMIT) {
        hash = hash_of(tree, kind, parent, name);
        *number = find_hashed(tree, kind, parent, name, hash);
        if (*number != 0)
            return 0;
    }
    if (tree->count >= REGISTRY_TREE_LIMIT)
        return error_set(error, ERROR_LIMIT, "a registry of more than %u keys and values: export only what is needed",
                         REGISTRY_TREE_LIMIT);
    if (name.length > REGISTRY_NAME_LIMIT)
        return error_set(error, ERROR_LIMIT, "a registry name of %zu bytes, where Windows allows at most %u",
                         name.length, REGISTRY_NAME_LIMIT);
    if (tree->count == tree->room && grow(tree, error) == -1)
        return -1;
    char *copy = malloc(name.length + 1);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory holding a registry: give the collector more");
    if (name.length > 0)
        memcpy(copy, name.data, name.length);
    copy[name.length] = 0;

    struct links *links = &tree->items[parent].children[kind];
    *number = tree->count++;
    tree->items[*number] = (struct item){
        .kind = kind, .parent = parent, .previous = links->last, .name = copy, .name_length = name.length};
    if (links->last != 0)
        tree->items[links->last].next = *number;
    else
        links->first = *number;
    links->last = *number;
    tree->places[*number].hash = hash;
    enter_bucket(tree, *number);
    return 0;
}

static void remove_item(struct tree *tree, uint32_t number)
{
    struct item *item = &tree->items[number];
    struct links *links = &tree->items[item->parent].children[item->kind];
    uint32_t *link = bucket_of(tree, tree->places[number].hash);

    while (*link != number)
        link = &tree->places[*link].next;
    *link = tree->places[number].next;
    *(item->previous != 0 ? &tree->items[item->previous].next : &links->first) = item->next;
    *(item->next != 0 ? &tree->items[item->next].previous : &links->last) = item->previous;
    free(item->name);
    free(item->data);
    item->name = NULL;
    item->data = NULL;
}

/* The part of `path` that starts at *at, which moves behind its backslash; false at the end. */
static bool next_part(struct bytes path, uint64_t *at, struct bytes *part)
{
    uint8_t byte;
    uint64_t start = *at, end;

    if (start >= path.length)
        return false;
    for (end = start; bytes_u8(path, end, &byte) && byte != '\\'; end++)
        continue;
    bytes_slice(path, start, end - start, part);
    *at = end + 1;
    return true;
}

static bool find_path(const struct tree *tree, uint32_t from, struct bytes path, uint32_t *key)
{
    struct bytes part;

    *key = from;
    for (uint64_t at = 0; next_part(path, &at, &part);) {
        *key = find(tree, ITEM_KEY, *key, part);
        if (*key == 0)
            return false;
    }
    return true;
}

static bool is_called(const struct item *item, struct bytes name)
{
    return registry_names_match(item->name, item->name_length, (const char *)name.data, name.length);
}

int registry_tree_add_key(struct registry *registry, struct bytes path, uint32_t *key, struct error *error)
{
    struct tree *tree = tree_of(registry);
    struct bytes part;
    size_t depth = 0;

    *key = REGISTRY_TREE_ROOT;
    for (uint64_t at = 0; next_part(path, &at, &part);) {
        if (part.length == 0)
            return error_set(error, ERROR_FORMAT, "a registry key with an empty part: '%.*s'",
                             (int)(path.length < 200 ? path.length : 200), (const char *)path.data);
        if (++depth > REGISTRY_DEPTH_LIMIT)
            return error_set(error, ERROR_LIMIT, "a registry key more than %d keys deep", REGISTRY_DEPTH_LIMIT);
        /* An export's keys come in order: most of the way is that of the key before. */
        if (depth <= tree->recent_count && is_called(&tree->items[tree->recent[depth - 1]], part)) {
            *key = tree->recent[depth - 1];
            continue;
        }
        tree->recent_count = 0;
        uint32_t parent = *key;
        if (find_or_add(tree, ITEM_KEY, parent, part, key, error) == -1)
            return -1;
        tree->recent[depth - 1] = *key;
        tree->recent_count = depth;
    }
    tree->recent_count = depth;
    return 0;
}

void registry_tree_remove_key(struct registry *registry, struct bytes path)
{
    uint32_t key;
    tree_of(registry)->recent_count = 0;
    if (find_path(tree_of(registry), REGISTRY_TREE_ROOT, path, &key) && key != REGISTRY_TREE_ROOT)
        remove_item(tree_of(registry), key);
}

int registry_tree_set_value(struct registry *registry, uint32_t key, struct bytes name, uint32_t type, uint8_t *data,
                            size_t length, struct error *error)
{
    struct tree *tree = tree_of(registry);
    uint32_t number;

    if (length > REGISTRY_VALUE_LIMIT) {
        free(data);
        data = NULL;
    }
    if (find_or_add(tree, ITEM_VALUE, key, name, &number, error) == -1) {
        free(data);
        return -1;
    }
    struct item *item = &tree->items[number];
    free(item->data);
    item->type = type;
    item->data = data;
    item->length = length;
    return 0;
}

void registry_tree_remove_value(struct registry *registry, uint32_t key, struct bytes name)
{
    uint32_t number = find(tree_of(registry), ITEM_VALUE, key, name);
    if (number != 0)
        remove_item(tree_of(registry), number);
}

static int open_item(struct tree *tree, uint32_t number, struct registry_key **key, struct error *error)
{
    struct tree_key *opened = calloc(1, sizeof *opened);
    if (opened != NULL)
        opened->base.name = strdup(tree->items[number].name);
    if (opened == NULL || opened->base.name == NULL) {
        free(opened);
        return error_set(error, ERROR_MEMORY, "out of memory opening a registry key: give the collector more");
    }
    opened->base.registry = &tree->base;
    opened->item = number;
    *key = &opened->base;
    return 1;
}

static int key_open(struct registry *registry, struct registry_key *parent, const char *path, struct registry_key **key,
                    struct error *error)
{
    uint32_t from = parent != NULL ? ((struct tree_key *)parent)->item : REGISTRY_TREE_ROOT;
    uint32_t number;

    if (!find_path(tree_of(registry), from, bytes_of(path, strlen(path)), &number))
        return 0;
    return open_item(tree_of(registry), number, key, error);
}

/* The item number `index` of a kind; 0 past the last. */
static uint32_t item_at(struct tree_key *key, enum item_kind kind, size_t index)
{
    const struct tree *tree = tree_of(key->base.registry);

    if (key->at[kind].item == 0 || index < key->at[kind].index) {
        key->at[kind].index = 0;
        key->at[kind].item = tree->items[key->item].children[kind].first;
    }
    while (key->at[kind].index < index && key->at[kind].item != 0) {
        key->at[kind].index++;
        key->at[kind].item = tree->items[key->at[kind].item].next;
    }
    return key->at[kind].item;
}

static int key_child(struct registry_key *key, size_t index, struct registry_key **child, struct error *error)
{
    uint32_t number = item_at((struct tree_key *)key, ITEM_KEY, index);
    return number == 0 ? 0 : open_item(tree_of(key->registry), number, child, error);
}

static void key_close(struct registry_key *key)
{
    free(key->name);
    free(key);
}

static int copy_value(const struct item *item, struct registry_value *value, struct error *error)
{
    if (item->length > REGISTRY_VALUE_LIMIT)
        return error_set(error, ERROR_LIMIT, "the registry value '%.200s' has %zu bytes, more than is read", item->name,
                         item->length);
    value->name = strdup(item->name);
    value->data = malloc(item->length + 1);
    if (value->name == NULL || value->data == NULL) {
        registry_value_clear(value);
        return error_set(error, ERROR_MEMORY, "out of memory reading the registry value '%.200s'", item->name);
    }
    if (item->length > 0)
        memcpy(value->data, item->data, item->length);
    value->length = item->length;
    value->type = item->type;
    return 1;
}

static int value_read(struct registry_key *key, const char *name, struct registry_value *value, struct error *error)
{
    const struct tree *tree = tree_of(key->registry);
    uint32_t number = find(tree, ITEM_VALUE, ((struct tree_key *)key)->item, bytes_of(name, strlen(name)));
    return number == 0 ? 0 : copy_value(&tree->items[number], value, error);
}

static int value_at(struct registry_key *key, size_t index, struct registry_value *value, struct error *error)
{
    uint32_t number = item_at((struct tree_key *)key, ITEM_VALUE, index);
    return number == 0 ? 0 : copy_value(&tree_of(key->registry)->items[number], value, error);
}

static void close_tree(struct registry *registry)
{
    struct tree *tree = tree_of(registry);
    for (uint32_t i = 0; tree->items != NULL && i < tree->count; i++) {
        free(tree->items[i].name);
        free(tree->items[i].data);
    }
    free(tree->items);
    free(tree->places);
    free(tree->buckets);
    free(tree);
}

struct registry *registry_tree_new(void)
{
    static const struct registry_verbs verbs = {
        .key_open = key_open,
        .key_child = key_child,
        .key_close = key_close,
        .value_read = value_read,
        .value_at = value_at,
        .close = close_tree,
    };
    struct tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL)
        return NULL;
    tree->base.verbs = &verbs;
    tree->room = tree->bucket_count = 1024;
    tree->items = calloc(tree->room, sizeof *tree->items);
    tree->places = calloc(tree->room, sizeof *tree->places);
    tree->buckets = calloc(tree->bucket_count, sizeof *tree->buckets);
    randombytes_buf(tree->hash_key, sizeof tree->hash_key);
    if (tree->items == NULL || tree->places == NULL || tree->buckets == NULL ||
        (tree->items[0].name = strdup("HKEY_LOCAL_MACHINE")) == NULL) {
        close_tree(&tree->base);
        return NULL;
    }
    tree->count = 1;
    return &tree->base;
}
