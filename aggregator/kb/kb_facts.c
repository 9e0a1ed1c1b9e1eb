/* Reads an article's number, products, requirements and 'first corrected' statements out of its text. */

#include "kb_facts.h"

#include "kb_level.h"
#include "kb_prose.h"

#include <stdio.h>

static struct kb_span line_span(const struct kb_text *text, size_t index)
{
    return kb_span_trim((struct kb_span){.text = kb_text_line(text, index), .length = text->lines[index].length});
}

/* A number of five to seven digits at the front of `span`, after a Q or KB if there is one; 0 if there is none. */
static uint32_t number_at(struct kb_span span)
{
    uint32_t number = 0;
    span = kb_span_trim(span);
    size_t at = kb_span_starts(span, "kb") ? 2 : kb_span_starts(span, "q") ? 1 : 0, digits = 0;
    while (at < span.length && span.text[at] == ' ')
        at++;
    for (; at < span.length && span.text[at] >= '0' && span.text[at] <= '9' && digits < 8; at++, digits++)
        number = number * 10 + (uint32_t)(span.text[at] - '0');
    return digits >= 5 && digits <= 7 ? number : 0;
}

/* The number behind `label` in the line; 0 if it isn't there. */
static uint32_t number_behind(struct kb_span line, const char *label)
{
    const char *found = kb_span_find(line, label);
    if (found == NULL)
        return 0;
    struct kb_span rest = {.text = found + strlen(label)};
    rest.length = line.length - (size_t)(rest.text - line.text);
    while (rest.length > 0 && (rest.text[0] == ' ' || rest.text[0] == ':')) {
        rest.text++;
        rest.length--;
    }
    return number_at(rest);
}

/* 'IIS Problems After Applying a Security Patch (281402)' */
static uint32_t number_of_title(struct kb_span line)
{
    if (line.length < 8 || line.text[line.length - 1] != ')')
        return 0;
    size_t at = line.length;
    while (at > 0 && line.text[at - 1] != '(')
        at--;
    struct kb_span inner = {.text = line.text + at, .length = line.length - at - 1};
    uint32_t number = at > 0 ? number_at(inner) : 0;
    return number != 0 && inner.length <= 9 ? number : 0;
}

/* The first run of five to seven digits in the file's name, its folders left out. */
static uint32_t number_of_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    struct kb_span rest = kb_span_of(slash != NULL ? slash + 1 : name);
    while (rest.length > 0) {
        size_t digits = 0;
        while (digits < rest.length && rest.text[digits] >= '0' && rest.text[digits] <= '9')
            digits++;
        if (digits > 0 && number_at(rest) != 0)
            return number_at(rest);
        rest.text += digits > 0 ? digits : 1;
        rest.length -= digits > 0 ? digits : 1;
    }
    return 0;
}

int kb_facts_number(struct kb_document *document, const struct kb_text *text, const char *name, struct error *error)
{
    static const char *const labels[] = {
        "DOCUMENT:",  "Article ID",      "PSS ID Number",  "previously published under",
        "Artikel-ID", "ID de l'article", "Id. de artículo"};
    uint32_t number = 0;
    size_t head = text->count < 60 ? text->count : 60;
    for (size_t label = 0; label < sizeof labels / sizeof *labels && number == 0; label++)
        for (size_t i = 0; i < head && number == 0; i++)
            number = number_behind(line_span(text, i), labels[label]);
    for (size_t i = 0; i < head && i < 8 && number == 0; i++)
        number = number_of_title(line_span(text, i));
    if (number == 0)
        number = number_of_name(name);
    if (number == 0)
        return kb_document_add_problem(document, error, 1,
                                       "no article number in the text; name the file after it, as in KB5044288.csv");
    return kb_document_set_number(document, number, error);
}

