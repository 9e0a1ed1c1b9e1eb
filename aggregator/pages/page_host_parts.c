/* A host's files, history and services. */

#include "page_host.h"

#include "page_html.h"

#include <string.h>

static bool is_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void put_file_row(const cJSON *file, FILE *out)
{
    const char *levels = report_string(file, "levels"), *lower = report_string(file, "lower_basis"),
               *upper = report_string(file, "upper_basis"), *confirmed = report_string(file, "confirmed");
    row_begin(out);
    cell_begin("File", out);
    put_file(report_string(file, "path"), out);
    cell_end(out);
    cell_begin("Version", out);
    html_text(*report_string(file, "version") != 0 ? report_string(file, "version") : "none", out);
    cell_end(out);
    cell_begin("Levels", out);
    if (is_true(file, "off"))
        put_badge("mixed", *levels != 0 ? levels : "none", out);
    else
        html_text(*levels != 0 ? levels : "not compared", out);
    if (*confirmed != 0) {
        fputs(" <span class=\"why\">", out);
        html_text(confirmed, out);
        fputs("</span>", out);
    }
    cell_end(out);
    cell_begin("What proves it", out);
    if (*lower != 0) {
        fputs("<p class=\"why\">at least: ", out);
        html_text(lower, out);
        fputs("</p>", out);
    }
    if (*upper != 0) {
        fputs("<p class=\"why\">at most: ", out);
        html_text(upper, out);
        fputs("</p>", out);
    }
    cell_end(out);
    row_end(out);
}

static void put_components(const cJSON *document, const char *host_id, const char *shown, FILE *out)
{
    const cJSON *component;
    fputs("<nav class=\"chips\" aria-label=\"Components\">", out);
    put_link(out, "host", "id", host_id, "part", "files", NULL);
    fputs(*shown == 0 ? "<b>all</b></a>" : "all</a>", out);
    cJSON_ArrayForEach(component, report_list(document, "components"))
    {
        const char *code = cJSON_IsString(component) ? component->valuestring : "";
        put_link(out, "host", "id", host_id, "part", "files", "component", code, NULL);
        fputs(strcmp(code, shown) == 0 ? "<b>" : "", out);
        html_text(code, out);
        fputs(strcmp(code, shown) == 0 ? "</b></a>" : "</a>", out);
    }
    put_link(out, "host", "id", host_id, "part", "files", "component", "none", NULL);
    fputs(strcmp(shown, "none") == 0 ? "<b>no product</b></a></nav>\n" : "no product</a></nav>\n", out);
}

void host_files(const cJSON *document, FILE *out)
{
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(document, "filter"), *file;
    const char *host_id = report_string(document, "host_id"), *component = report_string(asked, "component"),
               *search = report_string(asked, "search");
    long long off = report_number(document, "off");
    char note[200] = "";
    if (off > 0)
        snprintf(note, sizeof note, "%lld %s at another level than the host’s, and %s first.", off,
                 plural(off, "file is", "files are"), plural(off, "stands", "stand"));
    section_begin("files", "Files", report_number(document, "count"), note, out);
    put_components(document, host_id, component, out);
    fputs("<form class=\"narrow\" action=\"host\"><input type=\"hidden\" name=\"id\" value=\"", out);
    html_text(host_id, out);
    fputs("\"><input type=\"hidden\" name=\"part\" value=\"files\"><label>Path <input type=\"search\" name=\"search\" "
          "maxlength=\"200\" value=\"",
          out);
    html_text(search, out);
    fputs("\"></label><button>Show</button></form>\n", out);
    if (report_number(document, "count") == 0) {
        fputs("<p class=\"absent\">There is no such file.</p>\n", out);
    } else {
        report_table_begin("Files", "File|Version|Levels|What proves it", out);
        cJSON_ArrayForEach(file, report_list(document, "files")) put_file_row(file, out);
        table_end(out);
    }
    put_pager(document, out, "host", "id", host_id, "part", "files", "component", component, "search", search, NULL);
    section_end(out);
}

static void put_change(const cJSON *change, FILE *out)
{
    const char *old = report_string(change, "old"), *new_value = report_string(change, "new"),
               *known = report_string(change, "known_as"), *direction = report_string(change, "direction");
    fputs("<li>", out);
    if (strcmp(report_string(change, "kind"), "file") == 0) {
        put_file(report_string(change, "what"), out);
    } else {
        html_words(report_string(change, "what"), out);
    }
    if (*old != 0 || *new_value != 0) {
        fputs(" <span class=\"step\">", out);
        html_text(*old != 0 ? old : "not there", out);
        fputs(" → ", out);
        html_text(*new_value != 0 ? new_value : "gone", out);
        fputs("</span>", out);
    }
    if (strcmp(direction, "older") == 0)
        fputs(" <span class=\"badge mixed\">fell back</span>", out);
    if (*known != 0) {
        fputs(" <span class=\"why\">", out);
        html_text(known, out);
        fputs("</span>", out);
    }
    fputs("</li>", out);
}

