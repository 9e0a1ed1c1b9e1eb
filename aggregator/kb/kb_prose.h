/* An article as one running text, in which a sentence or a table that went over several lines can be followed. */

#ifndef EVENKEEL_KB_PROSE_H
#define EVENKEEL_KB_PROSE_H

#include "kb_text.h"
#include "kb_value.h"

/* Lines are joined by one blank, paragraphs by '\n'; rules are left out. Owned; free with kb_prose_clear(). */
struct kb_prose {
    char *data;
    size_t length;
    size_t *starts; /* where each line of the text begins in data */
    const struct kb_text *text;
};

int kb_prose_make(const struct kb_text *text, struct kb_prose *prose, struct error *error);
void kb_prose_clear(struct kb_prose *prose);

/* The index of the text's line from which the byte at `offset` comes. */
size_t kb_prose_line(const struct kb_prose *prose, size_t offset);

/* The number in the file of that line. */
uint32_t kb_prose_number(const struct kb_prose *prose, size_t offset);

/* The sentence around `offset`: from behind the full stop before it to before the one after it, at most 600 bytes
 * either way. */
struct kb_span kb_prose_sentence(const struct kb_prose *prose, size_t offset);

#endif
