/* UTF-16LE and Windows-1252 from and to UTF-8. */

#include "registry_utf16.h"

#include "proto/utf8.h"

#include <stdlib.h>

/* Windows-1252's own 0x80 to 0x9f; the rest is Latin-1. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

char *utf16_to_utf8(struct bytes utf16, size_t *length)
{
    char *utf8 = malloc(utf16.length / 2 * 3 + 1);
    size_t used = 0;
    uint16_t unit, low;

    if (utf8 == NULL)
        return NULL;
    for (uint64_t at = 0; bytes_u16(utf16, at, &unit); at += 2) {
        uint32_t code = unit;
        if (unit >= 0xd800 && unit < 0xe000) {
            code = UTF8_REPLACEMENT;
            if (unit < 0xdc00 && bytes_u16(utf16, at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (low - 0xdc00U);
                at += 2;
            }
        }
        used += utf8_put(utf8 + used, code);
    }
    utf8[used] = 0;
    if (length != NULL)
        *length = used;
    return utf8;
}

/* The next code point of `utf8` at *at, which moves behind it; a byte that starts none is U+FFFD. */
static uint32_t next_code(struct bytes utf8, uint64_t *at)
{
    struct bytes sequence;
    uint8_t first, next;

    bytes_u8(utf8, *at, &first);
    uint64_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    /* A NUL is text here, although bytes_are_utf8() has it for an error. */
    if (first != 0 && (!bytes_slice(utf8, *at, size, &sequence) || !bytes_are_utf8(sequence))) {
        *at += 1;
        return UTF8_REPLACEMENT;
    }
    uint32_t code = size == 1 ? first : first & (0x7fU >> size);
    for (uint64_t i = 1; i < size; i++) {
        bytes_u8(utf8, *at + i, &next);
        code = code << 6 | (next & 0x3f);
    }
    *at += size;
    return code;
}

uint8_t *utf8_to_utf16(struct bytes utf8, size_t *length)
{
    uint8_t *utf16 = malloc(utf8.length * 2 + 1);
    size_t used = 0;

    *length = 0;
    if (utf16 == NULL)
        return NULL;
    for (uint64_t at = 0; at < utf8.length;) {
        uint32_t code = next_code(utf8, &at);
        uint16_t units[2] = {(uint16_t)code, 0};
        size_t count = 1;
        if (code >= 0x10000) {
            units[0] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            units[1] = (uint16_t)(0xdc00 + (code & 0x3ff));
            count = 2;
        }
        for (size_t i = 0; i < count; i++) {
            utf16[used++] = (uint8_t)units[i];
            utf16[used++] = (uint8_t)(units[i] >> 8);
        }
    }
    *length = used;
    return utf16;
}

char *windows_1252_to_utf8(struct bytes text, size_t *length)
{
    char *utf8 = malloc(text.length * 3 + 1);
    size_t used = 0;
    uint8_t byte;

    if (utf8 == NULL)
        return NULL;
    for (uint64_t at = 0; bytes_u8(text, at, &byte); at++)
        used += utf8_put(utf8 + used, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
    utf8[used] = 0;
    if (length != NULL)
        *length = used;
    return utf8;
}
