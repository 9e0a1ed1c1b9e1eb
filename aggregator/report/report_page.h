/* What frames a page: head, script, links. Nothing in it comes from elsewhere. */

#ifndef EVENKEEL_REPORT_PAGE_H
#define EVENKEEL_REPORT_PAGE_H

#include <stdbool.h>
#include <stdio.h>

/* A page's beginning, up to its body: title and style, and a policy under which nothing but its own script runs. The
 * day may be empty. */
void report_page_head(const char *title, const char *day, FILE *out);

/* The same for a page without a script that adds to the style and may hold forms that lead to its own server. */
void report_page_plain_head(const char *title, const char *style, FILE *out);

/* A table's beginning, up to its rows: names of columns separated by '|'. The report's script gives them buttons. */
void report_table_begin(const char *caption, const char *columns, FILE *out);

/* The script of the report's page, as an element. */
void report_page_script(FILE *out);

/* Whether pages are anywhere (report_base_url()). The begin of a link to one of them, `page` with a value behind it
 * that is escaped, and its end; nothing where they are nowhere. */
bool report_links(void);
void report_link_begin(const char *page, const char *value, FILE *out);
void report_link_end(FILE *out);

#endif
