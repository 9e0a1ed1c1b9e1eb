/* Errors as values. */

#include "error.h"

#include "utf8.h"

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
    utf8_make_showable(error->message);
    return -1;
}
