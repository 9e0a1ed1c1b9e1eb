/*
 * A batch of requests on its way into the database, and what the steps of that way share. The steps stand in
 * store_admission, store_uploads, store_content and file_rows, and store.c calls them in their order.
 */

#ifndef EVENKEEL_STORE_BATCH_H
#define EVENKEEL_STORE_BATCH_H

#include "aggregator/base/database.h"
#include "asked.h"
#include "digest_map.h"
#include "staging.h"
#include "store.h"

#include "proto/object.h"

/* A chunk that the database holds. */
struct known_chunk {
    int64_t chunk_id;
    uint32_t entries;
};

struct store {
    PGconn *connection;
    struct store_options options;
    const char *begin;        /* how a batch's transaction begins */
    int64_t epoch;            /* rises when rows are pruned: what is remembered of ids is void then */
    struct digest_map chunks; /* chunk digest -> struct known_chunk */
    struct digest_map images; /* image digest -> int32_t image_id */
    struct digest_map paths;  /* path digest -> int32_t path_id */
    struct digest_map files;  /* store_file_key() -> int32_t file_id */
    struct digest_map orders; /* a set: halves of the digests of two chunks, of which the one ends before the other */
    struct asked asked;
    struct staging staging; /* objects of unfinished snapshots; what has no room there is in the table upload */
};

/* A snapshot on its way in: what was offered, what of it is at hand, what lacks. */
struct arrival {
    struct request *request;
    int32_t key_id;
    bool same_inventory, same_facts, same_times;
    int64_t answered;           /* this very offer was accepted before, and changed the host then; 0: not so */
    bool unchanged;             /* all of these, and the machine is known: a check-in and nothing else */
    bool marks_wanted;          /* the machine's marks are others than before, and were not given yet */
    bool old;                   /* will be refused, once the marks tell how: nothing but they is wanted */
    const struct object *marks; /* that came with the give; NULL: none */
    int64_t given_bytes;        /* of the give's objects */
    struct object *uploads;     /* that earlier gives left: in the database, then in memory */
    size_t upload_count, uploads_in_database;
    const struct object *inventory, *facts, *times; /* bodies at hand; NULL: none */
    struct digest *chunk_digests;                   /* of the inventory at hand */
    size_t chunk_count;
    bool complete;
    struct digest component_store; /* that the facts at hand name, where store_find_components() found none */
    bool component_store_wanted;   /* the database lacks it */
    struct wanted wanted[OBJECT_KINDS];
    size_t wanted_count;
};

/* A chunk that the database does not hold yet, once per batch. */
struct new_chunk {
    struct digest digest;
    const struct decoded_chunk *decoded; /* NULL: no snapshot of the batch has its body */
    const struct request *giver;         /* whose that is */
    int32_t *file_ids;                   /* of its entries, 0 where not known yet; NULL as `decoded` */
    bool is_whole;                       /* all of its images are known, so that it can be stored */
    int64_t chunk_id;                    /* 0 until stored */
};

/* An image that the database does not hold yet, with its body where one came. */
struct new_image {
    struct digest digest;
    const Evenkeel__Image *image; /* NULL: nobody gave it */
};

struct batch {
    struct store *store;
    struct arena *arena;
    struct arrival *snapshots;
    size_t snapshot_count;
    struct digest_map chunk_index; /* digest -> size_t place in `new_chunks`, from 1; 0: the database holds it */
    struct new_chunk *new_chunks;
    size_t new_chunk_count, new_chunk_size;
    struct digest_map image_index; /* digest -> size_t place in `new_images`, from 1; 0: not stored by this batch */
    struct new_image *new_images;
    size_t new_image_count, new_image_size;
};

/* The object at hand with this digest: of the give, or left by an earlier one; NULL: none. */
const struct object *store_at_hand(const struct arrival *snapshot, Evenkeel__ObjectKind kind,
                                   const struct digest *digest);

/* How a (path, image) is remembered: halves of both digests, 128 bits each, so that no chosen pair can meet another. */
struct digest store_file_key(const struct digest *path, const struct digest *image);

/* The batch's new chunk with this digest; NULL: there is none. */
const struct new_chunk *store_new_chunk(const struct batch *batch, const struct digest *digest);

/* `count` fresh ids of a sequence, into memory of the batch; NULL with *error. */
int64_t *store_take_ids(struct batch *batch, const char *sequence, size_t count, struct error *error);

/* Room for one more in an array of the batch's arena; NULL where there is no memory. */
void *store_grown(struct arena *arena, void *array, size_t count, size_t *size, size_t element);

/* What the store's memory has of a chunk; NULL: not known. */
static inline const struct known_chunk *store_chunk(const struct store *store, const struct digest *digest)
{
    return digest_map_get(&store->chunks, digest);
}

static inline int store_no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "no memory for a batch of requests");
}

#endif
