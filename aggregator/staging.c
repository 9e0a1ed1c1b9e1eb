/* Objects of unfinished snapshots, in memory. */

#include "staging.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

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
    staging->bytes -= object->body.length;
    free((void *)object->body.data);
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
            if (now - (*at)->touched > STAGING_SECONDS)
                remove_host(staging, at);
            else
                at = &(*at)->next;
}

bool staging_put(struct staging *staging, const uint8_t host_id[16], Evenkeel__ObjectKind kind,
                 const struct digest *digest, struct bytes body)
{
    int64_t now = now_seconds();
    if (staging->bytes + body.length > staging->limit)
        make_room(staging, now);
    if (staging->bytes + body.length > staging->limit)
        return false;
    struct staged_host **at = find(staging, host_id);
    if (*at == NULL && (*at = calloc(1, sizeof **at)) == NULL)
        return false;
    struct staged_host *host = *at;
    memcpy(host->host_id, host_id, sizeof host->host_id);
    host->touched = now;
    for (const struct staged_object *object = host->objects; object != NULL; object = object->next)
        if (digest_equal(&object->digest, digest))
            return true;
    struct staged_object *object = malloc(sizeof *object);
    uint8_t *copy = malloc(body.length > 0 ? body.length : 1);
    if (object == NULL || copy == NULL) {
        free(object);
        free(copy);
        return false;
    }
    if (body.length > 0)
        memcpy(copy, body.data, body.length);
    *object = (struct staged_object){
        .kind = kind, .digest = *digest, .body = bytes_of(copy, body.length), .next = host->objects};
    host->objects = object;
    staging->bytes += body.length;
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
