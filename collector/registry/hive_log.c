/* Registry hives and their transaction logs. */

#include "hive_log.h"

#include "proto/cleanup.h"

#include <string.h>

#define SECTOR 512u          /* what places in a log are multiples of */
#define PAGE 512u            /* what a bit of an old log's bitmap stands for */
#define BIN_MULTIPLE 4096u   /* sizes of bins */
#define ENTRY_HEAD 40u       /* bytes of an entry in front of its references to pages */
#define REFERENCE 8u         /* bytes of one of them */
#define REFERENCES 512u      /* of them in memory at a time */
#define PIECE (64u << 10)    /* bytes of a log in memory at a time */
#define CLUSTERING_MAXIMUM 8 /* sectors of 4,096 bytes */
#define LOG_OF_2000 2        /* file types */
#define LOG_OLD 1
#define LOG_NEW 6

/* The specification's bytes 82 ef 4d 88 7a 4e 55 c5 as one number, its low half first: so the logs of real hives have
 * it. */
static const uint32_t hash_seed[2] = {0x7a4e55c5, 0x82ef4d88};

/* ---- sums ---- */

uint32_t hive_checksum(struct bytes base)
{
    uint32_t sum = 0, word;
    for (uint64_t at = 0; at < 508; at += 4) {
        if (!bytes_u32(base, at, &word))
            return 0;
        sum ^= word;
    }
    return sum == UINT32_MAX ? UINT32_MAX - 1 : sum == 0 ? 1 : sum;
}

