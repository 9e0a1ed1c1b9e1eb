/* Files that were packed to be published: gzip (RFC 1952), and the members of a ZIP archive (APPNOTE.TXT of PKWARE,
 * sections 4.3 and 4.4). */

#ifndef EVENKEEL_PACKED_H
#define EVENKEEL_PACKED_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>

/* Bytes that come out of one file or member; small packages can claim to hold much. */
#define PACKED_BYTES_LIMIT (256u << 20)
#define PACKED_MEMBERS_LIMIT 1000u

bool packed_is_gzip(struct bytes input);
bool packed_is_zip(struct bytes input);

/* What a gzip file holds, with a NUL behind it, from malloc; -1 with *error. */
int packed_gunzip(struct bytes input, char **text, size_t *length, struct error *error);

/*
 * Calls `member` for each member of a ZIP archive that is stored or deflated, with its name and content (a NUL behind
 * it), which are its own only during the call. Others are told as an error, as is an archive that contradicts itself;
 * what `member` returns below 0 ends it.
 */
typedef int packed_member(void *context, const char *name, struct bytes content, struct error *error);
int packed_unzip(struct bytes input, packed_member *member, void *context, struct error *error);

#endif
