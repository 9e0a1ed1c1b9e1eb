/* The drift report as one page that needs nothing else: no network, no fonts, and no script to be read. */

#include "report_html.h"

#include "aggregator/base/html.h"
#include "report_chart.h"
#include "report_document.h"
#include "report_evidence.h"
#include "report_matrix.h"
#include "report_page.h"
#include "version.h"

#include "proto/words.h"

#include <stdbool.h>
#include <string.h>

/* More rows than a person reads, and what a browser still sorts at once; the other formats have all. */
#define ROWS_SHOWN 500
#define NAMES_SHOWN 200
#define FILES_SHOWN 200
#define NAMES_IN_LINE 3
#define LINES_PER_CHECK 100
#define LINES_PER_HOST 20

static void put_time(const char *iso, FILE *out)
{
    char text[20];
    if (*iso == 0)
        return;
    fputs("<time datetime=\"", out);
    html_text(iso, out);
    fputs("\">", out);
    html_text(report_time(iso, text), out);
    fputs("</time>", out);
}

/* One of `count` names: the first ones stand in the line, the others are there when asked for. After the last comes
 * put_names_end(). */
static void put_name(const char *name, int at, int count, FILE *out)
{
    bool folded = count > NAMES_IN_LINE + 1;
    if (at > NAMES_SHOWN)
        return;
    if (folded && at == NAMES_IN_LINE)
        fprintf(out, " <details><summary>and %d more</summary>", count - NAMES_IN_LINE);
    else
        fputs(at > 0 ? ", " : "", out);
    if (at == NAMES_SHOWN)
        fprintf(out, "and %d that the CSV has", count - NAMES_SHOWN);
    else {
        report_link_begin("host?name=", name, out);
        html_name(name, out);
        report_link_end(out);
    }
}

static void put_names_end(int count, FILE *out)
{
    fputs(count > NAMES_IN_LINE + 1 ? "</details>" : "", out);
}

static void put_names(const cJSON *names, FILE *out)
{
    int count = cJSON_GetArraySize(names), at = 0;
    const cJSON *name;
    cJSON_ArrayForEach(name, names) put_name(cJSON_IsString(name) ? name->valuestring : "", at++, count, out);
    put_names_end(count, out);
}

static void table_end(const cJSON *document, int shown, int count, FILE *out)
{
    fputs("</tbody></table>\n", out);
    if (shown == count)
        return;
    fprintf(out, "<p class=\"more\">The first %d of %d. All: <code>evenkeel report drift", shown, count);
    html_text(report_options(document), out);
    fputs(" --format csv</code></p>\n", out);
}

/* What a list of findings leaves out of a check, and the command that tells it. */
static void put_more(long long count, const char *check, const char *command, FILE *out)
{
    fprintf(out, "<p class=\"more\">And %lld more of ", count);
    html_text(check, out);
    fputs(": <code>", out);
    html_text(command, out);
    fputs("</code></p>\n", out);
}

/* A cell begins; `name` labels it where the table is folded to cards, `order` (may be NULL) is what it sorts by. */
static void cell(const char *name, const char *order, FILE *out)
{
    fprintf(out, "<td role=\"cell\" data-name=\"%s\"", name);
    if (order != NULL) {
        fputs(" data-order=\"", out);
        html_text(order, out);
        fputs("\"", out);
    }
    fputs(">", out);
}

static void section_begin(const char *id, const char *title, int count, const char *note, FILE *out)
{
    fprintf(
        out,
        "<section id=\"%s\" aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">%s <span class=\"count\">%d</span></h2>\n",
        id, id, id, title, count);
    if (*note != 0)
        fprintf(out, "<p class=\"note\">%s</p>\n", note);
}

static void put_severity(const char *severity, FILE *out)
{
    const char *order = strcmp(severity, "high") == 0 ? "0" : strcmp(severity, "medium") == 0 ? "1" : "2";
    cell("Severity", order, out);
    fputs("<span class=\"severity ", out);
    html_text(severity, out);
    fputs("\">", out);
    html_text(severity, out);
    fputs("</span></td>", out);
}

