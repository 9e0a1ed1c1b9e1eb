/* The page of a host: what is known of it, in four parts. */

#include "page_html.h"

#include "page_finding.h"
#include "page_host.h"

#include <string.h>

static void put_fact(const char *name, const char *text, FILE *out)
{
    if (*text == 0)
        return;
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    html_text(text, out);
    fputs("</dd></div>", out);
}

static void put_moment(const char *name, const char *iso, FILE *out)
{
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    put_time(iso, out);
    fputs("</dd></div>", out);
}

static void put_groups(const cJSON *groups, FILE *out)
{
    const cJSON *group;
    int said = 0;
    if (cJSON_GetArraySize(groups) == 0)
        return;
    fputs("<div><dt>Groups</dt><dd>", out);
    cJSON_ArrayForEach(group, groups)
    {
        fputs(said++ > 0 ? ", " : "", out);
        put_link(out, "fleet", "group", cJSON_IsString(group) ? group->valuestring : "", NULL);
        html_text(cJSON_IsString(group) ? group->valuestring : "", out);
        fputs("</a>", out);
    }
    fputs("</dd></div>", out);
}

/* What holds of the host whichever part is shown. */
static void put_facts(const cJSON *document, const cJSON *state, FILE *out)
{
    fputs("<dl class=\"facts\">", out);
    put_fact("Windows", report_string(state, "os"), out);
    put_fact("Declares", report_string(state, "declared_level"), out);
    put_fact("Proof", report_string(state, "proof"), out);
    put_moment("Last seen", report_string(state, "last_seen"), out);
    put_moment("Files as they are since", report_string(state, "changed_at"), out);
    put_moment("Judged", report_string(state, "judged_at"), out);
    put_groups(report_list(document, "groups"), out);
    put_fact("Collector", report_string(document, "collector"), out);
    put_fact("Not seen", report_string(state, "not_seen"), out);
    put_fact("Host id", report_string(document, "host_id"), out);
    fputs("</dl>\n", out);
}

static void put_tabs(const cJSON *document, const char *part, FILE *out)
{
    static const char *const parts[][2] = {
        {"overview", "Overview"}, {"files", "Files"}, {"history", "History"}, {"services", "Services"}};
    fputs("<nav class=\"chips\" aria-label=\"Parts\">", out);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fputs("<a href=\"host?id=", out);
        html_text(report_string(document, "host_id"), out);
        if (i > 0)
            fprintf(out, "&amp;part=%s", parts[i][0]);
        fprintf(out, "\"%s>%s</a>", strcmp(parts[i][0], part) == 0 ? " aria-current=\"page\"" : "", parts[i][1]);
    }
    fputs("</nav>\n", out);
}

/* 'mixed: declares SP2', 'SP2, proven by 45 of 47 files (catalogue)' */
static void put_product(const cJSON *product, FILE *out)
{
    const char *verdict = report_string(product, "verdict"), *declared = report_string(product, "declared"),
               *level = report_string(product, "level"), *proof = report_string(product, "proof"),
               *missing = report_string(product, "missing");
    long long confirmed = report_number(product, "confirmed"), countable = report_number(product, "countable"),
              files = report_number(product, "files");
    row_begin(out);
    cell_begin("Verdict", out);
    put_badge(verdict, verdict, out);
    cell_end(out);
    cell_begin("Product", out);
    put_link(out, "fleet", "product", report_string(product, "product"), NULL);
    html_text(report_string(product, "name"), out);
    fputs("</a>", out);
    cell_end(out);
    cell_begin("What", out);
    fputs("<p>", out);
    if (strcmp(verdict, "mixed") == 0) {
        fputs("Its files belong to no one level", out);
    } else if (strcmp(verdict, "level") == 0) {
        fputs("At ", out);
        html_text(level, out);
    } else {
        fputs("Not known", out);
        if (*level != 0) {
            fputs("; ", out);
            html_text(level, out);
            fputs(" would have to be proven", out);
        }
    }
    if (*declared != 0) {
        fputs(", the registry declares ", out);
        html_text(declared, out);
    }
    if (countable > 0)
        fprintf(out, "; %lld of %lld %s that could be older %s proven not to be", confirmed, countable,
                plural(countable, "file", "files"), plural(confirmed, "is", "are"));
    if (*proof != 0) {
        fputs(" (by ", out);
        html_text(proof, out);
        fputs(")", out);
    }
    fprintf(out, ". %lld %s in all.</p>", files, plural(files, "file", "files"));
    if (*missing != 0) {
        fputs("<p class=\"why\">To know more: ", out);
        html_text(missing, out);
        fputs("</p>", out);
    }
    cell_end(out);
    row_end(out);
}

