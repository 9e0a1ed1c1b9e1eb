/* Bytes that grow: for PostgreSQL's binary formats (parameters, COPY) and for text that is put together. */

#ifndef EVENKEEL_BUFFER_H
#define EVENKEEL_BUFFER_H

#include "proto/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start with {0}; `failed` stays set once memory was lacking, so that callers may check once at the end. */
struct buffer {
    uint8_t *data;
    size_t length, size;
    bool failed;
};

void buffer_clear(struct buffer *buffer); /* frees; the buffer may be used again */
void buffer_put(struct buffer *buffer, const void *data, size_t length);
void buffer_put_text(struct buffer *buffer, const char *text); /* without its NUL */
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Numbers in network byte order. */
void buffer_put_i16(struct buffer *buffer, int16_t value);
void buffer_put_i32(struct buffer *buffer, int32_t value);
void buffer_put_i64(struct buffer *buffer, int64_t value);

/* Overwrites the number at `offset`, which must have been put before. */
void buffer_patch_i32(struct buffer *buffer, size_t offset, int32_t value);

/*
 * Fields as COPY BINARY and binary parameters have them (PostgreSQL documentation, COPY, 'Binary Format'): a length of
 * 32 bits, then the value; -1 for null.
 */
void buffer_field_null(struct buffer *buffer);
void buffer_field_bytes(struct buffer *buffer, struct bytes value);
void buffer_field_i16(struct buffer *buffer, int16_t value);
void buffer_field_i32(struct buffer *buffer, int32_t value);
void buffer_field_i64(struct buffer *buffer, int64_t value);
void buffer_field_bool(struct buffer *buffer, bool value);
void buffer_field_time(struct buffer *buffer, int64_t microseconds); /* since 1970-01-01 UTC, as timestamptz */
void buffer_field_jsonb(struct buffer *buffer, const char *json);

/*
 * A one-dimensional array: begin, put each element with buffer_field_...(), end with how many there were. `field` says
 * whether a length goes before it (in COPY, and within rows) or not (a parameter of its own). Returns a mark for the
 * end.
 */
struct buffer_array {
    size_t start;
    bool field;
};
struct buffer_array buffer_array_begin(struct buffer *buffer, uint32_t element_type, bool field);
void buffer_array_end(struct buffer *buffer, struct buffer_array array, size_t count);

/* OIDs of pg_type that arrays name; fixed in PostgreSQL for good. */
enum { TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_INT4 = 23, TYPE_TEXT = 25, TYPE_UUID = 2950 };
enum {
    TYPE_BYTEA_ARRAY = 1001,
    TYPE_INT4_ARRAY = 1007,
    TYPE_TEXT_ARRAY = 1009,
    TYPE_INT8_ARRAY = 1016,
    TYPE_UUID_ARRAY = 2951,
};

#endif
