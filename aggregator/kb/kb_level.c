/* Finds service-pack levels, and the products that they belong to, in the words of a sentence. */

#include "kb_level.h"

#include "kb_row.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 128       /* words of a sentence */
#define PRODUCT_WORDS_MAX 9 /* 'Microsoft Windows NT Server version 4.0, Terminal Server Edition' */

static const char terminal_server[] = "Windows NT Server 4.0, Terminal Server Edition";

static struct kb_span without_tail(struct kb_span word, const char *signs)
{
    while (word.length > 0 && strchr(signs, word.text[word.length - 1]) != NULL)
        word.length--;
    return word;
}

static bool is_upper_or_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* '6a', '4.0', '3': writes SP6a, SP4, SP3. */
static bool level_of_number(struct kb_span word, char level[16])
{
    word = without_tail(word, ",;:.)");
    size_t digits = 0;
    while (digits < word.length && word.text[digits] >= '0' && word.text[digits] <= '9')
        digits++;
    if (digits == 0 || digits > 2)
        return false;
    struct kb_span rest = {.text = word.text + digits, .length = word.length - digits};
    bool letter = rest.length == 1 && (rest.text[0] | 0x20) >= 'a' && (rest.text[0] | 0x20) <= 'd';
    if (rest.length != 0 && !letter && !kb_span_equals(rest, ".0"))
        return false;
    snprintf(level, 16, "SP%.*s%s", (int)digits, word.text, letter ? (char[]){(char)(rest.text[0] | 0x20), '\0'} : "");
    return true;
}

/* A level that begins at words[at]; returns how many words it takes, or 0. */
static size_t level_at(const struct kb_token *words, size_t count, size_t at, char level[16])
{
    struct kb_span word = words[at].span;
    size_t packs = 0;
    while (at + packs + 2 < count &&
           (kb_span_equals(words[at + packs].span, "service") || kb_span_equals(words[at + packs].span, "(service")) &&
           (kb_span_equals(words[at + packs + 1].span, "pack") || kb_span_equals(words[at + packs + 1].span, "packs")))
        packs += 2; /* 'Service Pack Service Pack 1' has been seen */
    if (packs > 0)
        return level_of_number(words[at + packs].span, level) ? packs + 1 : 0;
    if (kb_span_equals(without_tail(word, ",;"), "gold") || kb_span_equals(without_tail(word, ",;"), "rtm")) {
        snprintf(level, 16, "RTM");
        return 1;
    }
    if (!kb_span_starts(word, "sp"))
        return 0;
    if (word.length == 2)
        return at + 1 < count && level_of_number(words[at + 1].span, level) ? 2 : 0;
    return level_of_number((struct kb_span){.text = word.text + 2, .length = word.length - 2}, level) ? 1 : 0;
}

/* What follows a level and changes what it is: a rollup package is no service pack. Returns how many words it takes. */
static size_t rollup_at(const struct kb_token *words, size_t count, size_t at, char level[16])
{
    size_t length = strlen(level);
    if (at + 2 < count && kb_span_equals(words[at].span, "hotfix") && kb_span_equals(words[at + 1].span, "rollup")) {
        snprintf(level + length, 16 - length, " HRP");
        return 3;
    }
    if (at + 1 < count && kb_span_equals(words[at].span, "security") && kb_span_equals(words[at + 1].span, "rollup")) {
        snprintf(level + length, 16 - length, " SRP");
        return 2;
    }
    if (at < count && kb_span_equals(without_tail(words[at].span, ",.;"), "hrp")) {
        snprintf(level + length, 16 - length, " HRP");
        return 1;
    }
    return 0;
}

