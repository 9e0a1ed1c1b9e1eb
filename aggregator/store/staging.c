/* Objects of unfinished snapshots, in memory. */

#include "staging.h"

#include "aggregator/base/monotonic.h"

#include <stdlib.h>
#include <string.h>

/* host_ids are random, so their first bytes are the hash. */
static size_t bucket_of(const uint8_t host_id[16])
{
    return (host_id[0] | (size_t)host_id[1] << 8) % STAGING_BUCKETS;
}

/* Where the host hangs, or where it would. */
static struct staged_host **find(struct staging *staging, const uint8_t host_id[16])
{
    struct staged_host **at = &staging->buckets[bucket_of(host_id)];
    while (*at != NULL && memcmp((*at)->host_id, host_id, 16) != 0)
        at = &(*at)->next;
    return at;
}

const struct staged_host *staging_find(const struct staging *staging, const uint8_t host_id[16])
{
    return *find((struct staging *)staging, host_id);
}

static void remove_object(struct staging *staging, struct staged_object **at)
{
    struct staged_object *object = *at;
    *at = object->next;
    staging->bytes -= object->held;
    free((void *)object->body.data);
    free(object->chunk.entries);
    free(object);
}

static void remove_host(struct staging *staging, struct staged_host **at)
{
    struct staged_host *host = *at;
    while (host->objects != NULL)
        remove_object(staging, &host->objects);
    *at = host->next;
    free(host);
}

/* Forgets whom nobody heard of lately. */
static void make_room(struct staging *staging, int64_t now)
{
    for (size_t i = 0; i < STAGING_BUCKETS; i++)
        for (struct staged_host **at = &staging->buckets[i]; *at != NULL;)
            if (now - (*at)->touched > STAGING_SECONDS * MONOTONIC_SECOND)
                remove_host(staging, at);
            else
                at = &(*at)->next;
}

static size_t bytes_to_hold(const struct object *object)
{
    if (object->kind != EVENKEEL__OBJECT_KIND__CHUNK)
        return object->body.length;
    size_t bytes = object->chunk.count * sizeof *object->chunk.entries;
    for (size_t i = 0; i < object->chunk.count; i++)
        bytes += object->chunk.entries[i].path.length;
    return bytes;
}

/* The entries, and their paths behind them, in the memory at `room`. */
static void copy_chunk(struct decoded_chunk *copy, const struct decoded_chunk *chunk, void *room)
{
    copy->count = chunk->count;
    copy->entries = room;
    uint8_t *path = (uint8_t *)(copy->entries + chunk->count);
    for (size_t i = 0; i < chunk->count; i++) {
        copy->entries[i] = chunk->entries[i];
        copy->entries[i].path.data = path;
        memcpy(path, chunk->entries[i].path.data, chunk->entries[i].path.length);
        path += chunk->entries[i].path.length;
    }
}

static struct staged_object *copy_object(const struct object *object, size_t held)
{
    struct staged_object *copy = malloc(sizeof *copy);
    void *room = malloc(held > 0 ? held : 1);
    if (copy == NULL || room == NULL) {
        free(copy);
        free(room);
        return NULL;
    }
    *copy = (struct staged_object){.kind = object->kind, .digest = object->digest, .held = held};
    if (object->kind == EVENKEEL__OBJECT_KIND__CHUNK) {
        copy->body.length = object->body.length;
        copy_chunk(&copy->chunk, &object->chunk, room);
    } else {
        copy->body = bytes_of(room, held);
        if (held > 0)
            memcpy(room, object->body.data, held);
    }
    return copy;
}

bool staging_put(struct staging *staging, const uint8_t host_id[16], const struct object *object)
{
    int64_t now = monotonic_now();
    size_t held = bytes_to_hold(object);
    if (staging->bytes + held > staging->limit)
        make_room(staging, now);
    if (staging->bytes + held > staging->limit)
        return false;
    struct staged_host **at = find(staging, host_id);
    if (*at == NULL && (*at = calloc(1, sizeof **at)) == NULL)
        return false;
    struct staged_host *host = *at;
    memcpy(host->host_id, host_id, sizeof host->host_id);
    host->touched = now;
    for (const struct staged_object *kept = host->objects; kept != NULL; kept = kept->next)
        if (digest_equal(&kept->digest, &object->digest))
            return true;
    struct staged_object *copy = copy_object(object, held);
    if (copy == NULL)
        return false;
    copy->next = host->objects;
    host->objects = copy;
    staging->bytes += held;
    return true;
}

void staging_drop(struct staging *staging, const uint8_t host_id[16], const struct digest *digest)
{
    struct staged_host **host = find(staging, host_id);
    if (*host == NULL)
        return;
    for (struct staged_object **at = &(*host)->objects; *at != NULL;)
        if (digest_equal(&(*at)->digest, digest))
            remove_object(staging, at);
        else
            at = &(*at)->next;
    if ((*host)->objects == NULL)
        remove_host(staging, host);
}

void staging_forget(struct staging *staging, const uint8_t host_id[16])
{
    struct staged_host **host = find(staging, host_id);
    if (*host != NULL)
        remove_host(staging, host);
}

void staging_clear(struct staging *staging)
{
    for (size_t i = 0; i < STAGING_BUCKETS; i++)
        while (staging->buckets[i] != NULL)
            remove_host(staging, &staging->buckets[i]);
}
