/* Bytes that grow. */

#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts time from 2000-01-01 UTC. */
#define POSTGRES_EPOCH_MICROSECONDS 946684800000000LL

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

static bool reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (buffer->size - buffer->length >= more)
        return true;
    size_t size = buffer->size < 256 ? 256 : buffer->size;
    while (size - buffer->length < more && size < SIZE_MAX / 2)
        size *= 2;
    uint8_t *data = size - buffer->length >= more ? realloc(buffer->data, size) : NULL;
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->size = size;
    return true;
}

void buffer_put(struct buffer *buffer, const void *data, size_t length)
{
    if (length == 0 || !reserve(buffer, length))
        return;
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(buffer, (size_t)length + 1)) {
        vsnprintf((char *)buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
}

void buffer_put_i16(struct buffer *buffer, int16_t value)
{
    uint16_t bits = (uint16_t)value;
    buffer_put(buffer, (uint8_t[]){(uint8_t)(bits >> 8), (uint8_t)bits}, 2);
}

void buffer_put_i32(struct buffer *buffer, int32_t value)
{
    uint32_t bits = (uint32_t)value;
    buffer_put(buffer, (uint8_t[]){(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits},
               4);
}

void buffer_put_i64(struct buffer *buffer, int64_t value)
{
    buffer_put_i32(buffer, (int32_t)(value >> 32));
    buffer_put_i32(buffer, (int32_t)value);
}

void buffer_patch_i32(struct buffer *buffer, size_t offset, int32_t value)
{
    if (buffer->failed || offset + 4 > buffer->length)
        return;
    uint32_t bits = (uint32_t)value;
    for (int i = 0; i < 4; i++)
        buffer->data[offset + (size_t)i] = (uint8_t)(bits >> (24 - 8 * i));
}

void buffer_field_null(struct buffer *buffer)
{
    buffer_put_i32(buffer, -1);
}

void buffer_field_bytes(struct buffer *buffer, struct bytes value)
{
    buffer_put_i32(buffer, (int32_t)value.length);
    buffer_put(buffer, value.data, value.length);
}

void buffer_field_i16(struct buffer *buffer, int16_t value)
{
    buffer_put_i32(buffer, 2);
    buffer_put_i16(buffer, value);
}

void buffer_field_i32(struct buffer *buffer, int32_t value)
{
    buffer_put_i32(buffer, 4);
    buffer_put_i32(buffer, value);
}

void buffer_field_i64(struct buffer *buffer, int64_t value)
{
    buffer_put_i32(buffer, 8);
    buffer_put_i64(buffer, value);
}

void buffer_field_bool(struct buffer *buffer, bool value)
{
    buffer_put_i32(buffer, 1);
    buffer_put(buffer, &(uint8_t){value}, 1);
}

void buffer_field_time(struct buffer *buffer, int64_t microseconds)
{
    buffer_field_i64(buffer, microseconds - POSTGRES_EPOCH_MICROSECONDS);
}

void buffer_field_jsonb(struct buffer *buffer, const char *json)
{
    size_t length = strlen(json);
    buffer_put_i32(buffer, (int32_t)length + 1);
    buffer_put(buffer, &(uint8_t){1}, 1); /* version of jsonb's binary form */
    buffer_put(buffer, json, length);
}

struct buffer_array buffer_array_begin(struct buffer *buffer, uint32_t element_type, bool field)
{
    struct buffer_array array = {.start = buffer->length, .field = field};
    if (field)
        buffer_put_i32(buffer, 0);
    buffer_put_i32(buffer, 1); /* dimensions */
    buffer_put_i32(buffer, 0); /* no nulls */
    buffer_put_i32(buffer, (int32_t)element_type);
    buffer_put_i32(buffer, 0); /* elements */
    buffer_put_i32(buffer, 1); /* first index */
    return array;
}

void buffer_array_end(struct buffer *buffer, struct buffer_array array, size_t count)
{
    size_t header = array.start + (array.field ? 4 : 0);
    if (count == 0 && !buffer->failed) {
        /* An empty array has no dimensions. */
        buffer->length = header + 12;
        buffer_patch_i32(buffer, header, 0);
    } else {
        buffer_patch_i32(buffer, header + 12, (int32_t)count);
    }
    if (array.field)
        buffer_patch_i32(buffer, array.start, (int32_t)(buffer->length - header));
}