/* The hosts of `count` findings in a row that say the same. */
static void put_finding_hosts(const cJSON *finding, int count, FILE *out)
{
    char order[32];
    snprintf(order, sizeof order, "%d", count);
    cell("Host", count > 1 ? order : NULL, out);
    if (count > 1)
        fprintf(out, "<b>%d hosts</b> ", count);
    for (int at = 0; at < count; at++, finding = finding->next)
        put_name(report_string(finding, "host"), at, count, out);
    put_names_end(count, out);
    fputs("</td>", out);
}

static void put_finding(const cJSON *finding, int hosts, FILE *out)
{
    const char *why = report_string(finding, "why"), *before = report_string(finding, "before_summary"),
               *reason = report_string(finding, "reason"), *closed = report_string(finding, "closed_at"),
               *opened = report_string(finding, "opened_at");
    fputs("<tr role=\"row\">", out);
    put_severity(report_string(finding, "severity"), out);
    put_finding_hosts(finding, hosts, out);
    cell("Check", NULL, out);
    fputs("<span class=\"check\" title=\"", out);
    html_text(report_string(finding, "title"), out);
    fputs("\">", out);
    report_link_begin("findings?check=", report_string(finding, "check_code"), out);
    html_text(report_string(finding, "check_code"), out);
    report_link_end(out);
    fputs("</span></td>", out);
    cell("What", NULL, out);
    fputs("<p>", out);
    html_text(report_string(finding, "summary"), out);
    fputs("</p>", out);
    if (*why != 0) {
        fputs("<p class=\"why\">", out);
        html_text(why, out);
        if (*before != 0) {
            fputs("; before: ", out);
            html_text(before, out);
        }
        fputs("</p>", out);
    }
    if (*reason != 0) {
        fputs("<p class=\"why\">", out);
        html_text(report_string(finding, "waived_by"), out);
        fputs(" until ", out);
        put_time(report_string(finding, "waived_until"), out);
        fputs(": ", out);
        html_text(reason, out);
        fputs("</p>", out);
    }
    fputs("<details><summary>Evidence</summary>", out);
    report_evidence(cJSON_GetObjectItemCaseSensitive(finding, "evidence"), out);
    fputs("</details></td>", out);
    cell("Since", opened, out);
    put_time(opened, out);
    if (*closed != 0) {
        fputs(" until ", out);
        put_time(closed, out);
    }
    fputs("</td></tr>\n", out);
}

/* The findings of one section of the document, what they are cut to, and where the rest is. */
static void put_findings(const cJSON *document, const char *section, const char *title, const char *note, FILE *out)
{
    const cJSON *list = report_list(document, section), *finding = list->child;
    struct report_cut cut = {.per_check = LINES_PER_CHECK, .per_host = LINES_PER_HOST};
    char command[REPORT_COMMAND_SIZE];
    if (finding == NULL)
        return;
    section_begin(section, title, cJSON_GetArraySize(list), note, out);
    report_table_begin(title, "Severity|Host|Check|What|Since", out);
    for (int hosts; finding != NULL;) {
        const cJSON *next = report_same(finding, &hosts);
        if (report_cut_takes(&cut, finding, hosts))
            put_finding(finding, hosts, out);
        finding = next;
    }
    fputs("</tbody></table>\n", out);
    for (size_t at = 0; at < cut.count; at++)
        if (cut.checks[at].left > 0)
            put_more(cut.checks[at].left, cut.checks[at].code != NULL ? cut.checks[at].code : "other checks",
                     report_cut_command(&cut, at, section, document, command, sizeof command), out);
    fputs("</section>\n", out);
}

static void put_hosts(const cJSON *item, FILE *out)
{
    char order[32];
    snprintf(order, sizeof order, "%lld", report_number(item, "hosts"));
    cell("Hosts", order, out);
    fprintf(out, "<b>%s</b> ", order);
    put_names(report_list(item, "host_names"), out);
    fputs("</td>", out);
}

