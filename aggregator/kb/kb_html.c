/*
 * Turns an HTML page into lines of text, table rows into lines of cells.
 *
 * Not libxml2's HTML parser: over pages of 4.7 MB and over old ones without closing tags its events gave the same rows
 * and cells, at 58 to 86 MB/s against 66 MB/s here (2.9.14, one core). It would take the place of reading tags and
 * entities, a third of this file; lines, cells and layout tables would stay, and foreign pages would be given to a
 * large library that nothing else here needs.
 */

#include "kb_text.h"

#include <strings.h>

/* Tables within tables; a page deeper than that keeps its text, but the tables inside lose their rows. */
#define TABLE_DEPTH 32

struct page {
    const struct kb_text *html;
    size_t at;     /* in html->data */
    uint32_t line; /* of the file */
    struct kb_text *out;
    uint32_t out_line; /* where the line that is being made began */
    bool has_words;    /* the line being made holds more than blanks */
    bool blank_waits;  /* a blank is due before the next word */
    bool empty_before; /* the last line was empty */
    int preformatted;  /* depth of <pre> */
    int tables;        /* depth of <table> */
    struct {
        bool has_cells; /* the row has had a cell already */
        bool in_cell;
        bool is_layout; /* holds another table: its cells are passages of text */
    } table[TABLE_DEPTH];
    struct error *error;
};

static bool in_cell(const struct page *page)
{
    int top = page->tables - 1;
    return top >= 0 && top < TABLE_DEPTH && page->table[top].in_cell && !page->table[top].is_layout;
}

static int put(struct page *page, const char *data, size_t length)
{
    if (!page->has_words && page->out_line == 0)
        page->out_line = page->line;
    if (page->blank_waits && page->has_words && kb_text_append(page->out, " ", 1, page->error) < 0)
        return -1;
    page->blank_waits = false;
    page->has_words = true;
    return kb_text_append(page->out, data, length, page->error);
}

static int end_line(struct page *page)
{
    page->blank_waits = false;
    if (!page->has_words && page->empty_before && page->preformatted == 0)
        return 0;
    page->empty_before = !page->has_words;
    uint32_t number = page->out_line != 0 ? page->out_line : page->line;
    page->has_words = false;
    page->out_line = 0;
    return kb_text_end_line(page->out, number, page->error);
}

/* Ends a paragraph: the line, and an empty one behind it. Within a cell it is only a blank. */
static int end_paragraph(struct page *page, bool with_empty_line)
{
    if (in_cell(page)) {
        page->blank_waits = true;
        return 0;
    }
    if (page->has_words && end_line(page) < 0)
        return -1;
    return with_empty_line ? end_line(page) : 0;
}

static int begin_cell(struct page *page)
{
    int top = page->tables - 1;
    if (top < 0 || top >= TABLE_DEPTH)
        return end_paragraph(page, false);
    if (page->table[top].has_cells && !page->table[top].is_layout) {
        page->blank_waits = false;
        if (put(page, &(char){KB_CELL}, 1) < 0)
            return -1;
    } else if (page->table[top].is_layout && end_line(page) < 0) {
        return -1;
    }
    page->table[top].has_cells = true;
    page->table[top].in_cell = true;
    return 0;
}

static int end_row(struct page *page)
{
    int top = page->tables - 1;
    if (top >= 0 && top < TABLE_DEPTH) {
        page->table[top].in_cell = false;
        page->table[top].has_cells = false;
    }
    return page->has_words ? end_line(page) : 0;
}

static int begin_table(struct page *page)
{
    int top = page->tables - 1;
    if (top >= 0 && top < TABLE_DEPTH)
        page->table[top].is_layout = true;
    if (end_line(page) < 0)
        return -1;
    if (page->tables < TABLE_DEPTH)
        page->table[page->tables] = (__typeof__(page->table[0])){0};
    page->tables++;
    return 0;
}

