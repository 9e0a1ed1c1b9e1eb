/* The page of findings: by check, and what each rests on. */

#include "page_html.h"

#include "aggregator/report/report_evidence.h"
#include "page_finding.h"

#include <string.h>

void put_finding(const cJSON *finding, bool named, FILE *out)
{
    const char *severity = report_string(finding, "severity"), *waived = report_string(finding, "waived_until"),
               *check = report_string(finding, "check_name");
    fprintf(out, "<article class=\"finding%s\"><p class=\"head\">", *waived != 0 ? " waived" : "");
    put_badge(severity, severity, out);
    fputs(" ", out);
    put_link(out, "findings", "check", report_string(finding, "check_name"), NULL);
    html_text(report_string(finding, "check_name"), out);
    fputs("</a>", out);
    if (strcmp(check, "partial-patch") == 0 || strcmp(check, "patch-below-prerequisite") == 0) {
        fputs(" ", out);
        put_link(out, "patch", "code", report_string(finding, "subject"), NULL);
        html_text(report_string(finding, "subject"), out);
        fputs("</a>", out);
    }
    if (named) {
        fputs(" on ", out);
        put_host(report_string(finding, "host_id"), report_string(finding, "host"), out);
    }
    fputs("<span class=\"why\"> since ", out);
    put_time(report_string(finding, "opened_at"), out);
    fputs("</span></p>\n<p>", out);
    html_text(report_string(finding, "summary"), out);
    fputs("</p>\n", out);
    if (*waived != 0) {
        fputs("<p class=\"why\">Waived until ", out);
        put_time(waived, out);
        fputs(" by ", out);
        html_text(report_string(finding, "waived_by"), out);
        fputs(": ", out);
        html_text(report_string(finding, "waived_because"), out);
        fputs("</p>\n", out);
    }
    fprintf(out, "<details%s><summary>Evidence</summary>", named ? "" : " open");
    report_evidence(cJSON_GetObjectItemCaseSensitive(finding, "evidence"), out);
    fputs("</details></article>\n", out);
}

/* The checks that found something, as a row of links; the one that is shown is marked. */
static void put_checks(const cJSON *document, const char *shown, const char *severity, bool waived, FILE *out)
{
    const cJSON *check;
    fputs("<nav class=\"chips\" aria-label=\"Checks\">", out);
    fprintf(out, "<a href=\"findings%s\"%s>all</a>", waived ? "?waived=yes" : "",
            *shown == 0 && *severity == 0 ? " aria-current=\"true\"" : "");
    cJSON_ArrayForEach(check, report_list(document, "checks"))
    {
        const char *code = report_string(check, "check");
        long long count =
            waived ? report_number(check, "waived")
                   : report_number(check, "high") + report_number(check, "medium") + report_number(check, "low");
        if (count == 0 && strcmp(code, shown) != 0)
            continue;
        fputs("<a href=\"findings?check=", out);
        html_text(code, out);
        fprintf(out, "%s\"%s>", waived ? "&amp;waived=yes" : "",
                strcmp(code, shown) == 0 ? " aria-current=\"true\"" : "");
        html_text(code, out);
        fputs(" <b>", out);
        html_number(count, out);
        fputs("</b></a>", out);
    }
    fputs("</nav>\n", out);
}

static void heading_of(const cJSON *document, const char *check, const char *severity, bool waived, char *text,
                       size_t size)
{
    const cJSON *item;
    long long high = 0, all = 0;
    cJSON_ArrayForEach(item, report_list(document, "checks"))
    {
        if (*check != 0 && strcmp(report_string(item, "check"), check) != 0)
            continue;
        high += report_number(item, "high");
        all += waived ? report_number(item, "waived")
                      : report_number(item, "high") + report_number(item, "medium") + report_number(item, "low");
    }
    if (waived)
        snprintf(text, size, "%lld waived %s%s%s", all, plural(all, "finding", "findings"), *check != 0 ? " of " : "",
                 check);
    else if (all == 0)
        snprintf(text, size, "No open finding%s%s", *check != 0 ? " of " : "", check);
    else if (strcmp(severity, "high") == 0)
        snprintf(text, size, "%lld dangerous %s%s%s", high, plural(high, "finding", "findings"),
                 *check != 0 ? " of " : "", check);
    else
        snprintf(text, size, "%lld open %s%s%s, %lld of severity high", all, plural(all, "finding", "findings"),
                 *check != 0 ? " of " : "", check, high);
}

void page_findings(const cJSON *document, FILE *out)
{
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(document, "filter"), *finding;
    const char *check = report_string(asked, "check"), *severity = report_string(asked, "severity"),
               *title = report_string(document, "title");
    bool waived = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(asked, "waived"));
    char heading[256];
    heading_of(document, check, severity, waived, heading, sizeof heading);
    page_begin("findings", "Evenkeel · findings", heading, out);
    fputs("<p class=\"span\">", out);
    if (*title != 0) {
        html_text(title, out);
        fputs(". ", out);
    }
    fputs("Worst first, then the newest. ", out);
    put_link(out, "findings", "check", check, "severity", severity, "waived", waived ? "" : "yes", NULL);
    fputs(waived ? "Those that are not waived</a></p>\n" : "Those that are waived</a></p>\n", out);
    put_checks(document, check, severity, waived, out);
    page_main(out);
    fputs("<section aria-label=\"Findings\">\n", out);
    cJSON_ArrayForEach(finding, report_list(document, "findings")) put_finding(finding, true, out);
    if (cJSON_GetArraySize(report_list(document, "findings")) == 0)
        fputs("<p class=\"absent\">There is none.</p>\n", out);
    put_pager(document, out, "findings", "check", check, "severity", severity, "waived", waived ? "yes" : "", NULL);
    section_end(out);
    page_end(document, out);
}
