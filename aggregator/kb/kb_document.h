/* How the readers of articles and lists fill a kb_document. */

#ifndef EVENKEEL_KB_DOCUMENT_H
#define EVENKEEL_KB_DOCUMENT_H

#include "kb_article.h"

/* Copies text[0..length) to where the document's strings lie; *kept is valid as long as the document is. */
int kb_document_keep(struct kb_document *document, const char *text, size_t length, const char **kept,
                     struct error *error);

/* Appends a copy of the plain data; its strings must have been kept, or be literals. Returns -1 at the limit or without
 * memory. */
int kb_document_add_row(struct kb_document *document, const struct kb_row *row, struct error *error);
int kb_document_add_requirement(struct kb_document *document, const struct kb_requirement *requirement,
                                struct error *error);
int kb_document_add_first_corrected(struct kb_document *document, const struct kb_first_corrected *statement,
                                    struct error *error);
int kb_document_add_section(struct kb_document *document, const struct kb_section *section, struct error *error);
int kb_document_add_product(struct kb_document *document, const char *product, struct error *error);

/* Adds a problem of `line`; past KB_PROBLEM_LIMIT it is only counted. */
int kb_document_add_problem(struct kb_document *document, struct error *error, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets number and article. */
int kb_document_set_number(struct kb_document *document, uint32_t number, struct error *error);

#endif