static int end_table(struct page *page)
{
    if (end_row(page) < 0)
        return -1;
    if (page->tables > 0)
        page->tables--;
    return end_line(page);
}

/* Skips to behind `word`, or to the end of the page. */
static void skip_past(struct page *page, const char *word)
{
    size_t length = strlen(word);
    const char *data = page->html->data;
    while (page->at < page->html->length && strncasecmp(data + page->at, word, length) != 0) {
        page->line += data[page->at] == '\0';
        page->at++;
    }
    page->at = page->at + length < page->html->length ? page->at + length : page->html->length;
}

static bool one_of(const char *name, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcasecmp(name, *words) == 0)
            return true;
    return false;
}

static int act_on_tag(struct page *page, const char *name, bool closing)
{
    static const char *const paragraphs[] = {"p",      "h1",     "h2",         "h3",      "h4", "h5",      "h6",
                                             "title",  "ul",     "ol",         "dl",      "hr", "section", "article",
                                             "header", "footer", "blockquote", "caption", NULL};
    static const char *const lines[] = {"div", "br", "li", "dt", "dd", "form", "option", NULL};
    if (strcasecmp(name, "table") == 0)
        return closing ? end_table(page) : begin_table(page);
    if (strcasecmp(name, "tr") == 0)
        return end_row(page);
    if (strcasecmp(name, "td") == 0 || strcasecmp(name, "th") == 0) {
        if (!closing)
            return begin_cell(page);
        if (page->tables > 0 && page->tables <= TABLE_DEPTH)
            page->table[page->tables - 1].in_cell = false;
        return 0;
    }
    if (strcasecmp(name, "pre") == 0) {
        page->preformatted += closing ? (page->preformatted > 0 ? -1 : 0) : 1;
        return end_paragraph(page, false);
    }
    if (one_of(name, paragraphs))
        return end_paragraph(page, true);
    if (one_of(name, lines) && end_paragraph(page, false) < 0)
        return -1;
    if (!closing && strcasecmp(name, "li") == 0 && !in_cell(page))
        return put(page, "- ", 2);
    if (!closing && (strcasecmp(name, "script") == 0 || strcasecmp(name, "style") == 0)) {
        skip_past(page, strcasecmp(name, "script") == 0 ? "</script>" : "</style>");
        return end_paragraph(page, false);
    }
    return 0;
}

/* At '<': a comment, a tag, or just the sign. */
static int read_tag(struct page *page)
{
    const char *data = page->html->data;
    size_t end = page->html->length, at = page->at + 1;
    if (strncmp(data + page->at, "<!--", 4) == 0) {
        skip_past(page, "-->");
        return 0;
    }
    bool closing = at < end && data[at] == '/';
    at += closing;
    char name[16];
    size_t length = 0;
    while (at < end && ((data[at] | 0x20) >= 'a' ? (data[at] | 0x20) <= 'z' : data[at] >= '0' && data[at] <= '9')) {
        if (length + 1 < sizeof name)
            name[length++] = data[at];
        at++;
    }
    name[length] = '\0';
    if (length == 0 && !closing && (at >= end || data[at] != '!')) {
        page->at++;
        return put(page, "<", 1);
    }
    char quote = 0;
    while (at < end && (quote != 0 || data[at] != '>')) {
        if (quote == 0 && (data[at] == '"' || data[at] == '\''))
            quote = data[at];
        else if (data[at] == quote)
            quote = 0;
        page->line += data[at] == '\0';
        at++;
    }
    page->at = at < end ? at + 1 : end;
    return act_on_tag(page, name, closing);
}

