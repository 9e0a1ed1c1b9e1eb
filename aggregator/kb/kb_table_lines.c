/* Tables whose rows are lines: set with blanks, drawn with '|', or in cells that an HTML table left. */

#include "kb_table.h"

#include "proto/cleanup.h"

#define CELLS_MAX 16 /* more cells than any known table has */

struct reader {
    struct kb_document *document;
    const struct kb_text *text;
    bool *used;
    struct kb_table table;
    bool open;           /* below a heading */
    bool interrupted;    /* running text has come since */
    char delimiter;      /* between the heading's cells; 0 where it is set with blanks */
    size_t heading;      /* index of the heading's line */
    size_t last_row;     /* index of the line of the last row; meaningful if the table has rows */
    size_t taken_before; /* lines below this index belong to a row already */
    struct error *error;
};

static struct kb_span line_span(const struct kb_text *text, size_t index)
{
    return (struct kb_span){.text = kb_text_line(text, index), .length = text->lines[index].length};
}

/* A line of nothing but signs that draw a rule. */
static bool is_rule(struct kb_span line)
{
    size_t signs = 0;
    for (size_t i = 0; i < line.length; i++) {
        if (strchr("-=+_|~", line.text[i]) != NULL)
            signs++;
        else if ((unsigned char)line.text[i] > ' ' && line.text[i] != KB_CELL)
            return false;
    }
    return signs >= 3;
}

/* What stands between a line's cells, if it has cells: KB_CELL, '|', or two tabs and more. */
static char delimiter_of(struct kb_span line)
{
    size_t cells = 0, bars = 0, tabs = 0;
    struct kb_span trimmed = kb_span_trim(line);
    for (size_t i = 0; i < line.length; i++)
        cells += line.text[i] == KB_CELL;
    for (size_t i = 0; i < trimmed.length; i++) {
        bars += trimmed.text[i] == '|';
        tabs += trimmed.text[i] == '\t' && i > 0 && (unsigned char)trimmed.text[i - 1] > ' ' &&
                (unsigned char)trimmed.text[i + 1] > ' ';
    }
    return cells > 0 ? KB_CELL : bars > 1 ? '|' : tabs > 1 ? '\t' : 0;
}

/* Cuts the line at `delimiter`; bars at its ends are part of the drawing. Returns 0 for too many cells. */
static size_t cut(struct kb_span line, char delimiter, struct kb_span cells[CELLS_MAX])
{
    size_t count = 0, start = 0;
    if (delimiter == '|') {
        line = kb_span_trim(line);
        if (line.length > 0 && line.text[0] == '|')
            line = (struct kb_span){.text = line.text + 1, .length = line.length - 1};
        if (line.length > 0 && line.text[line.length - 1] == '|')
            line.length--;
    } else if (delimiter == '\t') {
        line = kb_span_trim(line);
    }
    for (size_t at = 0; at <= line.length; at++) {
        if (at < line.length && line.text[at] != delimiter)
            continue;
        if (count == CELLS_MAX)
            return 0;
        cells[count++] = kb_span_trim((struct kb_span){.text = line.text + start, .length = at - start});
        start = at + 1;
    }
    return count;
}

static bool find_heading(struct kb_span line, struct kb_heading *heading, char *delimiter)
{
    struct kb_token tokens[KB_COLUMNS_MAX * 2];
    struct kb_span cells[CELLS_MAX];
    *delimiter = delimiter_of(line);
    if (*delimiter != 0) {
        size_t count = cut(line, *delimiter, cells);
        if (kb_heading_cells(cells, count, heading))
            return true;
        if (*delimiter != '\t')
            return false;
        *delimiter = 0;
    }
    size_t count = kb_tokens(line, tokens, KB_COLUMNS_MAX * 2);
    return count <= KB_COLUMNS_MAX * 2 && kb_heading_tokens(tokens, count, heading) == count && heading->count > 0;
}

/* Ends the open table. A heading without rows is given back, for its rows may have lost their lines. */
static int end_table(struct reader *reader)
{
    if (!reader->open)
        return 0;
    reader->open = false;
    if (reader->document->row_count == reader->table.first_row)
        reader->used[reader->heading] = false;
    int status = kb_table_end(&reader->table, reader->error);
    kb_table_clear(&reader->table);
    return status;
}

