/* Unpacks packages that libmspack doesn't know, with Debian's tools: MSI (msiextract) and WIM (7z). */

#ifndef EVENKEEL_PAYLOAD_TOOL_H
#define EVENKEEL_PAYLOAD_TOOL_H

#include "payload_unpack.h"

/*
 * As payload_unpack(), for PAYLOAD_MSI and PAYLOAD_WIM. The tool is ended as soon as more lies in `directory` than the
 * budget allows; what is no plain file is removed. A package with a name that leads out of it is refused unopened.
 */
int payload_tool_unpack(const char *path, enum payload_kind kind, const char *directory, struct payload_budget *budget,
                        struct error *error);

#endif