static void put_change(const cJSON *change, FILE *out)
{
    const char *kind = report_string(change, "kind");
    const cJSON *files = report_list(change, "files"), *file;
    int count = cJSON_GetArraySize(files), shown = 0;
    char step[600];
    fputs("<tr role=\"row\">", out);
    cell("Kind", NULL, out);
    fprintf(out, "<span class=\"kind%s\">", strcmp(kind, "older") == 0 || strcmp(kind, "removed") == 0 ? " back" : "");
    html_text(strcmp(kind, "older") == 0 ? "fell back" : kind, out);
    fputs("</span></td>", out);
    cell("What", NULL, out);
    fputs("<p><b>", out);
    html_text(report_string(change, "what"), out);
    fputs("</b>", out);
    if (*report_string(change, "title") != 0 && strcmp(kind, "patch") == 0) {
        fputs(" ", out);
        html_text(report_string(change, "title"), out);
    }
    fprintf(out, "</p><details%s><summary>%d %s</summary><ul class=\"files\">", count <= 3 ? " open" : "", count,
            plural(count, "file", "files"));
    cJSON_ArrayForEach(file, files)
    {
        if (shown++ == FILES_SHOWN) {
            fprintf(out, "<li>and %d more</li>", count - FILES_SHOWN);
            break;
        }
        fputs("<li><code>", out);
        html_text(report_string(file, "file"), out);
        fputs("</code> <span class=\"step\">", out);
        html_text(report_step(file, step, sizeof step), out);
        fputs("</span></li>", out);
    }
    fputs("</ul></details></td>", out);
    put_hosts(change, out);
    fputs("</tr>\n", out);
}

static void put_fact(const cJSON *fact, FILE *out)
{
    const char *old = report_string(fact, "old_value"), *new_value = report_string(fact, "new_value");
    fputs("<tr role=\"row\">", out);
    cell("Fact", NULL, out);
    html_words(report_string(fact, "what"), out);
    fputs("</td>", out);
    cell("Was", NULL, out);
    html_text(*old != 0 ? old : "none", out);
    fputs("</td>", out);
    cell("Is", NULL, out);
    html_text(*new_value != 0 ? new_value : "none", out);
    fputs("</td>", out);
    put_hosts(fact, out);
    fputs("</tr>\n", out);
}

static void put_life(const cJSON *event, FILE *out)
{
    fputs("<tr role=\"row\">", out);
    cell("What", NULL, out);
    html_text(report_string(event, "event"), out);
    fputs("</td>", out);
    cell("Why", NULL, out);
    html_text(report_string(event, "detail"), out);
    fputs("</td>", out);
    cell("By", NULL, out);
    html_text(report_string(event, "done_by"), out);
    fputs("</td>", out);
    put_hosts(event, out);
    fputs("</tr>\n", out);
}

static void put_unknown(const cJSON *unknown, FILE *out)
{
    fputs("<tr role=\"row\">", out);
    cell("Product", NULL, out);
    html_text(report_string(unknown, "product"), out);
    fputs("</td>", out);
    cell("What is missing", NULL, out);
    html_text(report_string(unknown, "missing"), out);
    fputs("</td>", out);
    put_hosts(unknown, out);
    fputs("</tr>\n", out);
}

static void put_dangerous(const cJSON *group, FILE *out)
{
    const char *step = report_string(group, "next_step"), *opened = report_string(group, "opened_at");
    long long hosts = report_number(group, "hosts");
    int named = cJSON_GetArraySize(report_list(group, "host_names"));
    char order[32];
    fputs("<tr role=\"row\">", out);
    cell("Check", NULL, out);
    fputs("<span class=\"check\" title=\"", out);
    html_text(report_string(group, "title"), out);
    fputs("\">", out);
    report_link_begin("findings?check=", report_string(group, "check_code"), out);
    html_text(report_string(group, "check_code"), out);
    report_link_end(out);
    fputs("</span></td>", out);
    snprintf(order, sizeof order, "%lld", hosts);
    cell("Host", order, out);
    if (hosts > 1)
        fprintf(out, "<b>%lld hosts</b> ", hosts);
    put_names(report_list(group, "host_names"), out);
    if (named < hosts)
        fprintf(out, " and %lld more", hosts - named);
    fputs("</td>", out);
    cell("What and next", NULL, out);
    fputs("<p>", out);
    html_text(report_string(group, "summary"), out);
    fputs("</p><p class=\"why\">", out);
    if (*step != 0) {
        fputs("Next: <b>", out);
        html_text(step, out);
        fputs("</b>. ", out);
    }
    fprintf(out, "%s: <code>", *step != 0 ? "All steps" : "Next");
    html_text(report_string(group, "command"), out);
    fputs("</code></p></td>", out);
    cell("Open for", opened, out);
    html_text(report_string(group, "open_for"), out);
    fputs(", since ", out);
    put_time(opened, out);
    fputs("</td></tr>\n", out);
}

