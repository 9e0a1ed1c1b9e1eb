/* The page of a patch, and the list of patches. */

#include "page_html.h"

#include <string.h>

static const char *const states[][2] = {{"partial", "Some of its files are older than it brings"},
                                        {"missing", "Files are older, nothing says that it was installed"},
                                        {"unknown", "A file's version can’t be read"},
                                        {"installed", "All of its files are its own or newer"},
                                        {"superseded", "Something newer brings its files"}};
enum { STATES = sizeof states / sizeof *states };

/* How many hosts were in a state at the night so many before the last one that is told; -1: it was not known. */
static long long hosts_at(const cJSON *progress, const char *state, int before)
{
    const cJSON *night;
    int nights = cJSON_GetArraySize(progress) / STATES, at = -1;
    const char *last = "";
    cJSON_ArrayForEach(night, progress)
    {
        if (strcmp(report_string(night, "night"), last) != 0)
            at++;
        last = report_string(night, "night");
        if (at == nights - 1 - before && strcmp(report_string(night, "state"), state) == 0)
            return cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(night, "hosts")) ? report_number(night, "hosts")
                                                                                    : -1;
    }
    return -1;
}

static void put_progress(const cJSON *progress, FILE *out)
{
    static const struct {
        int before;
        const char *name;
    } columns[] = {{0, "Now"}, {7, "Week before"}, {30, "30 nights before"}};
    section_begin("progress", "How hosts stand to it", -1, "Hosts that it does not concern are left out.", out);
    report_table_begin("How hosts stand to it", "State|Now|Week before|30 nights before", out);
    for (size_t i = 0; i < STATES; i++) {
        row_begin(out);
        cell_begin("Name", out);
        html_text(states[i][0], out);
        fputs("<p class=\"why\">", out);
        html_text(states[i][1], out);
        fputs("</p>", out);
        cell_end(out);
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            long long hosts = hosts_at(progress, states[i][0], columns[j].before);
            cell_begin(columns[j].name, out);
            if (hosts >= 0)
                html_number(hosts, out);
            else
                fputs("<span class=\"why\">not known</span>", out);
            cell_end(out);
        }
        row_end(out);
    }
    table_end(out);
    section_end(out);
}

static void put_product(const cJSON *product, FILE *out)
{
    const cJSON *item;
    int said = 0;
    fputs("<div><dt>", out);
    html_text(report_string(product, "name"), out);
    fputs("</dt><dd>", out);
    cJSON_ArrayForEach(item, report_list(product, "required"))
    {
        fputs(said++ > 0 ? ", " : "needs ", out);
        html_text(cJSON_IsString(item) ? item->valuestring : "", out);
    }
    fputs(said == 0 ? "what it needs is not stated" : "", out);
    fputs(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(product, "restart")) ? "; restart" : "; no restart", out);
    said = 0;
    cJSON_ArrayForEach(item, report_list(product, "supersedes"))
    {
        fputs(said++ > 0 ? ", " : "; replaces ", out);
        html_text(cJSON_IsString(item) ? item->valuestring : "", out);
    }
    fputs("</dd></div>", out);
}

static void put_risk(const cJSON *document, FILE *out)
{
    const cJSON *accepted = report_list(document, "accepted"), *item;
    section_begin("risk", "Risk", -1, "", out);
    fputs("<p>What it would do to each host is worked out when it is asked for, with what is queued judged first: "
          "<code>evenkeel risk ",
          out);
    html_text(report_string(document, "code"), out);
    fputs("</code></p>\n", out);
    cJSON_ArrayForEach(item, accepted)
    {
        fputs("<p class=\"why\">Accepted on ", out);
        put_host(report_string(item, "host_id"), report_string(item, "host"), out);
        fputs(" until ", out);
        put_time(report_string(item, "until"), out);
        fputs(" by ", out);
        html_text(report_string(item, "accepted_by"), out);
        fputs(": ", out);
        html_text(report_string(item, "check_name"), out);
        fputs(" ", out);
        html_text(report_string(item, "subject"), out);
        fputs(", ", out);
        html_text(report_string(item, "reason"), out);
        fputs("</p>\n", out);
    }
    section_end(out);
}

static void put_hosts(const cJSON *document, FILE *out)
{
    const cJSON *host, *hosts = report_list(document, "hosts");
    section_begin("hosts", "Hosts that it asks something of", -1, "", out);
    if (cJSON_GetArraySize(hosts) == 0) {
        fputs("<p class=\"absent\">There is none.</p>\n", out);
    } else {
        report_table_begin("Hosts", "State|Host|Verdict", out);
        cJSON_ArrayForEach(host, hosts)
        {
            const char *state = report_string(host, "state");
            row_begin(out);
            cell_begin("State", out);
            put_badge(strcmp(state, "partial") == 0 ? "mixed" : "unknown", state, out);
            cell_end(out);
            cell_begin("Host", out);
            put_host(report_string(host, "host_id"), report_string(host, "host"), out);
            cell_end(out);
            cell_begin("Verdict", out);
            put_badge(report_string(host, "verdict"), report_string(host, "verdict"), out);
            cell_end(out);
            row_end(out);
        }
        table_end(out);
    }
    put_pager(document, out, "patch", "code", report_string(document, "code"), NULL);
    section_end(out);
}

