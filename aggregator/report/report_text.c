/* The drift report as text: for a terminal, a mail, a ticket. */

#include "report_text.h"

#include "report_document.h"

#include "proto/utf8.h"
#include "proto/words.h"

#include <stdbool.h>
#include <string.h>

#define NAMES_SHOWN 8
#define FILES_SHOWN 12
/* As many as a person reads in a mail; the other formats have more, JSON and CSV all. */
#define LINES_PER_CHECK 40
#define LINES_PER_HOST 10

static void put_names(const cJSON *names, FILE *out)
{
    int shown = 0, count = cJSON_GetArraySize(names);
    const cJSON *name;
    cJSON_ArrayForEach(name, names)
    {
        if (shown == NAMES_SHOWN && count > NAMES_SHOWN + 1) {
            fprintf(out, " and %d more", count - shown);
            break;
        }
        fputs(shown++ > 0 ? ", " : "", out);
        utf8_print(cJSON_IsString(name) ? name->valuestring : "", out);
    }
}

static void heading(const char *title, int count, FILE *out)
{
    fprintf(out, "\n%s (%d)\n", title, count);
}

/* `hosts` findings in a row that say the same. */
static void put_finding(const cJSON *finding, int hosts, FILE *out)
{
    char when[20];
    fprintf(out, "  %-6s  ", report_string(finding, "severity"));
    utf8_print(report_string(finding, "check_code"), out);
    fputs(hosts > 1 ? "  " : "  on ", out);
    if (hosts > 1)
        fprintf(out, "on %d hosts: ", hosts);
    const cJSON *one = finding;
    for (int at = 0; at < hosts; at++, one = one->next) {
        if (at == NAMES_SHOWN && hosts > NAMES_SHOWN + 1) {
            fprintf(out, " and %d more", hosts - at);
            break;
        }
        fputs(at > 0 ? ", " : "", out);
        utf8_print(report_string(one, "host"), out);
    }
    const char *why = report_string(finding, "why"), *reason = report_string(finding, "reason");
    if (*why != 0)
        fprintf(out, " (%s)", why);
    fputs("\n          ", out);
    utf8_print(report_string(finding, "summary"), out);
    putc('\n', out);
    if (*reason != 0) {
        fprintf(out, "          waived until %s by ", report_time(report_string(finding, "waived_until"), when));
        utf8_print(report_string(finding, "waived_by"), out);
        fputs(": ", out);
        utf8_print(reason, out);
        putc('\n', out);
    }
    if (*report_string(finding, "closed_at") != 0) {
        fprintf(out, "          open since %s, ", report_time(report_string(finding, "opened_at"), when));
        fprintf(out, "closed %s\n", report_time(report_string(finding, "closed_at"), when));
    }
}

static void put_more(long long count, const char *check, const char *command, FILE *out)
{
    fprintf(out, "  and %lld more of ", count);
    utf8_print(check, out);
    fprintf(out, ": %s\n", command);
}

static void put_findings(const cJSON *document, const char *section, const char *title, FILE *out)
{
    const cJSON *list = report_list(document, section), *finding = list->child;
    struct report_cut cut = {.per_check = LINES_PER_CHECK, .per_host = LINES_PER_HOST};
    char command[REPORT_COMMAND_SIZE];
    if (finding == NULL)
        return;
    heading(title, cJSON_GetArraySize(list), out);
    for (int hosts; finding != NULL;) {
        const cJSON *next = report_same(finding, &hosts);
        if (report_cut_takes(&cut, finding, hosts))
            put_finding(finding, hosts, out);
        finding = next;
    }
    for (size_t at = 0; at < cut.count; at++)
        if (cut.checks[at].left > 0)
            put_more(cut.checks[at].left, cut.checks[at].code != NULL ? cut.checks[at].code : "other checks",
                     report_cut_command(&cut, at, section, document, command, sizeof command), out);
}