/* The list below 'The information in this article applies to', up to a rule or the next heading. */
static int read_products(struct kb_document *document, const struct kb_text *text, struct error *error)
{
    size_t at = 0;
    while (at < text->count && kb_span_find(line_span(text, at), "information in this article applies to") == NULL &&
           !kb_span_equals(line_span(text, at), "applies to"))
        at++;
    for (at++; at < text->count; at++) {
        struct kb_span line = line_span(text, at);
        bool bullet = kb_span_starts(line, "- ") || kb_span_starts(line, "\u2022");
        if (line.length == 0)
            continue;
        if (!bullet)
            break;
        size_t sign = line.text[0] == '-' ? 2 : strlen("\u2022");
        line = kb_span_trim((struct kb_span){.text = line.text + sign, .length = line.length - sign});
        if (kb_span_starts(line, "microsoft "))
            line = (struct kb_span){.text = line.text + 10, .length = line.length - 10};
        const char *product;
        if (document->product_count >= 64)
            break;
        if (kb_document_keep(document, line.text, line.length, &product, error) < 0 ||
            kb_document_add_product(document, product, error) < 0)
            return -1;
    }
    return 0;
}

static bool is_known(const struct kb_document *document, const struct kb_level *level)
{
    for (size_t i = 0; i < document->first_corrected_count; i++)
        if (strcmp(document->first_corrected[i].product, level->product) == 0 &&
            strcmp(document->first_corrected[i].service_pack, level->level) == 0)
            return true;
    return false;
}

static int read_first_corrected(struct kb_document *document, const struct kb_prose *prose, struct error *error)
{
    static const char words[] = "first corrected in";
    struct kb_span all = {.text = prose->data, .length = prose->length};
    for (const char *found; (found = kb_span_find(all, words)) != NULL;) {
        size_t offset = (size_t)(found - prose->data);
        struct kb_level levels[KB_LEVELS_MAX];
        struct kb_span sentence = kb_prose_sentence(prose, offset);
        sentence.length -= (size_t)(found + strlen(words) - sentence.text);
        sentence.text = found + strlen(words);
        size_t count = kb_levels_find(sentence, levels);
        uint32_t line = kb_prose_number(prose, offset);
        for (size_t i = 0; i < count; i++) {
            struct kb_first_corrected statement = {.line = line};
            if (levels[i].product[0] == '\0' || is_known(document, &levels[i]))
                continue;
            if (kb_document_keep(document, levels[i].product, strlen(levels[i].product), &statement.product, error) <
                    0 ||
                kb_document_keep(document, levels[i].level, strlen(levels[i].level), &statement.service_pack, error) <
                    0 ||
                kb_document_add_first_corrected(document, &statement, error) < 0)
                return -1;
        }
        if (count == 0 && kb_span_find(sentence, "service pack") != NULL &&
            kb_document_add_problem(document, error, line,
                                    "first corrected in '%.*s': no product and service pack can be read from it",
                                    (int)(sentence.length < 120 ? sentence.length : 120), sentence.text) < 0)
            return -1;
        all.text = found + strlen(words);
        all.length = prose->length - (offset + strlen(words));
    }
    return 0;
}

/* Words by which a sentence states what must be there before a patch; the level stands behind them, or before. */
static const struct {
    const char *words;
    bool level_before;
} triggers[] = {
    {" requires ", false},
    {" must be installed o", false},
    {" must be running", false},
    {" can be installed on", false},
    {"can install this ", false},
    {"must apply ", false},
    {"must have ", false},
    {"available only for ", false},
    {"is required to ", true},
    {"must be installed before", true},
    {"must be applied before", true},
};

/* Whether the sentence speaks of installing a patch, rather than of what else a level is good for. */
static bool speaks_of_patch(struct kb_span sentence)
{
    static const char *const words[] = {"hotfix", "patch", "update", " fix ", "fixes", "package", "bundle"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (kb_span_find(sentence, words[i]) != NULL)
            return true;
    return false;
}

/* The part of the sentence that states the requirement, by the first trigger in it; empty if there is none. */
static struct kb_span requirement_in(struct kb_span sentence)
{
    static const char *const ends[] = {" because ", " before "};
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        const char *found = kb_span_find(sentence, triggers[i].words);
        if (found == NULL)
            continue;
        if (triggers[i].level_before)
            return (struct kb_span){.text = sentence.text, .length = (size_t)(found - sentence.text)};
        struct kb_span clause = {.text = found, .length = sentence.length - (size_t)(found - sentence.text)};
        for (size_t end = 0; end < sizeof ends / sizeof *ends; end++) {
            const char *cut = kb_span_find(clause, ends[end]);
            if (cut != NULL)
                clause.length = (size_t)(cut - clause.text);
        }
        if (kb_span_find(clause, " without ") != NULL || kb_span_find(clause, "apply to ") != NULL)
            break;
        return clause;
    }
    return (struct kb_span){.text = ""};
}

