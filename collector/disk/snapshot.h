/*
 * A snapshot being taken: reads the PE files of a walk and writes their images, the chunks and the inventory as objects
 * to a file, one after the other, distinct ones once. Memory holds where each object lies and nothing else of it.
 *
 * The file: for each object the length of its packed Object (evenkeel.proto) in four bytes, little-endian, then the
 * Object. Images stand before the chunks that name them, and the inventory stands behind all of these.
 */

#ifndef EVENKEEL_SNAPSHOT_H
#define EVENKEEL_SNAPSHOT_H

#include "cache.h"
#include "collector/pe/pe.h"
#include "evenkeel.pb-c.h"
#include "proto/arena.h"
#include "proto/digest.h"
#include "proto/error.h"
#include "walk.h"

#include <stdint.h>
#include <stdio.h>

struct snapshot; /* opaque */

struct snapshot_counts {
    uint64_t files; /* PE files, the entries of the inventory */
    uint64_t images;
    uint64_t chunks;
    uint64_t unhashed; /* files that are too large to be hashed */
};

/* Objects go to `file`, which stays the caller's; it must be readable for snapshot_get(). Free with snapshot_free(). */
int snapshot_new(FILE *file, const struct pe_options *options, struct snapshot **snapshot, struct error *error);
void snapshot_free(struct snapshot *snapshot); /* NULL is allowed */

struct component_store;

/* From now on, `store` sees the files that are added; it stays the caller's. NULL: none. */
void snapshot_use_store(struct snapshot *snapshot, struct component_store *store);

/* From now on, files that `cache` knows are not opened; it stays the caller's, who opened it with that kind. NULL:
 * none. */
void snapshot_use_cache(struct snapshot *snapshot, struct cache *cache);
const char *snapshot_cache_kind(const struct pe_options *options);

/* Adds one file of a strict and folding walk if it is a PE; returns what walk_options.visit() should. */
int snapshot_visit(struct snapshot *snapshot, const struct walk_file *walked, struct error *error);

/* A file's version, as a number that rises with it; UINT64_MAX: it has none, or can't be read. */
uint64_t snapshot_version(struct snapshot *snapshot, const struct walk_file *walked);

/* Writes the last chunk and the inventory, whose digest is *digest. */
int snapshot_end(struct snapshot *snapshot, struct digest *digest, struct error *error);

/* Adds another object: facts, times, machine marks. Nothing may be added any more once something was got. */
int snapshot_put(struct snapshot *snapshot, Evenkeel__ObjectKind kind, struct bytes body, struct digest *digest,
                 struct error *error);

/* A snapshot again out of a file that was written before, up to its end or to four zero bytes; for snapshot_get()
 * alone. ERROR_FORMAT where the file is damaged. */
int snapshot_open(FILE *file, struct snapshot **snapshot, struct error *error);

/* Writes one object as it stands in a snapshot's file; adds its length there to *written, which may be NULL. */
int snapshot_write(FILE *file, Evenkeel__ObjectKind kind, struct bytes body, uint64_t *written, struct error *error);

const struct snapshot_counts *snapshot_counts(const struct snapshot *snapshot);

/* The object of that name, in the arena: 1, 0 where there is none, -1 with *error. */
int snapshot_get(struct snapshot *snapshot, const struct digest *digest, struct arena *arena, Evenkeel__Object **object,
                 struct error *error);

/* Marks an object as given away; true if it was already. snapshot_ungive() takes back all marks. */
bool snapshot_give(struct snapshot *snapshot, const struct digest *digest);
void snapshot_ungive(struct snapshot *snapshot);

#endif
