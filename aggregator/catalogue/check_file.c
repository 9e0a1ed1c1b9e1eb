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

/* The latest of the header's lines. */
static char *last_of(char *a, char *b, char *c)
{
    char *later = a > b ? a : b;
    return later > c ? later : c;
}

int check_file_parse(const char *name, char *text, struct check_file *check, struct error *error)
{
    static char none[] = "";
    check->title = header_value(text, "-- title: ");
    check->scope = header_value(text, "-- scope: ");
    check->reads = header_value(text, "-- reads: ");
    check->keys = header_value(text, "-- keys\n");
    check->verdict = header_value(text, "-- verdict\n");
    if (check->title == NULL || check->scope == NULL || check->reads == NULL)
        return error_set(error, ERROR_FORMAT,
                         "check '%s' lacks a line '-- title: ...', '-- scope: ...' or '-- reads: ...'", name);
    if (check->verdict == NULL) {
        /* One query only: it starts behind the header's lines. */
        check->verdict = last_of(check->title, check->scope, check->reads);
        check->verdict += strcspn(check->verdict, "\n");
        if (*check->verdict == '\n')
            check->verdict++;
    }
    end_line(check->title);
    end_line(check->scope);
    end_line(check->reads);
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
    if (check->keys != NULL) {
        char *end = strstr(check->keys, "-- verdict\n");
        if (end == NULL)
            return error_set(error, ERROR_FORMAT, "check '%s' lacks a line '-- verdict' after its keys", name);
        *end = 0;
    } else {
        check->keys = none;
    }
    return 0;
}