static void put_event(const cJSON *event, FILE *out)
{
    const char *kind = report_string(event, "kind"), *severity = report_string(event, "severity");
    const cJSON *change, *changes = report_list(event, "changes");
    long long count = report_number(event, "count");
    int shown = cJSON_GetArraySize(changes);
    fputs("<li><p>", out);
    put_time(report_string(event, "at"), out);
    fputs(" ", out);
    put_badge(*severity != 0 ? severity : kind, kind, out);
    fputs(" ", out);
    html_text(report_string(event, "text"), out);
    if (strcmp(kind, "changed") == 0)
        put_number(count, "change", "changes", out);
    fputs("</p>", out);
    if (shown > 0) {
        fprintf(out, "<details%s><summary>What changed</summary><ul class=\"files\">", count <= 10 ? " open" : "");
        cJSON_ArrayForEach(change, changes) put_change(change, out);
        if (count > shown)
            fprintf(out, "<li>and %lld more</li>", count - shown);
        fputs("</ul></details>", out);
    }
    fputs("</li>\n", out);
}

void host_history(const cJSON *document, FILE *out)
{
    static const char *const spans[][2] = {
        {"7 days", "7 days"}, {"30 days", "30 days"}, {"92 days", "92 days"}, {"1 year", "a year"}};
    const cJSON *event, *events = report_list(document, "events");
    const char *host_id = report_string(document, "host_id");
    section_begin("history", "What happened", -1, "", out);
    fputs("<p class=\"note\">Since ", out);
    put_time(report_string(document, "since"), out);
    fputs(", newest first. Show", out);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        fputs(i > 0 ? ", " : " ", out);
        put_link(out, "host", "id", host_id, "part", "history", "since", spans[i][0], NULL);
        fprintf(out, "%s</a>", spans[i][1]);
    }
    fputs(".</p>\n", out);
    if (cJSON_GetArraySize(events) == 0)
        fputs("<p class=\"absent\">Nothing.</p>\n", out);
    fputs("<ol class=\"events\">", out);
    cJSON_ArrayForEach(event, events) put_event(event, out);
    fputs("</ol>\n", out);
    if (is_true(document, "more"))
        fputs("<p class=\"more\">And more before that: ask for a shorter time, or <code>select * from "
              "ops.changes(…)</code></p>\n",
              out);
    section_end(out);
}

static void put_command(const char *label, const char *registry, const char *file, FILE *out)
{
    if (*registry == 0)
        return;
    fprintf(out, "<p class=\"why\">%s", label);
    html_text(registry, out);
    fputs("</p>", out);
    if (*file == 0)
        return;
    fputs("<p>", out);
    put_file(file, out);
    fputs("</p>", out);
}

void host_services(const cJSON *document, FILE *out)
{
    const cJSON *service, *services = report_list(document, "services");
    section_begin("services", "Services and drivers", cJSON_GetArraySize(services), "", out);
    if (cJSON_GetArraySize(services) == 0) {
        fputs("<p class=\"absent\">Its registry names none, or was not read.</p>\n", out);
        section_end(out);
        return;
    }
    report_table_begin("Services", "Service|Start|Kind|What it runs", out);
    cJSON_ArrayForEach(service, services)
    {
        row_begin(out);
        cell_begin("Service", out);
        fputs("<bdi>", out);
        html_text(report_string(service, "service"), out);
        fputs("</bdi>", out);
        if (is_true(service, "lacking")) {
            fputs(" ", out);
            put_badge("high", "file missing", out);
        }
        cell_end(out);
        cell_begin("Start", out);
        html_text(report_string(service, "start"), out);
        cell_end(out);
        cell_begin("Kind", out);
        html_text(report_string(service, "kind"), out);
        cell_end(out);
        cell_begin("What it runs", out);
        put_command("", report_string(service, "image_path"), report_string(service, "image_file"), out);
        put_command("ServiceDll ", report_string(service, "service_dll"), report_string(service, "dll_file"), out);
        cell_end(out);
        row_end(out);
    }
    table_end(out);
    section_end(out);
}