/* Whether the word can be part of a product's name. */
static bool in_product(struct kb_span word)
{
    static const char *const not_products[] = {
        "you",    "this", "the",  "in",  "install", "to",   "for", "if", "because", "due",  "note:",  "on",    "after",
        "before", "when", "also", "and", "or",      "with", "a",   "an", "that",    "both", "either", "latest"};
    for (size_t i = 0; i < sizeof not_products / sizeof *not_products; i++)
        if (kb_span_equals(word, not_products[i]))
            return false;
    if (kb_span_equals(word, "version") || kb_span_equals(word, "versions"))
        return true;
    char last = word.text[word.length - 1];
    if (word.text[0] == '(' && last == ')' && word.length > 2)
        return is_upper_or_digit(word.text[1]); /* Data Access Components (MDAC) 2.5 */
    return is_upper_or_digit(word.text[0]) && last != ':' && last != ';' && last != '.' && last != ')';
}

/* A comma within a name: 'Windows NT Server 4.0, Terminal Server Edition'. */
static bool name_goes_on(struct kb_span next)
{
    return kb_span_equals(next, "terminal") || kb_span_equals(next, "enterprise");
}

/* Where the product's name before words[end] begins; `end` if there is none. It may not begin before `floor`. */
static size_t product_before(const struct kb_token *words, size_t floor, size_t end)
{
    size_t start = end;
    while (start > floor && end - start < PRODUCT_WORDS_MAX) {
        struct kb_span word = words[start - 1].span;
        if (!in_product(word))
            break;
        bool ends = start == end && word.length > 1 &&
                    (kb_span_equals(word, "edition,") ||
                     (word.text[word.length - 2] >= '0' && word.text[word.length - 2] <= '9'));
        if (word.text[word.length - 1] == ',' && !ends && (start == end || !name_goes_on(words[start].span)))
            break;
        start--;
    }
    return start;
}

static void add_word(char product[96], struct kb_span word)
{
    size_t length = strlen(product);
    snprintf(product + length, 96 - length, "%s%.*s", length > 0 ? " " : "", (int)(word.length < 40 ? word.length : 40),
             word.text);
}

