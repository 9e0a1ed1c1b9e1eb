/* What pages share. */

#include "page_html.h"

#include "aggregator/base/url.h"
#include "pages_assets.h"
#include "version.h"

#include <string.h>

void put_number(long long count, const char *one, const char *many, FILE *out)
{
    html_number(count, out);
    fprintf(out, " %s", plural(count, one, many));
}

void put_time(const char *iso, FILE *out)
{
    char text[20];
    if (*iso == 0) {
        fputs("never", out);
        return;
    }
    fputs("<time datetime=\"", out);
    html_text(iso, out);
    fputs("\">", out);
    html_text(report_time(iso, text), out);
    fputs("</time>", out);
}

/* The begin of a link with pairs up to NULL, and `number` as the page unless it is 0. */
static void put_link_to(const char *path, long long number, const char *const *pairs, FILE *out)
{
    const char *before = "?";
    fprintf(out, "<a href=\"%s", path);
    for (; pairs[0] != NULL; pairs += 2) {
        if (*pairs[1] == 0)
            continue;
        fprintf(out, "%s%s=", before, pairs[0]);
        url_put(pairs[1], out);
        before = "&amp;";
    }
    if (number > 0)
        fprintf(out, "%spage=%lld", before, number);
    fputs("\">", out);
}

void put_link_with(FILE *out, const char *path, const char *const *pairs)
{
    put_link_to(path, 0, pairs, out);
}

void put_pager_with(const cJSON *document, FILE *out, const char *path, const char *const *pairs)
{
    long long number = report_number(document, "number");
    bool more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "more"));
    if (number == 1 && !more)
        return;
    fputs("<nav class=\"pager\" aria-label=\"More of the list\">", out);
    for (int step = -1; step <= 1; step += 2) {
        if (step < 0 ? number == 1 : !more)
            continue;
        put_link_to(path, number + step, pairs, out);
        fputs(step < 0 ? "← those before</a>" : "more →</a>", out);
    }
    fputs("</nav>\n", out);
}

void put_host(const char *host_id, const char *name, FILE *out)
{
    put_link(out, "host", "id", host_id, NULL);
    html_name(name, out);
    fputs("</a>", out);
}

void put_file(const char *path, FILE *out)
{
    const char *slash = strrchr(path, '/');
    put_link(out, "file", "name", slash != NULL ? slash + 1 : path, NULL);
    fputs("<code>", out);
    html_text(path, out);
    fputs("</code></a>", out);
}

void put_badge(const char *kind, const char *text, FILE *out)
{
    fputs("<span class=\"badge ", out);
    html_text(kind, out);
    fputs("\">", out);
    html_text(text, out);
    fputs("</span>", out);
}

void put_share(long long part, long long whole, FILE *out)
{
    fprintf(out,
            "<svg class=\"share\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
            "class=\"all\" width=\"100\" height=\"8\"/><rect class=\"part\" width=\"%.1f\" height=\"8\"/></svg>",
            whole > 0 ? (double)part * 100 / (double)whole : 0.0);
}

void table_end(FILE *out)
{
    fputs("</tbody></table>\n", out);
}

void row_begin(FILE *out)
{
    fputs("<tr role=\"row\">", out);
}

void row_end(FILE *out)
{
    fputs("</tr>\n", out);
}

void cell_begin(const char *name, FILE *out)
{
    fprintf(out, "<td role=\"cell\" data-name=\"%s\">", name);
}

void cell_end(FILE *out)
{
    fputs("</td>", out);
}

void section_begin(const char *id, const char *title, long long count, const char *note, FILE *out)
{
    fprintf(out, "<section id=\"%s\" aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">%s", id, id, id, title);
    if (count >= 0) {
        fputs(" <span class=\"count\">", out);
        html_number(count, out);
        fputs("</span>", out);
    }
    fputs("</h2>\n", out);
    if (*note != 0)
        fprintf(out, "<p class=\"note\">%s</p>\n", note);
}

void section_end(FILE *out)
{
    fputs("</section>\n", out);
}

void page_begin(const char *place, const char *eyebrow, const char *heading, FILE *out)
{
    static const char *const places[][2] = {{"fleet", "Fleet"}, {"findings", "Findings"}, {"patch", "Patches"}};
    report_page_plain_head(heading, (const char *)pages_css, out);
    fputs("<a class=\"apart\" href=\"#main\">Skip to the content</a>\n<nav class=\"bar\" aria-label=\"Pages\"><div>",
          out);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        fprintf(out, "<a href=\"%s\"%s>%s</a>", places[i][0],
                strcmp(places[i][0], place) == 0 ? " aria-current=\"page\"" : "", places[i][1]);
    fputs("<a href=\"./\">Report</a><form action=\"fleet\" role=\"search\"><input type=\"search\" name=\"search\" "
          "aria-label=\"A host's name, or a part of it\" placeholder=\"find a host\" "
          "maxlength=\"100\"><button>Find</button>"
          "</form></div></nav>\n<header><p class=\"eyebrow\">",
          out);
    html_text(eyebrow, out);
    fputs("</p>\n<h1>", out);
    html_text(heading, out);
    fputs("</h1>\n", out);
}

void page_main(FILE *out)
{
    fputs("</header>\n<main id=\"main\">\n", out);
}

void page_end(const cJSON *document, FILE *out)
{
    fputs("</main>\n<footer><p>", out);
    if (document != NULL) {
        fputs("As of ", out);
        put_time(report_string(document, "at"), out);
        fputs(" UTC. ", out);
    }
    fputs("Evenkeel " EVENKEEL_VERSION ". Pages only show; the commands decide: <code>man evenkeel</code>. With "
          "<code>format=json</code> in the address this page is data.</p></footer>\n</body>\n</html>\n",
          out);
}

void page_sentence(unsigned status, const char *sentence, FILE *out)
{
    page_begin("",
               status == 400   ? "Evenkeel · not understood"
               : status == 404 ? "Evenkeel · not here"
                               : "Evenkeel · not now",
               sentence, out);
    page_main(out);
    fputs("<p><a href=\"fleet\">The fleet</a> leads to all hosts, <a href=\"findings\">Findings</a> to what was "
          "found.</p>\n",
          out);
    page_end(NULL, out);
}
