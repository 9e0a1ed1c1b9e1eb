/* Percent-encoding (RFC 3986, section 2.1), and the parameters of a query. */

#ifndef EVENKEEL_URL_H
#define EVENKEEL_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* In place, which only shrinks; false for a broken escape, and for NUL. */
bool url_decode(char *text, bool plus_is_space);

/*
 * The next parameter of a query that came as 'name=value&name=value', decoded; *at is where it begins, and then where
 * the next one does. 1, 0 at the end, or -1 for one that is broken or does not fit, which is then passed over.
 */
struct url_parameter {
    char name[32], value[1024];
};
int url_next(const char **at, struct url_parameter *parameter);

/* Text as the value of a parameter: all but letters, digits and - . _ ~ is escaped, which is HTML, too. */
void url_put(const char *text, FILE *out);

#endif
