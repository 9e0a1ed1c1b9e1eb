/*
 * Prints what was read from articles and file lists, for tests: kb_dump FILE... the rows, as `evenkeel catalog
 * import-kb --format tsv` does; kb_dump --facts FILE... a line for each product, section, requirement and 'first
 * corrected' statement.
 */

#include "aggregator/kb/kb_article.h"

#include "proto/cleanup.h"

#include <string.h>

static int print_facts(const char *path, struct error *error)
{
    _cleanup_(kb_document_clear) struct kb_document document = {0};
    if (kb_read_file(path, &document, error) < 0)
        return -1;
    for (size_t i = 0; i < document.product_count; i++)
        printf("product\t%s\t%s\n", document.article, document.products[i]);
    for (size_t i = 0; i < document.section_count; i++)
        printf("section\t%s\t%s\t%s\n", document.article, document.sections[i].product,
               document.sections[i].architecture);
    for (size_t i = 0; i < document.requirement_count; i++)
        printf("requires\t%s\t%s\t%s\t%s\n", document.article, document.requirements[i].product,
               document.requirements[i].levels, document.requirements[i].sentence);
    for (size_t i = 0; i < document.first_corrected_count; i++)
        printf("first_corrected\t%s\t%s\t%s\n", document.article, document.first_corrected[i].product,
               document.first_corrected[i].service_pack);
    return 0;
}

int main(int count, char **arguments)
{
    struct error error = {0};
    if (count < 2 || strcmp(arguments[1], "--facts") != 0)
        return kb_print_tsv((const char *const *)arguments + 1, (size_t)count - 1, stdout, stderr, &error) < 0 ? 1 : 0;
    for (int i = 2; i < count; i++)
        if (print_facts(arguments[i], &error) < 0) {
            fprintf(stderr, "%s: %s\n", arguments[i], error.message);
            return 1;
        }
    return 0;
}
