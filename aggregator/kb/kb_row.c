/* Recognizes headings of file tables, and finds the columns of a row by what its words can be. */

#include "kb_row.h"

#include <limits.h>
#include <string.h>

#define IMPOSSIBLE (INT_MIN / 2)

size_t kb_tokens(struct kb_span line, struct kb_token *tokens, size_t room)
{
    size_t count = 0;
    uint32_t place = 0;
    for (size_t at = 0; at < line.length;) {
        char c = line.text[at];
        if (c == '\t' || (unsigned char)c <= ' ') {
            place = c == '\t' ? (place / 8 + 1) * 8 : place + 1;
            at++;
            continue;
        }
        size_t start = at;
        while (at < line.length && (unsigned char)line.text[at] > ' ')
            at++;
        if (count < room)
            tokens[count] = (struct kb_token){.span = {.text = line.text + start, .length = at - start},
                                              .from = place,
                                              .to = place + (uint32_t)(at - start)};
        place += (uint32_t)(at - start);
        count++;
    }
    return count;
}

/* What lies between the first and the last of `count` words, the blanks between them included. */
static struct kb_span join(const struct kb_token *tokens, size_t count)
{
    if (count == 0)
        return (struct kb_span){.text = ""};
    const struct kb_span *first = &tokens[0].span, *last = &tokens[count - 1].span;
    return (struct kb_span){.text = first->text, .length = (size_t)(last->text - first->text) + last->length};
}

static const struct {
    const char *title;
    enum kb_column column;
} titles[] = {
    {"file name", KB_FILE},
    {"filename", KB_FILE},
    {"file-name", KB_FILE},
    {"file", KB_FILE},
    {"file version", KB_VERSION},
    {"version", KB_VERSION},
    {"version#", KB_VERSION},
    {"version #", KB_VERSION},
    {"ver", KB_VERSION},
    {"ver.", KB_VERSION},
    {"version number", KB_VERSION},
    {"file size", KB_SIZE},
    {"size", KB_SIZE},
    {"bytes", KB_SIZE},
    {"size (bytes)", KB_SIZE},
    {"file date", KB_DATE},
    {"date", KB_DATE},
    {"date (utc)", KB_DATE},
    {"modifiedtime", KB_DATE},
    {"file time", KB_TIME},
    {"time", KB_TIME},
    {"time (utc)", KB_TIME},
    {"time(utc)", KB_TIME},
    {"platform", KB_PLATFORM},
    {"platforms", KB_PLATFORM},
    {"(platform)", KB_PLATFORM},
    {"operating system", KB_PLATFORM},
    {"os", KB_PLATFORM},
    {"processor", KB_PLATFORM},
    {"processor type", KB_PLATFORM},
    {"hardware", KB_PLATFORM},
    {"architecture", KB_PLATFORM},
    {"cpu", KB_PLATFORM},
    {"hardware platform", KB_PLATFORM},
    {"language", KB_OTHER},
    {"location", KB_OTHER},
    {"folder", KB_OTHER},
    {"directory", KB_OTHER},
    {"checksum", KB_OTHER},
    {"sp requirement", KB_OTHER},
    {"service branch", KB_OTHER},
    {"branch", KB_OTHER},
    {"product version", KB_OTHER},
    {"file hash", KB_OTHER},
    {"datum", KB_DATE}, /* German, French, Spanish, Italian, as far as they differ */
    {"uhrzeit", KB_TIME},
    {"zeit", KB_TIME},
    {"dateiversion", KB_VERSION},
    {"größe", KB_SIZE},
    {"dateigröße", KB_SIZE},
    {"dateiname", KB_FILE},
    {"plattform", KB_PLATFORM},
    {"heure", KB_TIME},
    {"taille", KB_SIZE},
    {"nom de fichier", KB_FILE},
    {"nom du fichier", KB_FILE},
    {"plate-forme", KB_PLATFORM},
    {"fecha", KB_DATE},
    {"hora", KB_TIME},
    {"versión", KB_VERSION},
    {"tamaño", KB_SIZE},
    {"nombre de archivo", KB_FILE},
    {"nombre del archivo", KB_FILE},
    {"data", KB_DATE},
    {"ora", KB_TIME},
    {"versione", KB_VERSION},
    {"dimensioni", KB_SIZE},
    {"nome file", KB_FILE},
};

