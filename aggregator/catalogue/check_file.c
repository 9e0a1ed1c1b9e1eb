/* A check's file. */

#include "check_file.h"

#include <stdbool.h>
#include <string.h>

/* The rest of the line that starts with `mark`; NULL where there is none. */
static char *header_value(char *text, const char *mark)
{
    char *at = text;
    while (at != NULL && strncmp(at, mark, strlen(mark)) != 0) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? at + strlen(mark) : NULL;
}

static void end_line(char *value)
{
    value[strcspn(value, "\n")] = 0;
}

/* Whether a list such as 'files, facts' names what is known, and something. */
static bool knows_reads(const char *reads)
{
    static const char *const known[] = {"files", "facts", "imports"};
    while (true) {
        size_t length = strcspn(reads, ","), i = 0;
        while (i < sizeof known / sizeof *known && (strlen(known[i]) != length || memcmp(known[i], reads, length) != 0))
            i++;
        if (i == sizeof known / sizeof *known)
            return false;
        if (reads[length] == 0)
            return true;
        reads += length + 1 + strspn(reads + length + 1, " ");
    }
}

/* What is behind the header's lines. */
static char *behind(char *const *lines, size_t count)
{
    char *last = lines[0];
    for (size_t i = 1; i < count; i++)
        if (lines[i] != NULL && lines[i] > last)
            last = lines[i];
    last += strcspn(last, "\n");
    return *last == '\n' ? last + 1 : last;
}

/* Splits 'lacks a file | lack a file'. */
static int split_counted(const char *name, struct check_file *check, struct error *error)
{
    check->counted_many = NULL;
    if (check->counted_one == NULL)
        return 0;
    char *bar = strstr(check->counted_one, " | ");
    if (bar == NULL || bar == check->counted_one || bar[3] == 0)
        return error_set(error, ERROR_FORMAT,
                         "check '%s' is counted '%s': what one host has of it and what more have, as 'lacks a file | "
                         "lack a file'",
                         name, check->counted_one);
    *bar = 0;
    check->counted_many = bar + 3;
    return 0;
}

int check_file_parse(const char *name, char *text, struct check_file *check, struct error *error)
{
    static char none[] = "";
    check->title = header_value(text, "-- title: ");
    check->scope = header_value(text, "-- scope: ");
    check->reads = header_value(text, "-- reads: ");
    check->rank = header_value(text, "-- rank: ");
    check->counted_one = header_value(text, "-- counted: ");
    check->keys = header_value(text, "-- keys\n");
    char *due = header_value(text, "-- due\n");
    check->verdict = header_value(text, "-- verdict\n");
    if (check->title == NULL || check->scope == NULL || check->reads == NULL)
        return error_set(error, ERROR_FORMAT,
                         "check '%s' lacks a line '-- title: ...', '-- scope: ...' or '-- reads: ...'", name);
    char *lines[] = {check->title, check->scope, check->reads, check->rank, check->counted_one};
    size_t count = sizeof lines / sizeof *lines;
    if (check->verdict == NULL) /* one query only */
        check->verdict = behind(lines, count);
    for (size_t i = 0; i < count; i++)
        if (lines[i] != NULL)
            end_line(lines[i]);
    if (check->rank != NULL && (check->rank[0] < '1' || check->rank[0] > '9' || check->rank[1] != 0))
        return error_set(error, ERROR_FORMAT, "check '%s' has the rank '%s': 1, the worst, to 9 are known", name,
                         check->rank);
    if (split_counted(name, check, error) < 0)
        return -1;
    if (!knows_reads(check->reads))
        return error_set(error, ERROR_FORMAT,
                         "check '%s' reads '%s': files, facts and imports are known, with commas between them", name,
                         check->reads);
    if (strcmp(check->scope, "host") != 0 && strcmp(check->scope, "fleet") != 0 && strcmp(check->scope, "clock") != 0)
        return error_set(error, ERROR_FORMAT, "check '%s' has the scope '%s': host, fleet and clock are known", name,
                         check->scope);
    if ((strcmp(check->scope, "fleet") == 0) != (check->keys != NULL))
        return error_set(error, ERROR_FORMAT,
                         "check '%s': a check of the scope fleet, and only that, has a part '-- keys'", name);
    if (due != NULL && strcmp(check->scope, "clock") != 0)
        return error_set(error, ERROR_FORMAT, "check '%s': only a check of the scope clock has a part '-- due'", name);
    if (due != NULL)
        check->keys = due;
    if (check->keys != NULL) {
        char *end = strstr(check->keys, "-- verdict\n");
        if (end == NULL)
            return error_set(error, ERROR_FORMAT, "check '%s' lacks a line '-- verdict' after its %s", name,
                             due != NULL ? "part '-- due'" : "keys");
        *end = 0;
    } else {
        check->keys = none;
    }
    return 0;
}
