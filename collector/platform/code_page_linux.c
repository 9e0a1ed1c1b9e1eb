/* Code pages by the C library's iconv. */

#include "code_page.h"

#include "proto/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int code_page_to_utf8(unsigned page, struct bytes text, char **utf8, size_t *length, uint64_t *undecodable,
                      struct error *error)
{
    char name[16];
    *utf8 = NULL;
    *length = 0;
    *undecodable = 0;
    snprintf(name, sizeof name, "CP%u", page);
    iconv_t converter = iconv_open("UTF-8", name);
    if ((intptr_t)converter == -1)
        return error_set(error, ERROR_USAGE,
                         "code page %u is not known here; Windows' are 1250 to 1258, 874, 932 and so on", page);
    /* A code of such a page is at most two bytes and has at most three as UTF-8, U+FFFD for one byte too. */
    size_t room = text.length * 3 + 1, left = text.length;
    char *out = malloc(room), *to = out, *from = (char *)text.data;
    while (out != NULL && left > 0) {
        size_t free_room = room - (size_t)(to - out) - 1;
        if (iconv(converter, &from, &left, &to, &free_room) != (size_t)-1)
            break;
        if (errno == E2BIG) {
            size_t used = (size_t)(to - out);
            char *grown = realloc(out, room = room * 2 + 8);
            if (grown == NULL) {
                free(out);
                out = NULL;
                break;
            }
            out = grown;
            to = out + used;
            continue;
        }
        if (free_room < 3) {
            errno = E2BIG;
            continue;
        }
        to += utf8_put(to, UTF8_REPLACEMENT);
        from++;
        left--;
        ++*undecodable;
    }
    iconv_close(converter);
    if (out == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
    *to = 0;
    *utf8 = out;
    *length = (size_t)(to - out);
    return 0;
}
