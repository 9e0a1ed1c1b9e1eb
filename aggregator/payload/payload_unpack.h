/* Unpacks one package into a folder, with libmspack or, where that can't, a tool of the system (payload_tool.h). */

#ifndef EVENKEEL_PAYLOAD_UNPACK_H
#define EVENKEEL_PAYLOAD_UNPACK_H

#include "proto/error.h"

#include <stdbool.h>
#include <stdint.h>

enum payload_kind {
    PAYLOAD_OTHER,
    PAYLOAD_PROGRAM, /* starts as a PE file does, and may hold cabinets */
    PAYLOAD_CABINET,
    PAYLOAD_SZDD,
    PAYLOAD_KWAJ,
    PAYLOAD_MSI, /* compound files; a patch of that format (.msp) is none that can be unpacked */
    PAYLOAD_WIM,
};

/* What a file is by its first bytes; PAYLOAD_OTHER where it can't be read. */
enum payload_kind payload_kind_of(const char *path);

/* What may still be unpacked; counted down. */
struct payload_budget {
    uint64_t bytes;
    unsigned files;
};

/*
 * Unpacks `path`, which is of that kind, into the existing folder `directory`. Names from packages become paths below
 * it, whatever they say. *found tells whether anything was unpacked (a program need not hold a cabinet). -1 with
 * *error.
 */
int payload_unpack(const char *path, enum payload_kind kind, const char *directory, struct payload_budget *budget,
                   bool *found, struct error *error);

/* Makes the folders on the way to `path`, below `directory` (which `path` starts with). */
int payload_make_folders(const char *directory, const char *path, struct error *error);

#endif