static void put_all_dangerous(const cJSON *document, FILE *out)
{
    const cJSON *groups = report_list(document, "dangerous"), *item;
    if (cJSON_GetArraySize(groups) == 0)
        return;
    section_begin("dangerous", "Dangerous now",
                  (int)report_number(cJSON_GetObjectItemCaseSensitive(document, "counts"), "dangerous"),
                  "Hosts with open findings of severity high, whatever their age, worst first; what hosts share is one "
                  "line.",
                  out);
    report_table_begin("Dangerous now", "Check|Host|What and next|Open for", out);
    cJSON_ArrayForEach(item, groups) put_dangerous(item, out);
    fputs("</tbody></table>\n", out);
    cJSON_ArrayForEach(item, report_list(document, "dangers"))
    {
        long long rest = report_number(item, "findings") - report_shown(groups, report_string(item, "check_code"));
        if (rest > 0)
            put_more(rest, report_string(item, "check_code"), report_string(item, "command"), out);
    }
    fputs("</section>\n", out);
}

static void put_not_seen(const cJSON *unseen, FILE *out)
{
    fputs("<tr role=\"row\">", out);
    cell("Not seen", NULL, out);
    html_text(report_string(unseen, "what"), out);
    fputs("</td>", out);
    put_hosts(unseen, out);
    fputs("</tr>\n", out);
}

static void put_unassigned(const cJSON *unassigned, FILE *out)
{
    char order[24];
    snprintf(order, sizeof order, "%lld", report_number(unassigned, "unassigned"));
    fputs("<tr role=\"row\">", out);
    cell("Files", order, out);
    fprintf(out, "%s of %lld</td>", order, report_number(unassigned, "files"));
    put_hosts(unassigned, out);
    fputs("</tr>\n", out);
}

