/* Tables that lost their line breaks: the heading stands somewhere in a line, and rows follow each other as words. */

#include "kb_table.h"

#include "kb_prose.h"

/* Bytes looked at for one heading or row; both are well below. */
#define WINDOW 1500u

struct run {
    const struct kb_prose *prose;
    size_t at; /* in the prose: behind what was read */
    struct kb_token tokens[KB_TOKENS_MAX];
    size_t count;
};

static bool is_rule(struct kb_span word)
{
    for (size_t i = 0; i < word.length; i++)
        if (strchr("-=_+", word.text[i]) == NULL)
            return false;
    return word.length >= 3;
}

/* Looks at the words from run->at on, a rule before them left out. */
static void look(struct run *run)
{
    for (;;) {
        struct kb_span rest = {.text = run->prose->data + run->at, .length = run->prose->length - run->at};
        if (rest.length > WINDOW)
            rest.length = WINDOW;
        run->count = kb_tokens(rest, run->tokens, KB_TOKENS_MAX);
        if (run->count > KB_TOKENS_MAX)
            run->count = KB_TOKENS_MAX;
        if (run->count == 0 || !is_rule(run->tokens[0].span))
            return;
        run->at = (size_t)(run->tokens[0].span.text - run->prose->data) + run->tokens[0].span.length;
    }
}

static void move_behind(struct run *run, size_t words)
{
    const struct kb_span *last = &run->tokens[words - 1].span;
    run->at = (size_t)(last->text - run->prose->data) + last->length;
}

/* A title at the end of a word, as in 'Control Panel.Date': the title alone, or an empty span. */
static struct kb_span title_in(struct kb_span word)
{
    static const char *const titles[] = {"Date", "Time", "Version", "Size"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        size_t length = strlen(titles[i]);
        if (word.length < length || strncmp(word.text + word.length - length, titles[i], length) != 0)
            continue;
        char before = word.length > length ? word.text[word.length - length - 1] : ' ';
        if (before >= 'A' && before <= 'Z')
            continue;
        return (struct kb_span){.text = word.text + word.length - length, .length = length};
    }
    return (struct kb_span){.text = ""};
}

/* Whether the words begin with what the table's first column holds. */
static bool begins_row(const struct kb_heading *heading, const struct kb_token *tokens, size_t count)
{
    struct kb_date date;
    uint64_t bytes;
    char time[6];
    if (count == 0)
        return false;
    struct kb_span three = tokens[0].span;
    if (count >= 3)
        three.length = (size_t)(tokens[2].span.text - three.text) + tokens[2].span.length;
    switch (heading->columns[0]) {
    case KB_DATE:
        return kb_value_date(tokens[0].span, &date) || kb_value_date(three, &date);
    case KB_TIME:
        return kb_value_time(tokens[0].span, time);
    case KB_VERSION:
        return kb_value_version_strength(tokens[0].span) > 1;
    case KB_SIZE:
        return kb_value_size(tokens[0].span, &bytes) != KB_SIZE_NONE;
    default:
        return false;
    }
}

/* How many of the words make up one row: up to where the next begins, or else as few as can be. 0 if they make none. */
static size_t row_length(const struct kb_heading *heading, const struct run *run, struct kb_cells *cells)
{
    struct kb_span rest;
    size_t shortest = 0;
    for (size_t words = 2; words <= run->count && words <= 24; words++) {
        bool next = words < run->count && begins_row(heading, run->tokens + words, run->count - words);
        if ((next || shortest == 0) && kb_row_match(heading, run->tokens, words, false, cells, &rest) &&
            rest.length == 0 && kb_value_file_strength(cells->cell[KB_FILE]) > 1) {
            if (next)
                return words;
            shortest = words;
        }
    }
    if (shortest == 0)
        return 0;
    for (size_t more = 0; more < 2 && shortest < run->count; more++) { /* columns behind the file name */
        struct kb_span word = run->tokens[shortest].span;
        if (!(heading->has[KB_PLATFORM] && kb_value_is_platform(word)) &&
            !(heading->has[KB_VERSION] && kb_value_version_strength(word) == 3))
            break;
        if (!kb_row_match(heading, run->tokens, shortest + 1, false, cells, &rest) || rest.length > 0)
            break;
        shortest++;
    }
    return kb_row_match(heading, run->tokens, shortest, false, cells, &rest) ? shortest : 0;
}

static int read_rows(struct run *run, struct kb_table *table, struct error *error)
{
    struct kb_cells cells;
    for (;;) {
        look(run);
        bool first = table->document->row_count == table->first_row;
        if (first && !begins_row(&table->heading, run->tokens, run->count))
            break;
        size_t words = row_length(&table->heading, run, &cells);
        if (words == 0)
            break;
        size_t offset = (size_t)(run->tokens[0].span.text - run->prose->data);
        if (kb_table_add(table, &cells, kb_prose_number(run->prose, offset), error) < 0)
            return -1;
        move_behind(run, words);
    }
    size_t rows = table->document->row_count - table->first_row;
    if (run->count > 1 && rows > 0 && begins_row(&table->heading, run->tokens, run->count)) {
        size_t offset = (size_t)(run->tokens[0].span.text - run->prose->data);
        struct kb_span shown = {.text = run->prose->data + offset, .length = run->prose->length - offset};
        return kb_document_add_problem(
            table->document, error, kb_prose_number(run->prose, offset),
            "'%.*s' begins like a row of the table, but its words do not fit the columns; the table ends here",
            (int)(shown.length < 80 ? shown.length : 80), shown.text);
    }
    return 0;
}

static int read_table(struct run *run, struct kb_document *document, const struct kb_heading *heading, uint32_t line,
                      struct error *error)
{
    struct kb_table table;
    kb_table_begin(&table, document, heading);
    size_t before = document->row_count;
    int status = read_rows(run, &table, error);
    if (status == 0)
        status = kb_table_end(&table, error);
    kb_table_clear(&table);
    if (status == 0 && document->row_count == before)
        return kb_document_add_problem(document, error, line,
                                       "a heading of a file table without rows that fit its columns");
    return status;
}

static int read_all(struct kb_document *document, const struct kb_prose *prose, const bool *used, struct error *error)
{
    struct run run = {.prose = prose};
    for (size_t at = 0; at < prose->length;) {
        size_t start = at;
        while (at < prose->length && (unsigned char)prose->data[at] > ' ')
            at++;
        struct kb_span word = {.text = prose->data + start, .length = at - start};
        at++;
        struct kb_span title = title_in(word);
        if (title.length == 0 || used[kb_prose_line(prose, start)])
            continue;
        struct kb_heading heading;
        run.at = (size_t)(title.text - prose->data);
        look(&run);
        size_t words = kb_heading_tokens(run.tokens, run.count, &heading);
        if (heading.count < 3)
            continue;
        move_behind(&run, words);
        if (read_table(&run, document, &heading, kb_prose_number(prose, start), error) < 0)
            return -1;
        at = run.at > at ? run.at : at;
    }
    return 0;
}

int kb_table_read_run_together(struct kb_document *document, const struct kb_text *text, const bool *used,
                               struct error *error)
{
    struct kb_prose prose;
    if (kb_prose_make(text, &prose, error) < 0)
        return -1;
    int status = read_all(document, &prose, used, error);
    kb_prose_clear(&prose);
    return status;
}
