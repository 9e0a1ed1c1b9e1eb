/*
 * Names as Windows keeps them, UTF-16 in which surrogates may stand alone, from and to the bytes that the collector
 * calls names by. A lone surrogate becomes the three bytes that its number would have: no UTF-8, so that whoever asks
 * for UTF-8 notices, and yet the way back leads to the same file (the generalisation known as WTF-8).
 */

#ifndef EVENKEEL_WIDE_H
#define EVENKEEL_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes for `length` units at most, with a NUL. */
#define WIDE_BYTES(length) (3 * (length) + 1)

/* Writes `length` units as bytes with a NUL behind them; `bytes` has room for WIDE_BYTES(length). Returns their number.
 */
size_t wide_to_bytes(const uint16_t *wide, size_t length, char *bytes);

/*
 * The way back: `wide` has room for strlen(bytes) + 1 units, a 0 stands behind them; *length may be NULL. False where
 * the bytes are neither UTF-8 nor what wide_to_bytes() writes.
 */
bool wide_from_bytes(const char *bytes, uint16_t *wide, size_t *length);

#endif
