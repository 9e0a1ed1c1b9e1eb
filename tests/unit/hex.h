/* Bytes written as hexadecimal, for tests that pin what an encoding yields. */

#ifndef EVENKEEL_TESTS_HEX_H
#define EVENKEEL_TESTS_HEX_H

#include "proto/bytes.h"
#include "proto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <protobuf-c/protobuf-c.h>
#include <sodium.h>

/* Fails the test unless `bytes` are those that `hex` (lower case) writes. */
static inline void assert_hex(struct bytes bytes, const char *hex)
{
    char *seen = malloc(2 * bytes.length + 1);
    assert_non_null(seen);
    sodium_bin2hex(seen, 2 * bytes.length + 1, bytes.data, bytes.length);
    assert_string_equal(seen, hex);
    free(seen);
}

static inline void assert_digest(struct bytes bytes, const char *hex)
{
    struct digest digest = digest_of(bytes);
    assert_hex(bytes_of(digest.bytes, sizeof digest.bytes), hex);
}

/* A text constant as a field of a message. */
static inline ProtobufCBinaryData field_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
}

#endif