/* 'Systems Management Server' rather than 'SMS': the names of `first_word` that stand for longer ones. */
static struct kb_span full_name(struct kb_span word)
{
    static const struct {
        const char *abbreviation, *name;
    } names[] = {{"sms", "Systems Management Server"},
                 {"mdac", "Data Access Components"},
                 {"iis", "Internet Information Server"},
                 {"ie", "Internet Explorer"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kb_span_equals(word, names[i].abbreviation))
            return kb_span_of(names[i].name);
    return word;
}

/* Windows without its editions, which share their service packs; Terminal Server Edition has its own. */
static void fold_windows(const struct kb_span *words, size_t count, char product[96])
{
    struct kb_span version = {.text = ""};
    bool nt = false, terminal = false;
    for (size_t i = 0; i < count; i++) {
        nt = nt || kb_span_equals(words[i], "nt");
        terminal = terminal || kb_span_equals(words[i], "terminal");
        if (version.length == 0 && words[i].text[0] >= '0' && words[i].text[0] <= '9')
            version = words[i];
    }
    if (nt && terminal)
        memcpy(product, terminal_server, sizeof terminal_server);
    else if (nt)
        snprintf(product, 96, "Windows NT%s%.*s%s", version.length > 0 ? " " : "",
                 (int)(version.length < 20 ? version.length : 20), version.text,
                 kb_span_equals(version, "4") ? ".0" : "");
    else if (count > 1 && kb_span_equals(words[1], "server")) {
        product[0] = '\0';
        for (size_t i = 0; i < count && i < 3; i++)
            add_word(product, words[i]);
        if (count > 3 && kb_span_equals(words[3], "r2"))
            add_word(product, words[3]);
    } else {
        product[0] = '\0';
        for (size_t i = 0; i < count && i < 2; i++)
            add_word(product, words[i]);
    }
}

static void name_product(const struct kb_token *tokens, size_t count, char product[96])
{
    struct kb_span words[PRODUCT_WORDS_MAX + 1];
    size_t kept = 0;
    product[0] = '\0';
    for (size_t i = 0; i < count && kept < PRODUCT_WORDS_MAX; i++) {
        struct kb_span word = without_tail(tokens[i].span, ",");
        const char *glued = word.length > 7 ? kb_span_find(word, "windows") : NULL;
        if (glued != NULL && glued > word.text) { /* 'PrerequisitesWindows' of a page that lost its line breaks */
            word.length -= (size_t)(glued - word.text);
            word.text = glued;
            kept = 0;
        }
        if (word.length > 0 && word.text[0] != '(' && !kb_span_equals(word, "microsoft") &&
            !kb_span_equals(word, "version") && !kb_span_equals(word, "versions"))
            words[kept++] = word;
    }
    bool letters = false;
    for (size_t i = 0; i < kept; i++)
        letters = letters || !(words[i].text[0] >= '0' && words[i].text[0] <= '9');
    if (!letters)
        return;
    if (kb_span_equals(words[0], "windows")) {
        fold_windows(words, kept, product);
        return;
    }
    add_word(product, full_name(words[0]));
    for (size_t i = 1; i < kept; i++)
        add_word(product, words[i]);
}

/* 'SP1 for Systems Management Server 2.0': the name behind the level. */
static size_t product_behind(const struct kb_token *words, size_t count, size_t start, char product[96])
{
    if (start >= count || !(kb_span_equals(words[start].span, "for") || kb_span_equals(words[start].span, "of")))
        return 0;
    size_t end = start + 1;
    while (end < count && end - start <= PRODUCT_WORDS_MAX && in_product(words[end].span) &&
           words[end].span.text[words[end].span.length - 1] != ',')
        end++;
    name_product(words + start + 1, end - start - 1, product);
    return end - start;
}

size_t kb_levels_find(struct kb_span text, struct kb_level levels[KB_LEVELS_MAX])
{
    struct kb_token words[WORDS_MAX];
    size_t count = kb_tokens(text, words, WORDS_MAX), found = 0, floor = 0;
    if (count > WORDS_MAX)
        count = WORDS_MAX;
    for (size_t at = 0; at < count && found < KB_LEVELS_MAX;) {
        struct kb_level level = {0};
        struct kb_span word = words[at].span;
        size_t taken = level_at(words, count, at, level.level);
        if (taken == 0) {
            bool joins = kb_span_equals(word, "or") || kb_span_equals(word, "and");
            bool more = found > 0 &&
                        (floor == at || (floor + 1 == at && (kb_span_equals(words[floor].span, "or") ||
                                                             kb_span_equals(words[floor].span, "and")))) &&
                        !joins && level_of_number(word, level.level);
            if (!more) { /* else 'Service Pack 4, 5, or 6a' */
                at++;
                continue;
            }
            taken = 1;
        } else if (word.text[0] == '(') { /* only says again what was said */
            at += taken;
            continue;
        }
        size_t start = product_before(words, floor, at);
        name_product(words + start, at - start, level.product);
        taken += rollup_at(words, count, at + taken, level.level);
        if (level.product[0] == '\0')
            taken += product_behind(words, count, at + taken, level.product);
        if (level.product[0] == '\0' && found > 0)
            memcpy(level.product, levels[found - 1].product, sizeof level.product);
        at += taken;
        if (at < count && words[at].span.text[0] == '(') /* 'Service Pack 6a (SP6a)' */
            at++;
        if (at + 1 < count && kb_span_equals(words[at].span, "terminal") &&
            strncmp(level.product, "Windows NT", 10) == 0) {
            memcpy(level.product, terminal_server, sizeof terminal_server);
            at += 2; /* 'Windows NT 4.0 Service Pack 6a, Terminal Server Edition' */
            at += at < count && kb_span_starts(words[at].span, "edition");
        }
        floor = at;
        levels[found++] = level;
    }
    return found;
}
