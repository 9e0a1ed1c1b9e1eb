/* The drift report's charts: inline SVG, coloured by the page's style so that they follow light and dark. */

#include "report_chart.h"

#include "aggregator/base/html.h"
#include "report_document.h"

#include <stdbool.h>
#include <string.h>

/* All in units of the view box; the page scales it. */
#define WIDTH 540
#define HEIGHT 190
#define LEFT 46
#define RIGHT 8
#define TOP 12
#define BOTTOM 26
#define NIGHTS_MAXIMUM 64
#define KINDS_MAXIMUM 24

/* The nights in order, and where each stands. */
struct axis {
    const char *nights[NIGHTS_MAXIMUM];
    size_t count;
};

static void axis_of(const cJSON *list, struct axis *axis)
{
    const cJSON *item;
    axis->count = 0;
    cJSON_ArrayForEach(item, list)
    {
        const char *night = report_string(item, "night");
        if (axis->count < NIGHTS_MAXIMUM && (axis->count == 0 || strcmp(axis->nights[axis->count - 1], night) != 0))
            axis->nights[axis->count++] = night;
    }
}

static size_t axis_find(const struct axis *axis, const char *night)
{
    size_t at = 0;
    while (at < axis->count && strcmp(axis->nights[at], night) != 0)
        at++;
    return at;
}

static double axis_x(const struct axis *axis, size_t at)
{
    return LEFT + (double)at * (WIDTH - LEFT - RIGHT) / (double)(axis->count > 0 ? axis->count : 1);
}

/* A round number at or above the largest value, so that the scale is easy to read. */
static long long round_up(long long largest)
{
    for (long long step = 1;; step *= 10)
        for (long long factor = 1; factor <= 10; factor = factor == 1 ? 2 : factor == 2 ? 5 : factor * 2)
            if (step * factor >= largest)
                return step * factor;
}

/* 'now' for the last, '22 Oct' for the others. */
static const char *night_label(const struct axis *axis, size_t at, char text[16])
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int month = 0, day = 0;
    if (at + 1 == axis->count)
        return "now";
    if (sscanf(axis->nights[at], "%*d-%d-%d", &month, &day) != 2 || month < 1 || month > 12)
        return "";
    snprintf(text, 16, "%d %s", day, months[month - 1]);
    return text;
}

static void frame_begin(const char *title, const char *description, const struct axis *axis, long long scale, FILE *out)
{
    char label[16];
    fputs("<figure><figcaption>", out);
    html_text(title, out);
    fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(description, out);
    fputs("\">\n", out);
    for (int line = 0; line <= 2; line++) {
        double y = TOP + line * (HEIGHT - TOP - BOTTOM) / 2.0;
        if (line == 1 && scale % 2 != 0)
            continue;
        fprintf(
            out,
            "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" class=\"y\">",
            line == 2 ? "base" : "grid", LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4);
        html_number(scale * (2 - line) / 2, out);
        fputs("</text>\n", out);
    }
    for (size_t at = 0; at < axis->count; at++) {
        size_t from_end = axis->count - 1 - at;
        if (from_end % 7 != 0)
            continue;
        double width = axis_x(axis, 1) - axis_x(axis, 0);
        fprintf(out, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%s</text>\n", axis_x(axis, at) + width / 2, HEIGHT - 7,
                night_label(axis, at, label));
    }
}

static void bar(const struct axis *axis, size_t at, long long from, long long value, long long scale, const char *class,
                FILE *out)
{
    double whole = HEIGHT - TOP - BOTTOM, width = axis_x(axis, 1) - axis_x(axis, 0);
    double top = HEIGHT - BOTTOM - (double)(from + value) * whole / (double)scale;
    fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", class,
            axis_x(axis, at) + width * 0.12, top, width * 0.76, (double)value * whole / (double)scale);
}

/* Which night is the first of which anything is known; what is now is known. */
static size_t first_known(const cJSON *document, const struct axis *axis)
{
    const cJSON *item;
    size_t first = 0;
    cJSON_ArrayForEach(item, report_list(document, "mixed_history"))
    {
        if (first + 1 >= axis->count || cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(item, "hosts")))
            break;
        first++;
    }
    return first;
}

