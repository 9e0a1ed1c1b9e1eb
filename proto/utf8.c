/* Writing UTF-8, and showing what is foreign. */

#include "utf8.h"

#include "bytes.h"

#include <string.h>

static char continuation(uint32_t code, unsigned shift)
{
    return (char)(0x80 | (code >> shift & 0x3f));
}

size_t utf8_put(char at[UTF8_MOST], uint32_t code)
{
    size_t length = 0;
    if (code < 0x80) {
        at[length++] = (char)code;
        return length;
    }
    if (code < 0x800) {
        at[length++] = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        at[length++] = (char)(0xe0 | code >> 12);
        at[length++] = continuation(code, 6);
    } else {
        at[length++] = (char)(0xf0 | code >> 18);
        at[length++] = continuation(code, 12);
        at[length++] = continuation(code, 6);
    }
    at[length++] = continuation(code, 0);
    return length;
}

/* How many bytes the character at `text` has, and its code point; 0 where that is no UTF-8. */
static size_t read_one(const char *text, uint32_t *code)
{
    uint8_t first = (uint8_t)*text;
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    size_t there = strnlen(text, length);
    if (there < length || !bytes_are_utf8(bytes_of(text, length)))
        return 0;
    *code = length == 1 ? first : first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | ((uint8_t)text[i] & 0x3f);
    return length;
}

static bool is_shown(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    bool turns = code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                 (code >= 0x2066 && code <= 0x2069);
    return !turns && code != 0x2028 && code != 0x2029;
}

const char *utf8_step_code(const char *text, uint32_t *code, bool *shown)
{
    *code = UTF8_REPLACEMENT;
    size_t length = read_one(text, code);
    *shown = length > 0 && is_shown(*code);
    return text + (length > 0 ? length : 1);
}

const char *utf8_step(const char *text, bool *shown)
{
    uint32_t code;
    return utf8_step_code(text, &code, shown);
}

void utf8_print(const char *text, FILE *out)
{
    bool shown;
    for (const char *next; *text != 0; text = next) {
        next = utf8_step(text, &shown);
        if (shown)
            fwrite(text, 1, (size_t)(next - text), out);
        else
            putc('?', out);
    }
}

void utf8_make_showable(char *text)
{
    bool shown;
    char *to = text;
    for (const char *next; *text != 0; text += next - text) {
        next = utf8_step(text, &shown);
        size_t length = (size_t)(next - text);
        if (shown)
            memmove(to, text, length);
        else
            *to = '?';
        to += shown ? length : 1;
    }
    *to = 0;
}

void utf8_print_json(const char *json, FILE *out)
{
    bool shown;
    for (const char *next; *json != 0; json = next) {
        uint32_t code = UTF8_REPLACEMENT;
        next = utf8_step(json, &shown);
        if (shown || *json == '\n' || *json == '\t') {
            fwrite(json, 1, (size_t)(next - json), out);
            continue;
        }
        read_one(json, &code);
        fprintf(out, "\\u%04x", (unsigned)code);
    }
}
