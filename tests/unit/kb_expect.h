/* What the tests of the article reader share: reading a text, and expecting rows and problems. */

#ifndef EVENKEEL_TESTS_KB_EXPECT_H
#define EVENKEEL_TESTS_KB_EXPECT_H

#include "aggregator/kb/kb_article.h"

#include "proto/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLEARED _cleanup_(kb_document_clear)

static inline struct kb_document read_bytes(const void *data, size_t length, const char *name)
{
    struct kb_document document;
    struct error error = {0};
    if (kb_read(bytes_of(data, length), name, &document, &error) < 0)
        fail_msg("%s", error.message);
    return document;
}

static inline struct kb_document read_text(const char *text)
{
    return read_bytes(text, strlen(text), "Q100500.TXT");
}

static inline struct kb_document read_csv(const char *text)
{
    return read_bytes(text, strlen(text), "KB5044999.csv");
}

/* The row as a line: date|time|version|size|file|platform. */
static inline void expect_row(const struct kb_document *document, size_t index, const char *wanted)
{
    char seen[512], size[24] = "";
    assert_true(index < document->row_count);
    const struct kb_row *row = &document->rows[index];
    if (row->has_size)
        snprintf(size, sizeof size, "%llu", (unsigned long long)row->size);
    snprintf(seen, sizeof seen, "%s|%s|%s|%s|%s|%s", row->date, row->time, row->version, size, row->file,
             row->platform);
    assert_string_equal(seen, wanted);
}

static inline void expect_problem(const struct kb_document *document, uint32_t line, const char *words)
{
    for (size_t i = 0; i < document->problem_count; i++)
        if (document->problems[i].line == line && strstr(document->problems[i].sentence, words) != NULL)
            return;
    fail_msg("no problem in line %u says '%s'", line, words);
}

/* One row below a heading, read as text. */
static inline void expect_one(const char *heading, const char *row, const char *wanted)
{
    char text[512];
    snprintf(text, sizeof text, "%s\n-----\n%s\n", heading, row);
    CLEARED struct kb_document document = read_text(text);
    assert_int_equal(document.row_count, 1);
    expect_row(&document, 0, wanted);
}

#endif