/* The nights before number `first` are shaded as a whole: nothing is known of them. */
static void unknown_nights(const struct axis *axis, size_t first, FILE *out)
{
    if (first == 0)
        return;
    double from = axis_x(axis, 0), to = axis_x(axis, first);
    fprintf(out,
            "<g><title>nothing is known of these nights</title><rect class=\"unseen\" x=\"%.1f\" y=\"%d\" "
            "width=\"%.1f\" height=\"%d\"/>",
            from, TOP, to - from, HEIGHT - TOP - BOTTOM);
    if (to - from > 80)
        fprintf(out, "<text class=\"x\" x=\"%.1f\" y=\"%d\">not known</text>", (from + to) / 2,
                TOP + (HEIGHT - TOP - BOTTOM) / 2);
    fputs("</g>\n", out);
}

void report_chart_mixed(const cJSON *document, FILE *out)
{
    const cJSON *history = report_list(document, "mixed_history"), *item;
    struct axis axis;
    long long values[NIGHTS_MAXIMUM] = {0}, largest = 0;
    char description[160], label[16];
    axis_of(history, &axis);
    if (axis.count < 2)
        return;
    cJSON_ArrayForEach(item, history)
    {
        size_t at = axis_find(&axis, report_string(item, "night"));
        if (at < axis.count)
            values[at] = report_number(item, "hosts");
    }
    size_t first = first_known(document, &axis);
    for (size_t at = 0; at < axis.count; at++)
        largest = values[at] > largest ? values[at] : largest;
    long long scale = round_up(largest > 4 ? largest : 4);
    snprintf(description, sizeof description, "Mixed hosts by night: %s%lld on %s, %lld now, %lld at most.",
             first > 0 ? "nothing is known before; " : "", values[first], night_label(&axis, first, label),
             values[axis.count - 1], largest);
    frame_begin("Mixed hosts", description, &axis, scale, out);
    unknown_nights(&axis, first, out);
    for (size_t at = first; at < axis.count; at++) {
        fprintf(out, "<g><title>%s: %lld</title>", night_label(&axis, at, label), values[at]);
        bar(&axis, at, 0, values[at], scale, at + 1 == axis.count ? "mixed" : "mixed past", out);
        fputs("</g>\n", out);
    }
    fputs("</svg></figure>\n", out);
}

/* Where in a stack stands what is none of the product's levels, of which there may be hundreds. */
enum { PLACE_OTHER = 1 << 20, PLACE_UNKNOWN, PLACE_MIXED };

/* One product's stack: its levels from the lowest up, what is no single level between them and 'unknown', mixed on top.
 */
struct stack {
    struct axis axis;
    struct {
        const char *level;
        int place;
        long long hosts[NIGHTS_MAXIMUM];
    } kinds[KINDS_MAXIMUM];
    size_t count;
    long long largest;
};

static int place_of(const cJSON *levels, const char *level)
{
    int place = 0;
    const cJSON *known;
    if (strcmp(level, "mixed") == 0)
        return PLACE_MIXED;
    if (strcmp(level, "unknown") == 0)
        return PLACE_UNKNOWN;
    cJSON_ArrayForEach(known, levels)
    {
        size_t length = cJSON_IsString(known) ? strlen(known->valuestring) : 0;
        if (length > 0 && strncmp(level, known->valuestring, length) == 0 &&
            (level[length] == 0 || level[length] == '.'))
            return place * 2 + (level[length] != 0);
        place++;
    }
    return PLACE_OTHER;
}

