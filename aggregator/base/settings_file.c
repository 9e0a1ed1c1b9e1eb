/* Values out of the settings files of the systemd units. */

#include "settings_file.h"

#include "proto/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t\r\n"

/* What stands behind NAME=, without its quotes, in place. */
static char *unquoted(char *text)
{
    char quote = *text == '"' || *text == '\'' ? *text++ : 0, *to = text, *value = text;
    for (; *text != 0 && *text != quote; text++) {
        if (quote == '"' && *text == '\\' && text[1] != 0)
            text++;
        *to++ = *text;
    }
    *to = 0;
    while (quote == 0 && to > value && strchr(BLANKS, to[-1]) != NULL)
        *--to = 0;
    return value;
}

/* Where the line sets NAME, what it sets it to; else NULL. */
static char *value_in(char *line, const char *name)
{
    size_t length = strlen(name);
    line += strspn(line, BLANKS);
    return strncmp(line, name, length) == 0 && line[length] == '=' ? unquoted(line + length + 1) : NULL;
}

enum settings_file_state settings_file_value(const char *path, const char *name, char *value, size_t size)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    if (file == NULL)
        return access(path, F_OK) == 0 ? SETTINGS_FILE_THERE : SETTINGS_FILE_NONE;
    _cleanup_free_ char *line = NULL;
    size_t room = 0;
    enum settings_file_state state = SETTINGS_FILE_THERE;
    while (getline(&line, &room, file) >= 0) {
        const char *found = value_in(line, name);
        if (found != NULL)
            state = snprintf(value, size, "%s", found) < (int)size ? SETTINGS_FILE_SAYS : SETTINGS_FILE_LONG;
    }
    return state;
}