static uint32_t rotated(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void mix(uint32_t state[2])
{
    state[1] ^= state[0];
    state[0] = rotated(state[0], 20) + state[1];
    state[1] = rotated(state[1], 9) ^ state[0];
    state[0] = rotated(state[0], 27) + state[1];
    state[1] = rotated(state[1], 19);
}

static void hash_add(uint32_t state[2], struct bytes bytes)
{
    uint32_t word;
    for (uint64_t at = 0; bytes_u32(bytes, at, &word); at += 4) {
        state[0] += word;
        mix(state);
    }
}

static uint64_t hash_end(uint32_t state[2])
{
    state[0] += 0x80; /* the mark behind a length that is a multiple of four */
    mix(state);
    mix(state);
    return (uint64_t)state[1] << 32 | state[0];
}

uint64_t hive_log_hash(struct bytes bytes)
{
    uint32_t state[2] = {hash_seed[0], hash_seed[1]};
    hash_add(state, bytes);
    return hash_end(state);
}

/* ---- reading ---- */

/* All `length` bytes at `offset`; false where they are not there. */
static bool read_all(const struct hive_source *source, void *buffer, size_t length, uint64_t offset)
{
    return source->read_at != NULL && source->read_at(source->source, buffer, length, offset, NULL) == (int64_t)length;
}

struct base {
    uint32_t primary, secondary, type, data_bytes, clustering;
    uint64_t written;
};

/* Reads a base block; false where it is none or its checksum is wrong. */
static bool read_base(struct bytes bytes, struct base *base)
{
    uint32_t sum;
    bytes_u32(bytes, 4, &base->primary);
    bytes_u32(bytes, 8, &base->secondary);
    bytes_u64(bytes, 12, &base->written);
    bytes_u32(bytes, 28, &base->type);
    bytes_u32(bytes, 40, &base->data_bytes);
    bytes_u32(bytes, 44, &base->clustering);
    return bytes_u32(bytes, 508, &sum) && memcmp(bytes.data, "regf", 4) == 0 && sum == hive_checksum(bytes) &&
           base->data_bytes % BIN_MULTIPLE == 0;
}

/* ---- entries of the new format ---- */

struct entry {
    uint32_t bytes, flags, sequence, data_bytes, pages;
    uint64_t hash;
};

/* Reads what an entry says of itself; false where there is none. */
static bool read_entry(const struct hive_source *log, uint64_t at, struct entry *entry, bool *sound)
{
    uint8_t head[ENTRY_HEAD] = {0};
    struct bytes bytes = bytes_of(head, sizeof head);
    uint64_t hash;
    if (!read_all(log, head, sizeof head, at) || memcmp(head, "HvLE", 4) != 0)
        return false;
    bytes_u32(bytes, 4, &entry->bytes);
    bytes_u32(bytes, 8, &entry->flags);
    bytes_u32(bytes, 12, &entry->sequence);
    bytes_u32(bytes, 16, &entry->data_bytes);
    bytes_u32(bytes, 20, &entry->pages);
    bytes_u64(bytes, 24, &entry->hash);
    bytes_u64(bytes, 32, &hash);
    *sound = hash == hive_log_hash(bytes_of(head, 32)) && entry->bytes % SECTOR == 0 && entry->bytes >= ENTRY_HEAD &&
             entry->bytes <= log->size - at && entry->data_bytes % BIN_MULTIPLE == 0 &&
             entry->pages <= (entry->bytes - ENTRY_HEAD) / REFERENCE;
    return true;
}

static bool hash_is_right(const struct hive_source *log, uint64_t at, const struct entry *entry, uint8_t *piece)
{
    uint32_t state[2] = {hash_seed[0], hash_seed[1]};
    uint64_t end = at + entry->bytes;
    for (at += ENTRY_HEAD; at < end;) {
        size_t length = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (!read_all(log, piece, length, at))
            return false;
        hash_add(state, bytes_of(piece, length));
        at += length;
    }
    return hash_end(state) == entry->hash;
}

/* Whether all pages of an entry lie within it and within the hive; with `hive`, of `size` bytes, they are put there. */
static bool take_pages(const struct hive_source *log, uint64_t at, const struct entry *entry, uint8_t *hive,
                       uint64_t size)
{
    uint64_t page = at + ENTRY_HEAD + (uint64_t)entry->pages * REFERENCE, end = at + entry->bytes;
    uint8_t references[REFERENCES * REFERENCE];
    for (uint32_t i = 0; i < entry->pages; i++) {
        uint32_t offset, length, within = i % REFERENCES;
        size_t left = entry->pages - i < REFERENCES ? entry->pages - i : REFERENCES;
        if (within == 0 && !read_all(log, references, left * REFERENCE, at + ENTRY_HEAD + (uint64_t)i * REFERENCE))
            return false;
        bytes_u32(bytes_of(references, sizeof references), (uint64_t)within * REFERENCE, &offset);
        bytes_u32(bytes_of(references, sizeof references), (uint64_t)within * REFERENCE + 4, &length);
        if (length > end - page || (uint64_t)offset + length > entry->data_bytes ||
            (hive != NULL && (uint64_t)HIVE_BASE_BYTES + offset + length > size))
            return false;
        if (hive != NULL && !read_all(log, hive + HIVE_BASE_BYTES + offset, length, page))
            return false;
        page += length;
    }
    return true;
}

/* The run of entries that begins a log, each one number above the one before; older ones may lie behind it. */
static void read_run(struct hive_log *log, uint8_t *piece)
{
    struct entry entry;
    bool sound;
    for (uint64_t at = SECTOR; read_entry(&log->source, at, &entry, &sound); at += entry.bytes) {
        uint32_t expected = log->entries == 0 ? log->sequence : log->last + 1;
        if (entry.sequence != expected) {
            log->is_cut = entry.sequence > expected;
            return;
        }
        if (!sound || !hash_is_right(&log->source, at, &entry, piece) ||
            !take_pages(&log->source, at, &entry, NULL, 0)) {
            log->is_cut = true;
            return;
        }
        if (log->entries == 0)
            log->first = entry.sequence;
        log->last = entry.sequence;
        log->data_bytes = entry.data_bytes;
        log->entries++;
    }
}

/* ---- the old format: a bitmap of pages, then those pages ---- */

static uint64_t old_start(const struct hive_log *log)
{
    uint32_t clustering;
    bytes_u32(bytes_of(log->base, sizeof log->base), 44, &clustering);
    return (uint64_t)clustering * SECTOR;
}

/* Whether all pages that the bitmap names are there; with `hive`, of `size` bytes, they are put there. */
static bool take_old_pages(const struct hive_log *log, uint8_t *piece, uint8_t *hive, uint64_t size)
{
    uint64_t bitmap = old_start(log) + 4, bits = log->data_bytes / PAGE;
    uint64_t page = bitmap + bits / 8, sector = old_start(log);
    page = (page + sector - 1) / sector * sector;
    for (uint64_t bit = 0; bit < bits; bit++) {
        uint64_t within = bit / 8 % PIECE;
        if (bit % (8ull * PIECE) == 0) {
            uint64_t left = bits / 8 - bit / 8;
            if (!read_all(&log->source, piece, left < PIECE ? (size_t)left : PIECE, bitmap + bit / 8))
                return false;
        }
        if ((piece[within] >> bit % 8 & 1) == 0)
            continue;
        uint64_t offset = HIVE_BASE_BYTES + bit * PAGE;
        if (page + PAGE > log->source.size || (hive != NULL && offset + PAGE > size) ||
            (hive != NULL && !read_all(&log->source, hive + offset, PAGE, page)))
            return false;
        page += PAGE;
    }
    return true;
}

/* ---- what fits ---- */

/* Reads a log as far as that needs no look at its hive. */
static void read_log(struct hive_log *log, uint64_t limit, uint8_t *piece)
{
    struct base base;
    char mark[4];
    log->is_empty =
        log->source.size == 0 || (read_all(&log->source, mark, sizeof mark, 0) && memcmp(mark, "\0\0\0", 4) == 0);
    if (log->source.size < sizeof log->base || log->source.size > limit ||
        !read_all(&log->source, log->base, sizeof log->base, 0) ||
        !read_base(bytes_of(log->base, sizeof log->base), &base) || base.primary != base.secondary)
        return;
    log->sequence = base.primary;
    log->data_bytes = base.data_bytes;
    log->is_old = base.type == LOG_OLD || base.type == LOG_OF_2000;
    if (base.type == LOG_NEW) {
        log->sound = true;
        read_run(log, piece);
    } else if (log->is_old && base.clustering >= 1 && base.clustering <= CLUSTERING_MAXIMUM) {
        log->sound = read_all(&log->source, mark, sizeof mark, old_start(log)) && memcmp(mark, "DIRT", 4) == 0 &&
                     take_old_pages(log, piece, NULL, 0);
    }
}

/* An old log fits if hive and log were begun to be written at the same time. The later number is the fuller log. */
static void choose_old(struct hive_plan *plan, uint64_t written)
{
    struct hive_log *best = NULL;
    bool any = false;
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        struct hive_log *log = &plan->logs[i];
        struct base base;
        if (!log->sound || !log->is_old)
            continue;
        any = true;
        read_base(bytes_of(log->base, sizeof log->base), &base);
        if (base.written == written && (best == NULL || log->sequence > best->sequence))
            best = log;
    }
    if (best != NULL) {
        best->is_taken = true;
        plan->state = HIVE_REPLAYED;
    } else if (any) {
        plan->why = "no log is of its last change";
    }
}

