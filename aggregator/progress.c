/* What a long command is at. */

#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BETWEEN 100 /* milliseconds */

struct progress progress_begin(bool quiet)
{
    return (struct progress){.shown = !quiet && isatty(STDERR_FILENO)};
}

void progress_show(struct progress *progress, const char *format, ...)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t now = time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
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
