/* Lines for the systemd journal. */

#ifndef EVENKEEL_JOURNAL_H
#define EVENKEEL_JOURNAL_H

/*
 * What a line of this priority, 0 to 7 as in syslog(3), begins with: "<4>" where stderr is the journal's
 * (systemd.exec(5), JOURNAL_STREAM), else nothing.
 */
const char *journal_prefix(unsigned priority);

#endif
