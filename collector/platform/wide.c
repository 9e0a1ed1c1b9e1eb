/* Names as Windows keeps them. */

#include "wide.h"

#include "proto/utf8.h"

static bool is_high(uint32_t code)
{
    return code >= 0xd800 && code < 0xdc00;
}

static bool is_low(uint32_t code)
{
    return code >= 0xdc00 && code < 0xe000;
}

size_t wide_to_bytes(const uint16_t *wide, size_t length, char *bytes)
{
    char *at = bytes;
    for (size_t i = 0; i < length; i++) {
        uint32_t code = wide[i];
        if (is_high(code) && i + 1 < length && is_low(wide[i + 1]))
            code = 0x10000 + ((code - 0xd800) << 10) + (wide[++i] - 0xdc00u);
        at += utf8_put(at, code);
    }
    *at = 0;
    return (size_t)(at - bytes);
}

/* The next code point, *bytes moves behind it; UINT32_MAX where there is none. */
static uint32_t next_code(const unsigned char **bytes)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *at = *bytes;
    uint32_t first = *at++;
    unsigned more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first >= 0xf8 || (first >= 0x80 && first < 0xc0))
        return UINT32_MAX;
    uint32_t code = more == 0 ? first : first & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++, at++) {
        if ((*at & 0xc0) != 0x80) /* a NUL is none either */
            return UINT32_MAX;
        code = code << 6 | (*at & 0x3fu);
    }
    *bytes = at;
    return code < least[more] || code > 0x10ffff ? UINT32_MAX : code;
}

bool wide_from_bytes(const char *bytes, uint16_t *wide, size_t *length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint16_t *to = wide;
    while (*at != 0) {
        uint32_t code = next_code(&at);
        if (code == UINT32_MAX || (is_low(code) && to > wide && is_high(to[-1]) && at[-3] == 0xed))
            return false;
        if (code >= 0x10000) {
            *to++ = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            *to++ = (uint16_t)(0xdc00 + (code & 0x3ff));
        } else {
            *to++ = (uint16_t)code;
        }
    }
    *to = 0;
    if (length != NULL)
        *length = (size_t)(to - wide);
    return true;
}