/* RTM before SP1 before SP6 before SP6a before SP10. */
static bool is_below(const char *level, const char *other)
{
    if (strcmp(level, "RTM") == 0 || strcmp(other, "RTM") == 0)
        return strcmp(other, "RTM") != 0;
    return strverscmp(level, other) < 0;
}

/* Brings the levels of each product into their order; products stay in the order of the sentence. */
static void sort_levels(struct kb_level *levels, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(levels[j].product, levels[j - 1].product) == 0 &&
                           is_below(levels[j].level, levels[j - 1].level);
             j--) {
            struct kb_level level = levels[j];
            levels[j] = levels[j - 1];
            levels[j - 1] = level;
        }
}

/* One requirement for each product that the levels name, in the order of the sentence. */
static int add_requirements(struct kb_document *document, struct kb_level *levels, size_t count,
                            struct kb_span sentence, uint32_t line, struct error *error)
{
    sort_levels(levels, count);
    bool done[KB_LEVELS_MAX] = {false};
    for (size_t i = 0; i < count; i++) {
        char joined[KB_LEVELS_MAX * sizeof levels[0].level] = "";
        size_t length = 0;
        if (done[i])
            continue;
        for (size_t j = i; j < count; j++) {
            if (strcmp(levels[i].product, levels[j].product) != 0)
                continue;
            if (j > i && strcmp(levels[j].level, levels[j - 1].level) == 0) {
                done[j] = true;
                continue;
            }
            length += (size_t)snprintf(joined + length, sizeof joined - length, "%s%s", length > 0 ? ";" : "",
                                       levels[j].level);
            done[j] = true;
        }
        struct kb_requirement requirement = {.line = line,
                                             .or_later = kb_span_find(sentence, "or later") != NULL ||
                                                         kb_span_find(sentence, "or higher") != NULL};
        if (kb_document_keep(document, levels[i].product, strlen(levels[i].product), &requirement.product, error) < 0 ||
            kb_document_keep(document, joined, length, &requirement.levels, error) < 0 ||
            kb_document_keep(document, sentence.text, sentence.length, &requirement.sentence, error) < 0 ||
            kb_document_add_requirement(document, &requirement, error) < 0)
            return -1;
        if (levels[i].product[0] == '\0' &&
            kb_document_add_problem(document, error, line, "'%.*s' requires %s, but does not say of which product",
                                    (int)(sentence.length < 120 ? sentence.length : 120), sentence.text, joined) < 0)
            return -1;
    }
    return 0;
}

static int read_requirements(struct kb_document *document, const struct kb_prose *prose, struct error *error)
{
    size_t at = 0;
    while (at < prose->length) {
        struct kb_span sentence = kb_prose_sentence(prose, at);
        size_t start = (size_t)(sentence.text - prose->data);
        size_t end = start + sentence.length;
        at = end > at ? end + 1 : at + 1;
        if (sentence.length < 12 ||
            (kb_span_find(sentence, "service pack") == NULL && kb_span_find(sentence, "SP") == NULL) ||
            !speaks_of_patch(sentence))
            continue;
        struct kb_span clause = requirement_in(sentence);
        struct kb_level levels[KB_LEVELS_MAX];
        size_t count = clause.length > 0 ? kb_levels_find(clause, levels) : 0;
        if (count > 0 && add_requirements(document, levels, count, sentence,
                                          kb_prose_number(prose, (size_t)(clause.text - prose->data)), error) < 0)
            return -1;
    }
    return 0;
}

int kb_facts_read(struct kb_document *document, const struct kb_text *text, struct error *error)
{
    struct kb_prose prose;
    if (read_products(document, text, error) < 0 || kb_prose_make(text, &prose, error) < 0)
        return -1;
    int status = read_first_corrected(document, &prose, error);
    if (status == 0)
        status = read_requirements(document, &prose, error);
    kb_prose_clear(&prose);
    return status;
}