static void put_component(const cJSON *component, const char *host_id, FILE *out)
{
    const char *levels = report_string(component, "levels"), *code = report_string(component, "component");
    long long confirmed = report_number(component, "confirmed"), countable = report_number(component, "countable"),
              ahead = report_number(component, "ahead");
    row_begin(out);
    cell_begin("Component", out);
    put_link(out, "host", "id", host_id, "part", "files", "component", code, NULL);
    html_text(*report_string(component, "name") != 0 ? report_string(component, "name") : code, out);
    fputs("</a>", out);
    cell_end(out);
    cell_begin("Levels", out);
    if (strcmp(levels, "mixed") == 0)
        put_badge("mixed", levels, out);
    else
        html_text(*levels != 0 ? levels : "not known", out);
    cell_end(out);
    cell_begin("Proven", out);
    if (countable > 0) {
        fprintf(out, "%lld of %lld", confirmed, countable);
        put_share(confirmed, countable, out);
    } else {
        fputs("<span class=\"why\">nothing to prove it by</span>", out);
    }
    if (ahead > 0)
        fprintf(out, "<p class=\"why\">%lld newer than that level ships</p>", ahead);
    cell_end(out);
    cell_begin("Files", out);
    html_number(report_number(component, "files"), out);
    cell_end(out);
    row_end(out);
}

/* What a plan has behind its steps, of what is found then, needs them to be laid over the host, which a page can't. */
static bool is_step(const cJSON *step)
{
    const char *action = report_string(step, "action");
    return strcmp(action, "then") != 0 && strcmp(action, "unknown") != 0;
}

static int count_steps(const cJSON *document)
{
    int steps = 0;
    const cJSON *step;
    cJSON_ArrayForEach(step, report_list(document, "plan")) steps += is_step(step);
    return steps;
}

static void put_plan(const cJSON *document, FILE *out)
{
    const cJSON *step;
    const cJSON *plan = report_list(document, "plan");
    if (count_steps(document) == 0)
        return;
    section_begin("plan", "The way back", -1, "Worked out now, in this order; nothing here does it.", out);
    fputs("<ol class=\"plan\">", out);
    cJSON_ArrayForEach(step, plan)
    {
        if (!is_step(step))
            continue;
        fputs("<li><b>", out);
        html_text(report_string(step, "action"), out);
        fputs("</b>: ", out);
        html_text(report_string(step, "what"), out);
        fputs("<p class=\"why\">", out);
        html_text(report_string(step, "why"), out);
        fputs("</p></li>", out);
    }
    fputs("</ol>\n<p class=\"more\">A page only reads, and so has not tried them. <code>evenkeel plan ", out);
    html_text(report_string(document, "host_id"), out);
    fputs("</code> lays them over what is known of the host, leaves out what would break it, and says what "
          "remains.</p>\n",
          out);
    section_end(out);
}

static void put_overview(const cJSON *document, FILE *out)
{
    const cJSON *findings = report_list(document, "findings"), *item;
    if (cJSON_GetArraySize(findings) > 0) {
        section_begin("findings", "Findings", cJSON_GetArraySize(findings), "", out);
        cJSON_ArrayForEach(item, findings) put_finding(item, false, out);
        section_end(out);
    }
    put_plan(document, out);
    section_begin("products", "Products", cJSON_GetArraySize(report_list(document, "products")), "", out);
    if (cJSON_GetArraySize(report_list(document, "products")) == 0) {
        fputs("<p class=\"absent\">No product of the catalogue was found here.</p>\n", out);
    } else {
        report_table_begin("Products", "Verdict|Product|What", out);
        cJSON_ArrayForEach(item, report_list(document, "products")) put_product(item, out);
        table_end(out);
    }
    section_end(out);
    if (cJSON_GetArraySize(report_list(document, "components")) == 0)
        return;
    section_begin(
        "components", "Components", cJSON_GetArraySize(report_list(document, "components")),
        "Files that must move together. Proven: of the files that could be older than their level ships them, how "
        "many are known not to be.",
        out);
    report_table_begin("Components", "Component|Levels|Proven|Files", out);
    cJSON_ArrayForEach(item, report_list(document, "components"))
        put_component(item, report_string(document, "host_id"), out);
    table_end(out);
    section_end(out);
}

