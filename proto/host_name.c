/* What a host may be called. */

#include "host_name.h"

#include "limits.h"
#include "utf8.h"

#include <string.h>

/* Two letters that stand for a range; sorted. */
struct range {
    uint32_t first, last;
};

static bool is_among(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Default_Ignorable_Code_Point of the Unicode Character Database: drawn as nothing. */
static bool is_invisible(uint32_t code)
{
    static const struct range ranges[] = {
        {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5},
        {0x180b, 0x180f},   {0x200b, 0x200f},   {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
        {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    return is_among(code, ranges, sizeof ranges / sizeof *ranges);
}

/* White_Space of the same. */
static bool is_blank(uint32_t code)
{
    static const struct range ranges[] = {
        {0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
        {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
    };
    return is_among(code, ranges, sizeof ranges / sizeof *ranges);
}

/* 8-4-4-4-12 hexadecimal digits, in either case. */
static bool is_host_id(const char *name)
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t length = sizeof pattern - 1;
    for (size_t i = 0; i < length; i++)
        if (pattern[i] == 'x' ? name[i] == 0 || strchr("0123456789abcdefABCDEF", name[i]) == NULL : name[i] != '-')
            return false;
    return name[length] == 0;
}

static const char *fault_of(const char *name)
{
    uint32_t code, last = 0;
    bool shown;
    for (const char *at = name; *at != 0; last = code) {
        const char *next = utf8_step_code(at, &code, &shown);
        if (!shown || is_invisible(code))
            return "a control character, or one that can't be seen or turns the direction of text";
        if (at == name && is_blank(code))
            return "a blank before it";
        if (code == '*' || code == '?' || code == '[')
            return "one of *, ? and [, which stand for several hosts";
        at = next;
    }
    return is_blank(last)     ? "a blank behind it"
           : last == '.'      ? "a dot behind it"
           : is_host_id(name) ? "the form of a host_id"
                              : NULL;
}

int host_name_check(struct bytes name, struct error *error)
{
    char text[LIMIT_HOST_NAME_BYTES + 1] = {0};
    if (name.length == 0 || name.length > LIMIT_HOST_NAME_BYTES || !bytes_are_utf8(name))
        return error_set(error, ERROR_FORMAT, "a host name must have 1 to %u bytes of UTF-8; this one has %zu",
                         LIMIT_HOST_NAME_BYTES, name.length);
    memcpy(text, name.data, name.length);
    const char *fault = fault_of(text);
    if (fault == NULL)
        return 0;
    utf8_make_showable(text);
    return error_set(error, ERROR_FORMAT, "'%.80s' can't be a host's name: it has %s", text, fault);
}
