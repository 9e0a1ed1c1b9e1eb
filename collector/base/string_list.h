/* A growing list of owned strings: problems to be told, parts of a value. */

#ifndef EVENKEEL_STRING_LIST_H
#define EVENKEEL_STRING_LIST_H

#include "proto/error.h"

#include <stddef.h>

/* Plain data; `struct string_list list = {0};` is empty. Every item is NUL-terminated and owned. */
struct string_list {
    char **items;
    size_t count;
    size_t room;
};

/* Appends a copy; on -1 (ERROR_MEMORY) the list is as before. */
int string_list_add(struct string_list *list, const char *string, struct error *error);

/* Appends `string` itself, which the list owns from now on: on -1 it is freed. NULL counts as out of memory. */
int string_list_take(struct string_list *list, char *string, struct error *error);

#define STRING_LIST_NOTE_LIMIT 1000 /* a damaged disk must not be able to flood stderr */

/*
 * Appends a sentence; does nothing where the list is NULL, has STRING_LIST_NOTE_LIMIT items, or memory is out, as a
 * problem is never worth an error.
 */
void string_list_note(struct string_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

void string_list_clear(struct string_list *list);

#endif
