/* Collects a host's facts: opens its registry and its disk and lets each of the facts_*.c files do its part. */

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "facts_build.h"
#include "proto/cleanup.h"
#include "proto/field_limits.h"

#include <stdio.h>

static void clear_collection(struct collection *collection)
{
    if (!collection->borrowed)
        registry_close(collection->registry);
    free(collection->windows);
    evenkeel__facts__free_unpacked(collection->facts, NULL);
    evenkeel__times__free_unpacked(collection->times, NULL);
}

static bool lower_letter(char *letter)
{
    if (*letter >= 'A' && *letter <= 'Z')
        *letter = (char)(*letter - 'A' + 'a');
    return *letter >= 'a' && *letter <= 'z';
}

static int start(struct collection *collection, const struct facts_options *options, struct error *error)
{
    char drive = options->drive == 0 ? 'c' : options->drive;
    if (!lower_letter(&drive))
        return error_set(error, ERROR_USAGE, "'%c' is no drive letter: give one of a to z", drive);
    collection->facts = malloc(sizeof *collection->facts);
    collection->times = malloc(sizeof *collection->times);
    if (collection->facts == NULL || collection->times == NULL) {
        free(collection->facts);
        free(collection->times);
        collection->facts = NULL;
        collection->times = NULL;
        return facts_out_of_memory(error);
    }
    evenkeel__facts__init(collection->facts);
    evenkeel__times__init(collection->times);
    collection->drives[0] = (struct facts_drive){.root = options->root, .letter = drive};
    collection->drive_count = 1;
    for (size_t i = 0; i < options->more_count && i + 1 < FACTS_DRIVES_MAXIMUM; i++)
        collection->drives[collection->drive_count++] = options->more[i];
    return 0;
}

/* What the caller named must be there. */
static int check_drives(struct collection *collection, struct error *error)
{
    for (size_t i = 0; i < collection->drive_count; i++) {
        struct platform_directory *directory = NULL;
        if (collection->drives[i].root == NULL)
            continue;
        if (platform_directory_open(collection->drives[i].root, &directory, error) == -1)
            return -1;
        platform_directory_close(directory);
    }
    return 0;
}

int facts_find(struct collection *collection, const char *path, char **found, struct error *error)
{
    char running[] = {path[0], ':', '/', 0};

    *found = NULL;
    if (path[0] == 0 || path[1] != ':' || path[2] != '/')
        return 0;
    for (size_t i = 0; i < collection->drive_count; i++) {
        const struct facts_drive *drive = &collection->drives[i];
        if (drive->root != NULL && drive->letter == path[0])
            return path_find(drive->root, path + strlen("c:/"), found, error);
    }
    /* The running system has all of its drives at hand; elsewhere than on Windows there is none. */
    if (collection->drives[0].root != NULL || platform_system_drive() == NULL)
        return 0;
    return path_find(running, path + strlen("c:/"), found, error);
}

static int open_registry(struct collection *collection, const struct facts_options *options, struct error *error)
{
    struct error problem = {0};

    if (options->registry != NULL) {
        collection->registry = options->registry;
        collection->borrowed = true;
        return 0;
    }
    if (options->registry_file != NULL)
        return registry_open_text(options->registry_file, options->code_page, &collection->registry, error);
    int got =
        registry_open_host(options->root, &collection->registry, &collection->lost, collection->problems, &problem);
    for (size_t i = 0; got == 0 && i < options->more_count; i++) {
        unsigned lost;
        got = registry_open_host(options->more[i].root, &collection->registry, &lost, collection->problems, &problem);
        collection->lost |= lost;
    }
    collection->live = got == 1 && options->root == NULL;
    if (got == -1)
        string_list_note(collection->problems, "%s", problem.message);
    if (got == 0)
        string_list_note(collection->problems,
                         collection->lost != 0
                             ? "no registry that can be read%s%s: facts about Windows are not known; "
                               "give an export of it"
                             : "no registry%s%s: facts about Windows are not known; give an export of it",
                         options->root != NULL ? " below " : "", options->root != NULL ? options->root : "");
    return problem.code == ERROR_MEMORY ? facts_out_of_memory(error) : 0;
}

