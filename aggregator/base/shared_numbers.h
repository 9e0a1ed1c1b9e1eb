/*
 * Numbers that C and SQL share: what a PE file's defects and machines, the enumerations of evenkeel.proto and the
 * limits are called here is the name of a function there. CMake finds the names in the headers and in evenkeel.proto,
 * the compiler their values; so a number is written once.
 *
 *   PE_DEFECT_EXPORTS, PE_MACHINE_I386 (collector/pe/pe.h)       evenkeel.pe_defect_exports(),
 * evenkeel.pe_machine_i386() LIMIT_..., CHUNK_ENTRIES, DIGEST_BYTES (proto/)              evenkeel.chunk_entries()
 *   EVENKEEL__REFUSAL_REASON__OLD_SEQUENCE (evenkeel.proto)      evenkeel.refusal_reason__old_sequence()
 */

#ifndef EVENKEEL_SHARED_NUMBERS_H
#define EVENKEEL_SHARED_NUMBERS_H

#include "database.h"

/* Makes or replaces these functions, each of which the planner replaces by its number; the schema must be there. */
int shared_numbers_define(PGconn *connection, struct error *error);

#endif