static int by_first(const void *a, const void *b)
{
    const struct hive_log *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/*
 * Where the hive's own base block is lost, so is its number: then the log with the latest entries counts, and what
 * leads up to it.
 */
static uint32_t oldest_of_latest(const struct hive_plan *plan)
{
    const struct hive_log *later = NULL;
    for (size_t i = HIVE_LOG_COUNT; i-- > 0;) {
        const struct hive_log *log = &plan->logs[i];
        if (!log->sound || log->is_old || log->entries == 0)
            continue;
        if (later != NULL && log->last + 1 != later->first)
            break;
        later = log;
    }
    return later != NULL ? later->first : 0;
}

/*
 * Entries fit that are not older than the hive; those of one log may go on in the other. Windows writes both logs by
 * turns, so that one that is not there, or can't be read, may be the one that matters.
 */
static void choose_new(struct hive_plan *plan, uint32_t secondary)
{
    struct hive_log *last = NULL;
    bool missing = false, cut = false;
    for (size_t i = 1; i < HIVE_LOG_COUNT; i++) {
        missing |= plan->logs[i].source.read_at == NULL;
        cut |= !plan->logs[i].sound && !plan->logs[i].is_empty;
    }
    qsort(plan->logs, HIVE_LOG_COUNT, sizeof *plan->logs, by_first);
    if (!plan->has_base)
        secondary = oldest_of_latest(plan);
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        struct hive_log *log = &plan->logs[i];
        if (!log->sound || log->is_old)
            continue;
        if (log->entries == 0 || log->first < secondary) {
            cut |= log->is_cut && log->sequence >= secondary;
            cut |= log->entries > 0 && log->last >= secondary;
            continue;
        }
        log->is_taken = last == NULL || log->first == last->last + 1;
        cut |= !log->is_taken || log->is_cut;
        last = log->is_taken ? log : last;
    }
    if (missing)
        plan->why = "one of its logs is missing";
    else if (cut)
        plan->why = "its logs are damaged or lack a part";
    else if (last != NULL)
        plan->state = HIVE_REPLAYED;
    else
        plan->why = "no log is of its last change";
}

