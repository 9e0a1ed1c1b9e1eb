/* Foreign text in HTML: nothing that a host is called becomes markup. */

#ifndef EVENKEEL_HTML_H
#define EVENKEEL_HTML_H

#include <stdio.h>

/* Text, for content and for attributes in double quotes: & < > " ' are escaped, what must not be shown (utf8_step())
 * becomes U+FFFD. */
void html_text(const char *text, FILE *out);

/* A name in an element of its own, so that right-to-left characters in it can't turn its neighbours round. */
void html_name(const char *name, FILE *out);

/* A key as words: 'move_count' as 'move count'. */
void html_words(const char *key, FILE *out);

/* 12,345 */
void html_number(long long number, FILE *out);

#endif
