/*
 * Reads the CSV lists of files that cumulative updates publish, section by section.
 *
 * Not by libcsv: there a quote that isn't closed takes the lines behind it into its field, up to the next quote or the
 * end of the list, or, strictly, ends the reading. Here a row is a line, and only that line is no row; and its number
 * is told with what is wrong with it. A library would take the place of split() alone, some 30 lines.
 */

#include "kb_csv.h"

#include "kb_table.h"

#include <stdio.h>
#include <strings.h>

#define FIELDS_MAX 16    /* fields of a line; the widest list has eight */
#define ROWS_TO_GUESS 20 /* rows that an absent heading is told from */

struct fields {
    char data[1024]; /* the unquoted fields of one line; longer lines are no rows */
    struct kb_span field[FIELDS_MAX];
    size_t count;
    bool quoted; /* any of them was in quotes */
};

/* Splits a line by RFC 4180; false for a quote that isn't closed, for too many fields, and for a line too long. */
static bool split(const char *line, size_t length, struct fields *fields)
{
    size_t used = 0, start = 0;
    bool inside = false;
    fields->count = 0;
    fields->quoted = false;
    if (length >= sizeof fields->data)
        return false;
    for (size_t at = 0; at <= length; at++) {
        char c = at < length ? line[at] : ',';
        if (inside && at == length)
            return false;
        if (c == '"' && inside && at + 1 < length && line[at + 1] == '"') {
            fields->data[used++] = '"';
            at++;
        } else if (c == '"') {
            inside = !inside;
            fields->quoted = true;
        } else if (c == ',' && !inside) {
            if (fields->count == FIELDS_MAX)
                return false;
            fields->field[fields->count++] =
                kb_span_trim((struct kb_span){.text = fields->data + start, .length = used - start});
            start = used;
        } else {
            fields->data[used++] = c;
        }
    }
    return true;
}

static bool line_at(const struct kb_text *text, size_t index, struct fields *fields)
{
    return split(kb_text_line(text, index), text->lines[index].length, fields);
}

static bool is_blank(const struct kb_text *text, size_t index)
{
    return kb_span_trim((struct kb_span){.text = kb_text_line(text, index), .length = text->lines[index].length})
               .length == 0;
}

/* 'File name,File version,...' in any order; a plain 'Name' is a file's name here. */
static bool find_heading(const struct fields *fields, struct kb_heading *heading)
{
    struct kb_span cells[FIELDS_MAX];
    for (size_t i = 0; i < fields->count; i++)
        cells[i] = kb_span_equals(fields->field[i], "name") ? kb_span_of("File name") : fields->field[i];
    size_t count = fields->count;
    while (count > 0 && cells[count - 1].length == 0)
        count--;
    return count > 2 && kb_heading_cells(cells, count, heading);
}

/* How many fields behind the first are told by their form to be a date, a time or a version. */
static size_t known_fields(const struct fields *fields)
{
    struct kb_date date;
    char time[6];
    size_t known = 0;
    for (size_t i = 1; i < fields->count; i++)
        known += kb_value_date(fields->field[i], &date) || kb_value_time(fields->field[i], time) ||
                 kb_value_version_strength(fields->field[i]) == 3;
    return known;
}

/* A row of a list without heading: a file's name first, and at least two values that are told by their form. */
static bool is_bare_row(const struct fields *fields)
{
    return fields->count >= 3 && kb_value_file_strength(fields->field[0]) > 0 && known_fields(fields) >= 2;
}

bool kb_csv_is(const struct kb_text *text, const char *name)
{
    struct fields fields;
    struct kb_heading heading;
    const char *dot = strrchr(name, '.');
    if (dot != NULL && strcasecmp(dot, ".csv") == 0)
        return true;
    size_t bare = 0;
    for (size_t i = 0; i < text->count && i < 40; i++) {
        if (is_blank(text, i) || !line_at(text, i, &fields))
            continue;
        if (find_heading(&fields, &heading))
            return true;
        bare += is_bare_row(&fields);
    }
    return bare >= 2;
}

