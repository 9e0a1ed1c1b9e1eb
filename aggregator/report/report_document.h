/* What evenkeel.report_drift makes, as it is read: the same for text, page and charts. */

#ifndef EVENKEEL_REPORT_DOCUMENT_H
#define EVENKEEL_REPORT_DOCUMENT_H

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Sections that list findings, in the order of the report; ends with a section whose name is NULL. */
struct report_section {
    const char *name;  /* key of the document */
    const char *title; /* 'New' */
    const char *none;  /* what is said where there are none: 'nothing new' */
};
extern const struct report_section report_sections[];

/* Access to the document: "" and 0 for what is not there. */
const char *report_string(const cJSON *object, const char *key);
long long report_number(const cJSON *object, const char *key);
const cJSON *report_list(const cJSON *object, const char *key); /* never NULL: an empty array for what is not there */

/* The options that choose the report's hosts, each with a blank before it; empty where it is of all. */
const char *report_options(const cJSON *document);

/* How many findings from this one on say the same of different hosts, which are told as one; returns the first that
 * does not, or NULL. */
const cJSON *report_same(const cJSON *finding, int *count);

/*
 * What of a section is shown: so many lines of each check, and so many of them of one host, so that neither crowds out
 * the others. Begins with the two numbers set and all else 0.
 */
enum { REPORT_CHECKS_MAXIMUM = 64, REPORT_LINES_MAXIMUM = 100, REPORT_COMMAND_SIZE = 1300 };
struct report_cut {
    int per_check; /* at most REPORT_LINES_MAXIMUM */
    int per_host;
    size_t count;
    struct {
        const char *code; /* borrowed from the document; NULL for checks that found no place of their own */
        int shown;
        const char *hosts[REPORT_LINES_MAXIMUM]; /* whose lines are shown; "" for lines of many */
        long long left;                          /* findings that are not shown */
    } checks[REPORT_CHECKS_MAXIMUM];
};

/* Whether a line of `hosts` findings has room; counts them either way. */
bool report_cut_takes(struct report_cut *cut, const cJSON *finding, int hosts);

/* The command that tells all findings of the check that a cut has left out of a section: of those that are open, the
 * check itself, else the report of the same time and hosts; written to `text`, which is returned. */
const char *report_cut_command(const struct report_cut *cut, size_t at, const char *section, const cJSON *document,
                               char *text, size_t size);

/* How many findings of that check the groups of the list 'dangerous' stand for; there may be more. */
long long report_shown(const cJSON *groups, const char *check_code);

/* '2026-11-21 10:04' out of an ISO time; written to `text`, which is returned. */
const char *report_time(const char *iso, char text[20]);

/* The versions a file had and has: '6.0.3790.0 → 6.0.3790.3959', '(not there) → 1.0.0.0'; to `text`, cut where needed.
 */
const char *report_step(const cJSON *file, char *text, size_t size);

#endif
