/* The page of the fleet: hosts, worst first, and the fleet in numbers. */

#include "page_html.h"

#include "aggregator/report/report_chart.h"

#include <stdlib.h>
#include <string.h>

struct filter {
    const char *verdict, *group, *product, *search;
};

static const char *verdict_words(const char *verdict)
{
    return strcmp(verdict, "unknown") == 0 ? "can’t be judged" : verdict;
}

/* '5 hosts are mixed and 12 can’t be judged; 185 of 202 are level' */
static void headline(const cJSON *summary, char *text, size_t size)
{
    long long hosts = report_number(summary, "hosts"), mixed = report_number(summary, "mixed"),
              unknown = report_number(summary, "unknown"), level = report_number(summary, "level");
    char first[80] = "", second[80] = "";
    if (hosts == 0) {
        snprintf(text, size, "No host has reported yet");
        return;
    }
    if (mixed > 0)
        snprintf(first, sizeof first, "%lld %s mixed", mixed, plural(mixed, "host is", "hosts are"));
    if (unknown > 0)
        snprintf(second, sizeof second, "%s%lld %scan’t be judged", mixed > 0 ? " and " : "", unknown,
                 mixed > 0 ? "" : plural(unknown, "host ", "hosts "));
    if (mixed + unknown == 0)
        snprintf(text, size, plural(hosts, "The one host is level", "All %lld hosts are level"), hosts);
    else
        snprintf(text, size, "%s%s; %lld of %lld are level", first, second, level, hosts);
}

/* 'Mixed hosts in group web', for a list that was narrowed. */
static void filter_words(const struct filter *filter, char *text, size_t size)
{
    bool unknown = strcmp(filter->verdict, "unknown") == 0;
    snprintf(text, size, "%s%s%s%s%s%s%s%s%s",
             strcmp(filter->verdict, "mixed") == 0   ? "Mixed hosts"
             : strcmp(filter->verdict, "level") == 0 ? "Level hosts"
                                                     : "Hosts",
             unknown ? " that can’t be judged" : "", *filter->product != 0 ? " with " : "", filter->product,
             *filter->group != 0 ? " in group " : "", filter->group, *filter->search != 0 ? " named like ‘" : "",
             filter->search, *filter->search != 0 ? "’" : "");
}

static void tile(const char *kind, long long number, const char *label, const char *path, const char *name,
                 const char *value, FILE *out)
{
    fprintf(out, "<a class=\"tile %s\" href=\"%s%s%s%s%s\"><b>", number > 0 ? kind : "calm", path,
            *name != 0 ? "?" : "", name, *name != 0 ? "=" : "", value);
    html_number(number, out);
    fprintf(out, "</b><span>%s</span></a>", label);
}

static void put_tiles(const cJSON *summary, FILE *out)
{
    long long mixed = report_number(summary, "mixed"), dangerous = report_number(summary, "dangerous"),
              silent = report_number(summary, "silent");
    fputs("<nav class=\"tiles\" aria-label=\"In numbers\">", out);
    tile("bad", mixed, plural(mixed, "mixed host", "mixed hosts"), "fleet", "verdict", "mixed", out);
    tile("warn", report_number(summary, "unknown"), "can’t be judged", "fleet", "verdict", "unknown", out);
    tile("good", report_number(summary, "level"), "level", "fleet", "verdict", "level", out);
    tile("bad", dangerous, plural(dangerous, "host in danger", "hosts in danger"), "findings", "severity", "high", out);
    tile("warn", silent, plural(silent, "silent host", "silent hosts"), "findings", "check", "silent-host", out);
    fputs("</nav>\n", out);
}

static void put_findings_count(const cJSON *host, FILE *out)
{
    static const char *const severities[] = {"high", "medium", "low"};
    int said = 0;
    for (size_t i = 0; i < 3; i++) {
        long long count = report_number(host, severities[i]);
        if (count == 0)
            continue;
        char text[48];
        snprintf(text, sizeof text, "%lld %s", count, severities[i]);
        fputs(said++ > 0 ? " " : "", out);
        put_badge(severities[i], text, out);
    }
    if (report_number(host, "waived") > 0 && said == 0)
        fputs("<span class=\"why\">waived</span>", out);
    else
        fputs(said == 0 ? "<span class=\"why\">none</span>" : "", out);
}

