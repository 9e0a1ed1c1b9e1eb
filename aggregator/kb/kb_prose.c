/* Joins an article's lines to running text, and finds the sentences in it. */

#include "kb_prose.h"

#include <stdlib.h>

/* No sentence that states a level is longer; bytes on either side of the words that were looked for. */
#define SENTENCE_LIMIT 600u

int kb_prose_make(const struct kb_text *text, struct kb_prose *prose, struct error *error)
{
    *prose = (struct kb_prose){.text = text};
    prose->data = malloc(text->length + text->count + 1);
    prose->starts = malloc((text->count + 1) * sizeof *prose->starts);
    if (prose->data == NULL || prose->starts == NULL) {
        kb_prose_clear(prose);
        return error_set(error, ERROR_MEMORY, "no memory left while reading an article");
    }
    for (size_t i = 0; i < text->count; i++) {
        const char *line = kb_text_line(text, i);
        size_t length = text->lines[i].length, rule = 0, words = 0;
        for (size_t at = 0; at < length; at++) {
            rule += line[at] == '-' || line[at] == '=';
            words += (unsigned char)line[at] > ' ' && line[at] != '-' && line[at] != '=';
        }
        bool drop = words == 0 && (rule == 0 || rule >= 3);
        prose->starts[i] = prose->length;
        if (drop && prose->length > 0 && prose->data[prose->length - 1] == ' ')
            prose->data[prose->length - 1] = '\n';
        for (size_t at = 0; !drop && at < length; at++)
            prose->data[prose->length++] = line[at] == KB_CELL ? ' ' : line[at];
        if (!drop)
            prose->data[prose->length++] = ' ';
    }
    prose->data[prose->length] = '\0';
    return 0;
}

void kb_prose_clear(struct kb_prose *prose)
{
    free(prose->data);
    free(prose->starts);
    *prose = (struct kb_prose){0};
}

size_t kb_prose_line(const struct kb_prose *prose, size_t offset)
{
    size_t low = 0, high = prose->text->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (prose->starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t kb_prose_number(const struct kb_prose *prose, size_t offset)
{
    return prose->text->lines[kb_prose_line(prose, offset)].number;
}

/* A full stop before a blank, or, where a page lost its line breaks, between a small letter and a capital one. */
static bool ends_sentence(const struct kb_prose *prose, size_t at)
{
    const char *data = prose->data;
    if (data[at] == '\n')
        return true;
    if (data[at] != '.')
        return false;
    char before = at > 0 ? data[at - 1] : ' ', after = data[at + 1];
    if (after == '\0' || after == ' ' || after == '\n')
        return true;
    return before >= 'a' && before <= 'z' && after >= 'A' && after <= 'Z';
}

struct kb_span kb_prose_sentence(const struct kb_prose *prose, size_t offset)
{
    size_t start = offset, end = offset;
    while (start > 0 && offset - start < SENTENCE_LIMIT && !ends_sentence(prose, start - 1))
        start--;
    while (end < prose->length && end - offset < SENTENCE_LIMIT && !ends_sentence(prose, end))
        end++;
    return kb_span_trim((struct kb_span){.text = prose->data + start, .length = end - start});
}
