/* File descriptors: as many as the connections need that may come. */

#ifndef EVENKEEL_DESCRIPTORS_H
#define EVENKEEL_DESCRIPTORS_H

#include "proto/error.h"

/*
 * Raises this process' limit to what so many connections of collectors take, beside those of HTTP, the database and
 * what is at its end but not closed yet. -1 with *error where the system does not allow that many.
 */
int descriptors_allow(unsigned connections, struct error *error);

#endif
