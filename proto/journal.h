/* Lines for the systemd journal. */

#ifndef EVENKEEL_JOURNAL_H
#define EVENKEEL_JOURNAL_H

#include <stddef.h>

/*
 * What a line of this priority, 0 to 7 as in syslog(3), begins with: "<4>" where stderr is the journal's
 * (systemd.exec(5), JOURNAL_STREAM), else nothing.
 */
const char *journal_prefix(unsigned priority);

/*
 * `text` as a value of a key=value line: in quotes, with a backslash before quotes and backslashes, and '?' for control
 * characters; cut where `quoted`, of `size` >= 3 bytes, is full. Returns `quoted`.
 */
const char *journal_quote(char *quoted, size_t size, const char *text);

/* The same, in storage of the enclosing block: enough for the message of an error and some words. */
#define JOURNAL_QUOTED_BYTES 1200
#define JOURNAL_QUOTED(text) journal_quote((char[JOURNAL_QUOTED_BYTES]){0}, JOURNAL_QUOTED_BYTES, text)

#endif