static int set_groups(struct collection *collection, const struct facts_options *options, struct error *error)
{
    _cleanup_(string_list_clear) struct string_list groups = {0};
    for (size_t i = 0; i < options->group_count; i++)
        if (string_list_add(&groups, options->groups[i], error) == -1)
            return -1;
    return facts_set_list(collection, &groups, true, "groups", &collection->facts->n_groups, &collection->facts->groups,
                          error);
}

/* A field that was cut, or lost entries. */
struct cut_field {
    struct collection *collection;
    struct error *error;
    int result;
};

static void note_cut(void *context, const char *field, uint64_t count)
{
    struct cut_field *cut = context;
    string_list_note(cut->collection->problems, "%s: %llu cut or left out, for it is beyond what an aggregator takes",
                     field, (unsigned long long)count);
    if (not_seen_add(cut->collection->facts, EVENKEEL__NOT_SEEN_KIND__CUT, field, count, cut->error) < 0)
        cut->result = -1;
}

/* What no aggregator would take is cut or left out, and said: one odd value must not cost the whole host. */
static int apply_limits(struct collection *collection, struct error *error)
{
    struct cut_field cut = {.collection = collection, .error = error};
    field_limits_apply(&collection->times->base, note_cut, &cut);
    field_limits_apply(&collection->facts->base, note_cut, &cut);
    return cut.result;
}

/* These empty a list; how many it held. */
static uint64_t drop_assemblies(Evenkeel__Facts *facts)
{
    uint64_t count = facts->n_assemblies;
    while (facts->n_assemblies > 0)
        free(facts->assemblies[--facts->n_assemblies].data);
    free(facts->assemblies);
    facts->assemblies = NULL;
    return count;
}

static uint64_t drop_states(Evenkeel__Facts *facts)
{
    uint64_t count = facts->n_servicing_states;
    while (facts->n_servicing_states > 0)
        evenkeel__servicing_state__free_unpacked(facts->servicing_states[--facts->n_servicing_states], NULL);
    free(facts->servicing_states);
    facts->servicing_states = NULL;
    return count;
}

/*
 * What no aggregator would take is no use: the lists that a hundred thousand files or packages can blow up go first. A
 * host of which even the rest is too large is not one.
 */
static int fit(struct collection *collection, struct error *error)
{
    static const struct {
        const char *field, *what;
        uint64_t (*drop)(Evenkeel__Facts *);
    } lists[] = {{"assemblies", "names of WinSxS assemblies", drop_assemblies},
                 {"servicing_states", "servicing states", drop_states}};
    Evenkeel__Facts *facts = collection->facts;

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (evenkeel__facts__get_packed_size(facts) <= LIMIT_OBJECT_BYTES)
            break;
        uint64_t count = lists[i].drop(facts);
        if (count == 0)
            continue;
        string_list_note(collection->problems, "the host's facts are over %u bytes: the %s were left out",
                         LIMIT_OBJECT_BYTES, lists[i].what);
        if (not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__CUT, lists[i].field, count, error) < 0)
            return -1;
    }
    if (evenkeel__facts__get_packed_size(facts) > LIMIT_OBJECT_BYTES ||
        evenkeel__times__get_packed_size(collection->times) > LIMIT_OBJECT_BYTES)
        return error_set(error, ERROR_LIMIT, "the host's facts are over %u bytes: look for what fills its registry",
                         LIMIT_OBJECT_BYTES);
    return 0;
}