/* At '&': an entity (HTML 4.01, section 24; those that articles use), or just the sign. */
static int read_entity(struct page *page)
{
    static const struct {
        const char *name, *utf8;
    } entities[] = {
        {"amp;", "&"},        {"lt;", "<"},          {"gt;", ">"},          {"quot;", "\""},      {"apos;", "'"},
        {"reg;", "\u00ae"},   {"copy;", "\u00a9"},   {"trade;", "\u2122"},  {"ndash;", "\u2013"}, {"mdash;", "\u2014"},
        {"bull;", "\u2022"},  {"middot;", "\u00b7"}, {"hellip;", "\u2026"}, {"lsquo;", "\u2018"}, {"rsquo;", "\u2019"},
        {"ldquo;", "\u201c"}, {"rdquo;", "\u201d"},  {"times;", "\u00d7"},
    };
    const char *at = page->html->data + page->at + 1;
    if (strncmp(at, "nbsp;", 5) == 0 || strncmp(at, "#160;", 5) == 0) {
        page->at += 6;
        if (page->preformatted > 0)
            return put(page, " ", 1);
        page->blank_waits = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        size_t length = strlen(entities[i].name);
        if (strncmp(at, entities[i].name, length) == 0) {
            page->at += 1 + length;
            return put(page, entities[i].utf8, strlen(entities[i].utf8));
        }
    }
    if (at[0] == '#') {
        uint32_t value = 0, base = (at[1] | 0x20) == 'x' ? 16 : 10;
        size_t i = base == 16 ? 2 : 1, digits = 0;
        for (; digits < 7; i++, digits++) {
            char c = (char)(at[i] | 0x20);
            if (at[i] >= '0' && at[i] <= '9')
                value = value * base + (uint32_t)(at[i] - '0');
            else if (base == 16 && c >= 'a' && c <= 'f')
                value = value * base + (uint32_t)(c - 'a' + 10);
            else
                break;
        }
        if (digits > 0 && at[i] == ';' && value >= 0x20 && value < 0x7f) {
            page->at += i + 2;
            return put(page, &(char){(char)value}, 1);
        }
        if (digits > 0 && at[i] == ';') {
            page->at += i + 2;
            page->blank_waits = true; /* signs beyond ASCII matter to nothing that is read here */
            return 0;
        }
    }
    page->at++;
    return put(page, "&", 1);
}

bool kb_text_is_html(const struct kb_text *text)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head", "<body", "<table", "<div", "<p>", "<h1",
                                       "<pre",           "<!--",  "<meta", NULL};
    size_t at = 0;
    if (text->length > 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < text->length && (unsigned char)text->data[at] <= ' ')
        at++;
    for (const char *const *tag = tags; *tag != NULL; tag++)
        if (strncasecmp(text->data + at, *tag, strlen(*tag)) == 0)
            return true;
    return false;
}

int kb_text_from_html(const struct kb_text *html, struct kb_text *text, struct error *error)
{
    struct page page = {.html = html, .line = 1, .out = text, .error = error};
    int status = 0;
    *text = (struct kb_text){0};
    while (status == 0 && page.at < html->length) {
        char c = html->data[page.at];
        if (c == '<') {
            status = read_tag(&page);
        } else if (c == '&') {
            status = read_entity(&page);
        } else if (c == '\0' && page.preformatted > 0) {
            status = end_line(&page);
        } else if ((c == '\0' || c == ' ' || c == '\t') && page.preformatted == 0) {
            page.blank_waits = true;
        } else {
            status = put(&page, &c, 1);
        }
        if (c == '\0')
            page.line++;
        if (c != '<' && c != '&')
            page.at++;
    }
    if (status == 0)
        status = end_line(&page);
    if (status == 0 && text->count == 0)
        status = kb_text_end_line(text, page.line, error);
    if (status < 0)
        kb_text_clear(text);
    return status;
}

void kb_text_blank_tags(struct kb_text *text)
{
    static const char *const tags[] = {"<br>", "<br/>", "<br />", "<p>", "<p/>", "</p>", "<b>", "</b>", "<i>", "</i>"};
    for (size_t at = 0; at < text->length; at++)
        for (size_t i = 0; text->data[at] == '<' && i < sizeof tags / sizeof *tags; i++)
            if (strncasecmp(text->data + at, tags[i], strlen(tags[i])) == 0)
                memset(text->data + at, ' ', strlen(tags[i]));
}
