/* A bounds-checked reader over bytes from outside: the only way in which foreign data is looked at. */

#ifndef EVENKEEL_BYTES_H
#define EVENKEEL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Plain data: `length` bytes at `data`, not owned. */
struct bytes {
    const uint8_t *data;
    size_t length;
};

static inline struct bytes bytes_of(const void *data, size_t length)
{
    return (struct bytes){.data = data, .length = length};
}

/* Whether [offset, offset + length) lies within `bytes`; never overflows. */
static inline bool bytes_holds(struct bytes bytes, uint64_t offset, uint64_t length)
{
    return offset <= bytes.length && length <= bytes.length - offset;
}

/* *slice becomes [offset, offset + length) of `bytes`; false, and *slice empty, where that is not all within. */
static inline bool bytes_slice(struct bytes bytes, uint64_t offset, uint64_t length, struct bytes *slice)
{
    *slice = (struct bytes){0};
    if (!bytes_holds(bytes, offset, length))
        return false;
    *slice = (struct bytes){.data = bytes.data + offset, .length = (size_t)length};
    return true;
}

/* Little-endian numbers at `offset`; false, and *value 0, where they are not all within. */
static inline bool bytes_u8(struct bytes bytes, uint64_t offset, uint8_t *value)
{
    *value = 0;
    if (!bytes_holds(bytes, offset, 1))
        return false;
    *value = bytes.data[offset];
    return true;
}

static inline bool bytes_u16(struct bytes bytes, uint64_t offset, uint16_t *value)
{
    *value = 0;
    if (!bytes_holds(bytes, offset, 2))
        return false;
    const uint8_t *at = bytes.data + offset;
    *value = (uint16_t)(at[0] | at[1] << 8);
    return true;
}

static inline bool bytes_u32(struct bytes bytes, uint64_t offset, uint32_t *value)
{
    *value = 0;
    if (!bytes_holds(bytes, offset, 4))
        return false;
    const uint8_t *at = bytes.data + offset;
    *value = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return true;
}

static inline bool bytes_u64(struct bytes bytes, uint64_t offset, uint64_t *value)
{
    uint32_t low, high;
    bool ok = bytes_u32(bytes, offset, &low) && bytes_u32(bytes, offset + 4, &high);
    *value = ok ? (uint64_t)high << 32 | low : 0;
    return ok;
}

/* Whether the bytes are well-formed UTF-8 without NUL (Unicode Standard, table 3-7). */
bool bytes_are_utf8(struct bytes bytes);

#endif
