/* A growing list of owned strings. */

#include "string_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int string_list_take(struct string_list *list, char *string, struct error *error)
{
    if (string != NULL && list->count == list->room) {
        size_t room = list->room == 0 ? 8 : list->room * 2;
        char **items = realloc(list->items, room * sizeof *items);
        if (items == NULL) {
            free(string);
            string = NULL;
        } else {
            list->items = items;
            list->room = room;
        }
    }
    if (string == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory: give the collector more");
    list->items[list->count++] = string;
    return 0;
}

int string_list_add(struct string_list *list, const char *string, struct error *error)
{
    return string_list_take(list, strdup(string), error);
}

void string_list_note(struct string_list *list, const char *format, ...)
{
    struct error sentence = {0}; /* formats as errors do: bounded, without control characters */
    char text[sizeof sentence.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(&sentence, ERROR_NONE, "%s", text);
    if (list != NULL && list->count < STRING_LIST_NOTE_LIMIT)
        string_list_add(list, sentence.message, NULL);
}

void string_list_clear(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}
