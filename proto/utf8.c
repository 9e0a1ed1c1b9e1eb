/* Writing UTF-8. */

#include "utf8.h"

static char continuation(uint32_t code, unsigned shift)
{
    return (char)(0x80 | (code >> shift & 0x3f));
}

size_t utf8_put(char at[UTF8_MOST], uint32_t code)
{
    size_t length = 0;
    if (code < 0x80) {
        at[length++] = (char)code;
        return length;
    }
    if (code < 0x800) {
        at[length++] = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        at[length++] = (char)(0xe0 | code >> 12);
        at[length++] = continuation(code, 6);
    } else {
        at[length++] = (char)(0xf0 | code >> 18);
        at[length++] = continuation(code, 12);
        at[length++] = continuation(code, 6);
    }
    at[length++] = continuation(code, 0);
    return length;
}
