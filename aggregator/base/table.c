/*
 * A query's rows as a table for people.
 *
 * Not libsmartcols': that wraps a last column within itself, but can't put it below the others where too little room is
 * left for a sentence. And it shows what the caller's locale calls printable, among it direction marks, which turn the
 * rest of a line round; in the locale C it shows no letter beyond ASCII. The C library knows how wide a letter is.
 */

#include "table.h"

#include "proto/utf8.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define COLUMNS_MAXIMUM 32
#define GAP 2
#define INDENT 4        /* of a last column that stands below the others */
#define ROOM_LEAST 40   /* columns in which a sentence can still be read */
#define COLUMN_LEAST 10 /* no column is cut below that */

struct table {
    const PGresult *rows;
    int columns;
    size_t widths[COLUMNS_MAXIMUM];
    size_t terminal; /* its width; 0: no terminal */
    bool wrapped;    /* the last column is */
    bool below;      /* and it stands below the others */
    bool coloured;
};

/* Where a character ends, and how many columns it takes: a wide letter two, a mark upon another none. What must not be
 * shown takes one, as '?'. */
static const char *step(const char *text, size_t *columns, bool *shown)
{
    uint32_t code;
    const char *next = utf8_step_code(text, &code, shown);
    int width = *shown ? wcwidth((wchar_t)code) : 1;
    *columns = width < 0 ? 1 : (size_t)width;
    return next;
}

static size_t width_of(const char *text)
{
    size_t width = 0, columns;
    for (bool shown; *text != 0; width += columns)
        text = step(text, &columns, &shown);
    return width;
}

/* Prints as much as fits in *width columns, less what it took; returns where it ended. */
static const char *print_columns(const char *text, size_t *width)
{
    size_t columns;
    bool shown;
    for (const char *next; *text != 0; text = next, *width -= columns) {
        next = step(text, &columns, &shown);
        if (columns > *width)
            break;
        if (shown)
            fwrite(text, 1, (size_t)(next - text), stdout);
        else
            putchar('?');
    }
    return text;
}

static void print_blanks(size_t count)
{
    printf("%*s", (int)count, "");
}

static void print_cell(const char *text, size_t width)
{
    bool cut = width_of(text) > width;
    width -= cut;
    print_columns(text, &width);
    if (cut) {
        fputs("…", stdout);
        print_blanks(width); /* of a wide letter that did not fit */
    }
}

/* Breaks at the last blank within the width, or else, as in a long path, where the width ends. */
static void print_wrapped(const char *text, size_t indent, size_t width)
{
    while (width_of(text) > width) {
        size_t columns = 0, fitting = 0, taken; /* fitting: before the last blank */
        bool shown;
        for (const char *at = text; *at != 0 && columns <= width; columns += taken) {
            if (*at == ' ')
                fitting = columns;
            at = step(at, &taken, &shown);
        }
        taken = fitting > 0 ? fitting : width;
        text = print_columns(text, &taken);
        text += fitting > 0; /* the blank itself */
        putchar('\n');
        print_blanks(indent);
    }
    print_columns(text, &width);
}

/* The SGR code of a word that tells how bad something is; NULL for other words. */
static const char *colour_of(const char *column, const char *word)
{
    static const struct {
        const char *column, *word, *code;
    } colours[] = {
        {"severity", "high", "31"},   {"severity", "medium", "33"}, {"verdict", "mixed", "31"},
        {"verdict", "at risk", "31"}, {"verdict", "unknown", "33"}, {"verdict", "level", "32"},
        {"verdict", "safe", "32"},
    };
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (strcmp(colours[i].column, column) == 0 && strcmp(colours[i].word, word) == 0)
            return colours[i].code;
    return NULL;
}

static size_t width_before_last(const struct table *table)
{
    size_t width = 0;
    for (int column = 0; column + 1 < table->columns; column++)
        width += table->widths[column] + GAP;
    return width;
}

/* Cuts the widest columns until all fit, or none can give more. */
static void cut_columns(struct table *table, int columns)
{
    for (;;) {
        size_t total = 0;
        int widest = 0;
        for (int column = 0; column < columns; column++) {
            total += table->widths[column] + (column > 0 ? GAP : 0);
            if (table->widths[column] >= table->widths[widest])
                widest = column;
        }
        if (total <= table->terminal || table->widths[widest] <= COLUMN_LEAST)
            return;
        table->widths[widest]--;
    }
}

static void lay_out(struct table *table)
{
    for (int column = 0; column < table->columns; column++) {
        table->widths[column] = width_of(PQfname(table->rows, column));
        for (int row = 0; row < PQntuples(table->rows); row++) {
            size_t width = width_of(PQgetvalue(table->rows, row, column));
            table->widths[column] = width > table->widths[column] ? width : table->widths[column];
        }
    }
    struct winsize window;
    const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");
    bool is_terminal = isatty(STDOUT_FILENO);
    table->coloured = is_terminal && (no_color == NULL || *no_color == 0) && kind != NULL && strcmp(kind, "dumb") != 0;
    if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
        table->terminal = window.ws_col;
    int last = table->columns - 1;
    size_t before = width_before_last(table);
    if (table->terminal == 0 || before + table->widths[last] <= table->terminal)
        return;
    table->wrapped = table->widths[last] >= ROOM_LEAST && table->columns > 1 && table->terminal >= ROOM_LEAST;
    if (!table->wrapped) {
        cut_columns(table, table->columns);
    } else if (before + ROOM_LEAST <= table->terminal) {
        table->widths[last] = table->terminal - before;
    } else {
        table->below = true;
        table->widths[last] = table->terminal - INDENT;
        cut_columns(table, last);
    }
}

static void print_row(const struct table *table, int row)
{
    int last = table->columns - 1;
    for (int column = 0; column < table->columns; column++) {
        const char *name = PQfname(table->rows, column);
        const char *text = row < 0 ? name : PQgetvalue(table->rows, row, column);
        const char *colour = table->coloured && row >= 0 ? colour_of(name, text) : NULL;
        size_t width = table->widths[column], used = width_of(text);
        if (column == last && table->below) {
            putchar('\n');
            print_blanks(INDENT);
        }
        if (colour != NULL)
            printf("\033[%sm", colour);
        if (column == last && table->wrapped)
            print_wrapped(text, table->below ? INDENT : width_before_last(table), width);
        else
            print_cell(text, width);
        if (colour != NULL)
            fputs("\033[0m", stdout);
        if (column < last && (column + 1 < last || !table->below))
            print_blanks(GAP + (used < width ? width - used : 0));
    }
    putchar('\n');
}

void table_print(const PGresult *rows)
{
    int columns = PQnfields(rows);
    struct table table = {.rows = rows, .columns = columns < COLUMNS_MAXIMUM ? columns : COLUMNS_MAXIMUM};
    /* Letters are as wide as Unicode has them, whatever the caller's locale is. Without it, all are one column. */
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = unicode != (locale_t)0 ? uselocale(unicode) : (locale_t)0;
    lay_out(&table);
    for (int row = -1; row < PQntuples(rows); row++)
        print_row(&table, row);
    if (unicode != (locale_t)0) {
        uselocale(before);
        freelocale(unicode);
    }
}
