/* The part of inih's interface that the collector uses, for where its source can't be had. */

#ifndef EVENKEEL_INI_H
#define EVENKEEL_INI_H

#define INI_LINE_BYTES 200 /* inih's default */

typedef int (*ini_handler)(void *user, const char *section, const char *name, const char *value); /* 0: an error */
typedef char *(*ini_reader)(char *line, int size, void *stream);                                  /* as fgets() */

/*
 * Reads 'name = value' or 'name: value' lines and '[section]' lines; ';' and '#' at a line's start, and ';' behind
 * white space, begin a comment; a line that starts with white space gives the name before it another value. Returns 0,
 * or the number of the first line that is none of these or that the handler refused; the lines behind it are read all
 * the same.
 */
int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user);

#endif
