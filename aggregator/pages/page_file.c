/* The page of a file: its versions, and who has which. */

#include "page_html.h"

#include <string.h>

static void put_version(const cJSON *version, const char *name, const char *shown, FILE *out)
{
    const char *text = report_string(version, "version"), *levels = report_string(version, "levels"),
               *known = report_string(version, "known_as");
    long long hosts = report_number(version, "hosts"), paths = report_number(version, "paths");
    const char *asked = *text != 0 ? text : "none";
    row_begin(out);
    cell_begin("Version", out);
    put_link(out, "file", "name", name, "version", asked, NULL);
    fputs(strcmp(asked, shown) == 0 ? "<b>" : "", out);
    html_text(asked, out);
    fputs(strcmp(asked, shown) == 0 ? "</b></a>" : "</a>", out);
    cell_end(out);
    cell_begin("Levels", out);
    html_text(*levels != 0 ? levels : "not compared", out);
    cell_end(out);
    cell_begin("Product", out);
    html_text(*report_string(version, "product_name") != 0 ? report_string(version, "product_name") : "none", out);
    cell_end(out);
    cell_begin("What brings it", out);
    html_text(*known != 0 ? known : "nothing that is known", out);
    fputs("<p class=\"why\">", out);
    html_text(report_string(version, "path"), out);
    if (paths > 1)
        fprintf(out, " and %lld more %s", paths - 1, plural(paths - 1, "path", "paths"));
    fputs("</p>", out);
    cell_end(out);
    cell_begin("Hosts", out);
    html_number(hosts, out);
    cell_end(out);
    row_end(out);
}

static void put_holder(const cJSON *holder, FILE *out)
{
    const char *version = report_string(holder, "version"), *levels = report_string(holder, "levels");
    row_begin(out);
    cell_begin("Verdict", out);
    put_badge(report_string(holder, "verdict"), report_string(holder, "verdict"), out);
    cell_end(out);
    cell_begin("Host", out);
    put_host(report_string(holder, "host_id"), report_string(holder, "host"), out);
    cell_end(out);
    cell_begin("Version", out);
    html_text(*version != 0 ? version : "none", out);
    cell_end(out);
    cell_begin("Levels", out);
    html_text(*levels != 0 ? levels : "not compared", out);
    cell_end(out);
    cell_begin("File", out);
    fputs("<code>", out);
    html_text(report_string(holder, "path"), out);
    fputs("</code>", out);
    cell_end(out);
    row_end(out);
}

void page_file(const cJSON *document, FILE *out)
{
    const cJSON *item, *versions = report_list(document, "versions"), *hosts = report_list(document, "hosts");
    const char *name = report_string(document, "name"),
               *shown = report_string(cJSON_GetObjectItemCaseSensitive(document, "filter"), "version");
    char heading[400];
    const char *first = versions->child != NULL ? report_string(versions->child, "version") : "";
    bool several = false;
    cJSON_ArrayForEach(item, versions) several = several || strcmp(report_string(item, "version"), first) != 0;
    snprintf(heading, sizeof heading, "%s, %s", name,
             cJSON_GetArraySize(versions) == 0 ? "which no host holds now"
             : several                         ? "who has which version"
                                               : "one version everywhere");
    page_begin("", "Evenkeel · file", heading, out);
    page_main(out);
    if (cJSON_GetArraySize(versions) > 0) {
        section_begin("versions", "Versions", -1, "Newest first.", out);
        report_table_begin("Versions", "Version|Levels|Product|What brings it|Hosts", out);
        cJSON_ArrayForEach(item, versions) put_version(item, name, shown, out);
        table_end(out);
        section_end(out);
    }
    section_begin("hosts", "Hosts that hold it", -1, "", out);
    if (*shown != 0) {
        fputs("<p class=\"note\">At version ", out);
        html_text(shown, out);
        fputs("; ", out);
        put_link(out, "file", "name", name, NULL);
        fputs("at any</a></p>\n", out);
    }
    if (cJSON_GetArraySize(hosts) > 0) {
        report_table_begin("Hosts that hold it", "Verdict|Host|Version|Levels|File", out);
        cJSON_ArrayForEach(item, hosts) put_holder(item, out);
        table_end(out);
    } else {
        fputs("<p class=\"absent\">There is none.</p>\n", out);
    }
    put_pager(document, out, "file", "name", name, "version", shown, NULL);
    section_end(out);
    page_end(document, out);
}
