/* A check's file. */

#include "check_file.h"

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

int check_file_parse(const char *name, char *text, struct check_file *check, struct error *error)
{
    static char none[] = "";
    check->title = header_value(text, "-- title: ");
    check->scope = header_value(text, "-- scope: ");
    check->keys = header_value(text, "-- keys\n");
    check->verdict = header_value(text, "-- verdict\n");
    if (check->title == NULL || check->scope == NULL)
        return error_set(error, ERROR_FORMAT, "check '%s' lacks a line '-- title: ...' or '-- scope: ...'", name);
    if (check->verdict == NULL) {
        /* One query only: it starts behind the header's two lines. */
        char *later = check->title > check->scope ? check->title : check->scope;
        check->verdict = later + strcspn(later, "\n");
        if (*check->verdict == '\n')
            check->verdict++;
    }
    end_line(check->title);
    end_line(check->scope);
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