static void put_host_row(const cJSON *host, FILE *out)
{
    const char *verdict = report_string(host, "verdict"), *worst = report_string(host, "worst"),
               *missing = report_string(host, "missing");
    bool is_waived = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(host, "worst_is_waived"));
    row_begin(out);
    cell_begin("Verdict", out);
    put_badge(verdict, verdict, out);
    cell_end(out);
    cell_begin("Host", out);
    put_host(report_string(host, "host_id"), report_string(host, "host"), out);
    fputs("<p class=\"why\">", out);
    html_text(report_string(host, "os"), out);
    fputs("</p>", out);
    cell_end(out);
    cell_begin("What", out);
    if (*worst != 0) {
        fputs(is_waived ? "<p class=\"why\">Waived: " : "<p>", out);
        html_text(worst, out);
        fputs("</p>", out);
    }
    if (*missing != 0 && strcmp(verdict, "level") != 0) {
        fputs("<p class=\"why cut\">To know: ", out);
        html_text(missing, out);
        fputs("</p>", out);
    }
    if (*worst == 0 && strcmp(verdict, "level") == 0 && *report_string(host, "declared_level") != 0) {
        fputs("<p>at ", out);
        html_text(report_string(host, "declared_level"), out);
        fputs("</p>", out);
    }
    cell_end(out);
    cell_begin("Findings", out);
    put_findings_count(host, out);
    cell_end(out);
    cell_begin("Last seen", out);
    put_time(report_string(host, "last_seen"), out);
    cell_end(out);
    row_end(out);
}

static void put_list(const cJSON *document, const struct filter *filter, FILE *out)
{
    const cJSON *hosts = report_list(document, "hosts"), *host;
    long long number = report_number(document, "number");
    int count = cJSON_GetArraySize(hosts);
    bool whole = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "whole")),
         more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "more"));
    char note[160] = "Worst first.";
    if (count > 0 && !whole && (number > 1 || more))
        snprintf(note, sizeof note, "Worst first; numbers %lld to %lld.", (number - 1) * 100 + 1,
                 (number - 1) * 100 + count);
    section_begin("hosts", whole ? "Hosts that are not level" : "Hosts", -1, note, out);
    if (count == 0 && whole)
        fputs("<p class=\"note\">No host is mixed, and none can’t be judged.</p>\n", out);
    else if (count == 0)
        fputs("<p class=\"absent\">There is no such host.</p>\n", out);
    if (count > 0) {
        report_table_begin("Hosts, worst first", "Verdict|Host|What|Findings|Last seen", out);
        cJSON_ArrayForEach(host, hosts) put_host_row(host, out);
        table_end(out);
    }
    if (whole)
        fputs("<p class=\"more\"><a href=\"fleet?page=1\">All hosts, worst first</a></p>\n", out);
    else
        put_pager(document, out, "fleet", "verdict", filter->verdict, "group", filter->group, "product",
                  filter->product, "search", filter->search, NULL);
    section_end(out);
}

/* A count of hosts of a product or group that leads to them. */
static void put_count(const char *name, const char *kind, const char *value, const char *verdict, long long count,
                      FILE *out)
{
    cell_begin(name, out);
    if (count > 0) {
        put_link(out, "fleet", kind, value, "verdict", verdict, NULL);
        html_number(count, out);
        fputs("</a>", out);
    } else {
        fputs("<span class=\"why\">0</span>", out);
    }
    cell_end(out);
}

static void put_gathered(const cJSON *list, const char *id, const char *title, const char *kind, FILE *out)
{
    const cJSON *item;
    char columns[80];
    if (cJSON_GetArraySize(list) == 0)
        return;
    section_begin(id, title, cJSON_GetArraySize(list), "", out);
    snprintf(columns, sizeof columns, "%s|Mixed|Unknown|Level|Hosts", strcmp(kind, "group") == 0 ? "Group" : "Product");
    report_table_begin(title, columns, out);
    cJSON_ArrayForEach(item, list)
    {
        const char *value = report_string(item, kind), *name = report_string(item, "name");
        long long mixed = report_number(item, "mixed"), unknown = report_number(item, "unknown"),
                  level = report_number(item, "level"), hosts = report_number(item, "hosts");
        row_begin(out);
        cell_begin("Name", out);
        put_link(out, "fleet", kind, value, NULL);
        html_text(*name != 0 ? name : value, out);
        fputs("</a>", out);
        cell_end(out);
        put_count("Mixed", kind, value, "mixed", mixed, out);
        put_count("Unknown", kind, value, "unknown", unknown, out);
        put_count("Level", kind, value, "level", level, out);
        cell_begin("Hosts", out);
        html_number(hosts, out);
        put_share(level, hosts, out);
        cell_end(out);
        row_end(out);
    }
    table_end(out);
    section_end(out);
}

