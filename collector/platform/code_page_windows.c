/* Code pages by Windows itself. */

#include "code_page.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <limits.h>
#include <stdlib.h>
#include <windows.h>

int code_page_to_utf8(unsigned page, struct bytes text, char **utf8, size_t *length, uint64_t *undecodable,
                      struct error *error)
{
    *utf8 = NULL;
    *length = 0;
    *undecodable = 0;
    if (!IsValidCodePage(page))
        return error_set(error, ERROR_USAGE,
                         "code page %u is not known here; Windows' are 1250 to 1258, 874, 932 and so on", page);
    if (text.length > INT_MAX / 4)
        return error_set(error, ERROR_LIMIT, "a registry export in a code page is too large: save it as Unicode");
    /* No code of these pages is more than one unit of UTF-16, whose three bytes are the most that it takes. */
    _cleanup_free_ wchar_t *wide = malloc((text.length + 1) * sizeof *wide);
    char *out = malloc(text.length * 3 + 1);
    if (wide == NULL || out == NULL) {
        free(out);
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
    }
    int units = text.length == 0
                    ? 0
                    : MultiByteToWideChar(page, 0, (const char *)text.data, (int)text.length, wide, (int)text.length);
    for (int i = 0; i < units; i++) {
        *undecodable += wide[i] == UTF8_REPLACEMENT;
        *length += utf8_put(out + *length, wide[i]);
    }
    out[*length] = 0;
    *utf8 = out;
    return 0;
}
