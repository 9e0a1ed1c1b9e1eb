/* Windows' 8-bit and double-byte code pages, decoded by the system: iconv on Linux, Windows itself there. */

#ifndef EVENKEEL_CODE_PAGE_H
#define EVENKEEL_CODE_PAGE_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * `text`, in Windows' code page of that number (1251, 932), as UTF-8, to be freed, with a NUL behind its *length bytes.
 * What is no text of that page becomes U+FFFD and is counted in *undecodable. ERROR_USAGE for a page that the system
 * does not know.
 */
int code_page_to_utf8(unsigned page, struct bytes text, char **utf8, size_t *length, uint64_t *undecodable,
                      struct error *error);

#endif
