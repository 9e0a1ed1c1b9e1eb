/* Reads the values in the cells of a file table, each as the articles write it in its many ways. */

#include "kb_value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct kb_span kb_span_of(const char *text)
{
    return (struct kb_span){.text = text, .length = strlen(text)};
}

struct kb_span kb_span_trim(struct kb_span span)
{
    while (span.length > 0 && (unsigned char)span.text[0] <= ' ') {
        span.text++;
        span.length--;
    }
    while (span.length > 0 && (unsigned char)span.text[span.length - 1] <= ' ')
        span.length--;
    return span;
}

bool kb_span_equals(struct kb_span span, const char *word)
{
    return strlen(word) == span.length && strncasecmp(span.text, word, span.length) == 0;
}

bool kb_span_starts(struct kb_span span, const char *word)
{
    size_t length = strlen(word);
    return length <= span.length && strncasecmp(span.text, word, length) == 0;
}

const char *kb_span_find(struct kb_span span, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= span.length; at++)
        if (strncasecmp(span.text + at, word, length) == 0)
            return span.text + at;
    return NULL;
}

bool kb_value_is_none(struct kb_span span)
{
    static const char *const words[] = {"n/a",    "na",   "n.a.",    "none",          "not available", "not applicable",
                                        "(none)", "n\\a", "unknown", "not versioned", "(n/a)",         "[none]"};
    span = kb_span_trim(span);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (kb_span_equals(span, words[i]))
            return true;
    bool any = false;
    for (size_t i = 0; i < span.length; i++) {
        char c = span.text[i];
        if (c == 'x' || c == 'X' || c == '-' || c == '?' || c == '*')
            any = true;
        else if (c != ':' && c != '/' && c != '.' && c != ',')
            return false;
    }
    return any;
}

/* Takes a number of at most `most` digits off the front; its digits are counted in *digits. */
static bool take_number(struct kb_span *span, size_t most, int *value, size_t *digits)
{
    *value = 0;
    *digits = 0;
    while (*digits < span->length && is_digit(span->text[*digits]) && *digits < most) {
        *value = *value * 10 + (span->text[*digits] - '0');
        (*digits)++;
    }
    if (*digits == 0 || (*digits < span->length && is_digit(span->text[*digits])))
        return false;
    span->text += *digits;
    span->length -= *digits;
    return true;
}

/* Takes an English month's name, or its first three or four letters, off the front. */
static bool take_month(struct kb_span *span, int *month)
{
    static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                         "july",    "august",   "september", "october", "november", "december"};
    size_t length = 0;
    while (length < span->length && is_letter(span->text[length]))
        length++;
    if (length < 3)
        return false;
    for (int i = 0; i < 12; i++)
        if (length <= strlen(months[i]) && strncasecmp(span->text, months[i], length) == 0) {
            *month = i + 1;
            span->text += length;
            span->length -= length;
            return true;
        }
    return false;
}

/* Takes what stands between the parts of a date: blanks, commas, one '-', '/' or '.'. */
static bool take_separator(struct kb_span *span)
{
    size_t length = 0;
    bool sign = false;
    while (length < span->length) {
        char c = span->text[length];
        bool is_sign = c == '-' || c == '/' || c == '.';
        if ((is_sign && sign) || (!is_sign && c != ' ' && c != ',' && c != '\t'))
            break;
        sign = sign || is_sign;
        length++;
    }
    span->text += length;
    span->length -= length;
    return length > 0;
}

static bool full_year(int *year, size_t digits)
{
    if (digits == 4)
        return *year >= 1970 && *year <= 2199;
    if (digits != 2)
        return false;
    *year += *year >= 70 ? 1900 : 2000;
    return true;
}

static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* The year first, as in 98/10/28 and 2001-03-27. */
static bool date_of_year_first(struct kb_date *date, const int parts[3], const size_t digits[3])
{
    int year = parts[0];
    if ((digits[0] != 4 && !(digits[0] == 2 && parts[0] > 31)) || digits[1] > 2 || digits[2] > 2 ||
        !full_year(&year, digits[0]))
        return false;
    *date = (struct kb_date){.year = year, .month = parts[1], .day = parts[2]};
    return is_day(year, parts[1], parts[2]);
}

