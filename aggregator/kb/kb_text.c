/* Decodes foreign bytes into clean lines of UTF-8. */

#include "kb_text.h"

#include "proto/utf8.h"

#include <stdlib.h>

/* What Windows-1252 has at 0x80 to 0x9f (Unicode Consortium, CP1252.TXT); 0 where it has nothing. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "no memory left while reading an article");
}

int kb_text_append(struct kb_text *text, const char *data, size_t length, struct error *error)
{
    if (text->room - text->length < length + 1) {
        size_t room = (text->length + length + 1) * 2;
        char *larger = realloc(text->data, room < 4096 ? 4096 : room);
        if (larger == NULL)
            return no_memory(error);
        text->data = larger;
        text->room = room < 4096 ? 4096 : room;
    }
    memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
    return 0;
}

int kb_text_end_line(struct kb_text *text, uint32_t number, struct error *error)
{
    if (text->count == text->line_room) {
        size_t room = text->line_room == 0 ? 256 : text->line_room * 2;
        struct kb_line *larger = realloc(text->lines, room * sizeof *larger);
        if (larger == NULL)
            return no_memory(error);
        text->lines = larger;
        text->line_room = room;
    }
    size_t start = 0;
    if (text->count > 0)
        start = text->lines[text->count - 1].start + text->lines[text->count - 1].length + 1;
    struct kb_line line = {.start = start, .length = text->length - start, .number = number};
    if (kb_text_append(text, "", 1, error) < 0)
        return -1;
    text->lines[text->count++] = line;
    return 0;
}

static int append_character(struct kb_text *text, uint32_t c, struct error *error)
{
    char utf8[UTF8_MOST];
    if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && c < 0xa0) || c == 0xa0)
        c = ' ';
    if (c >= 0xd800 && (c < 0xe000 || c > 0x10ffff))
        c = UTF8_REPLACEMENT;
    size_t length = utf8_put(utf8, c);
    return kb_text_append(text, utf8, length, error);
}

enum encoding { WINDOWS_1252, UTF_8, UTF_16_LITTLE, UTF_16_BIG };

/* A byte order mark decides; without one UTF-16 shows by the zero bytes of its ASCII letters. */
static enum encoding guess_encoding(struct bytes input, size_t *skip)
{
    uint8_t a, b, c;
    *skip = 2;
    bytes_u8(input, 0, &a);
    bytes_u8(input, 1, &b);
    bytes_u8(input, 2, &c);
    if (a == 0xff && b == 0xfe)
        return UTF_16_LITTLE;
    if (a == 0xfe && b == 0xff)
        return UTF_16_BIG;
    *skip = a == 0xef && b == 0xbb && c == 0xbf ? 3 : 0;
    size_t zeroes[2] = {0}, looked_at = input.length < 512 ? input.length : 512;
    for (size_t i = 0; i < looked_at; i++) {
        bytes_u8(input, i, &a);
        zeroes[i % 2] += a == 0;
    }
    if (zeroes[1] > looked_at / 4 && zeroes[0] < looked_at / 16)
        return UTF_16_LITTLE;
    if (zeroes[0] > looked_at / 4 && zeroes[1] < looked_at / 16)
        return UTF_16_BIG;
    return bytes_are_utf8(input) ? UTF_8 : WINDOWS_1252;
}

/* The character at *offset, which moves on; the bytes of UTF-8 come one by one, since they are known to be well-formed.
 */
static uint32_t next_character(struct bytes input, enum encoding encoding, size_t *offset)
{
    uint8_t byte;
    uint16_t unit, low;
    if (encoding == UTF_8 || encoding == WINDOWS_1252) {
        bytes_u8(input, (*offset)++, &byte);
        return encoding == WINDOWS_1252 && byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte;
    }
    bytes_u16(input, *offset, &unit);
    bool more = bytes_u16(input, *offset + 2, &low);
    *offset += 2;
    if (encoding == UTF_16_BIG) {
        unit = (uint16_t)(unit >> 8 | unit << 8);
        low = (uint16_t)(low >> 8 | low << 8);
    }
    if (!more || unit < 0xd800 || unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return unit;
    *offset += 2;
    return 0x10000u + ((uint32_t)(unit & 0x3ff) << 10 | (low & 0x3ff));
}

int kb_text_read(struct bytes input, struct kb_text *text, struct error *error)
{
    size_t offset, zeroes = 0;
    enum encoding encoding = guess_encoding(input, &offset);
    uint32_t number = 1, before = 0;
    *text = (struct kb_text){0};
    while (offset < input.length) {
        uint32_t c = next_character(input, encoding, &offset);
        zeroes += c == 0;
        int status = 0;
        if (c == '\n' && before == '\r')
            status = 0;
        else if (c == '\n' || c == '\r')
            status = kb_text_end_line(text, number++, error);
        else if (encoding == UTF_8 && c >= 0x80)
            status = kb_text_append(text, &(char){(char)c}, 1, error);
        else
            status = append_character(text, c, error);
        before = c;
        if (status < 0) {
            kb_text_clear(text);
            return -1;
        }
    }
    if (zeroes > 16 + input.length / 100) {
        kb_text_clear(text);
        return error_set(error, ERROR_FORMAT, "no text: %zu zero bytes; give an article as text, HTML or CSV", zeroes);
    }
    if (kb_text_end_line(text, number, error) < 0) {
        kb_text_clear(text);
        return -1;
    }
    return 0;
}

void kb_text_clear(struct kb_text *text)
{
    free(text->data);
    free(text->lines);
    *text = (struct kb_text){0};
}