static void put_files(const cJSON *files, FILE *out)
{
    const cJSON *file;
    section_begin("files", "Its files", cJSON_GetArraySize(files), "", out);
    if (cJSON_GetArraySize(files) == 0) {
        fputs("<p class=\"absent\">The catalogue has no list of them.</p>\n", out);
        section_end(out);
        return;
    }
    report_table_begin("Its files", "File|Version|Machine|Product", out);
    cJSON_ArrayForEach(file, files)
    {
        row_begin(out);
        cell_begin("File", out);
        put_file(report_string(file, "file"), out);
        cell_end(out);
        cell_begin("Version", out);
        html_text(*report_string(file, "version") != 0 ? report_string(file, "version") : "not known", out);
        cell_end(out);
        cell_begin("Machine", out);
        html_text(*report_string(file, "machine") != 0 ? report_string(file, "machine") : "any", out);
        cell_end(out);
        cell_begin("Product", out);
        html_text(report_string(file, "product"), out);
        cell_end(out);
        row_end(out);
    }
    table_end(out);
    section_end(out);
}

static void page_list(const cJSON *document, FILE *out)
{
    const cJSON *patch;
    const char *search = report_string(cJSON_GetObjectItemCaseSensitive(document, "filter"), "search");
    page_begin("patch", "Evenkeel · patches", "Patches that the catalogue knows", out);
    page_main(out);
    fputs("<form class=\"narrow\" action=\"patch\"><label>Number or title <input type=\"search\" name=\"search\" "
          "maxlength=\"100\" value=\"",
          out);
    html_text(search, out);
    fputs("\"></label><button>Show</button></form>\n<section aria-label=\"Patches\">", out);
    if (cJSON_GetArraySize(report_list(document, "patches")) == 0) {
        fputs("<p class=\"absent\">There is none.</p>\n", out);
    } else {
        report_table_begin("Patches", "Patch|Title|Products|Released", out);
        cJSON_ArrayForEach(patch, report_list(document, "patches"))
        {
            row_begin(out);
            cell_begin("Name", out);
            put_link(out, "patch", "code", report_string(patch, "code"), NULL);
            html_text(report_string(patch, "code"), out);
            fputs("</a>", out);
            cell_end(out);
            cell_begin("Title", out);
            html_text(report_string(patch, "title"), out);
            cell_end(out);
            cell_begin("Products", out);
            html_text(report_string(patch, "products"), out);
            cell_end(out);
            cell_begin("Released", out);
            html_text(report_string(patch, "released"), out);
            cell_end(out);
            row_end(out);
        }
        table_end(out);
    }
    put_pager(document, out, "patch", "search", search, NULL);
    section_end(out);
    page_end(document, out);
}

void page_patch(const cJSON *document, FILE *out)
{
    const cJSON *products = report_list(document, "products"), *product;
    const char *code = report_string(document, "code"), *title = "", *released = "";
    char heading[400];
    if (strcmp(report_string(document, "page"), "patches") == 0) {
        page_list(document, out);
        return;
    }
    cJSON_ArrayForEach(product, products)
    {
        title = *title != 0 ? title : report_string(product, "title");
        released = *released != 0 ? released : report_string(product, "released");
    }
    long long partial = hosts_at(report_list(document, "progress"), "partial", 0),
              missing = hosts_at(report_list(document, "progress"), "missing", 0);
    if (partial > 0)
        snprintf(heading, sizeof heading, "%s is installed in part on %lld %s", code, partial,
                 plural(partial, "host", "hosts"));
    else if (missing > 0)
        snprintf(heading, sizeof heading, "%s is missing on %lld %s", code, missing, plural(missing, "host", "hosts"));
    else if (missing == 0)
        snprintf(heading, sizeof heading, "%s is missing on no host", code);
    else
        snprintf(heading, sizeof heading, "%s concerns no host that is known", code);
    page_begin("patch", "Evenkeel · patch", heading, out);
    fputs("<p class=\"lead\">", out);
    html_text(title, out);
    fputs(*title != 0 && *released != 0 ? ", " : "", out);
    html_text(released, out);
    fputs("</p>\n<dl class=\"facts\">", out);
    cJSON_ArrayForEach(product, products) put_product(product, out);
    fputs("</dl>\n", out);
    page_main(out);
    put_progress(report_list(document, "progress"), out);
    put_risk(document, out);
    put_files(report_list(document, "files"), out);
    put_hosts(document, out);
    page_end(document, out);
}