static void put_checks(const cJSON *checks, FILE *out)
{
    const cJSON *check;
    section_begin("findings", "Findings", -1, "", out);
    report_table_begin("Findings by check", "Check|Findings|Hosts|Waived", out);
    cJSON_ArrayForEach(check, checks)
    {
        const char *code = report_string(check, "check");
        if (report_number(check, "high") + report_number(check, "medium") + report_number(check, "low") +
                report_number(check, "waived") ==
            0)
            continue;
        row_begin(out);
        cell_begin("Name", out);
        put_link(out, "findings", "check", code, NULL);
        html_text(code, out);
        fputs("</a><p class=\"why\">", out);
        html_text(report_string(check, "title"), out);
        fputs("</p>", out);
        cell_end(out);
        cell_begin("Findings", out);
        put_findings_count(check, out);
        cell_end(out);
        cell_begin("Hosts", out);
        html_number(report_number(check, "hosts"), out);
        cell_end(out);
        cell_begin("Waived", out);
        html_number(report_number(check, "waived"), out);
        cell_end(out);
        row_end(out);
    }
    table_end(out);
    section_end(out);
}

/* A form that narrows the list; it works without a script. */
static void put_form(const struct filter *filter, bool whole, FILE *out)
{
    static const char *const verdicts[] = {"", "mixed", "unknown", "level"};
    fputs("<form class=\"narrow\" action=\"fleet\"><label>Name <input type=\"search\" name=\"search\" "
          "maxlength=\"100\" value=\"",
          out);
    html_text(filter->search, out);
    fputs("\"></label><label>Verdict <select name=\"verdict\">", out);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        fprintf(out, "<option value=\"%s\"%s>%s</option>", verdicts[i],
                strcmp(verdicts[i], filter->verdict) == 0 ? " selected" : "",
                *verdicts[i] != 0 ? verdict_words(verdicts[i]) : "any");
    fputs("</select></label>", out);
    const char *const hidden[][2] = {{"group", filter->group}, {"product", filter->product}};
    for (size_t i = 0; i < 2; i++) {
        if (*hidden[i][1] == 0)
            continue;
        fprintf(out, "<input type=\"hidden\" name=\"%s\" value=\"", hidden[i][0]);
        html_text(hidden[i][1], out);
        fputs("\">", out);
    }
    fputs("<button>Show</button>", out);
    if (!whole)
        fputs("<a href=\"fleet\">the whole fleet</a>", out);
    fputs("</form>\n", out);
}

void page_fleet(const cJSON *document, FILE *out)
{
    const cJSON *summary = cJSON_GetObjectItemCaseSensitive(document, "summary"),
                *asked = cJSON_GetObjectItemCaseSensitive(document, "filter");
    struct filter filter = {report_string(asked, "verdict"), report_string(asked, "group"),
                            report_string(asked, "product"), report_string(asked, "search")};
    char heading[1024];
    bool whole = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "whole"));
    if (!whole)
        filter_words(&filter, heading, sizeof heading);
    else
        headline(summary, heading, sizeof heading);
    page_begin("fleet", "Evenkeel · the fleet", heading, out);
    fputs("<p class=\"span\">", out);
    put_number(report_number(summary, "hosts"), "host", "hosts", out);
    fputs(" in all, counted ", out);
    put_time(report_string(summary, "made_at"), out);
    fputs(" UTC", out);
    if (report_number(summary, "waiting") > 0) {
        fputs("; ", out);
        put_number(report_number(summary, "waiting"), "host waits", "hosts wait", out);
        fputs(" to be judged", out);
    }
    fputs("</p>\n", out);
    if (whole)
        put_tiles(summary, out);
    page_main(out);
    put_form(&filter, whole, out);
    put_list(document, &filter, out);
    if (whole) {
        put_gathered(report_list(summary, "products"), "products", "By product", "product", out);
        put_gathered(report_list(summary, "groups"), "groups", "By group", "group", out);
        put_checks(report_list(summary, "checks"), out);
        section_begin("charts", "Thirty nights", -1, "", out);
        fputs("<div class=\"charts\">\n", out);
        report_chart_mixed(summary, out);
        report_chart_levels(summary, out);
        fputs("</div>\n", out);
        section_end(out);
    }
    page_end(document, out);
}
