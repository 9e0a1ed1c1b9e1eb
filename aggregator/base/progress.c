/* What a long command is at. */

#include "progress.h"

#include "monotonic.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define BETWEEN (100 * MONOTONIC_MILLISECOND)

struct progress progress_begin(bool quiet)
{
    return (struct progress){.shown = !quiet && isatty(STDERR_FILENO)};
}

void progress_show(struct progress *progress, const char *format, ...)
{
    int64_t now = monotonic_now();
    if (!progress->shown || (progress->written && now - progress->written_at < BETWEEN))
        return;
    va_list arguments;
    va_start(arguments, format);
    fputc('\r', stderr);
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    va_end(arguments);
    progress->written = true;
    progress->written_at = now;
}

void progress_end(struct progress *progress)
{
    if (progress->written)
        fputs("\r\033[K", stderr);
    progress->written = false;
}
