/* Percent-encoding and queries. */

#include "url.h"

#include <string.h>

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool url_decode(char *text, bool plus_is_space)
{
    char *out = text;
    for (const char *at = text; *at != 0;) {
        bool escaped = *at == '%';
        int high = 0, low = 0;
        if (escaped && ((high = hexadecimal(at[1])) < 0 || (low = hexadecimal(at[2])) < 0 || high + low == 0))
            return false;
        char plain = *at == '+' && plus_is_space ? ' ' : *at;
        at += escaped ? 3 : 1;
        *out++ = escaped ? (char)(high << 4 | low) : plain;
    }
    *out = 0;
    return true;
}

static bool copy(char *to, size_t size, const char *from, size_t length)
{
    if (length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = 0;
    return url_decode(to, true);
}

int url_next(const char **at, struct url_parameter *parameter)
{
    *at += strspn(*at, "&");
    if (**at == 0)
        return 0;
    const char *begin = *at;
    size_t length = strcspn(begin, "&"), name = strcspn(begin, "=&");
    *at += length;
    bool whole = copy(parameter->name, sizeof parameter->name, begin, name);
    if (name < length)
        whole = copy(parameter->value, sizeof parameter->value, begin + name + 1, length - name - 1) && whole;
    else
        *parameter->value = 0;
    return whole ? 1 : -1;
}

void url_put(const char *text, FILE *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text != 0; text++) {
        if (strchr(plain, *text) != NULL)
            putc(*text, out);
        else
            fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
