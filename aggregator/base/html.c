/* Foreign text in HTML. */

#include "html.h"

static void put(char byte, FILE *out)
{
    switch (byte) {
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
        if ((unsigned char)byte < 0x20 && byte != '\t' && byte != '\n')
            fputs("\xef\xbf\xbd", out);
        else
            putc(byte, out);
    }
}

void html_text(const char *text, FILE *out)
{
    for (; *text != 0; text++)
        put(*text, out);
}

void html_name(const char *name, FILE *out)
{
    fputs("<bdi class=\"host\">", out);
    html_text(name, out);
    fputs("</bdi>", out);
}

void html_words(const char *key, FILE *out)
{
    for (; *key != 0; key++)
        put(*key == '_' ? ' ' : *key, out);
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
