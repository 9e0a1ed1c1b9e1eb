/* Errors as values. */

#include "error.h"

#include <stdio.h>

int(error_set)(struct error *error, enum error_code code, const char *format, ...)
{
    if (error == NULL)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    error->code = code;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (unsigned char *at = (unsigned char *)error->message; *at != 0; at++)
        if (*at < 0x20 || *at == 0x7f)
            *at = '?';
    return -1;
}