static void put_group(const cJSON *group, FILE *out)
{
    static const char *const columns[][2] = {
        {"In all", "hosts"}, {"In danger", "in_danger"},       {"Mixed", "mixed"},      {"Unknown", "unknown"},
        {"Level", "level"},  {"Became mixed", "became_mixed"}, {"Mended", "was_mended"}};
    char order[32];
    fputs("<tr role=\"row\">", out);
    cell("Group", NULL, out);
    report_link_begin("fleet?group=", report_string(group, "group_name"), out);
    html_text(report_string(group, "group_name"), out);
    report_link_end(out);
    fputs("</td>", out);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        long long number = report_number(group, columns[i][1]);
        snprintf(order, sizeof order, "%lld", number);
        cell(columns[i][0], order, out);
        html_number(number, out);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void put_table(const cJSON *document, const cJSON *list, const char *id, const char *title, const char *note,
                      const char *columns, void (*put_row)(const cJSON *, FILE *), FILE *out)
{
    int count = cJSON_GetArraySize(list), shown = 0;
    const cJSON *item;
    if (count == 0)
        return;
    section_begin(id, title, count, note, out);
    report_table_begin(title, columns, out);
    cJSON_ArrayForEach(item, list)
    {
        if (shown == ROWS_SHOWN)
            break;
        put_row(item, out);
        shown++;
    }
    table_end(document, shown, count, out);
    fputs("</section>\n", out);
}

static void tile(const char *href, const char *kind, long long number, const char *label, const char *note, FILE *out)
{
    fprintf(out, "<a class=\"tile %s\" href=\"%s\"><b>", number > 0 ? kind : "calm", href);
    html_number(number, out);
    fprintf(out, "</b><span>%s</span><small>%s</small></a>", label, note);
}

static void put_tiles(const cJSON *document, const cJSON *counts, FILE *out)
{
    char note[160];
    long long became = report_number(counts, "became_mixed"), mended = report_number(counts, "mended");
    fputs("<nav class=\"tiles\" aria-label=\"In numbers\">", out);
    tile(report_number(counts, "dangerous") > 0 ? "#dangerous" : "#charts", "bad", report_number(counts, "dangerous"),
         plural(report_number(counts, "dangerous"), "host in danger", "hosts in danger"), "whatever its age", out);
    if (became + mended > 0)
        snprintf(note, sizeof note, "%lld more, %lld mended", became, mended);
    else
        snprintf(note, sizeof note, "no change");
    tile(report_shown(report_list(document, "dangerous"), "mixed-level") > 0 ? "#dangerous" : "#matrix", "bad",
         report_number(counts, "mixed"), plural(report_number(counts, "mixed"), "mixed host", "mixed hosts"), note,
         out);
    snprintf(note, sizeof note, "%lld since then", report_number(counts, "lost"));
    tile("#unknown", "warn", report_number(counts, "unknown"), "can’t be judged", note, out);
    long long fresh = 0;
    const cJSON *silent;
    cJSON_ArrayForEach(silent, report_list(document, "silent")) fresh +=
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(silent, "is_new"));
    snprintf(note, sizeof note, "%lld since then", fresh);
    tile("#silent", "warn", report_number(counts, "silent"),
         plural(report_number(counts, "silent"), "silent host", "silent hosts"), note, out);
    snprintf(note, sizeof note, "of %lld, %lld of them new", report_number(counts, "hosts"),
             report_number(counts, "first_seen"));
    tile("#changes", "plain", report_number(counts, "changed"),
         plural(report_number(counts, "changed"), "host changed", "hosts changed"), note, out);
    fputs("</nav>\n", out);
}

/* What there is nothing of, in one quiet line. */
static void put_absent(const cJSON *document, FILE *out)
{
    static const struct report_section others[] = {{"dangerous", NULL, "nothing is dangerous now"},
                                                   {"changes", NULL, "no file changed"},
                                                   {"outliers", NULL, "no outliers"},
                                                   {"silent", NULL, "no silent hosts"}};
    int said = 0;
    for (const struct report_section *section = report_sections; section->name != NULL; section++)
        if (cJSON_GetArraySize(report_list(document, section->name)) == 0)
            fprintf(out, "%s%s", said++ > 0 ? ", " : "<p class=\"absent\">Also: ", section->none);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cJSON_GetArraySize(report_list(document, others[i].name)) == 0)
            fprintf(out, "%s%s", said++ > 0 ? ", " : "<p class=\"absent\">Also: ", others[i].none);
    fputs(said > 0 ? ".</p>\n" : "", out);
}

static void put_head(const cJSON *document, FILE *out)
{
    char time[20];
    report_time(report_string(document, "until"), time);
    time[strlen(time) < 10 ? strlen(time) : 10] = 0;
    report_page_head(report_string(document, "sentence"), time, out);
    fputs("<a class=\"apart\" href=\"#main\">Skip to the findings</a>\n", out);
}

/* All hosts as data for the filter; nothing in it can end the element or is more than text. */
static void put_hosts_data(const cJSON *document, FILE *out)
{
    const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(document, "hosts");
    char *text = cJSON_IsArray(hosts) ? cJSON_PrintUnformatted(hosts) : NULL;
    if (text == NULL)
        return;
    fputs("<script type=\"application/json\" id=\"hosts\">", out);
    for (const char *at = text; *at != 0; at++) {
        if (*at == '<')
            fputs("\\u003c", out);
        else
            putc(*at, out);
    }
    fputs("</script>\n", out);
    cJSON_free(text);
}

