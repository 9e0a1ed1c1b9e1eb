/* What a snapshot could not see. */

#include "not_seen.h"

#include "proto/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const Evenkeel__NotSeen *entry, Evenkeel__NotSeenKind kind, const char *what, size_t length)
{
    if (entry->kind != kind)
        return entry->kind < kind ? -1 : 1;
    size_t shorter = entry->what.len < length ? entry->what.len : length;
    int order = shorter == 0 ? 0 : memcmp(entry->what.data, what, shorter);
    return order != 0 ? order : (entry->what.len > length) - (entry->what.len < length);
}

/* Where the entry is, or would be; *found says which. */
static size_t place_of(const Evenkeel__Facts *facts, Evenkeel__NotSeenKind kind, const char *what, size_t length,
                       bool *found)
{
    size_t at = 0;
    int order = -1;
    while (at < facts->n_not_seen && (order = compare(facts->not_seen[at], kind, what, length)) < 0)
        at++;
    *found = at < facts->n_not_seen && order == 0;
    return at;
}

static size_t count_of_kind(const Evenkeel__Facts *facts, Evenkeel__NotSeenKind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < facts->n_not_seen; i++)
        count += facts->not_seen[i]->kind == kind && facts->not_seen[i]->what.len > 0;
    return count;
}

static Evenkeel__NotSeen *entry_new(Evenkeel__NotSeenKind kind, const char *what, size_t length)
{
    Evenkeel__NotSeen *entry = malloc(sizeof *entry);
    uint8_t *copy = length > 0 ? malloc(length) : NULL;
    if (entry == NULL || (length > 0 && copy == NULL)) {
        free(entry);
        free(copy);
        return NULL;
    }
    evenkeel__not_seen__init(entry);
    entry->kind = kind;
    if (length > 0)
        memcpy(copy, what, length);
    entry->what = (ProtobufCBinaryData){.len = length, .data = copy};
    return entry;
}

int not_seen_add(Evenkeel__Facts *facts, Evenkeel__NotSeenKind kind, const char *what, uint64_t count,
                 struct error *error)
{
    bool found;
    size_t length = what != NULL ? strlen(what) : 0;

    if (count == 0)
        return 0;
    if (length > NOT_SEEN_WHAT_BYTES)
        length = 0;
    size_t at = place_of(facts, kind, what, length, &found);
    if (!found && length > 0 && count_of_kind(facts, kind) >= NOT_SEEN_PLACES) {
        length = 0;
        at = place_of(facts, kind, what, length, &found);
    }
    if (!found) {
        Evenkeel__NotSeen **grown = realloc(facts->not_seen, (facts->n_not_seen + 1) * sizeof *grown);
        if (grown != NULL)
            facts->not_seen = grown;
        Evenkeel__NotSeen *entry = grown == NULL ? NULL : entry_new(kind, what, length);
        if (entry == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for what was not seen");
        memmove(grown + at + 1, grown + at, (facts->n_not_seen - at) * sizeof *grown);
        grown[at] = entry;
        facts->n_not_seen++;
    }
    uint64_t total = facts->not_seen[at]->count + count;
    facts->not_seen[at]->count = total < INT32_MAX ? (uint32_t)total : INT32_MAX;
    return 0;
}

/* As a person reads them: how many, and one place. */
static const char *const names[] = {
    [EVENKEEL__NOT_SEEN_KIND__UNREADABLE] = "unreadable",
    [EVENKEEL__NOT_SEEN_KIND__SAME_PATH] = "files whose path another one has",
    [EVENKEEL__NOT_SEEN_KIND__LINK] = "links not followed",
    [EVENKEEL__NOT_SEEN_KIND__UNNAMEABLE] = "names that can't be told",
    [EVENKEEL__NOT_SEEN_KIND__CUT] = "entries over a limit",
    [EVENKEEL__NOT_SEEN_KIND__CODE_PAGE] = "names of an assumed code page (--code-page)",
    [EVENKEEL__NOT_SEEN_KIND__GUESSED] = "folders taken by their usual name",
    [EVENKEEL__NOT_SEEN_KIND__OTHER_DRIVE] = "drives not given (--root, --drive)",
    [EVENKEEL__NOT_SEEN_KIND__NO_FOLDER] = "folders not found",
    [EVENKEEL__NOT_SEEN_KIND__STALE_HIVE] = "registry hives out of date",
    [EVENKEEL__NOT_SEEN_KIND__DAMAGED_HIVE] = "damaged registry hives",
    [EVENKEEL__NOT_SEEN_KIND__NO_STORE] = "parts of the component store",
    [EVENKEEL__NOT_SEEN_KIND__NO_KEY] =
        "keys that are not in the registry given (export HKEY_LOCAL_MACHINE\\SYSTEM, too)",
    [EVENKEEL__NOT_SEEN_KIND__PACKED] = "programs packed by Windows (CompactOS, deduplication)",
};

static void add_text(char *text, size_t size, const char *part)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", part);
}

char *not_seen_text(const Evenkeel__Facts *facts, char *text, size_t size)
{
    text[0] = 0;
    for (size_t i = 0, next; i < facts->n_not_seen; i = next) {
        Evenkeel__NotSeenKind kind = facts->not_seen[i]->kind;
        unsigned long long total = 0;
        const Evenkeel__NotSeen *example = NULL;
        char part[160];
        size_t places = 0;
        for (next = i; next < facts->n_not_seen && facts->not_seen[next]->kind == kind; next++) {
            total += facts->not_seen[next]->count;
            places++;
            if (example == NULL && facts->not_seen[next]->what.len > 0)
                example = facts->not_seen[next];
        }
        if ((size_t)kind >= sizeof names / sizeof *names || names[kind] == NULL)
            continue;
        add_text(text, size, text[0] != 0 ? "; " : "");
        snprintf(part, sizeof part, "%s (%llu)", names[kind], total);
        add_text(text, size, part);
        if (example != NULL) {
            snprintf(part, sizeof part, ": %.*s%s", (int)(example->what.len < 120 ? example->what.len : 120),
                     (const char *)example->what.data, places > 1 ? ", ..." : "");
            add_text(text, size, part);
        }
    }
    return text;
}