/* Only one cell, and that below the platform or the file name: what did not fit into the row above. */
static int continue_cells(struct reader *reader, const struct kb_span *cells, size_t count, bool *taken)
{
    size_t filled = 0, which = 0;
    *taken = false;
    for (size_t i = 0; i < count; i++)
        if (cells[i].length > 0) {
            filled++;
            which = i;
        }
    if (filled != 1 || which >= reader->table.heading.count || reader->table.heading.columns[which] != KB_PLATFORM ||
        reader->document->row_count == reader->table.first_row)
        return 0;
    *taken = true;
    struct kb_row *row = &reader->document->rows[reader->document->row_count - 1];
    char joined[512];
    int length = snprintf(joined, sizeof joined, "%s%s%.*s", row->platform, row->platform[0] != '\0' ? " " : "",
                          (int)(cells[which].length < 255 ? cells[which].length : 255), cells[which].text);
    return kb_document_keep(reader->document, joined,
                            (size_t)length < sizeof joined ? (size_t)length : sizeof joined - 1, &row->platform,
                            reader->error);
}

static int read_cells(struct reader *reader, struct kb_span line, size_t index, bool *taken)
{
    const struct kb_heading *heading = &reader->table.heading;
    struct kb_span cells[CELLS_MAX];
    struct kb_cells row = {0};
    size_t count = cut(line, reader->delimiter, cells);
    *taken = false;
    for (size_t kind = 0; kind < KB_COLUMN_KINDS; kind++)
        row.cell[kind].text = "";
    if (count < 2 || count > heading->count || delimiter_of(line) != reader->delimiter)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (heading->columns[i] != KB_OTHER)
            row.cell[heading->columns[i]] = cells[i];
    if (row.cell[KB_FILE].length == 0)
        return continue_cells(reader, cells, count, taken);
    if (kb_value_file_strength(row.cell[KB_FILE]) == 0)
        return 0;
    *taken = true;
    return kb_table_add(&reader->table, &row, reader->text->lines[index].number, reader->error);
}

/* A line with text only below the platform column, right under a row: the platform goes on. */
static int continue_platform(struct reader *reader, struct kb_span line, const struct kb_token *tokens, size_t count,
                             size_t index, bool *taken)
{
    const struct kb_heading *heading = &reader->table.heading;
    size_t last = heading->count - 1;
    *taken = false;
    if (reader->document->row_count == reader->table.first_row || heading->columns[last] != KB_PLATFORM ||
        index != reader->last_row + 1 || count == 0 || count > 6 || tokens[0].from + 2 < heading->from[last])
        return 0;
    struct kb_span words = kb_span_trim(line);
    struct kb_span cells[KB_COLUMNS_MAX] = {0};
    cells[last] = words;
    reader->last_row = index;
    return continue_cells(reader, cells, heading->count, taken);
}

/*
 * A row that goes on in the next line, since its file name had no room: both lines' words together are the row. The
 * lines lie one behind the other in the text, so a span may reach over their end, which counts as a blank.
 */
static bool match_two_lines(struct reader *reader, struct kb_token *tokens, size_t *count, size_t index,
                            struct kb_cells *cells, struct kb_span *rest)
{
    struct kb_date date;
    if (index + 1 >= reader->text->count || *count < 2 || !kb_value_date(tokens[0].span, &date))
        return false;
    size_t more = kb_tokens(line_span(reader->text, index + 1), tokens + *count, KB_TOKENS_MAX - *count);
    if (more == 0 || more > 3 || more > KB_TOKENS_MAX - *count || kb_value_date(tokens[*count].span, &date))
        return false;
    *count += more;
    return kb_row_match(&reader->table.heading, tokens, *count, false, cells, rest) && rest->length == 0 &&
           kb_value_file_strength(cells->cell[KB_FILE]) > 1;
}