static void put_change(const cJSON *change, FILE *out)
{
    long long hosts = report_number(change, "hosts");
    char step[400];
    int shown = 0;
    const cJSON *files = report_list(change, "files"), *file;
    fputs("  ", out);
    utf8_print(report_string(change, "what"), out);
    if (*report_string(change, "title") != 0 && strcmp(report_string(change, "kind"), "patch") == 0) {
        fputs(", ", out);
        utf8_print(report_string(change, "title"), out);
    }
    fprintf(out, ": %s on %lld %s: ", report_string(change, "kind"), hosts, plural(hosts, "host", "hosts"));
    put_names(report_list(change, "host_names"), out);
    putc('\n', out);
    cJSON_ArrayForEach(file, files)
    {
        if (shown++ == FILES_SHOWN) {
            fprintf(out, "          and %d more %s\n", cJSON_GetArraySize(files) - FILES_SHOWN,
                    plural(cJSON_GetArraySize(files) - FILES_SHOWN, "file", "files"));
            break;
        }
        fputs("          ", out);
        utf8_print(report_string(file, "file"), out);
        fputs("  ", out);
        utf8_print(report_step(file, step, sizeof step), out);
        putc('\n', out);
    }
}

static void put_fact(const cJSON *fact, FILE *out)
{
    long long hosts = report_number(fact, "hosts");
    const char *old = report_string(fact, "old_value"), *new_value = report_string(fact, "new_value");
    fputs("  ", out);
    utf8_print(report_string(fact, "what"), out);
    fputs(": ", out);
    utf8_print(*old != 0 ? old : "(none)", out);
    fputs(" → ", out);
    utf8_print(*new_value != 0 ? new_value : "(none)", out);
    fprintf(out, " on %lld %s: ", hosts, plural(hosts, "host", "hosts"));
    put_names(report_list(fact, "host_names"), out);
    putc('\n', out);
}

static void put_life(const cJSON *event, FILE *out)
{
    long long hosts = report_number(event, "hosts");
    const char *detail = report_string(event, "detail"), *by = report_string(event, "done_by");
    fprintf(out, "  %s%s", report_string(event, "event"), *detail != 0 ? ", " : "");
    utf8_print(detail, out);
    fputs(*by != 0 ? ", by " : "", out);
    utf8_print(by, out);
    fprintf(out, ": %lld %s: ", hosts, plural(hosts, "host", "hosts"));
    put_names(report_list(event, "host_names"), out);
    putc('\n', out);
}

static void put_unknown(const cJSON *unknown, FILE *out)
{
    long long hosts = report_number(unknown, "hosts");
    fprintf(out, "  %lld %s, ", hosts, plural(hosts, "host", "hosts"));
    utf8_print(report_string(unknown, "product"), out);
    fputs(": ", out);
    utf8_print(report_string(unknown, "missing"), out);
    fputs("\n          ", out);
    put_names(report_list(unknown, "host_names"), out);
    putc('\n', out);
}

static void put_dangerous(const cJSON *group, FILE *out)
{
    char when[20];
    long long hosts = report_number(group, "hosts"), named = 0;
    const char *step = report_string(group, "next_step");
    const cJSON *name;
    fputs("  ", out);
    utf8_print(report_string(group, "check_code"), out);
    fprintf(out, "  on %lld %s: ", hosts, plural(hosts, "host", "hosts"));
    cJSON_ArrayForEach(name, report_list(group, "host_names"))
    {
        if (named == NAMES_SHOWN && hosts > NAMES_SHOWN + 1)
            break;
        fputs(named++ > 0 ? ", " : "", out);
        utf8_print(cJSON_IsString(name) ? name->valuestring : "", out);
    }
    if (named < hosts)
        fprintf(out, " and %lld more", hosts - named);
    fputs("\n          ", out);
    utf8_print(report_string(group, "summary"), out);
    fprintf(out, "\n          open for %s, since %s", report_string(group, "open_for"),
            report_time(report_string(group, "opened_at"), when));
    if (*step != 0) {
        fputs("\n          next: ", out);
        utf8_print(step, out);
    }
    fprintf(out, "\n          %s: %s\n", *step != 0 ? "all steps" : "next", report_string(group, "command"));
}

static void put_all_dangerous(const cJSON *document, FILE *out)
{
    const cJSON *groups = report_list(document, "dangerous"), *item;
    if (cJSON_GetArraySize(groups) == 0)
        return;
    fprintf(out, "\nDangerous now (%lld %s)\n",
            report_number(cJSON_GetObjectItemCaseSensitive(document, "counts"), "dangerous"),
            plural(report_number(cJSON_GetObjectItemCaseSensitive(document, "counts"), "dangerous"), "host", "hosts"));
    cJSON_ArrayForEach(item, groups) put_dangerous(item, out);
    cJSON_ArrayForEach(item, report_list(document, "dangers"))
    {
        long long rest = report_number(item, "findings") - report_shown(groups, report_string(item, "check_code"));
        if (rest > 0)
            put_more(rest, report_string(item, "check_code"), report_string(item, "command"), out);
    }
}

