/*
 * The payload of a patch: a folder of files, or packages that are unpacked into a temporary folder first. Cabinets
 * (.cab, .msu, and those within self-extracting .exe), installers (.msi), images (.wim) and files compressed one by one
 * (SZDD and KWAJ: w3core.dl_) are known, also within each other.
 */

#ifndef EVENKEEL_PAYLOAD_H
#define EVENKEEL_PAYLOAD_H

#include "aggregator/base/buffer.h"
#include "object_stream.h"

#include <limits.h>

/* What may come out of packages; more is refused, since small packages can claim to hold much. */
#define PAYLOAD_BYTES_LIMIT (4ull << 30)
#define PAYLOAD_FILES_LIMIT 100000
#define PAYLOAD_DEPTH_LIMIT 4 /* packages within packages */

struct payload {
    char directory[PATH_MAX]; /* what is to be read: the folder as given, or the temporary one */
    bool temporary;
};

/* Opens a folder or a single package. -1 with *error. Close with payload_close() (or _cleanup_) in any case. */
int payload_open(const char *path, struct payload *payload, struct error *error);
void payload_close(struct payload *payload);

/* Puts into `rows`, for COPY, the path of every file that should be a PE file by its ending, as the collector would
 * call it: "c:/", then the path below the folder in small letters. -1 with *error. */
int payload_programs(const struct payload *payload, struct buffer *rows, struct error *error);

/*
 * Whether the payload holds differences against other files (PSFX: .psf and .cix.xml; 'PA30' at the front or behind a
 * checksum, as MS-PATCH calls it), which can't be read without these, whatever whole files lie beside them; *name
 * becomes the first one's path below the folder. -1 with *error.
 */
int payload_differences(const struct payload *payload, char *name, size_t size, bool *found, struct error *error);

#endif
