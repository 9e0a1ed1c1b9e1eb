/* Foreign text in HTML. */

#include "html.h"

#include "proto/utf8.h"

/* One character, `length` bytes of it. */
static void put(const char *text, size_t length, bool shown, FILE *out)
{
    switch (*text) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        if (shown || *text == '\t' || *text == '\n')
            fwrite(text, 1, length, out);
        else
            fputs("\xef\xbf\xbd", out);
    }
}

void html_text(const char *text, FILE *out)
{
    bool shown;
    for (const char *next; *text != 0; text = next) {
        next = utf8_step(text, &shown);
        put(text, (size_t)(next - text), shown, out);
    }
}

void html_name(const char *name, FILE *out)
{
    fputs("<bdi class=\"host\">", out);
    html_text(name, out);
    fputs("</bdi>", out);
}

void html_words(const char *key, FILE *out)
{
    bool shown;
    for (const char *next; *key != 0; key = next) {
        next = utf8_step(key, &shown);
        put(*key == '_' ? " " : key, (size_t)(next - key), shown, out);
    }
}

void html_number(long long number, FILE *out)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", number);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            putc(',', out);
        putc(digits[i], out);
    }
}