int hive_plan(const struct hive_source *hive, const struct hive_source *logs, uint64_t limit, struct hive_plan *plan,
              struct error *error)
{
    uint8_t start[HIVE_BASE_BYTES + 28];
    struct base base = {0};
    _cleanup_free_ uint8_t *piece = malloc(PIECE);
    uint64_t written;

    *plan = (struct hive_plan){.size = hive->size};
    if (piece == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry hive: give the collector more");
    int64_t got = hive->read_at(hive->source, start, sizeof start, 0, error);
    if (got < 0)
        return -1;
    if (got < (int64_t)sizeof start)
        return error_set(error, ERROR_FORMAT, "%llu bytes are no registry hive", (unsigned long long)hive->size);
    plan->has_base = read_base(bytes_of(start, HIVE_BASE_BYTES), &base);
    plan->sequence = base.primary;
    if (plan->has_base && base.primary == base.secondary)
        return 0;

    plan->state = HIVE_STALE;
    plan->why = "its logs are missing";
    bool has_new = false;
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        plan->logs[i].source = logs[i];
        read_log(&plan->logs[i], limit, piece);
        has_new |= plan->logs[i].sound && !plan->logs[i].is_old;
        if (!plan->logs[i].is_empty && !plan->logs[i].sound)
            plan->why = "its logs are damaged";
    }
    bytes_u64(bytes_of(start, sizeof start), plan->has_base ? 12 : HIVE_BASE_BYTES + 20, &written);
    if (has_new)
        choose_new(plan, base.secondary);
    else
        choose_old(plan, written);
    if (plan->state != HIVE_STALE)
        plan->why = NULL;
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        const struct hive_log *log = &plan->logs[i];
        if (!log->is_taken)
            continue;
        plan->is_changed = true;
        if ((uint64_t)HIVE_BASE_BYTES + log->data_bytes > plan->size)
            plan->size = (uint64_t)HIVE_BASE_BYTES + log->data_bytes;
    }
    if (plan->size <= limit)
        return 0;
    return error_set(error, ERROR_LIMIT,
                     "with its logs the registry hive has %llu MiB, more than the %llu that are read",
                     (unsigned long long)(plan->size >> 20), (unsigned long long)(limit >> 20));
}

/* ---- applying ---- */

static void put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static bool apply_run(const struct hive_log *log, uint8_t *hive, uint64_t size)
{
    uint64_t at = SECTOR;
    for (uint32_t i = 0; i < log->entries; i++) {
        struct entry entry;
        bool sound;
        if (!read_entry(&log->source, at, &entry, &sound) || !sound || entry.sequence != log->first + i ||
            !take_pages(&log->source, at, &entry, hive, size))
            return false;
        at += entry.bytes;
    }
    return true;
}

int hive_apply(const struct hive_plan *plan, uint8_t *hive, struct error *error)
{
    _cleanup_free_ uint8_t *piece = malloc(PIECE);
    uint32_t sequence = plan->sequence;
    if (piece == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry hive: give the collector more");
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        const struct hive_log *log = &plan->logs[i];
        if (!log->is_taken)
            continue;
        if (!plan->has_base)
            memcpy(hive, log->base, sizeof log->base);
        if (!(log->is_old ? take_old_pages(log, piece, hive, plan->size) : apply_run(log, hive, plan->size)))
            return error_set(error, ERROR_IO, "its log changed while it was read");
        put_u32(hive + 40, log->data_bytes);
        sequence = log->is_old ? log->sequence : log->last;
    }
    put_u32(hive + 4, sequence);
    put_u32(hive + 8, sequence);
    put_u32(hive + 28, 0);
    put_u32(hive + 508, hive_checksum(bytes_of(hive, 508)));
    return 0;
}