/* The kind of a field by its form; KB_OTHER where several are possible, KB_COLUMN_KINDS where it is empty. */
static enum kb_column kind_of(struct kb_span field)
{
    struct kb_date date;
    char time[6];
    uint64_t bytes;
    if (field.length == 0 || kb_value_is_none(field))
        return KB_COLUMN_KINDS;
    if (kb_value_date(field, &date))
        return KB_DATE;
    if (memchr(field.text, ':', field.length) != NULL && kb_value_time(field, time))
        return KB_TIME;
    if (kb_value_version_strength(field) == 3 && memchr(field.text, ',', field.length) == NULL)
        return KB_VERSION;
    if (kb_value_size(field, &bytes) == KB_SIZE_BYTES)
        return KB_SIZE;
    if (kb_value_is_platform(field))
        return KB_PLATFORM;
    return KB_OTHER;
}

/* Tells the columns of a list without heading from its first rows: the first is the file name; false where rows
 * disagree. */
static bool guess_heading(const struct kb_text *text, size_t index, struct kb_heading *heading)
{
    enum kb_column kinds[FIELDS_MAX];
    size_t count = 0, rows = 0;
    struct fields fields;
    for (; index < text->count && rows < ROWS_TO_GUESS; index++) {
        if (is_blank(text, index))
            continue;
        if (!line_at(text, index, &fields) || !is_bare_row(&fields))
            break;
        for (size_t i = 1; i < fields.count; i++) {
            enum kb_column kind = kind_of(fields.field[i]);
            if (i >= count || kinds[i] == KB_COLUMN_KINDS)
                kinds[i] = kind;
            else if (kind != KB_COLUMN_KINDS && kind != kinds[i])
                return false;
        }
        count = fields.count > count ? fields.count : count;
        rows++;
    }
    *heading = (struct kb_heading){.columns = {KB_FILE}, .count = 1, .has = {[KB_FILE] = true}};
    for (size_t i = 1; i < count && i < KB_COLUMNS_MAX; i++) {
        enum kb_column kind = kinds[i] == KB_COLUMN_KINDS || heading->has[kinds[i]] ? KB_OTHER : kinds[i];
        heading->columns[heading->count++] = kind;
        heading->has[kind] = true;
    }
    return rows > 0 && heading->count >= 3;
}

/* 'Windows 11, version 24H2 LCU x64-based': what is before 'LCU' or the architecture is the product. */
static int add_section(struct kb_document *document, const struct kb_text *text, size_t index, struct error *error)
{
    static const struct {
        const char *words, *architecture;
    } architectures[] = {{"x64-based", "x64"},      {"amd64-based", "x64"}, {"arm64-based", "arm64"},
                         {"x86-based", "x86"},      {"ia64-based", "ia64"}, {"ia-64-based", "ia64"},
                         {"itanium-based", "ia64"}, {"arm-based", "arm"}};
    static const char *const ends[] = {
        " LCU", " SSU", " for x", " for arm", " for itanium", " file information", " cumulative update"};
    struct kb_span banner =
        kb_span_trim((struct kb_span){.text = kb_text_line(text, index), .length = text->lines[index].length});
    while (banner.length > 0 && (banner.text[banner.length - 1] == ',' || banner.text[banner.length - 1] == '"'))
        banner.length--;
    if (banner.length > 0 && banner.text[0] == '"')
        banner = (struct kb_span){.text = banner.text + 1, .length = banner.length - 1};
    struct kb_span product = banner;
    struct kb_section section = {.architecture = "", .line = text->lines[index].number};
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++) {
        const char *found = kb_span_find(banner, architectures[i].words);
        if (found == NULL)
            continue;
        section.architecture = architectures[i].architecture;
        product.length = (size_t)(found - banner.text);
        break;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *found = kb_span_find(product, ends[i]);
        if (found != NULL)
            product.length = (size_t)(found - product.text);
    }
    product = kb_span_trim(product);
    if (kb_document_keep(document, banner.text, banner.length, &section.banner, error) < 0 ||
        kb_document_keep(document, product.text, product.length, &section.product, error) < 0)
        return -1;
    if (section.architecture[0] == '\0' &&
        kb_document_add_problem(document, error, section.line, "no architecture in '%.*s'; its files are taken for all",
                                (int)(banner.length < 80 ? banner.length : 80), banner.text) < 0)
        return -1;
    return kb_document_add_section(document, &section, error);
}

