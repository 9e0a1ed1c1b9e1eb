/* The log of a service: key=value lines on stderr, with journald's priorities in front where stderr is the journal. */

#ifndef EVENKEEL_LOG_H
#define EVENKEEL_LOG_H

#include "proto/journal.h"

/* Priorities of syslog(3). */
enum log_priority { LOG_PRIORITY_ERROR = 3, LOG_PRIORITY_WARNING = 4, LOG_PRIORITY_NOTICE = 5, LOG_PRIORITY_INFO = 6 };

/*
 * Writes one line: the event's name, then what `format` makes: key=value pairs, with text values as JOURNAL_QUOTED()
 * makes them.
 * Safe from any thread; lines are never mixed.
 */
void log_line(enum log_priority priority, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
