/* Writing pages: what all of them share, and the pages themselves. */

#ifndef EVENKEEL_PAGE_HTML_H
#define EVENKEEL_PAGE_HTML_H

#include "aggregator/base/html.h"
#include "aggregator/report/report_document.h"
#include "aggregator/report/report_page.h"

#include "proto/words.h"

#include <stdbool.h>
#include <stdio.h>

/* Each writes a whole page out of the document of the SQL function that is called like it. */
void page_fleet(const cJSON *document, FILE *out);
void page_host(const cJSON *document, FILE *out);
void page_findings(const cJSON *document, FILE *out);
void page_file(const cJSON *document, FILE *out);
void page_patch(const cJSON *document, FILE *out);

/* A page that only says a sentence. */
void page_sentence(unsigned status, const char *sentence, FILE *out);

/*
 * A page's beginning: `place` is the path of the page in the navigation that it belongs to ("fleet"; "": none), the
 * heading stands in <title> and <h1>. After it the header is open, for what else stands there; page_main() ends it.
 */
void page_begin(const char *place, const char *eyebrow, const char *heading, FILE *out);
void page_main(FILE *out);
/* The end; `document` says when it was made and where its JSON is. */
void page_end(const cJSON *document, FILE *out);

void put_number(long long count, const char *one, const char *many, FILE *out); /* '1,234 hosts' */
void put_time(const char *iso, FILE *out);                                      /* '2026-11-21 10:04' */

/* <a href="PATH?NAME=VALUE&amp;NAME=VALUE">, with pairs of a name and a value up to NULL; a value that is "" is left
 * out. What is said and </a> are the caller's. */
void put_link_with(FILE *out, const char *path, const char *const *pairs);
#define put_link(out, path, ...) put_link_with((out), (path), (const char *const[]){__VA_ARGS__})
/* Where a list has more: links as put_link()'s to the pages before and behind the document's. */
void put_pager_with(const cJSON *document, FILE *out, const char *path, const char *const *pairs);
#define put_pager(document, out, path, ...)                                                                            \
    put_pager_with((document), (out), (path), (const char *const[]){__VA_ARGS__})
/* A host's name that leads to its page. */
void put_host(const char *host_id, const char *name, FILE *out);
/* A file's path that leads to who has which version of it. */
void put_file(const char *path, FILE *out);

/* A word as a badge: the verdict, a severity. */
void put_badge(const char *kind, const char *text, FILE *out);
/* How much of a whole, drawn as a bar; said in words by what stands beside it. */
void put_share(long long part, long long whole, FILE *out);

/* Rows and the end of tables that report_table_begin() began, which fold to cards on a phone. */
void table_end(FILE *out);
void row_begin(FILE *out);
void row_end(FILE *out);
void cell_begin(const char *name, FILE *out);
void cell_end(FILE *out);

void section_begin(const char *id, const char *title, long long count, const char *note,
                   FILE *out); /* count < 0: none */
void section_end(FILE *out);

#endif
