/* Components by level: how many hosts hold each at which. */

#include "report_matrix.h"

#include "aggregator/base/html.h"
#include "report_document.h"

#include <stdbool.h>
#include <string.h>

/* The level of a row of the matrix, which is null where the product has no levels. */
static const char *level_of(const cJSON *row)
{
    const char *level = report_string(row, "level");
    return *level != 0 ? level : "unknown";
}

enum { COLUMNS_MAXIMUM = 40 };

static bool holds_level(const cJSON *rows, const char *product, const char *level)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        if (strcmp(report_string(row, "product"), product) == 0 && strcmp(level_of(row), level) == 0)
            return true;
    }
    return false;
}

static size_t column_of(const char *const *columns, size_t count, const char *level)
{
    size_t at = 0;
    while (at < count && strcmp(columns[at], level) != 0)
        at++;
    return at;
}

/* What the matrix of a product has across: 'mixed', so that it is in sight, the levels that some host holds, in their
 * order, and behind them ranges (SP1..SP2) and 'unknown'. What finds no room stands under 'others', the last. */
static size_t find_columns(const cJSON *rows, const cJSON *product, const char **columns)
{
    const char *code = report_string(product, "product");
    const cJSON *level, *row;
    size_t count = 0;
    if (holds_level(rows, code, "mixed"))
        columns[count++] = "mixed";
    cJSON_ArrayForEach(level, report_list(product, "levels"))
    {
        if (cJSON_IsString(level) && count < COLUMNS_MAXIMUM - 1 && holds_level(rows, code, level->valuestring))
            columns[count++] = level->valuestring;
    }
    cJSON_ArrayForEach(row, rows)
    {
        if (strcmp(report_string(row, "product"), code) != 0 || column_of(columns, count, level_of(row)) < count)
            continue;
        if (count == COLUMNS_MAXIMUM - 1) {
            columns[count++] = "others";
            break;
        }
        columns[count++] = level_of(row);
    }
    return count;
}

/* Components down, levels across: how many hosts. A cell's shade is its share of the component's hosts. */
void report_matrix(const cJSON *document, const cJSON *product, FILE *out)
{
    const char *code = report_string(product, "product"), *columns[COLUMNS_MAXIMUM];
    const cJSON *rows = report_list(document, "matrix"), *row;
    size_t count = find_columns(rows, product, columns);
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Components by level, ", out);
    html_text(report_string(product, "name"), out);
    fputs("\"><table class=\"matrix\"><caption>", out);
    html_text(report_string(product, "name"), out);
    fputs("</caption><thead><tr><th scope=\"col\">Component</th>", out);
    for (size_t i = 0; i < count; i++) {
        /* Stays where the others scroll. */
        fprintf(out, "<th scope=\"col\"%s>", strcmp(columns[i], "mixed") == 0 ? " class=\"held\"" : "");
        html_text(columns[i], out);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>", out);
    const char *component = NULL;
    cJSON_ArrayForEach(row, rows)
    {
        if (strcmp(report_string(row, "product"), code) != 0 ||
            (component != NULL && strcmp(report_string(row, "component"), component) == 0))
            continue;
        component = report_string(row, "component");
        long long hosts[COLUMNS_MAXIMUM] = {0}, all = 0;
        const cJSON *other;
        cJSON_ArrayForEach(other, rows)
        {
            if (strcmp(report_string(other, "product"), code) != 0 ||
                strcmp(report_string(other, "component"), component) != 0)
                continue;
            size_t at = column_of(columns, count, level_of(other));
            hosts[at < count ? at : count - 1] += report_number(other, "hosts");
            all += report_number(other, "hosts");
        }
        fputs("<tr><th scope=\"row\">", out);
        html_text(component, out);
        fputs("</th>", out);
        for (size_t i = 0; i < count; i++) {
            bool mixed = strcmp(columns[i], "mixed") == 0;
            long long share = all > 0 ? (hosts[i] * 9 + all - 1) / all : 0;
            fprintf(out, "<td class=\"%s%lld\">%lld</td>", mixed ? "bad" : "share", hosts[i] > 0 ? share : 0, hosts[i]);
        }
        fputs("</tr>", out);
    }
    fputs("</tbody></table></div>\n", out);
}