void report_html(const cJSON *document, FILE *out)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(document, "counts"), *product;
    const char *until = report_string(document, "until");
    put_head(document, out);
    fputs("<header><p class=\"eyebrow\">Evenkeel · what drifted", out);
    if (report_links())
        fputs(" · ", out);
    report_link_begin("fleet", "", out);
    fputs(report_links() ? "the fleet now" : "", out);
    report_link_end(out);
    fputs("</p>\n<h1>", out);
    html_text(report_string(document, "sentence"), out);
    fputs("</h1>\n<p class=\"span\">From ", out);
    put_time(report_string(document, "since"), out);
    fputs(" to ", out);
    put_time(until, out);
    fprintf(out, " (UTC%s)</p>\n",
            strlen(until) > 6 && strcmp(until + strlen(until) - 6, "+00:00") != 0 ? until + strlen(until) - 6 : "");
    put_tiles(document, counts, out);
    fputs("</header>\n<main id=\"main\">\n<div class=\"filter\" hidden><label for=\"filter\">Filter</label><input "
          "id=\"filter\" "
          "type=\"search\" placeholder=\"a host, a file, a check\" autocomplete=\"off\"><output id=\"shown\" "
          "for=\"filter\"></output><p id=\"found\" role=\"status\"></p></div>\n",
          out);
    put_all_dangerous(document, out);
    for (const struct report_section *section = report_sections; section->name != NULL; section++)
        put_findings(document, section->name, section->title, "", out);
    put_table(document, report_list(document, "life"), "life", "Came and went",
              "A retired host is in none of the other numbers. One that reports again comes back by itself.",
              "What|Why|By|Hosts", put_life, out);
    put_table(document, report_list(document, "changes"), "changes", "Changed files",
              "The same files to the same versions are one line, under the patch or level that is known to bring them.",
              "Kind|What|Hosts", put_change, out);
    put_table(document, report_list(document, "facts"), "facts", "Changed facts", "", "Fact|Was|Is|Hosts", put_fact,
              out);
    put_findings(document, "outliers", "Outliers", "", out);
    put_findings(document, "silent", "Silent hosts",
                 "Nothing is known of them since: what else this page says of them may have changed.", out);
    put_table(document, report_list(document, "groups"), "groups", "By group",
              "In danger: something is open that is severe. A host counts in each of its groups.",
              "Group|In all|In danger|Mixed|Unknown|Level|Became mixed|Mended", put_group, out);
    put_table(document, report_list(document, "unknown"), "unknown", "Can’t be judged",
              "Unknown is not fine. This is what would have to be known.", "Product|What is missing|Hosts", put_unknown,
              out);
    put_table(document, report_list(document, "not_seen"), "not-seen", "Not seen",
              "What collectors passed over: nothing is said of it.", "Not seen|Hosts", put_not_seen, out);
    put_table(document, report_list(document, "unassigned"), "unassigned", "Files of no product",
              "They belong to no product of the catalogue that their host has: no verdict is about them.",
              "Files|Hosts", put_unassigned, out);
    put_absent(document, out);
    fputs("<section id=\"charts\" aria-labelledby=\"charts-title\"><h2 id=\"charts-title\">Thirty nights</h2>\n<div "
          "class=\"charts\">\n",
          out);
    report_chart_mixed(document, out);
    report_chart_levels(document, out);
    fputs("</div></section>\n<section id=\"matrix\" aria-labelledby=\"matrix-title\"><h2 "
          "id=\"matrix-title\">Components by "
          "level</h2>\n<div class=\"matrices\">\n",
          out);
    cJSON_ArrayForEach(product, report_list(document, "levels")) report_matrix(document, product, out);
    fputs("</div></section>\n</main>\n<footer><p>Made by Evenkeel " EVENKEEL_VERSION
          ". All of it: <code>evenkeel report drift",
          out);
    html_text(report_options(document), out);
    fputs(" --format json</code>.</p></footer>\n", out);
    put_hosts_data(document, out);
    report_page_script(out);
    fputs("</body>\n</html>\n", out);
}
