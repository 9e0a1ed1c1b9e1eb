/* Reads one file of the knowledge base: finds out what it is, and has the right readers read it. */

#include "kb_article.h"

#include "kb_csv.h"
#include "kb_facts.h"
#include "kb_table.h"
#include "proto/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Bytes of text in an article; the longest that has a file table is under 100 kB. */
#define ARTICLE_LIMIT (2u << 20)

static int read_article(const struct kb_text *text, const char *name, struct kb_document *document, struct error *error)
{
    if (text->length > ARTICLE_LIMIT)
        return error_set(error, ERROR_LIMIT, "%zu bytes of text and no CSV list; an article has at most %u",
                         text->length, ARTICLE_LIMIT);
    _cleanup_free_ bool *used = calloc(text->count, sizeof *used);
    if (used == NULL)
        return error_set(error, ERROR_MEMORY, "no memory left while reading an article");
    if (kb_facts_number(document, text, name, error) < 0 || kb_table_read_lines(document, text, used, error) < 0 ||
        kb_table_read_run_together(document, text, used, error) < 0)
        return -1;
    return kb_facts_read(document, text, error);
}

static int read_text(struct kb_text *text, const char *name, struct kb_document *document, struct error *error)
{
    if (kb_text_is_html(text)) {
        _cleanup_(kb_text_clear) struct kb_text lines = {0};
        if (kb_text_from_html(text, &lines, error) < 0)
            return -1;
        return read_article(&lines, name, document, error);
    }
    if (!kb_csv_is(text, name)) {
        kb_text_blank_tags(text);
        return read_article(text, name, document, error);
    }
    if (kb_facts_number(document, text, name, error) < 0)
        return -1;
    return kb_csv_read(document, text, error);
}

int kb_read(struct bytes input, const char *name, struct kb_document *document, struct error *error)
{
    _cleanup_(kb_text_clear) struct kb_text text = {0};
    struct error reason = {0};
    *document = (struct kb_document){.article = ""};
    if (input.length > KB_INPUT_LIMIT)
        return error_set(error, ERROR_LIMIT, "'%s' has %zu bytes; a list of files has at most %u", name, input.length,
                         KB_INPUT_LIMIT);
    if (kb_text_read(input, &text, &reason) == 0 && read_text(&text, name, document, &reason) == 0)
        return 0;
    kb_document_clear(document);
    return error_set(error, reason.code, "'%s': %s", name, reason.message);
}

/* Reads the whole of fd, at most one byte more than is allowed. */
static int read_all(int fd, const char *path, uint8_t **data, size_t *length, struct error *error)
{
    size_t room = 0;
    for (;;) {
        if (*length == room) {
            room = room == 0 ? 65536 : room * 2;
            uint8_t *larger = realloc(*data, room);
            if (larger == NULL)
                return error_set(error, ERROR_MEMORY, "no memory left while reading '%s'", path);
            *data = larger;
        }
        ssize_t got = read(fd, *data + *length, room - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_IO, "can't read '%s': %s", path, strerror(errno));
        if (got == 0)
            return 0;
        *length += (size_t)got;
        if (*length > KB_INPUT_LIMIT)
            return error_set(error, ERROR_LIMIT, "'%s' has more than %u bytes, the most that a list of files may have",
                             path, KB_INPUT_LIMIT);
    }
}

int kb_read_file(const char *path, struct kb_document *document, struct error *error)
{
    _cleanup_free_ uint8_t *data = NULL;
    size_t length = 0;
    *document = (struct kb_document){.article = ""};
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "can't open '%s': %s", path,
                         strerror(errno));
    if (read_all(fd, path, &data, &length, error) < 0)
        return -1;
    return kb_read(bytes_of(data, length), path, document, error);
}
