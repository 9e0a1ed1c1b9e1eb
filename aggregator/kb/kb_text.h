/* Foreign text as clean lines: UTF-8, no control characters but tab, each line terminated by NUL and numbered as in the
 * file. */

#ifndef EVENKEEL_KB_TEXT_H
#define EVENKEEL_KB_TEXT_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands between the cells of a row that came out of an HTML table; in no other text. */
#define KB_CELL '\x1f'

/* A line's place in kb_text.data, without its end; a NUL follows it. */
struct kb_line {
    size_t start, length;
    uint32_t number; /* in the file, from 1 */
};

/* Owned; free with kb_text_clear(). There are `length` bytes of data and a NUL behind them. */
struct kb_text {
    char *data;
    size_t length, room;
    struct kb_line *lines;
    size_t count, line_room;
};

/*
 * Decodes UTF-16 (by its mark, or by its zero bytes), UTF-8, or else Windows-1252; lines end with LF, CR LF or CR.
 * Bytes that are no text are ERROR_FORMAT.
 */
int kb_text_read(struct bytes input, struct kb_text *text, struct error *error);

/* Whether the text is HTML: it begins with a tag. Articles show pieces of HTML as text, so tags further down prove
 * nothing. */
bool kb_text_is_html(const struct kb_text *text);

/*
 * Turns HTML into text: paragraphs become lines with an empty one behind, a table's row becomes a line with KB_CELL
 * between the cells, preformatted text keeps its lines and blanks, entities are decoded. Of nested tables only the
 * innermost keeps its rows.
 */
int kb_text_from_html(const struct kb_text *html, struct kb_text *text, struct error *error);

/* Blanks out the few tags that an article in plain text has kept by mistake, such as <BR/>; places on the line stay. */
void kb_text_blank_tags(struct kb_text *text);

/* Appends bytes to the last line; ends it, giving it a number. For those who make a text. */
int kb_text_append(struct kb_text *text, const char *data, size_t length, struct error *error);
int kb_text_end_line(struct kb_text *text, uint32_t number, struct error *error);

static inline const char *kb_text_line(const struct kb_text *text, size_t index)
{
    return text->data + text->lines[index].start;
}

void kb_text_clear(struct kb_text *text);

#endif
