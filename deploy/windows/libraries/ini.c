/* Reads configuration files line by line. */

#include "ini.h"

#include <stdbool.h>
#include <string.h>

#define SECTION_BYTES 50
#define NAME_BYTES 50

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without blanks at either end, in place. */
static char *trim(char *text)
{
    while (is_blank(*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    text[length] = 0;
    return text;
}

/* The first of `chars`, the ';' of a comment behind a blank, or the end. */
static char *find(char *text, const char *chars)
{
    for (char *at = text; *at != 0; at++)
        if (strchr(chars, *at) != NULL || (*at == ';' && at > text && is_blank(at[-1])))
            return at;
    return text + strlen(text);
}

/* A value, without the comment behind it. */
static char *value_of(char *text)
{
    *find(text, "") = 0;
    return trim(text);
}

static void keep(char *to, const char *from, size_t room)
{
    to[0] = 0;
    strncat(to, from, room - 1);
}

int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    char buffer[INI_LINE_BYTES], section[SECTION_BYTES] = "", last[NAME_BYTES] = "";
    int wrong = 0;
    for (int number = 1; reader(buffer, sizeof buffer, stream) != NULL; number++) {
        bool marked = number == 1 && strncmp(buffer, "\xef\xbb\xbf", 3) == 0; /* an editor's mark of UTF-8 */
        char *line = trim(marked ? buffer + 3 : buffer), *end = find(line, "=:");
        bool sound = true;
        if (*line == 0 || *line == ';' || *line == '#')
            continue;
        if (last[0] != 0 && line > buffer) {
            sound = handler(user, section, last, value_of(line)) != 0;
        } else if (*line == '[') {
            end = find(line + 1, "]");
            sound = *end == ']';
            if (sound) {
                *end = 0;
                keep(section, line + 1, sizeof section);
                last[0] = 0;
            }
        } else if (*end == '=' || *end == ':') {
            *end = 0;
            const char *name = trim(line);
            keep(last, name, sizeof last);
            sound = handler(user, section, name, value_of(end + 1)) != 0;
        } else {
            sound = false;
        }
        if (!sound && wrong == 0)
            wrong = number;
    }
    return wrong;
}