/* Whether a section's heading, or its first rows, follow the line. */
static bool opens_section(const struct kb_text *text, size_t index)
{
    struct fields fields;
    struct kb_heading heading;
    for (index++; index < text->count; index++)
        if (!is_blank(text, index))
            return line_at(text, index, &fields) && (find_heading(&fields, &heading) || is_bare_row(&fields));
    return false;
}

struct list {
    struct kb_document *document;
    const struct kb_text *text;
    struct kb_table table;
    bool open;
    bool new_section; /* a banner has come since the last heading */
    struct error *error;
};

static int end_table(struct list *list)
{
    int status = list->open ? kb_table_end(&list->table, list->error) : 0;
    kb_table_clear(&list->table);
    list->open = false;
    return status;
}

static int begin_table(struct list *list, const struct kb_heading *heading)
{
    if (end_table(list) < 0)
        return -1;
    kb_table_begin(&list->table, list->document, heading);
    list->table.has_section = list->document->section_count > 0;
    list->table.section = list->table.has_section ? (uint32_t)list->document->section_count - 1 : 0;
    list->open = true;
    list->new_section = false;
    return 0;
}

static int complain(struct list *list, size_t index, const char *why)
{
    size_t length = list->text->lines[index].length;
    return kb_document_add_problem(list->document, list->error, list->text->lines[index].number, "'%.*s' %s",
                                   (int)(length < 120 ? length : 120), kb_text_line(list->text, index), why);
}

/* A list without heading: the columns that were told from its rows are named, so that a person can object. */
static int begin_without_heading(struct list *list, size_t index)
{
    static const char *const names[KB_COLUMN_KINDS] = {"date",      "time",     "version",  "size",
                                                       "file name", "platform", "not known"};
    struct kb_heading heading;
    char columns[160] = "";
    if (!guess_heading(list->text, index, &heading))
        return complain(list, index, "stands below no heading, and its columns can't be told; it is left out");
    for (size_t i = 0; i < heading.count; i++)
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%s", i > 0 ? ", " : "",
                 names[heading.columns[i]]);
    if (begin_table(list, &heading) < 0)
        return -1;
    return kb_document_add_problem(list->document, list->error, list->text->lines[index].number,
                                   "no heading; by what they hold the columns are: %s", columns);
}

static int read_row(struct list *list, const struct fields *fields, size_t index)
{
    const struct kb_heading *heading = &list->table.heading;
    struct kb_cells cells;
    for (size_t kind = 0; kind < KB_COLUMN_KINDS; kind++)
        cells.cell[kind] = kb_span_of("");
    for (size_t i = 0; i < fields->count && i < heading->count; i++)
        if (heading->columns[i] != KB_OTHER)
            cells.cell[heading->columns[i]] = fields->field[i];
    for (size_t i = heading->count; i < fields->count; i++)
        if (fields->field[i].length > 0)
            return complain(list, index, "has more fields than the heading; it is left out");
    if (kb_value_file_strength(cells.cell[KB_FILE]) == 0)
        return complain(list, index, "has no file name; it is left out");
    return kb_table_add(&list->table, &cells, list->text->lines[index].number, list->error);
}

static int read_line(struct list *list, size_t index)
{
    struct fields fields;
    struct kb_heading heading;
    if (is_blank(list->text, index))
        return 0;
    if (!line_at(list->text, index, &fields))
        return complain(list, index, "can't be split into fields (a quote left open, or too long); it is left out");
    if (find_heading(&fields, &heading))
        return begin_table(list, &heading);
    if (known_fields(&fields) == 0 && opens_section(list->text, index)) {
        list->new_section = true;
        return end_table(list) < 0 ? -1 : add_section(list->document, list->text, index, list->error);
    }
    if (!list->open && is_bare_row(&fields) && begin_without_heading(list, index) < 0)
        return -1;
    if (!list->open)
        return is_bare_row(&fields) ? 0 : complain(list, index, "is no row, no heading and no section; it is left out");
    return read_row(list, &fields, index);
}

int kb_csv_read(struct kb_document *document, const struct kb_text *text, struct error *error)
{
    struct list list = {.document = document, .text = text, .error = error};
    int status = 0;
    for (size_t i = 0; i < text->count && status == 0; i++)
        status = read_line(&list, i);
    if (status == 0)
        status = end_table(&list);
    kb_table_clear(&list.table);
    return status;
}