bool kb_heading_cell(struct kb_span cell, enum kb_column *column)
{
    char title[32];
    size_t length = 0;
    cell = kb_span_trim(cell);
    for (size_t i = 0; i < cell.length && length < sizeof title; i++) {
        bool blank = (unsigned char)cell.text[i] <= ' ';
        if (!blank || (length > 0 && title[length - 1] != ' '))
            title[length++] = blank ? ' ' : cell.text[i];
    }
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (kb_span_equals((struct kb_span){.text = title, .length = length}, titles[i].title)) {
            *column = titles[i].column;
            return true;
        }
    return false;
}

/* A second column of a kind is one of no interest; two headed 'ModifiedTime' are date and time. */
static void add_column(struct kb_heading *heading, enum kb_column column, uint32_t from)
{
    if (column == KB_DATE && heading->has[KB_DATE] && !heading->has[KB_TIME])
        column = KB_TIME;
    if (column != KB_OTHER && heading->has[column])
        column = KB_OTHER;
    heading->columns[heading->count] = column;
    heading->from[heading->count++] = from;
    heading->has[column] = true;
}

static bool is_heading(const struct kb_heading *heading, bool in_cells)
{
    size_t known =
        (size_t)heading->has[KB_DATE] + heading->has[KB_TIME] + heading->has[KB_VERSION] + heading->has[KB_SIZE];
    bool file_first = heading->count > 0 && heading->columns[0] == KB_FILE;
    return heading->has[KB_FILE] && known >= (file_first ? 2u : 1u) && (in_cells || !file_first);
}

static bool is_word(struct kb_span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (((span.text[i] | 0x20) < 'a' || (span.text[i] | 0x20) > 'z') && strchr("()", span.text[i]) == NULL)
            return false;
    return true;
}

size_t kb_heading_tokens(const struct kb_token *tokens, size_t count, struct kb_heading *heading)
{
    size_t at = 0;
    *heading = (struct kb_heading){0};
    while (at < count && heading->count < KB_COLUMNS_MAX) {
        enum kb_column column;
        size_t words = count - at < 3 ? count - at : 3;
        while (words > 0 && !kb_heading_cell(join(tokens + at, words), &column))
            words--;
        if (words > 0) {
            add_column(heading, column, tokens[at].from);
            at += words;
            continue;
        }
        /* words of no title go on with the title before them: File name and path */
        size_t more = 0;
        while (at + more < count && more < 3 && at > 0 && tokens[at + more].from - tokens[at + more - 1].to == 1 &&
               is_word(tokens[at + more].span) && !kb_heading_cell(tokens[at + more].span, &column))
            more++;
        if (more == 0 || heading->count < 3)
            break;
        at += more;
    }
    if (!is_heading(heading, false))
        heading->count = 0;
    return at;
}

bool kb_heading_cells(const struct kb_span *cells, size_t count, struct kb_heading *heading)
{
    *heading = (struct kb_heading){0};
    for (size_t i = 0; i < count; i++) {
        enum kb_column column;
        if (heading->count == KB_COLUMNS_MAX || !kb_heading_cell(cells[i], &column))
            return false;
        add_column(heading, column, 0);
    }
    return is_heading(heading, true);
}

/* How well words can be a size: with a unit, grouped, plain, and at last grouped oddly. */
static int fit_size(struct kb_span span, size_t words)
{
    uint64_t bytes;
    switch (kb_value_size(span, &bytes)) {
    case KB_SIZE_BYTES:
        return words > 1 || memchr(span.text, ',', span.length) != NULL ? 8 : 7;
    case KB_SIZE_ROUNDED:
        return 9;
    case KB_SIZE_ODD:
        return memchr(span.text, ',', span.length) != NULL ? 4 : 2;
    default:
        return IMPOSSIBLE;
    }
}