/* Numbers only, after the first one: 1/2/99 in either order. */
static bool date_of_numbers(struct kb_span rest, int first, size_t first_digits, struct kb_date *date)
{
    int parts[3] = {first};
    size_t digits[3] = {first_digits};
    for (int i = 1; i < 3; i++)
        if (!take_separator(&rest) || !take_number(&rest, 4, &parts[i], &digits[i]))
            return false;
    if (rest.length != 0)
        return false;
    if (digits[0] == 4 || parts[0] > 31)
        return date_of_year_first(date, parts, digits);
    int year = parts[2];
    if (digits[0] > 2 || digits[1] > 2 || !full_year(&year, digits[2]))
        return false;
    bool month_first = is_day(year, parts[0], parts[1]), day_first = is_day(year, parts[1], parts[0]);
    *date = (struct kb_date){
        .year = year, .month = parts[0], .day = parts[1], .open = true, .day_first = day_first && !month_first};
    return month_first || day_first;
}

bool kb_value_date(struct kb_span span, struct kb_date *date)
{
    *date = (struct kb_date){0};
    struct kb_span rest = kb_span_trim(span);
    if (rest.length < 6 || rest.length > 24)
        return false;
    for (size_t i = 0; i + 1 < rest.length; i++)
        if (rest.text[i] == '.' && (rest.text[i + 1] == '.' || rest.text[i + 1] == ','))
            return false;
    int month = 0, day = 0, year = 0;
    size_t digits;
    if (take_month(&rest, &month)) {
        if (!take_separator(&rest) || !take_number(&rest, 2, &day, &digits) || !take_separator(&rest) ||
            !take_number(&rest, 4, &year, &digits) || rest.length != 0 || !full_year(&year, digits))
            return false;
    } else {
        int first;
        size_t first_digits;
        if (!take_number(&rest, 4, &first, &first_digits))
            return false;
        struct kb_span after = rest;
        if (!take_separator(&after) || !take_month(&after, &month))
            return date_of_numbers(rest, first, first_digits, date);
        int last;
        if (!take_separator(&after) || !take_number(&after, 4, &last, &digits) || after.length != 0)
            return false;
        bool year_first = first_digits == 4;
        year = year_first ? first : last;
        day = year_first ? last : first;
        if (!full_year(&year, year_first ? first_digits : digits))
            return false;
    }
    *date = (struct kb_date){.year = year, .month = month, .day = day};
    return is_day(year, month, day);
}

/* Whether the word holds two of the signs, digits around them, and nothing that no number has. */
static bool has_shape(struct kb_span span, const char *signs, size_t least)
{
    size_t found = 0, digits = 0;
    for (size_t i = 0; i < span.length; i++) {
        if (is_digit(span.text[i]))
            digits++;
        else if (strchr(signs, span.text[i]) != NULL)
            found++;
        else if (!is_letter(span.text[i]))
            return false;
    }
    return found >= least && digits >= 2 && span.length <= 12 && is_digit(span.text[0]);
}

bool kb_value_looks_like_date(struct kb_span span)
{
    return span.length > 0 && has_shape(span, "/-", 2);
}

bool kb_value_looks_like_time(struct kb_span span)
{
    return span.length > 0 && has_shape(span, ":;", 1);
}

void kb_date_print(const struct kb_date *date, bool day_first, char iso[11])
{
    int parts[2] = {date->month, date->day};
    bool swapped = date->open && (day_first || date->day_first) && is_day(date->year, parts[1], parts[0]);
    int month = parts[swapped], day = parts[!swapped];
    snprintf(iso, 11, "%04u-%02u-%02u", (unsigned)date->year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u);
}

