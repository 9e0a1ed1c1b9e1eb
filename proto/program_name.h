/* Which files are programs or libraries by their names. */

#ifndef EVENKEEL_PROGRAM_NAME_H
#define EVENKEEL_PROGRAM_NAME_H

#include <stdbool.h>

/* Whether the ending of a name or path is one that Windows' loader, services and drivers go by, in any case. */
bool is_program_name(const char *name);

#endif
