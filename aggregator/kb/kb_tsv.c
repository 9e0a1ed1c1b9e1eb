/* Prints what was read from articles and lists as tab-separated rows. */

#include "kb_article.h"

#include "kb_value.h"
#include "proto/cleanup.h"

#include <inttypes.h>

/* As it is: a path's backslash too. No value has a line break; a tab, which one from a CSV list could have, becomes a
 * blank. */
static void print_field(FILE *out, const char *value)
{
    for (; *value != '\0'; value++)
        putc(*value == '\t' ? ' ' : *value, out);
}

static void print_row(const struct kb_document *document, const struct kb_row *row, FILE *out)
{
    uint64_t parts[4];
    print_field(out, document->article);
    fprintf(out, "\t%s\t%s\t", row->date, row->time);
    print_field(out, row->version);
    putc('\t', out);
    if (kb_value_version4(kb_span_of(row->version), parts))
        fprintf(out, "%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".%" PRIu64, parts[0], parts[1], parts[2], parts[3]);
    putc('\t', out);
    if (row->has_size)
        fprintf(out, "%" PRIu64, row->size);
    putc('\t', out);
    print_field(out, row->file);
    putc('\t', out);
    print_field(out, row->platform);
    putc('\n', out);
}

int kb_print_tsv(const char *const *paths, size_t count, FILE *out, FILE *problems, struct error *error)
{
    int status = 0;
    fputs("article\tdate\ttime\tversion\tversion4\tsize\tfile\tplatform\n", out);
    for (size_t i = 0; i < count; i++) {
        _cleanup_(kb_document_clear) struct kb_document document = {.article = ""};
        if (kb_read_file(paths[i], &document, error) < 0) {
            fprintf(problems, "%s: %s\n", paths[i], error != NULL ? error->message : "can't be read");
            status = -1;
            continue;
        }
        for (size_t row = 0; row < document.row_count; row++)
            print_row(&document, &document.rows[row], out);
        for (size_t problem = 0; problem < document.problem_count; problem++)
            fprintf(problems, "%s:%" PRIu32 ": %s\n", paths[i], document.problems[problem].line,
                    document.problems[problem].sentence);
        if (document.problems_left_out > 0)
            fprintf(problems, "%s: %zu further problems\n", paths[i], document.problems_left_out);
    }
    if (fflush(out) != 0 || ferror(out))
        return error_set(error, ERROR_IO, "can't write the rows; is the disk full?");
    return status;
}
