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

static void cut_comment(char *text)
{
    for (char *at = text; *at != 0; at++)
        if (*at == ';' && (at == text || is_blank(at[-1])))
            *at = 0;
}

static bool read_section(char *line, char section[SECTION_BYTES])
{
    size_t length = strcspn(line, "]");
    if (line[length] != ']' || length >= SECTION_BYTES)
        return false;
    memcpy(section, line, length);
    section[length] = 0;
    return true;
}

int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    char buffer[INI_LINE_BYTES], section[SECTION_BYTES] = "", last[NAME_BYTES] = "";
    int wrong = 0;
    for (int number = 1; reader(buffer, sizeof buffer, stream) != NULL; number++) {
        bool marked = number == 1 && strncmp(buffer, "\xef\xbb\xbf", 3) == 0; /* an editor's mark of UTF-8 */
        char *line = trim(marked ? buffer + 3 : buffer);
        size_t end = strcspn(line, "=:");
        bool sound = true;
        if (*line == 0 || *line == ';' || *line == '#')
            continue;
        if (*line == '[') {
            sound = read_section(line + 1, section);
            last[0] = 0;
        } else if (last[0] != 0 && is_blank(buffer[0])) {
            cut_comment(line);
            sound = handler(user, section, last, trim(line)) != 0;
        } else if (line[end] == 0) {
            sound = false;
        } else {
            line[end] = 0;
            cut_comment(line + end + 1);
            const char *name = trim(line);
            last[0] = 0;
            strncat(last, name, sizeof last - 1);
            sound = handler(user, section, name, trim(line + end + 1)) != 0;
        }
        if (!sound && wrong == 0)
            wrong = number;
    }
    return wrong;
}
