/* Fuzzes the reader of knowledge-base articles and file lists: the first byte chooses the file's name, the rest is the
 * file. */

#include "aggregator/kb/kb_article.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is true of any document: terms that the database relies on. */
static void check(const struct kb_document *document)
{
    for (size_t i = 0; i < document->row_count; i++) {
        const struct kb_row *row = &document->rows[i];
        if (row->file[0] == '\0' || row->line == 0 || (row->has_section && row->section >= document->section_count))
            abort();
        const char *const strings[] = {row->file, row->version, row->platform};
        for (size_t j = 0; j < sizeof strings / sizeof *strings; j++)
            if (!bytes_are_utf8(bytes_of(strings[j], strlen(strings[j]))))
                abort();
    }
    for (size_t i = 0; i < document->requirement_count; i++)
        if (document->requirements[i].levels[0] == '\0')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"", "Q123456.TXT", "KB5044288.csv", "page.html"};
    struct kb_document document;
    struct error error = {0};
    if (size == 0)
        return 0;
    if (kb_read(bytes_of(data + 1, size - 1), names[data[0] % 4], &document, &error) == 0)
        check(&document);
    kb_document_clear(&document);
    return 0;
}
