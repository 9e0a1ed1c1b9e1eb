/* Writing UTF-8. Whether foreign bytes are UTF-8 is for bytes_are_utf8(). */

#ifndef EVENKEEL_UTF8_H
#define EVENKEEL_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MOST 4              /* bytes of one code point */
#define UTF8_REPLACEMENT 0xfffdu /* U+FFFD, for what can't be told */

/*
 * Writes a code point up to U+10FFFF as UTF-8 (Unicode Standard, table 3-6), without a NUL; returns how many bytes it
 * takes. A surrogate becomes the three bytes that its number would have: whoever must write UTF-8 replaces it before.
 */
size_t utf8_put(char at[UTF8_MOST], uint32_t code);

#endif
