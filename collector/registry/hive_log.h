/*
 * What a registry hive lacks because it was copied, or its system went down, before it was finished being written: it
 * is in the hive's transaction logs. This works out what of them fits and lays it over the hive, all in memory; what
 * Windows does when it loads such a hive. Layout of hives and logs: Windows registry file format specification by
 * Maxim Suhanov, 'Format of primary files' and 'Format of transaction log files'.
 */

#ifndef EVENKEEL_HIVE_LOG_H
#define EVENKEEL_HIVE_LOG_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stdint.h>

#define HIVE_BASE_BYTES 4096u /* the base block, in front of the bins */
#define HIVE_LOG_COUNT 3      /* .LOG, .LOG1 and .LOG2, in this order */

/* A file, or memory, that is read at any place: as platform_file_read_at(). Stays the caller's. */
struct hive_source {
    /* NULL: there is no such file */
    int64_t (*read_at)(const void *source, void *buffer, size_t length, uint64_t offset, struct error *error);
    const void *source;
    uint64_t size; /* bytes */
};

enum hive_state {
    HIVE_CLEAN,    /* it was finished: nothing of any log belongs to it */
    HIVE_REPLAYED, /* it was not, and all that it lacks is in its logs */
    HIVE_STALE,    /* it was not, and its logs are missing, do not fit or are damaged: part of it is out of date */
};

/* A log and what of it fits. */
struct hive_log {
    struct hive_source source;
    bool sound;    /* its base block is whole, and all of it was written */
    bool is_empty; /* it was never written to */
    bool is_old;   /* bitmap and pages, until Windows 8; else a row of entries */
    bool is_cut;   /* behind the last entry that is sound there is another that is not, or entries are missing */
    bool is_taken; /* belongs over the hive */
    uint8_t base[512];
    uint32_t sequence;    /* of its base block */
    uint32_t data_bytes;  /* of all bins, once it is applied */
    uint32_t first, last; /* entries: their sequence numbers */
    uint32_t entries;     /* 0: none */
};

/* What is to be done with a hive. */
struct hive_plan {
    enum hive_state state;
    const char *why;   /* HIVE_STALE: what is wrong with the logs, as the end of a sentence; else NULL */
    uint64_t size;     /* bytes of the hive once it is done */
    bool has_base;     /* the hive's own base block is whole; else that of a log takes its place */
    uint32_t sequence; /* the hive's own primary number */
    struct hive_log logs[HIVE_LOG_COUNT]; /* in the order in which they are applied */
    bool is_changed;                      /* there is something to apply */
};

/*
 * Looks at a hive and its logs (HIVE_LOG_COUNT of them) and says what fits. Holds one page of a log at a
 * time. -1 only where the hive itself can't be read, is none, or would have over `limit` bytes: a log that can't be
 * read is one that does not fit.
 */
int hive_plan(const struct hive_source *hive, const struct hive_source *logs, uint64_t limit, struct hive_plan *plan,
              struct error *error);

/* Applies a plan with is_changed to plan->size bytes in memory: the hive, with zeros behind it where it grows. */
int hive_apply(const struct hive_plan *plan, uint8_t *hive, struct error *error);

/* The checksum of a base block, over its first 508 bytes; 0 where there are fewer. */
uint32_t hive_checksum(struct bytes base);

/* Marvin32 with the seed that log entries use; `bytes` must be a multiple of four long. */
uint64_t hive_log_hash(struct bytes bytes);

#endif
