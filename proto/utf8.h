/* Writing UTF-8, and showing what is foreign. Whether foreign bytes are UTF-8 is for bytes_are_utf8(). */

#ifndef EVENKEEL_UTF8_H
#define EVENKEEL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define UTF8_MOST 4              /* bytes of one code point */
#define UTF8_REPLACEMENT 0xfffdu /* U+FFFD, for what can't be told */

/*
 * Writes a code point up to U+10FFFF as UTF-8 (Unicode Standard, table 3-6), without a NUL; returns how many bytes it
 * takes. A surrogate becomes the three bytes that its number would have: whoever must write UTF-8 replaces it before.
 */
size_t utf8_put(char at[UTF8_MOST], uint32_t code);

/*
 * The end of the character that begins at `text`, which must not be its NUL; *shown tells whether a person may be shown
 * it. Those are not that a terminal obeys (controls of ASCII and C1), that turn what stands around them round or break
 * lines (the direction marks, embeddings, overrides and isolates of the Unicode Bidirectional Algorithm; U+2028,
 * U+2029), and bytes that are no UTF-8, which count as a character each.
 */
const char *utf8_step(const char *text, bool *shown);
/* The same, with its code point; UTF8_REPLACEMENT of a byte that is no UTF-8. */
const char *utf8_step_code(const char *text, uint32_t *code, bool *shown);

/* Text with '?' in the place of each character that must not be shown. */
void utf8_print(const char *text, FILE *out);
/* The same in place. */
void utf8_make_showable(char *text);
/* JSON, as well-formed as it was, with an escape \\uXXXX in that place. */
void utf8_print_json(const char *json, FILE *out);

#endif