static void put_not_seen(const cJSON *unseen, FILE *out)
{
    long long hosts = report_number(unseen, "hosts");
    fprintf(out, "  %lld %s: ", hosts, plural(hosts, "host", "hosts"));
    utf8_print(report_string(unseen, "what"), out);
    fputs("\n          ", out);
    put_names(report_list(unseen, "host_names"), out);
    putc('\n', out);
}

static void put_unassigned(const cJSON *unassigned, FILE *out)
{
    long long hosts = report_number(unassigned, "hosts"), files = report_number(unassigned, "files");
    fprintf(out, "  %lld %s: %lld of %lld %s\n          ", hosts, plural(hosts, "host", "hosts"),
            report_number(unassigned, "unassigned"), files, plural(files, "file", "files"));
    put_names(report_list(unassigned, "host_names"), out);
    putc('\n', out);
}

static void put_group(const cJSON *group, FILE *out)
{
    long long hosts = report_number(group, "hosts"), became = report_number(group, "became_mixed"),
              mended = report_number(group, "was_mended");
    fputs("  ", out);
    utf8_print(report_string(group, "group_name"), out);
    fprintf(out, ": %lld %s, %lld in danger, %lld mixed, %lld unknown, %lld level", hosts,
            plural(hosts, "host", "hosts"), report_number(group, "in_danger"), report_number(group, "mixed"),
            report_number(group, "unknown"), report_number(group, "level"));
    if (became > 0)
        fprintf(out, "; %lld became mixed", became);
    if (mended > 0)
        fprintf(out, "%s %lld mended", became > 0 ? "," : ";", mended);
    putc('\n', out);
}

static void put_groups(const cJSON *document, FILE *out)
{
    const cJSON *groups = report_list(document, "groups");
    int count = cJSON_GetArraySize(groups), shown = 0;
    const cJSON *group;
    if (count == 0)
        return;
    heading("By group", count, out);
    cJSON_ArrayForEach(group, groups)
    {
        if (shown == LINES_PER_CHECK)
            break;
        put_group(group, out);
        shown++;
    }
    if (shown < count)
        fprintf(out, "  and %d more %s: evenkeel report drift%s --format csv\n", count - shown,
                plural(count - shown, "group", "groups"), report_options(document));
}

static void put_all(const cJSON *list, const char *title, void (*put_one)(const cJSON *, FILE *), FILE *out)
{
    const cJSON *item;
    if (cJSON_GetArraySize(list) == 0)
        return;
    heading(title, cJSON_GetArraySize(list), out);
    cJSON_ArrayForEach(item, list) put_one(item, out);
}

void report_text(const cJSON *document, FILE *out)
{
    char since[20], until[20];
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(document, "counts");
    fprintf(out, "%s\n", report_string(document, "sentence"));
    fprintf(out, "from %s to %s; now %lld in danger, %lld mixed, %lld unknown, %lld level\n",
            report_time(report_string(document, "since"), since), report_time(report_string(document, "until"), until),
            report_number(counts, "dangerous"), report_number(counts, "mixed"), report_number(counts, "unknown"),
            report_number(counts, "level"));
    put_all_dangerous(document, out);
    for (const struct report_section *section = report_sections; section->name != NULL; section++)
        put_findings(document, section->name, section->title, out);
    put_all(report_list(document, "life"), "Came and went", put_life, out);
    put_all(report_list(document, "changes"), "Changed files", put_change, out);
    put_all(report_list(document, "facts"), "Changed facts", put_fact, out);
    put_findings(document, "outliers", "Outliers", out);
    put_findings(document, "silent", "Silent hosts", out);
    put_groups(document, out);
    put_all(report_list(document, "unknown"), "Can't be judged", put_unknown, out);
    put_all(report_list(document, "not_seen"), "Not seen", put_not_seen, out);
    put_all(report_list(document, "unassigned"), "Files of no product", put_unassigned, out);
}
