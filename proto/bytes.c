/* Checks on foreign bytes that are too long to be inline. */

#include "bytes.h"

/* Whether all of eight bytes are ASCII and none is NUL. Names mostly are, so this is what checking them takes. */
static bool plain(const uint8_t *bytes)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return ((word | ((word - ones) & ~word)) & high) == 0;
}

bool bytes_are_utf8(struct bytes bytes)
{
    for (size_t at = 0; at < bytes.length;) {
        if (bytes.length - at >= 8 && plain(bytes.data + at)) {
            at += 8;
            continue;
        }
        uint8_t first = bytes.data[at++];
        if (first == 0)
            return false;
        if (first < 0x80)
            continue;
        size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || bytes.length - at < more)
            return false;
        uint8_t second = bytes.data[at];
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f))
            return false;
        for (size_t end = at + more; at < end; at++)
            if ((bytes.data[at] & 0xc0) != 0x80)
                return false;
    }
    return true;
}