/* am, pm, a, p, a.m., p.m. at the end of a time: 0, or 'a' or 'p'; false if it is something else. */
static bool half_of_day(struct kb_span span, char *half)
{
    static const struct {
        const char *word;
        char half;
    } words[] = {{"", 0},       {"a", 'a'},    {"p", 'p'},   {"am", 'a'}, {"pm", 'p'},
                 {"a.m.", 'a'}, {"p.m.", 'p'}, {"a.m", 'a'}, {"p.m", 'p'}};
    span = kb_span_trim(span);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (kb_span_equals(span, words[i].word)) {
            *half = words[i].half;
            return true;
        }
    return false;
}

bool kb_value_time(struct kb_span span, char time[6])
{
    time[0] = '\0';
    struct kb_span rest = kb_span_trim(span);
    int hour, minute = 0, second = 0;
    size_t digits;
    char half = 0;
    if (!take_number(&rest, 4, &hour, &digits))
        return false;
    if (digits >= 3) { /* 1815 */
        minute = hour % 100;
        hour /= 100;
    } else {
        if (rest.length == 0 || (rest.text[0] != ':' && rest.text[0] != '.'))
            return false;
        char mark = rest.text[0];
        rest = (struct kb_span){.text = rest.text + 1, .length = rest.length - 1};
        if (!take_number(&rest, 2, &minute, &digits) || digits != 2)
            return false;
        if (rest.length > 0 && rest.text[0] == mark) {
            rest = (struct kb_span){.text = rest.text + 1, .length = rest.length - 1};
            if (!take_number(&rest, 2, &second, &digits))
                return false;
        }
    }
    if (!half_of_day(rest, &half) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (half == 'p' && hour < 12)
        hour += 12;
    else if (half == 'a' && hour == 12)
        hour = 0;
    snprintf(time, 6, "%02u:%02u", (unsigned)hour % 100u, (unsigned)minute % 100u);
    return true;
}

bool kb_value_version4(struct kb_span span, uint64_t parts[4])
{
    memset(parts, 0, 4 * sizeof *parts);
    span = kb_span_trim(span);
    const char *blank = memchr(span.text, ' ', span.length);
    if (blank != NULL) /* a word behind it is a remark: 5.0.2195.4555 shp */
        span.length = (size_t)(blank - span.text);
    size_t count = 0, at = 0;
    for (;;) {
        size_t digits = 0;
        if (count == 4)
            return false;
        for (; at < span.length && is_digit(span.text[at]); at++, digits++)
            parts[count] = parts[count] * 10 + (uint64_t)(span.text[at] - '0');
        if (digits == 0 || digits > 12)
            return false;
        count++;
        if (at == span.length)
            return count >= 2;
        if (span.text[at++] != '.')
            return false;
    }
}

int kb_value_version_strength(struct kb_span span)
{
    size_t dots = 0, digits = 0;
    uint64_t bytes;
    if (span.length == 0 || span.length > 48 || !is_digit(span.text[0]))
        return 0;
    if (memchr(span.text, ',', span.length) != NULL && kb_value_size(span, &bytes) == KB_SIZE_BYTES)
        return 0; /* 1,328,039 */
    for (size_t i = 0; i < span.length; i++) {
        char c = span.text[i];
        if (is_digit(c))
            digits++;
        else if (c == '.' || (c == ',' && i + 1 < span.length))
            dots++;
        else if (!is_letter(c) && c != '-' && c != '_' && c != '(' && c != ')' && c != '+')
            return 0;
    }
    if (digits < span.length - dots && dots < 2)
        return 0; /* 12-May, 322KB, 7a */
    return dots >= 2 ? 3 : dots == 1 ? 2 : 1;
}

enum kb_size_kind kb_value_size(struct kb_span span, uint64_t *bytes)
{
    *bytes = 0;
    span = kb_span_trim(span);
    size_t at = 0, group = 0, groups = 0, digits = 0;
    bool odd = false;
    while (at < span.length) {
        char c = span.text[at];
        if (is_digit(c)) {
            if (++digits > 15)
                return KB_SIZE_NONE;
            *bytes = *bytes * 10 + (uint64_t)(c - '0');
            group++;
        } else if ((c == ',' || c == '.') && at > 0 && group > 0) {
            odd = odd || (groups > 0 ? group != 3 : group > 3);
            groups++;
            group = 0;
            if (at + 1 < span.length && span.text[at + 1] == ' ')
                at++; /* 1,279, 824 */
        } else if (c == ' ' && groups == 0 && group > 0 && at + 4 == span.length && is_digit(span.text[at + 1])) {
            odd = odd || group > 3;
            group = 0; /* 84 304 */
            groups++;
        } else {
            break;
        }
        at++;
    }
    if (digits == 0 || group == 0)
        return KB_SIZE_NONE;
    odd = odd || (groups > 0 && group != 3);
    struct kb_span unit = kb_span_trim((struct kb_span){.text = span.text + at, .length = span.length - at});
    static const char *const of_bytes[] = {"", "b", "byte", "bytes"};
    static const char *const rounded[] = {"k", "kb", "kbyte",  "kbytes",    "kilobytes",
                                          "m", "mb", "mbytes", "megabytes", "gb"};
    for (size_t i = 0; i < sizeof of_bytes / sizeof *of_bytes; i++)
        if (kb_span_equals(unit, of_bytes[i]))
            return odd ? KB_SIZE_ODD : KB_SIZE_BYTES;
    *bytes = 0;
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        if (kb_span_equals(unit, rounded[i]))
            return KB_SIZE_ROUNDED;
    return KB_SIZE_NONE;
}

int kb_value_file_strength(struct kb_span span)
{
    bool letter = false, path = false;
    size_t dot = 0;
    if (span.length == 0 || span.length > 255)
        return 0;
    for (size_t i = 0; i < span.length; i++) {
        char c = span.text[i];
        if ((unsigned char)c < ' ' || strchr("?\"|", c) != NULL || (c == ':' && i != 1))
            return 0;
        letter = letter || is_letter(c) || (unsigned char)c >= 0x80;
        path = path || c == '\\';
        if (c == '.')
            dot = i;
        if (c == '/' && i + 1 < span.length && span.text[i + 1] == '/')
            return 0; /* the address of a page */
    }
    uint64_t bytes;
    char last = span.text[span.length - 1];
    if (kb_value_size(span, &bytes) != KB_SIZE_NONE)
        return 0; /* 4.00, 10.2K */
    if (last == '.' || last == ',' || last == ';' || last == ':' || last == '\\' || !letter)
        return 0;
    size_t extension = span.length - dot - 1;
    if (dot > 0 && extension <= 12) {
        if (kb_value_version_strength(span) >= 3)
            return 0;
        return 2;
    }
    return path ? 2 : letter ? 1 : 0;
}

bool kb_value_is_platform(struct kb_span span)
{
    static const char *const words[] = {
        "x86",   "i386",  "ix86",  "x386",  "intel",     "alpha",     "axp",       "mips",    "ppc",     "x64", "amd64",
        "ia64",  "ia-64", "ia32",  "ia-32", "i486",      "i586",      "i686",      "arm",     "arm64",   "sh3", "sh4",
        "win95", "win98", "winnt", "win2k", "macintosh", "x86-based", "x64-based", "powerpc", "itanium", "all"};
    span = kb_value_platform(span);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (kb_span_equals(span, words[i]))
            return true;
    return false;
}

struct kb_span kb_value_platform(struct kb_span span)
{
    static const char *const pairs[] = {"()", "<>", "[]", "{}"};
    span = kb_span_trim(span);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (span.length < 2 || span.text[0] != pairs[i][0] || span.text[span.length - 1] != pairs[i][1])
            continue;
        struct kb_span inner = {.text = span.text + 1, .length = span.length - 2};
        if (memchr(inner.text, pairs[i][0], inner.length) == NULL &&
            memchr(inner.text, pairs[i][1], inner.length) == NULL)
            return kb_span_trim(inner);
    }
    return span;
}
