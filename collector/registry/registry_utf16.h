/* UTF-16LE, in which registries keep text, from and to UTF-8 (Unicode Standard, section 3.9). */

#ifndef EVENKEEL_REGISTRY_UTF16_H
#define EVENKEEL_REGISTRY_UTF16_H

#include "proto/bytes.h"

/*
 * UTF-8, NUL-terminated, to be freed; *length (which may be NULL) takes its length, as NULs of the input stay in it.
 * Unpaired surrogates become U+FFFD, an odd last byte is dropped. NULL where memory is out.
 */
char *utf16_to_utf8(struct bytes utf16, size_t *length);

/* UTF-16LE without a NUL at its end, to be freed; bytes that are no UTF-8 become U+FFFD each. NULL where memory is out.
 */
uint8_t *utf8_to_utf16(struct bytes utf8, size_t *length);

/* UTF-8 as above, out of Windows-1252, in which the five codes without a letter are read as the controls of Latin-1. */
char *windows_1252_to_utf8(struct bytes text, size_t *length);

#endif
