/* Names of programs. */

#include "proto/program_name.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

bool is_program_name(const char *name)
{
    static const char *const endings[] = {".exe", ".dll", ".sys", ".ocx", ".cpl", ".drv", ".scr",
                                          ".ax",  ".acm", ".efi", ".com", ".tsp", ".mui"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}
