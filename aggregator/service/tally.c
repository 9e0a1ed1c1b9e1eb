/* How many of something each of many holds. */

#include "tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

struct entry {
    struct tally_key key;
    size_t count;
    struct entry *next; /* of its bucket */
};

struct tally {
    uint8_t secret[crypto_shorthash_KEYBYTES]; /* so that nobody can choose keys that share a bucket */
    struct entry *buckets[BUCKETS];
};

struct tally *tally_new(void)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally != NULL)
        randombytes_buf(tally->secret, sizeof tally->secret);
    return tally;
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; tally != NULL && i < BUCKETS; i++)
        for (struct entry *entry = tally->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free(entry);
        }
    free(tally);
}

/* The link that leads to the key's entry, or to where it would stand. */
static struct entry **find(struct tally *tally, const struct tally_key *key)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t bucket;
    crypto_shorthash(hash, key->bytes, sizeof key->bytes, tally->secret);
    memcpy(&bucket, hash, sizeof bucket);
    struct entry **at = &tally->buckets[bucket % BUCKETS];
    while (*at != NULL && memcmp(&(*at)->key, key, sizeof *key) != 0)
        at = &(*at)->next;
    return at;
}

bool tally_add(struct tally *tally, const struct tally_key *key)
{
    struct entry **at = find(tally, key);
    if (*at == NULL && (*at = calloc(1, sizeof **at)) == NULL)
        return false;
    (*at)->key = *key;
    (*at)->count++;
    return true;
}

void tally_drop(struct tally *tally, const struct tally_key *key)
{
    struct entry **at = find(tally, key), *entry = *at;
    if (entry == NULL || --entry->count > 0)
        return;
    *at = entry->next;
    free(entry);
}

size_t tally_count(const struct tally *tally, const struct tally_key *key)
{
    const struct entry *entry = *find((struct tally *)tally, key);
    return entry != NULL ? entry->count : 0;
}

bool tally_greatest(const struct tally *tally, struct tally_key *key)
{
    size_t most = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct entry *entry = tally->buckets[i]; entry != NULL; entry = entry->next)
            if (entry->count > most) {
                most = entry->count;
                *key = entry->key;
            }
    return most > 0;
}