/* What is wrong with the hives that were read is known once all was. */
static int note_hives(struct collection *collection, struct error *error)
{
    static const struct {
        enum registry_defect defect;
        Evenkeel__NotSeenKind kind;
    } kinds[] = {{REGISTRY_STALE, EVENKEEL__NOT_SEEN_KIND__STALE_HIVE},
                 {REGISTRY_DAMAGED, EVENKEEL__NOT_SEEN_KIND__DAMAGED_HIVE}};
    const char *name;
    unsigned defects;

    for (size_t i = 0; (name = registry_hive(collection->registry, i, &defects)) != NULL; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if ((defects & kinds[k].defect) != 0 &&
                not_seen_add(collection->facts, kinds[k].kind, name, 1, error) == -1)
                return -1;
    return 0;
}

/* Where none could be read there may be hives all the same. */
static int note_lost_hives(struct collection *collection, struct error *error)
{
    const char *name;
    for (size_t i = 0; (name = registry_hive_name(i)) != NULL; i++)
        if ((collection->lost >> i & 1) != 0 &&
            facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__DAMAGED_HIVE, name, 1, error) == -1)
            return -1;
    return 0;
}

/* An export may hold less than a registry does: that it tells of no services is not that there are none. */
static int note_keys(struct collection *collection, struct error *error)
{
    static const struct {
        const char *what, *path;
    } keys[] = {{"Services", "SYSTEM\\CurrentControlSet\\Services"},
                {"Session Manager", "SYSTEM\\CurrentControlSet\\Control\\Session Manager"}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, keys[i].path);
        if (key == NULL && facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__NO_KEY, keys[i].what, 1, error) == -1)
            return -1;
    }
    return 0;
}

/* Names of an export in a code page that nobody told, or that it is not. */
static int note_code_page(struct collection *collection, struct error *error)
{
    char page[16];
    unsigned code_page;
    uint64_t misspelt = registry_misspelt(collection->registry, &code_page);
    snprintf(page, sizeof page, "%u", code_page);
    return facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__CODE_PAGE, page, misspelt, error);
}

int facts_collect(const struct facts_options *options, Evenkeel__Facts **facts, Evenkeel__Times **times,
                  struct string_list *problems, struct error *error)
{
    _cleanup_(clear_collection) struct collection collection = {.problems = problems};

    *facts = NULL;
    *times = NULL;
    if (start(&collection, options, error) == -1 || check_drives(&collection, error) == -1 ||
        open_registry(&collection, options, error) == -1 || facts_collect_places(&collection, options, error) == -1 ||
        set_groups(&collection, options, error) == -1)
        return -1;
    if (collection.registry != NULL) {
        collection.facts->has_registry = true;
        if (facts_collect_system(&collection, error) == -1 || facts_collect_paths(&collection, error) == -1 ||
            facts_collect_hotfixes(&collection, error) == -1 || facts_collect_services(&collection, error) == -1)
            return -1;
    }
    if (facts_collect_disk(&collection, error) == -1)
        return -1;
    if (facts_collect_winsxs(&collection, options->store, error) == -1)
        return -1;
    if (collection.registry != NULL && (note_hives(&collection, error) == -1 || note_keys(&collection, error) == -1 ||
                                        note_code_page(&collection, error) == -1))
        return -1;
    if (collection.registry == NULL && note_lost_hives(&collection, error) == -1)
        return -1;
    if (apply_limits(&collection, error) == -1 || fit(&collection, error) == -1)
        return -1;
    if (options->drive_found != NULL)
        *options->drive_found = collection.drives[0].letter;
    *facts = collection.facts;
    *times = collection.times;
    collection.facts = NULL;
    collection.times = NULL;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int facts_set_covered(Evenkeel__Facts *facts, struct string_list *covered, struct error *error)
{
    if (covered->count == 0)
        return 0;
    qsort(covered->items, covered->count, sizeof *covered->items, by_text);
    facts->covered = calloc(covered->count, sizeof *facts->covered);
    if (facts->covered == NULL)
        return facts_out_of_memory(error);
    for (size_t i = 0; i < covered->count; i++) {
        char *text = covered->items[i];
        bool again = i > 0 && facts->covered[facts->n_covered - 1].len == strlen(text) &&
                     memcmp(facts->covered[facts->n_covered - 1].data, text, strlen(text)) == 0;
        if (again)
            free(text);
        else
            facts->covered[facts->n_covered++] = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
    }
    covered->count = 0;
    return 0;
}
