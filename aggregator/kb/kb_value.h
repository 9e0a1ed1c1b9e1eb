/* The values in the cells of a file table: dates, times, versions, sizes, names. */

#ifndef EVENKEEL_KB_VALUE_H
#define EVENKEEL_KB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a line; not owned, not terminated. */
struct kb_span {
    const char *text;
    size_t length;
};

/* A date whose day and month may not be told apart yet: 1/2/99 has open = true, day = 2, month = 1. */
struct kb_date {
    int year, month, day;
    bool open;      /* numbers only, in the order month, day, year or day, month, year */
    bool day_first; /* open, and can only be day, month, year */
};

enum kb_size_kind {
    KB_SIZE_NONE,    /* no size at all */
    KB_SIZE_BYTES,   /* a number of bytes, well grouped or not grouped */
    KB_SIZE_ODD,     /* a number of bytes, its digits grouped oddly: 1,23456 */
    KB_SIZE_ROUNDED, /* KB or MB: no number of bytes can be had from it */
};

struct kb_span kb_span_of(const char *text);
struct kb_span kb_span_trim(struct kb_span span);
bool kb_span_equals(struct kb_span span, const char *word);      /* ASCII letters of either case are the same */
bool kb_span_starts(struct kb_span span, const char *word);      /* likewise */
const char *kb_span_find(struct kb_span span, const char *word); /* likewise; NULL if it isn't there */

/* Whether the cell says that it has no value: '-', 'n/a', 'none', 'xx', 'xx:xx', 'not versioned' and so on. */
bool kb_value_is_none(struct kb_span span);

/* 12/31/99, 31-Dec-1999, December 31, 1999, 1999-12-31, 99/12/31. Two digits of a year: 70-99 are 19xx. */
bool kb_value_date(struct kb_span span, struct kb_date *date);

/* Whether the word is made as a date or a time is, though it may be none: 9/31/99, 11:63p. */
bool kb_value_looks_like_date(struct kb_span span);
bool kb_value_looks_like_time(struct kb_span span);

/* Writes the ISO form; with `day_first` an open date is read as day, month, year if it can be. */
void kb_date_print(const struct kb_date *date, bool day_first, char iso[11]);

/* 5:17pm, 05:17p, 17:17, 9:08:54, 3:32:23 PM, 22.36, 1815; written as HH:MM of 24 hours. */
bool kb_value_time(struct kb_span span, char time[6]);

/* Two to four numbers joined by dots; a remark may follow behind a blank. The numbers may have more than 16 bits. */
bool kb_value_version4(struct kb_span span, uint64_t parts[4]);

/* Whether it can be a version as printed at all, in words of 'how sure': 0 no, 1 one number, 2 numbers and a dot, 3
 * more. */
int kb_value_version_strength(struct kb_span span);

/* 84,304 | 84 304 | 880.912 | 118704 | 283,104 bytes | 322KB | 1.32 MB */
enum kb_size_kind kb_value_size(struct kb_span span, uint64_t *bytes);

/* Whether it can be a file's name: 0 no, 1 a bare word, 2 a name with an extension or a path. */
int kb_value_file_strength(struct kb_span span);

/* Whether the word names a processor or a system that tables use as platform. */
bool kb_value_is_platform(struct kb_span span);

/* Takes brackets around the whole away: (x86), <alpha>. */
struct kb_span kb_value_platform(struct kb_span span);

#endif
