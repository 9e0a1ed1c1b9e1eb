/* Hives and logs made in memory, for tests: their blocks, entries and sums, but nothing of what keys and values are. */

#ifndef EVENKEEL_TESTS_HIVE_CRAFT_H
#define EVENKEEL_TESTS_HIVE_CRAFT_H

#include "collector/registry/hive_log.h"

#include <string.h>

static inline void craft_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static inline void craft_u64(uint8_t *at, uint64_t value)
{
    craft_u32(at, (uint32_t)value);
    craft_u32(at + 4, (uint32_t)(value >> 32));
}

/* The sum of a base block put right. */
static inline void craft_sum(uint8_t *base)
{
    craft_u32(base + 508, hive_checksum((struct bytes){.data = base, .length = 508}));
}

/* A base block of 512 bytes: its numbers, kind (0 hive, 1 or 2 old log, 6 new log), bins' size and time. */
static inline void craft_base(uint8_t *base, uint32_t primary, uint32_t secondary, uint32_t kind, uint32_t data_bytes,
                              uint64_t written)
{
    memset(base, 0, 512);
    memcpy(base, "regf", 4);
    craft_u32(base + 4, primary);
    craft_u32(base + 8, secondary);
    craft_u64(base + 12, written);
    craft_u32(base + 28, kind);
    craft_u32(base + 40, data_bytes);
    craft_u32(base + 44, 1);
    craft_sum(base);
}

/* Both hashes of an entry put right. */
static inline void craft_hashes(uint8_t *entry, uint32_t length)
{
    craft_u64(entry + 24, hive_log_hash((struct bytes){.data = entry + 40, .length = length - 40}));
    craft_u64(entry + 32, hive_log_hash((struct bytes){.data = entry, .length = 32}));
}

/* An entry of 1,024 bytes with one page of 512 bytes of `fill` for `offset` of the bins. */
#define CRAFT_ENTRY 1024u
static inline void craft_entry(uint8_t *entry, uint32_t sequence, uint32_t data_bytes, uint32_t offset, uint8_t fill)
{
    memset(entry, 0, CRAFT_ENTRY);
    memcpy(entry, "HvLE", 4);
    craft_u32(entry + 4, CRAFT_ENTRY);
    craft_u32(entry + 12, sequence);
    craft_u32(entry + 16, data_bytes);
    craft_u32(entry + 20, 1);
    craft_u32(entry + 40, offset);
    craft_u32(entry + 44, 512);
    memset(entry + 48, fill, 512);
    craft_hashes(entry, CRAFT_ENTRY);
}

/* A source over bytes in memory. */
static inline int64_t craft_read_at(const void *source, void *buffer, size_t length, uint64_t offset,
                                    struct error *error)
{
    const struct bytes *bytes = source;
    (void)error;
    if (offset >= bytes->length)
        return 0;
    if (length > bytes->length - offset)
        length = (size_t)(bytes->length - offset);
    memcpy(buffer, bytes->data + offset, length);
    return (int64_t)length;
}

static inline struct hive_source craft_source(const struct bytes *bytes)
{
    return (struct hive_source){.read_at = craft_read_at, .source = bytes, .size = bytes->length};
}

#endif