/* 'web-05 is mixed', 'web-05 can’t be judged, its files', 'web-05 is retired' */
static void heading_of(const cJSON *document, const cJSON *state, char *text, size_t size)
{
    const char *verdict = report_string(state, "verdict"), *part = report_string(document, "part");
    bool retired = *report_string(document, "retired_at") != 0, unknown = strcmp(verdict, "unknown") == 0;
    bool whole = strcmp(part, "overview") == 0;
    snprintf(text, size, "%s %s%s%s%s", report_string(document, "host"),
             unknown && !retired ? "can’t be judged" : "is ",
             retired   ? "retired"
             : unknown ? ""
                       : verdict,
             whole ? "" : ", its ", whole ? "" : part);
}

/* Of the open findings, those that a person accepts; 0 where not all are in the document. */
static long long count_waived(const cJSON *document, long long open)
{
    const cJSON *findings = report_list(document, "findings"), *finding;
    long long waived = 0;
    cJSON_ArrayForEach(finding, findings) waived += *report_string(finding, "waived_until") != 0;
    return cJSON_GetArraySize(findings) == open ? waived : 0;
}

/* The sentence below the heading: how much was found, and what is missing. */
static void put_reason(const cJSON *document, const cJSON *state, FILE *out)
{
    int steps = count_steps(document);
    const char *missing = report_string(state, "missing");
    long long open = report_number(document, "open");
    fputs("<p class=\"lead\">", out);
    if (*report_string(document, "retired_at") != 0) {
        fputs("Since ", out);
        put_time(report_string(document, "retired_at"), out);
        fputs(": ", out);
        html_text(report_string(document, "retired_because"), out);
    } else if (open == 0 && *missing == 0) {
        fputs("No open finding.", out);
    }
    if (open > 0) {
        long long waived = count_waived(document, open);
        put_number(open, "open finding", "open findings", out);
        if (waived > 0 && waived < open)
            fprintf(out, ", %lld waived", waived);
        else if (waived > 0)
            fputs(plural(open, ", waived", ", all waived"), out);
        if (steps > 0) {
            fputs("; <a href=\"#plan\">the way back</a> has ", out);
            put_number(steps, "step", "steps", out);
        }
        fputs(". ", out);
    }
    if (*missing != 0) {
        fputs("To know: ", out);
        html_text(missing, out);
    }
    fputs("</p>\n", out);
}

/* The hosts of a name that several bear. */
static void put_namesakes(const cJSON *document, FILE *out)
{
    const cJSON *host;
    char heading[600];
    int count = cJSON_GetArraySize(report_list(document, "hosts"));
    snprintf(heading, sizeof heading, "%d hosts are named %s", count, report_string(document, "name"));
    page_begin("", "Evenkeel · hosts", heading, out);
    page_main(out);
    report_table_begin("Hosts of that name", "Host|First seen|Host id", out);
    cJSON_ArrayForEach(host, report_list(document, "hosts"))
    {
        row_begin(out);
        cell_begin("Host", out);
        put_host(report_string(host, "host_id"), report_string(host, "host"), out);
        fputs(*report_string(host, "retired_at") != 0 ? " (retired)" : "", out);
        cell_end(out);
        cell_begin("First seen", out);
        put_time(report_string(host, "created_at"), out);
        cell_end(out);
        cell_begin("Host id", out);
        html_text(report_string(host, "host_id"), out);
        cell_end(out);
        row_end(out);
    }
    table_end(out);
    page_end(document, out);
}

void page_host(const cJSON *document, FILE *out)
{
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(document, "state");
    const char *part = report_string(document, "part");
    char heading[600];
    if (strcmp(report_string(document, "page"), "hosts") == 0) {
        put_namesakes(document, out);
        return;
    }
    heading_of(document, state, heading, sizeof heading);
    page_begin("", "Evenkeel · host", heading, out);
    put_reason(document, state, out);
    if (state != NULL)
        put_facts(document, state, out);
    put_tabs(document, part, out);
    page_main(out);
    if (strcmp(part, "files") == 0)
        host_files(document, out);
    else if (strcmp(part, "history") == 0)
        host_history(document, out);
    else if (strcmp(part, "services") == 0)
        host_services(document, out);
    else
        put_overview(document, out);
    page_end(document, out);
}
