/* Taking a snapshot. */

#include "take.h"

#include "collector/disk/component_store.h"
#include "collector/disk/roots.h"
#include "collector/facts/facts.h"
#include "collector/platform/platform.h"
#include "host.h"
#include "proto/cleanup.h"
#include "proto/object.h"
#include "version.h"

#include <string.h>

/* All that taking holds; cleared as one. */
struct take {
    const struct take_options *options;
    const char *root;
    char drive;
    struct roots *roots;
    struct snapshot *snapshot;
    struct cache *cache; /* NULL: none */
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct facts_store store;
};

static void take_clear(struct take *take)
{
    roots_free(take->roots);
    snapshot_free(take->snapshot);
    cache_close(take->cache);
    component_store_free(take->store.store);
    free(take->store.folder);
    if (take->facts != NULL)
        evenkeel__facts__free_unpacked(take->facts, NULL);
    if (take->times != NULL)
        evenkeel__times__free_unpacked(take->times, NULL);
}

/* The running system's drive has the letter that it has, whatever the configuration says of others. */
static int prepare(struct take *take, struct error *error)
{
    const struct config *config = take->options->config;
    struct platform_stat stat;
    struct error why = {0};
    take->root = take->options->root != NULL ? take->options->root : platform_system_drive();
    if (take->root == NULL)
        return error_set(error, ERROR_USAGE,
                         "this is no Windows: name the folder that holds a host's drive with "
                         "--root DIR");
    take->drive = take->options->root != NULL ? config->drive : take->root[0];
    if (platform_stat(take->root, &stat, &why) < 0)
        return why.code == ERROR_NOT_FOUND
                   ? error_set(error, ERROR_NOT_FOUND, "there is no '%s': check the path, and that its disk is mounted",
                               take->root)
                   : error_set(error, why.code, "%s", why.message);
    if (stat.kind != PLATFORM_DIRECTORY)
        return error_set(error, ERROR_USAGE, "'%s' is no folder: name the one that holds the host's drive", take->root);

    take->roots = roots_new();
    if (take->roots == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
    for (size_t i = 0; i < config->includes.count; i++)
        if (roots_include(take->roots, config->includes.items[i], error) < 0)
            return -1;
    for (size_t i = 0; i < config->roots.count; i++)
        if (roots_add(take->roots, take->drive, config->roots.items[i], error) < 0)
            return -1;
    return 0;
}

int take_check(const struct take_options *options, struct error *error)
{
    _cleanup_(take_clear) struct take take = {.options = options};
    return prepare(&take, error);
}

/* ---- files ---- */

static int visit(void *context, const struct walk_file *file, struct error *error)
{
    struct take *take = context;
    if (take->options->stopped != NULL && take->options->stopped())
        return error_set(error, ERROR_IO, "the snapshot was not finished: the collector was asked to stop");
    return snapshot_visit(take->snapshot, file, error);
}

static void report(void *context, const char *sentence)
{
    const struct take *take = context;
    take->options->report(take->options->context, sentence);
}

/* Each drive has a cache of its own. Without one everything is read, which is slow but right. */
static void use_cache(struct take *take, const struct pe_options *read)
{
    char path[LIMIT_PATH_BYTES], hex[DIGEST_HEX_SIZE];
    struct error problem = {0};
    if (take->options->cache == NULL)
        return;
    struct digest name = digest_of(bytes_of(take->root, strlen(take->root)));
    digest_hex(&name, hex);
    int length = snprintf(path, sizeof path, "%s/cache-%.16s", take->options->cache, hex);
    if (length < (int)sizeof path && cache_open(path, snapshot_cache_kind(read), &take->cache, &problem) == 0)
        snapshot_use_cache(take->snapshot, take->cache);
    else
        report(take, problem.message);
}

static void keep_cache(struct take *take)
{
    struct error problem = {0};
    snapshot_use_cache(take->snapshot, NULL);
    if (take->cache != NULL && cache_commit(take->cache, &problem) < 0)
        report(take, problem.message);
}

static int take_files(struct take *take, FILE *file, struct digest *inventory, struct walk_counts *counts,
                      struct error *error)
{
    const struct config *config = take->options->config;
    struct pe_options read = {.symbols = config->symbols, .hash = config->hash};
    char prefix[] = {take->drive, ':', '/', 0};
    struct walk_options options = {
        .prefix = prefix,
        .fold = true,
        .strict = true,
        .roots = take->roots,
        .context = take,
        .visit = visit,
        .report = report,
    };
    struct platform_directory *directory;
    if (snapshot_new(file, &read, &take->snapshot, error) < 0 ||
        platform_directory_open(take->root, &directory, error) < 0)
        return -1;
    take->store.store = component_store_new();
    if (take->store.store == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
    snapshot_use_store(take->snapshot, take->store.store);
    use_cache(take, &read);
    int status = walk(directory, &options, counts, error);
    platform_directory_close(directory);
    if (status < 0)
        return -1;
    const char *missing = roots_unmatched(take->roots);
    if (missing != NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no '%s' below '%s', which the configuration names as a root",
                         missing, take->root);
    if (snapshot_counts(take->snapshot)->files == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no PE file (.exe, .dll, .sys) in '%s': name the folder that holds the host's "
                         "Windows directory, or own folders with 'root' in the configuration",
                         take->root);
    if (snapshot_end(take->snapshot, inventory, error) < 0)
        return -1;
    keep_cache(take);
    return 0;
}

/* ---- facts ---- */

static int put_message(struct take *take, Evenkeel__ObjectKind kind, const ProtobufCMessage *message,
                       struct digest *digest, struct error *error)
{
    struct bytes packed;
    if (!object_pack(message, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for the host's facts");
    int status = snapshot_put(take->snapshot, kind, packed, digest, error);
    free((void *)packed.data);
    return status;
}

static int collect_facts(struct take *take, struct error *error)
{
    const struct config *config = take->options->config;
    struct facts_options options = {
        .root = take->options->root,
        .drive = take->drive,
        .registry_file = take->options->registry_file,
        .groups = (const char *const *)config->groups.items,
        .group_count = config->groups.count,
        .store = take->store.store != NULL ? &take->store : NULL,
    };
    struct string_list problems = {0};
    int status = facts_collect(&options, &take->facts, &take->times, &problems, error);
    for (size_t i = 0; i < problems.count; i++)
        report(take, problems.items[i]);
    string_list_clear(&problems);
    return status;
}

/* Its fields are those of the facts, of the options and of the host's name. */
static Evenkeel__MachineMarks marks_of(const struct take *take, const char *host)
{
    static const char version[] = EVENKEEL_VERSION;
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    marks.machine_sid = take->facts->machine_sid;
    marks.machine_guid = take->facts->machine_guid;
    marks.key_location = (ProtobufCBinaryData){.data = (uint8_t *)take->options->location->bytes, .len = DIGEST_BYTES};
    marks.host_name = (ProtobufCBinaryData){.data = (uint8_t *)host, .len = strlen(host)};
    marks.computer_name = take->facts->computer_name;
    marks.collector_version = (ProtobufCBinaryData){.data = (uint8_t *)version, .len = sizeof version - 1};
    return marks;
}

/* What the component store says of the files becomes an object of its own, which the facts name. */
static int take_store(struct take *take, struct error *error)
{
    struct bytes packed;
    struct digest name;
    if (!take->store.there)
        return 0;
    if (component_store_end(take->store.store, take->store.folder, take->facts, &packed, error) < 0)
        return -1;
    _cleanup_free_ void *packed_data = (void *)packed.data;
    if (packed.data == NULL)
        return 0;
    if (snapshot_put(take->snapshot, EVENKEEL__OBJECT_KIND__COMPONENT_STORE, packed, &name, error) < 0)
        return -1;
    uint8_t *digest = malloc(DIGEST_BYTES);
    if (digest == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
    memcpy(digest, name.bytes, DIGEST_BYTES);
    take->facts->component_store = (ProtobufCBinaryData){.data = digest, .len = DIGEST_BYTES};
    return 0;
}

/* The host's name: as configured, else as its registry says; a disk without a registry has none. */
static int name_host(struct take *take, struct spool_offer *offer, struct error *error)
{
    char name[LIMIT_HOST_NAME_BYTES + 2];
    const char *given = take->options->config->host;
    ProtobufCBinaryData found = take->facts->computer_name;
    if (given == NULL && found.len == 0 && take->options->root != NULL)
        return error_set(error, ERROR_USAGE,
                         "nothing in '%s' tells the host's name: give --host NAME, or its registry with --facts FILE",
                         take->root);
    if (given == NULL && found.len == 0) {
        if (platform_host_name(name, sizeof name, error) < 0)
            return -1;
        given = name;
    } else if (given == NULL) {
        snprintf(name, sizeof name, "%.*s", (int)found.len, (const char *)found.data);
        given = name;
    }
    if (host_name_check(given, error) < 0)
        return -1;
    strcpy(offer->host, given);
    return 0;
}

static int take_facts(struct take *take, FILE *file, struct spool_offer *offer, struct error *error)
{
    if (collect_facts(take, error) < 0 || take_store(take, error) < 0 || name_host(take, offer, error) < 0)
        return -1;
    Evenkeel__MachineMarks marks = marks_of(take, offer->host);
    if (put_message(take, EVENKEEL__OBJECT_KIND__FACTS, &take->facts->base, &offer->facts, error) < 0 ||
        put_message(take, EVENKEEL__OBJECT_KIND__TIMES, &take->times->base, &offer->times, error) < 0 ||
        put_message(take, EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &marks.base, &offer->marks, error) < 0)
        return -1;
    return fflush(file) == 0 ? 0 : error_set(error, ERROR_IO, "can't write the snapshot: is the state's disk full?");
}

int take_snapshot(const struct take_options *options, FILE *file, struct snapshot **snapshot, struct spool_offer *offer,
                  struct walk_counts *counts, struct error *error)
{
    _cleanup_(take_clear) struct take take = {.options = options};
    *snapshot = NULL;
    *offer = (struct spool_offer){.taken_at = platform_now()};
    if (prepare(&take, error) < 0 || take_files(&take, file, &offer->inventory, counts, error) < 0 ||
        take_facts(&take, file, offer, error) < 0)
        return -1;
    offer->unreadable = counts->hidden < UINT32_MAX ? (uint32_t)counts->hidden : UINT32_MAX;
    offer->files = snapshot_counts(take.snapshot)->files;
    offer->chunks = snapshot_counts(take.snapshot)->chunks;
    *snapshot = take.snapshot;
    take.snapshot = NULL;
    return 0;
}

int take_identity(const struct take_options *options, struct arena *arena, Evenkeel__MachineMarks **marks,
                  struct spool_offer *offer, struct error *error)
{
    _cleanup_(take_clear) struct take take = {.options = options};
    *offer = (struct spool_offer){.taken_at = platform_now()};
    if (prepare(&take, error) < 0 || collect_facts(&take, error) < 0 || name_host(&take, offer, error) < 0)
        return -1;
    Evenkeel__MachineMarks found = marks_of(&take, offer->host);
    struct bytes packed;
    if (!object_pack(&found.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for the machine's marks");
    *marks = (Evenkeel__MachineMarks *)object_unpack(&evenkeel__machine_marks__descriptor, packed, arena, error);
    free((void *)packed.data);
    return *marks != NULL ? 0 : -1;
}
