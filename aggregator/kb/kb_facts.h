/* What an article says besides its tables: its number, its products, which level it needs, which level corrected the
 * problem. */

#ifndef EVENKEEL_KB_FACTS_H
#define EVENKEEL_KB_FACTS_H

#include "kb_document.h"
#include "kb_text.h"

/* Sets the article's number from its head, or else from the file's name. */
int kb_facts_number(struct kb_document *document, const struct kb_text *text, const char *name, struct error *error);

/* Adds products, requirements and 'first corrected' statements. */
int kb_facts_read(struct kb_document *document, const struct kb_text *text, struct error *error);

#endif