/* A remark may follow the version behind a single blank: 5.0.2195.4555 shp. */
static int fit_version(const struct kb_token *tokens, size_t words)
{
    static const int by_strength[] = {IMPOSSIBLE, 1, 5, 8};
    int strength = kb_value_version_strength(tokens[0].span);
    if (words == 1)
        return by_strength[strength];
    if (words > 2 || strength < 2 || tokens[1].from - tokens[0].to > 1 || tokens[1].span.length > 12 ||
        kb_value_is_platform(tokens[1].span))
        return IMPOSSIBLE;
    for (size_t i = 0; i < tokens[1].span.length; i++)
        if ((tokens[1].span.text[i] | 0x20) < 'a' && strchr("()", tokens[1].span.text[i]) == NULL)
            return IMPOSSIBLE;
    return 6;
}

static int fit_file(const struct kb_token *tokens, size_t words)
{
    int strength = kb_value_file_strength(join(tokens, words));
    if (words == 1)
        return strength == 2 ? 9 : strength == 1 ? 2 : IMPOSSIBLE;
    /* a name with blanks: a path, or words of which only the last has an extension */
    if (words > 4 || strength < 2 || kb_value_file_strength(tokens[words - 1].span) < 2)
        return IMPOSSIBLE;
    bool path = memchr(tokens[0].span.text, '\\', tokens[0].span.length) != NULL;
    for (size_t i = 0; i + 1 < words && !path; i++)
        if (kb_value_file_strength(tokens[i].span) != 1 || kb_value_is_platform(tokens[i].span))
            return IMPOSSIBLE;
    return path ? 9 : 4;
}

static int fit_platform(const struct kb_token *tokens, size_t words, bool last)
{
    struct kb_span all = join(tokens, words);
    struct kb_date date;
    if (all.length > 80)
        return IMPOSSIBLE;
    for (size_t i = 0; i < words; i++)
        if (kb_value_date(tokens[i].span, &date) || (!last && kb_value_version_strength(tokens[i].span) > 2))
            return IMPOSSIBLE;
    if (words == 1)
        return kb_value_is_platform(all) ? 5 : kb_value_is_none(all) ? 3 : kb_value_file_strength(all) == 2 ? 0 : 2;
    return kb_value_platform(all).length < all.length ? 4 : 2;
}

/* How well `words` words can fill a column of that kind. No words: how little it is missed. */
static int fit(enum kb_column column, const struct kb_token *tokens, size_t words, bool last)
{
    struct kb_span span = join(tokens, words);
    struct kb_date date;
    char time[6];
    if (words == 0)
        return column == KB_FILE ? IMPOSSIBLE : column == KB_DATE ? -6 : -1;
    bool none = words <= 2 && kb_value_is_none(span);
    switch (column) {
    case KB_DATE:
        if (words <= 3 && kb_value_date(span, &date))
            return 12;
        return none ? 4 : words == 1 && kb_value_looks_like_date(span) ? 3 : IMPOSSIBLE;
    case KB_TIME:
        if (words <= 2 && kb_value_time(span, time)) {
            bool colon = memchr(span.text, ':', span.length) != NULL, dot = memchr(span.text, '.', span.length) != NULL;
            return colon ? 10 + (int)words - 1 : dot ? 3 : 6;
        }
        return none ? 4 : words == 1 && kb_value_looks_like_time(span) ? 3 : IMPOSSIBLE;
    case KB_VERSION:
        return none ? 4 : fit_version(tokens, words);
    case KB_SIZE:
        return none ? 3 : words <= 3 ? fit_size(span, words) : IMPOSSIBLE;
    case KB_FILE:
        return fit_file(tokens, words);
    case KB_PLATFORM:
        return words <= 10 ? fit_platform(tokens, words, last) : IMPOSSIBLE;
    default:
        return words <= 6 ? 0 : IMPOSSIBLE;
    }
}

/* A word under its title counts for the match, one far from it against it; blanks in a row within a cell count against
 * it too. */
