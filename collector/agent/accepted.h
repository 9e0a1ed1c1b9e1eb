/*
 * What an aggregator last accepted of a host: its facts, its chunks and its inventory, kept as a snapshot's file
 * (collector/snapshot.h) without images. Compared with the next snapshot it tells what the aggregator will surely want,
 * which then goes with the offer: a changed host is one request. Losing it costs a few more.
 */

#ifndef EVENKEEL_ACCEPTED_H
#define EVENKEEL_ACCEPTED_H

#include "collector/disk/snapshot.h"
#include "exchange.h"
#include "proto/error.h"

/* More than this, and the plain way serves as well. */
#define ACCEPTED_AHEAD_LIMIT 512u
#define ACCEPTED_CHUNK_LIMIT 64u

/* What is new in the snapshot that `offer` names: the caller's to free, in the order in which it is to be given. None
 * where nothing is new, where `path` is damaged, or where it is too much; where `path` is not there, all but chunks and
 * images, which other hosts may have given. */
int accepted_compare(const char *path, struct snapshot *snapshot, const Evenkeel__Offer *offer,
                     struct exchange_ahead **ahead, size_t *count, struct error *error);

/* Keeps the snapshot that `offer` names in the file `path`. */
int accepted_save(const char *path, struct snapshot *snapshot, const Evenkeel__Offer *offer, struct error *error);

#endif
