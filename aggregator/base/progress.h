/* What a long command is at, on the terminal of whoever waits for it. */

#ifndef EVENKEEL_PROGRESS_H
#define EVENKEEL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;         /* stderr is a terminal, and nobody asked for quiet */
    bool written;       /* there is a line to take away */
    int64_t written_at; /* by the monotonic clock */
};

struct progress progress_begin(bool quiet);

/* Writes a sentence over the one before, ten times a second at most. */
void progress_show(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes the line away; call it before anything else is printed. */
void progress_end(struct progress *progress);

#endif
