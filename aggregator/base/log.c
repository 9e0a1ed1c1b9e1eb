/* The log of a service. */

#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void log_line(enum log_priority priority, const char *event, const char *format, ...)
{
    char line[JOURNAL_QUOTED_BYTES + 256];
    size_t length = (size_t)snprintf(line, sizeof line, "%sevent=%s ", journal_prefix(priority), event);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    if (more > 0)
        length += (size_t)more < sizeof line - length - 1 ? (size_t)more : sizeof line - length - 2;
    line[length++] = '\n';
    /* One write per line, so that threads do not mix theirs; a log that can't be written must not stop the service. */
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}
