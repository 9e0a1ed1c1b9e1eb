/* Dates and times as Windows writes them into the registry; plain arithmetic, as every system's own differs. */

#ifndef EVENKEEL_FACTS_TIME_H
#define EVENKEEL_FACTS_TIME_H

#include <stdint.h>

#define FACTS_DATE_SIZE sizeof "0000-00-00"

/* FILETIME, 100 ns since 1601-01-01 UTC, as microseconds since 1970-01-01 UTC; 0 where that is before. */
int64_t facts_time_from_filetime(uint64_t filetime);

/* The ISO date of a time; "" of 0. */
void facts_date_of_time(int64_t time, char date[FACTS_DATE_SIZE]);

/*
 * ISO date of what update.exe leaves: '7/20/2012' (month first, unless that is over 12), '20.7.2012' (day first),
 * '2012-07-20', '20120720'; "" where it is none of them.
 */
void facts_date_of_text(const char *text, char date[FACTS_DATE_SIZE]);

/* Sysprep's CloneTag, 'Thu Mar 09 15:35:36 2000', local time taken as UTC; 0 where it is no such text. */
int64_t facts_time_of_clone_tag(const char *text);

#endif
