/* A kb_document's memory: its strings in a few large blocks, its lists grown by doubling, all within stated limits. */

#include "kb_document.h"

#include <stdlib.h>

/* Size of a block of strings, bytes; a longer string gets a block of its own. */
#define BLOCK_SIZE 65536u

struct kb_strings {
    struct kb_strings *next;
    size_t used, size;
    char data[];
};

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "no memory left while reading an article");
}

/* Without the first bytes of a character whose last ones were cut off. */
static size_t whole_characters(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0)
        return length;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    return length - (start - 1) < needed ? start - 1 : length;
}

int kb_document_keep(struct kb_document *document, const char *text, size_t length, const char **kept,
                     struct error *error)
{
    *kept = "";
    length = whole_characters(text, length);
    if (length == 0)
        return 0;
    struct kb_strings *block = document->strings;
    if (block == NULL || block->size - block->used <= length) {
        size_t size = length + 1 > BLOCK_SIZE ? length + 1 : BLOCK_SIZE;
        block = malloc(sizeof *block + size);
        if (block == NULL)
            return no_memory(error);
        *block = (struct kb_strings){.next = document->strings, .size = size};
        document->strings = block;
    }
    char *copy = block->data + block->used;
    memcpy(copy, text, length);
    copy[length] = '\0';
    block->used += length + 1;
    *kept = copy;
    return 0;
}

/* Makes room for one more element of `size` bytes; `count` elements are there, and the room is always a power of two of
 * at least 16. */
static int make_room(void **list, size_t count, size_t size, struct error *error)
{
    if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
        return 0;
    size_t room = count == 0 ? 16 : count * 2;
    void *larger = realloc(*list, room * size);
    if (larger == NULL)
        return no_memory(error);
    *list = larger;
    return 0;
}

static int append(void **list, size_t *count, const void *element, size_t size, size_t limit, const char *noun,
                  struct error *error)
{
    if (*count >= limit)
        return error_set(error, ERROR_LIMIT, "more than %zu %s in one file; split the file", limit, noun);
    if (make_room(list, *count, size, error) < 0)
        return -1;
    memcpy((char *)*list + *count * size, element, size);
    (*count)++;
    return 0;
}

#define APPEND(list, count, element, limit, noun)                                                                      \
    append((void **)&(list), &(count), (element), sizeof *(element), (limit), (noun), error)

int kb_document_add_row(struct kb_document *document, const struct kb_row *row, struct error *error)
{
    return APPEND(document->rows, document->row_count, row, KB_ROW_LIMIT, "rows");
}

int kb_document_add_requirement(struct kb_document *document, const struct kb_requirement *requirement,
                                struct error *error)
{
    return APPEND(document->requirements, document->requirement_count, requirement, KB_FACT_LIMIT, "requirements");
}

int kb_document_add_first_corrected(struct kb_document *document, const struct kb_first_corrected *statement,
                                    struct error *error)
{
    return APPEND(document->first_corrected, document->first_corrected_count, statement, KB_FACT_LIMIT, "statements");
}

int kb_document_add_section(struct kb_document *document, const struct kb_section *section, struct error *error)
{
    return APPEND(document->sections, document->section_count, section, KB_FACT_LIMIT, "sections");
}

int kb_document_add_product(struct kb_document *document, const char *product, struct error *error)
{
    return APPEND(document->products, document->product_count, &product, KB_FACT_LIMIT, "products");
}

int kb_document_add_problem(struct kb_document *document, struct error *error, uint32_t line, const char *format, ...)
{
    if (document->problem_count >= KB_PROBLEM_LIMIT) {
        document->problems_left_out++;
        return 0;
    }
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = 0;
    if ((size_t)length >= sizeof sentence)
        length = (int)sizeof sentence - 1;
    for (int i = 0; i < length; i++)
        if ((unsigned char)sentence[i] < 0x20 || sentence[i] == 0x7f)
            sentence[i] = ' ';
    struct kb_problem problem = {.line = line};
    if (kb_document_keep(document, sentence, (size_t)length, &problem.sentence, error) < 0)
        return -1;
    return APPEND(document->problems, document->problem_count, &problem, KB_PROBLEM_LIMIT, "problems");
}

int kb_document_set_number(struct kb_document *document, uint32_t number, struct error *error)
{
    char article[16];
    int length = snprintf(article, sizeof article, "%s%u", number < 1000000 ? "Q" : "KB", number);
    document->number = number;
    return kb_document_keep(document, article, (size_t)length, &document->article, error);
}

void kb_document_clear(struct kb_document *document)
{
    for (struct kb_strings *block = document->strings; block != NULL;) {
        struct kb_strings *next = block->next;
        free(block);
        block = next;
    }
    free(document->rows);
    free(document->requirements);
    free(document->first_corrected);
    free(document->sections);
    free(document->products);
    free(document->problems);
    *document = (struct kb_document){.article = ""};
}