static int read_words(struct reader *reader, struct kb_span line, size_t index, bool *taken)
{
    struct kb_token tokens[KB_TOKENS_MAX];
    struct kb_cells cells;
    struct kb_span rest;
    size_t count = kb_tokens(line, tokens, KB_TOKENS_MAX);
    uint32_t number = reader->text->lines[index].number;
    *taken = false;
    if (count == 0 || count > KB_TOKENS_MAX)
        return 0;
    bool two_lines = false;
    if (!kb_row_match(&reader->table.heading, tokens, count, true, &cells, &rest)) {
        two_lines = match_two_lines(reader, tokens, &count, index, &cells, &rest);
        if (!two_lines)
            return continue_platform(reader, line, tokens, count, index, taken);
        reader->taken_before = index + 2;
        reader->used[index + 1] = true;
    }
    if (rest.length > 0 && !reader->table.heading.has[KB_PLATFORM] && kb_value_is_platform(rest)) {
        cells.cell[KB_PLATFORM] = rest;
        rest.length = 0;
    }
    *taken = true;
    reader->last_row = index + two_lines;
    if (rest.length > 0 && kb_document_add_problem(reader->document, reader->error, number,
                                                   "'%.*s' stands behind the last column; it is left out",
                                                   (int)(rest.length < 80 ? rest.length : 80), rest.text) < 0)
        return -1;
    return kb_table_add(&reader->table, &cells, number, reader->error);
}

/* Running text rather than the name of a group of rows. */
static bool is_running_text(struct kb_span line)
{
    struct kb_token tokens[KB_TOKENS_MAX];
    struct kb_span trimmed = kb_span_trim(line);
    return kb_tokens(line, tokens, KB_TOKENS_MAX) > 6 || kb_span_starts(trimmed, "note") ||
           (trimmed.length > 0 && trimmed.text[trimmed.length - 1] == '.');
}

/* A line that begins like a row of the table, but can't be read, or stands after running text. */
static int doubt(struct reader *reader, struct kb_span line, size_t index, const char *why)
{
    struct kb_token tokens[KB_TOKENS_MAX];
    struct kb_date date;
    size_t count = kb_tokens(line, tokens, KB_TOKENS_MAX);
    if (count < 2 || count > 12 || !kb_value_date(tokens[0].span, &date))
        return 0;
    struct kb_span shown = kb_span_trim(line);
    return kb_document_add_problem(reader->document, reader->error, reader->text->lines[index].number,
                                   "'%.*s' looks like a row of a file table, but %s; it is left out",
                                   (int)(shown.length < 120 ? shown.length : 120), shown.text, why);
}

static int read_line(struct reader *reader, size_t index)
{
    struct kb_span line = line_span(reader->text, index);
    struct kb_heading heading;
    char delimiter;
    if (index < reader->taken_before)
        return 0;
    if (kb_span_trim(line).length == 0 || is_rule(line)) {
        reader->used[index] = reader->open;
        return 0;
    }
    if (find_heading(line, &heading, &delimiter)) {
        if (end_table(reader) < 0)
            return -1;
        kb_table_begin(&reader->table, reader->document, &heading);
        reader->delimiter = delimiter;
        reader->heading = index;
        reader->open = true;
        reader->interrupted = false;
        reader->used[index] = true;
        return 0;
    }
    if (!reader->open)
        return 0;
    bool taken = false;
    if (reader->interrupted)
        return doubt(reader, line, index, "running text stands between it and the heading");
    if (reader->delimiter != 0 && read_cells(reader, line, index, &taken) < 0)
        return -1;
    if (!taken && reader->delimiter != KB_CELL && read_words(reader, line, index, &taken) < 0)
        return -1;
    reader->used[index] = taken;
    if (taken)
        return 0;
    reader->interrupted = is_running_text(line);
    return doubt(reader, line, index, "its words do not fit the columns");
}

int kb_table_read_lines(struct kb_document *document, const struct kb_text *text, bool *used, struct error *error)
{
    struct reader reader = {.document = document, .text = text, .used = used, .error = error};
    int status = 0;
    for (size_t i = 0; i < text->count && status == 0; i++)
        status = read_line(&reader, i);
    if (status == 0)
        status = end_table(&reader);
    kb_table_clear(&reader.table);
    return status;
}
