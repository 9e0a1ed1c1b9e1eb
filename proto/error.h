/* An error as a value: a code to act on and a sentence to show. The outermost duty prints it, once. */

#ifndef EVENKEEL_ERROR_H
#define EVENKEEL_ERROR_H

#include <stdarg.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE,     /* the caller's words are off: options, names, values */
    ERROR_NOT_FOUND, /* a file, host, product that is not there */
    ERROR_IO,        /* the system refused to read or write */
    ERROR_FORMAT,    /* foreign bytes that are not what they should be */
    ERROR_LIMIT,     /* larger, deeper or more than is allowed */
    ERROR_MEMORY,
    ERROR_NETWORK, /* a peer that can't be reached, or stopped talking */
    ERROR_DATABASE,
    ERROR_CONFLICT, /* the database: another session did the same at the same moment; tried again it may go */
    ERROR_REFUSED,  /* a peer's definite no */
    ERROR_BUSY,     /* a peer's 'later' */
};

/* Plain data; put it on the stack as `struct error error = {0};`. */
struct error {
    enum error_code code;
    char message[512]; /* one sentence without a line break: quotes the offending input and names the remedy */
};

/*
 * Fills *error (which may be NULL) and returns -1, so that a failing function can end with
 * `return error_set(error, ERROR_IO, "can't open '%s': %s", path, strerror(errno));`.
 * What must not be shown (utf8_step()) is replaced by '?', so that foreign names can't play with a terminal.
 */
int error_set(struct error *error, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__ /* which sees one file at a time: so that it knows what comes back */
#define error_set(...) (error_set(__VA_ARGS__), -1)
#endif

#endif