static int fit_place(const struct kb_heading *heading, size_t column, const struct kb_token *tokens, size_t words)
{
    int penalty = 0;
    for (size_t i = 1; i < words; i++)
        if (tokens[i].from - tokens[i - 1].to > 1)
            penalty -= 4;
    uint32_t from = heading->from[column], to = column + 1 < heading->count ? heading->from[column + 1] : UINT32_MAX;
    uint32_t left = tokens[0].from, right = tokens[words - 1].to;
    if (left < to && right > from)
        return penalty + 1;
    uint32_t distance = left >= to ? left - to : from - right;
    return penalty - (distance > 12 ? 3 : 1 + (int)distance / 6);
}

/*
 * The best split over the columns of as many of the words as can be split at all, and that is how many it returns; the
 * words that each column takes go to taken[]. best[c][t] is the score of the first t words over the first c columns.
 */
static size_t best_split(const struct kb_heading *heading, const struct kb_token *tokens, size_t count,
                         bool with_places, uint8_t taken[KB_COLUMNS_MAX])
{
    int best[KB_COLUMNS_MAX + 1][KB_TOKENS_MAX + 1];
    uint8_t choice[KB_COLUMNS_MAX + 1][KB_TOKENS_MAX + 1] = {0};
    for (size_t t = 0; t <= count; t++)
        best[0][t] = t == 0 ? 0 : IMPOSSIBLE;
    for (size_t c = 0; c < heading->count; c++) {
        for (size_t t = 0; t <= count; t++) {
            best[c + 1][t] = IMPOSSIBLE;
            for (size_t words = 0; words <= t && words <= 10; words++) {
                if (best[c][t - words] <= IMPOSSIBLE)
                    continue;
                const struct kb_token *first = tokens + (t - words);
                int score = fit(heading->columns[c], first, words, c + 1 == heading->count);
                if (score <= IMPOSSIBLE)
                    continue;
                score += best[c][t - words] + (with_places && words > 0 ? fit_place(heading, c, first, words) : 0);
                if (score > best[c + 1][t]) {
                    best[c + 1][t] = score;
                    choice[c + 1][t] = (uint8_t)words;
                }
            }
        }
    }
    size_t used = count;
    while (used > 0 && best[heading->count][used] <= IMPOSSIBLE)
        used--;
    size_t left = used;
    for (size_t c = heading->count; c > 0; c--) {
        taken[c - 1] = choice[c][left];
        left -= choice[c][left];
    }
    return used;
}

/* Whether enough of the row is there to tell it from a line of running text; `whole` if all its words fit. */
static bool is_row(const struct kb_cells *cells, bool whole)
{
    struct kb_date date;
    char time[6];
    uint64_t bytes;
    bool has_date = kb_value_date(cells->cell[KB_DATE], &date) || kb_value_looks_like_date(cells->cell[KB_DATE]);
    size_t others = (size_t)kb_value_time(cells->cell[KB_TIME], time) +
                    (kb_value_version_strength(cells->cell[KB_VERSION]) > 1) +
                    (kb_value_size(cells->cell[KB_SIZE], &bytes) != KB_SIZE_NONE);
    if (kb_value_file_strength(cells->cell[KB_FILE]) < 2)
        return has_date && others >= 1;
    if (has_date || others >= 2)
        return true;
    struct kb_span platform = cells->cell[KB_PLATFORM];
    return others == 1 && whole && (platform.length == 0 || kb_value_is_platform(platform));
}

bool kb_row_match(const struct kb_heading *heading, const struct kb_token *tokens, size_t count, bool with_places,
                  struct kb_cells *cells, struct kb_span *rest)
{
    uint8_t taken[KB_COLUMNS_MAX] = {0};
    *cells = (struct kb_cells){0};
    *rest = (struct kb_span){.text = ""};
    for (size_t kind = 0; kind < KB_COLUMN_KINDS; kind++)
        cells->cell[kind].text = "";
    if (count == 0 || count > KB_TOKENS_MAX || heading->count == 0)
        return false;
    size_t used = best_split(heading, tokens, count, with_places, taken);
    if (used == 0)
        return false;
    *rest = join(tokens + used, count - used);
    size_t at = 0;
    for (size_t c = 0; c < heading->count; c++) {
        if (heading->columns[c] != KB_OTHER)
            cells->cell[heading->columns[c]] = join(tokens + at, taken[c]);
        at += taken[c];
    }
    return is_row(cells, used == count);
}
