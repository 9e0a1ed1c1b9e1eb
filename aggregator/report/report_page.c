/* What frames a page: its head with style and policy, its script, and its links. */

#include "report_page.h"

#include "aggregator/base/html.h"
#include "aggregator/base/url.h"
#include "report.h"
#include "report_assets.h"

#include <sodium.h>
#include <string.h>

static const char *base_url;

void report_base_url(const char *url)
{
    base_url = url;
}

bool report_links(void)
{
    return base_url != NULL;
}

void report_link_begin(const char *page, const char *value, FILE *out)
{
    if (base_url == NULL)
        return;
    fputs("<a href=\"", out);
    html_text(base_url, out);
    fprintf(out, "/%s", page);
    url_put(value, out);
    fputs("\">", out);
}

void report_link_end(FILE *out)
{
    fputs(base_url != NULL ? "</a>" : "", out);
}

static void put_digest(const void *bytes, size_t length, FILE *out)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char text[64];
    crypto_hash_sha256(digest, bytes, length);
    fprintf(out, " 'sha256-%s'",
            sodium_bin2base64(text, sizeof text, digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL));
}

/* The policy names the page's own style and script by their digests: nothing else runs, whatever a host is called. */
static void put_policy(const char *style, FILE *out)
{
    fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src", out);
    put_digest(report_css, sizeof report_css - 1, out);
    if (style != NULL)
        put_digest(style, strlen(style), out);
    else
        fputs("; script-src", out);
    if (style == NULL)
        put_digest(report_js, sizeof report_js - 1, out);
    fprintf(out, "; base-uri 'none'; form-action %s\">\n", style != NULL ? "'self'" : "'none'");
}

static void put_html_head(const char *title, const char *day, const char *style, FILE *out)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
    put_policy(style, out);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
          "content=\"no-referrer\">\n<title>",
          out);
    html_text(title, out);
    fprintf(out, " · Evenkeel%s%s</title>\n<style>", *day != 0 ? " " : "", day);
    fwrite(report_css, 1, sizeof report_css - 1, out);
    fputs("</style>\n", out);
    if (style != NULL)
        fprintf(out, "<style>%s</style>\n", style);
    fputs("</head>\n<body>\n", out);
}

void report_page_head(const char *title, const char *day, FILE *out)
{
    put_html_head(title, day, NULL, out);
}

void report_page_plain_head(const char *title, const char *style, FILE *out)
{
    put_html_head(title, "", style, out);
}

void report_table_begin(const char *caption, const char *columns, FILE *out)
{
    fputs("<table role=\"table\"><caption class=\"apart\">", out);
    html_text(caption, out);
    fputs("</caption><thead role=\"rowgroup\"><tr role=\"row\">", out);
    for (const char *at = columns;; at++) {
        int length = (int)strcspn(at, "|");
        fprintf(out, "<th role=\"columnheader\" scope=\"col\">%.*s</th>", length, at);
        at += length;
        if (*at == 0)
            break;
    }
    fputs("</tr></thead><tbody role=\"rowgroup\">\n", out);
}

void report_page_script(FILE *out)
{
    fputs("<script>", out);
    fwrite(report_js, 1, sizeof report_js - 1, out);
    fputs("</script>\n", out);
}