static void stack_fill(struct stack *stack, const cJSON *document, const cJSON *product)
{
    const cJSON *levels = report_list(product, "levels"), *history = report_list(document, "level_history"), *item;
    axis_of(report_list(document, "mixed_history"), &stack->axis);
    cJSON_ArrayForEach(item, history)
    {
        const char *level = report_string(item, "level");
        size_t night = axis_find(&stack->axis, report_string(item, "night")), at = 0;
        if (strcmp(report_string(item, "product"), report_string(product, "product")) != 0 ||
            night == stack->axis.count)
            continue;
        int place = place_of(levels, level);
        while (at < stack->count && strcmp(stack->kinds[at].level, level) != 0)
            at++;
        if (at == KINDS_MAXIMUM)
            continue;
        if (at == stack->count) {
            for (at = stack->count++; at > 0 && stack->kinds[at - 1].place > place; at--)
                stack->kinds[at] = stack->kinds[at - 1];
            memset(&stack->kinds[at], 0, sizeof stack->kinds[at]);
            stack->kinds[at].level = level;
            stack->kinds[at].place = place;
        }
        stack->kinds[at].hosts[night] += report_number(item, "hosts");
    }
    for (size_t night = 0; night < stack->axis.count; night++) {
        long long sum = 0;
        for (size_t at = 0; at < stack->count; at++)
            sum += stack->kinds[at].hosts[night];
        stack->largest = sum > stack->largest ? sum : stack->largest;
    }
}

/* The highest level is the darkest, so that a fleet that moves up darkens. */
static const char *class_of(const struct stack *stack, size_t at, char text[16])
{
    size_t above = 0;
    if (stack->kinds[at].place == PLACE_MIXED)
        return "mixed";
    if (stack->kinds[at].place == PLACE_UNKNOWN)
        return "unknown";
    for (size_t i = at + 1; i < stack->count; i++)
        above += stack->kinds[i].place < PLACE_UNKNOWN;
    snprintf(text, 16, "level%zu", above < 5 ? above : 5);
    return text;
}

static void put_legend(const struct stack *stack, FILE *out)
{
    char class[16];
    size_t last = stack->axis.count - 1;
    fputs("<ul class=\"legend\">", out);
    for (size_t at = stack->count; at-- > 0;) {
        fprintf(
            out,
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"%s\" width=\"10\" height=\"10\"/></svg>",
            class_of(stack, at, class));
        html_text(stack->kinds[at].level, out);
        fputs(" <b>", out);
        html_number(stack->kinds[at].hosts[last], out);
        fputs("</b></li>", out);
    }
    fputs("</ul>", out);
}

static void chart_product(const cJSON *document, const cJSON *product, FILE *out)
{
    struct stack stack = {0};
    char title[160], description[400], label[16], class[16];
    stack_fill(&stack, document, product);
    if (stack.axis.count < 2 || stack.count == 0)
        return;
    long long scale = round_up(stack.largest > 4 ? stack.largest : 4);
    snprintf(title, sizeof title, "%s, hosts by level", report_string(product, "name"));
    int length = snprintf(description, sizeof description, "%s, hosts by level now:", report_string(product, "name"));
    for (size_t at = 0; at < stack.count && (size_t)length < sizeof description; at++)
        length += snprintf(description + length, sizeof description - (size_t)length, " %s %lld;",
                           stack.kinds[at].level, stack.kinds[at].hosts[stack.axis.count - 1]);
    size_t first = first_known(document, &stack.axis);
    frame_begin(title, description, &stack.axis, scale, out);
    unknown_nights(&stack.axis, first, out);
    for (size_t night = first; night < stack.axis.count; night++) {
        long long below = 0;
        fprintf(out, "<g><title>%s:", night_label(&stack.axis, night, label));
        for (size_t at = stack.count; at-- > 0;) {
            if (stack.kinds[at].hosts[night] == 0)
                continue;
            fputs(" ", out);
            html_text(stack.kinds[at].level, out);
            fprintf(out, " %lld", stack.kinds[at].hosts[night]);
        }
        fputs("</title>", out);
        for (size_t at = 0; at < stack.count; at++) {
            if (stack.kinds[at].hosts[night] > 0)
                bar(&stack.axis, night, below, stack.kinds[at].hosts[night], scale, class_of(&stack, at, class), out);
            below += stack.kinds[at].hosts[night];
        }
        fputs("</g>\n", out);
    }
    fputs("</svg>", out);
    put_legend(&stack, out);
    fputs("</figure>\n", out);
}

void report_chart_levels(const cJSON *document, FILE *out)
{
    const cJSON *product;
    cJSON_ArrayForEach(product, report_list(document, "levels")) chart_product(document, product, out);
}
