/* Taking a snapshot. */

#include "take.h"

#include "collector/disk/component_store.h"
#include "collector/disk/roots.h"
#include "collector/facts/facts.h"
#include "collector/facts/not_seen.h"
#include "collector/platform/platform.h"
#include "host.h"
#include "proto/cleanup.h"
#include "proto/host_name.h"
#include "proto/object.h"
#include "version.h"

#include <inttypes.h>
#include <string.h>

/* A drive that is walked. */
struct take_drive {
    char *root;
    char letter;
    struct roots *roots;
};

/* All that taking holds; cleared as one. */
struct take {
    const struct take_options *options;
    struct take_drive drives[FACTS_DRIVES_MAXIMUM]; /* by letter, once the facts are known */
    size_t drive_count;
    struct snapshot *snapshot;
    struct cache *cache; /* NULL: none */
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct facts_store store;
    struct string_list problems; /* of the facts; told once there is something to say them of */
    struct error failed;         /* of a callback */
};

static void take_clear(struct take *take)
{
    for (size_t i = 0; i < take->drive_count; i++) {
        free(take->drives[i].root);
        roots_free(take->drives[i].roots);
    }
    snapshot_free(take->snapshot);
    cache_close(take->cache);
    component_store_free(take->store.store);
    free(take->store.folder);
    string_list_clear(&take->problems);
    if (take->facts != NULL)
        evenkeel__facts__free_unpacked(take->facts, NULL);
    if (take->times != NULL)
        evenkeel__times__free_unpacked(take->times, NULL);
}

static int check_folder(const char *root, struct error *error)
{
    struct platform_stat stat;
    struct error why = {0};
    if (platform_stat(root, &stat, &why) < 0)
        return why.code == ERROR_NOT_FOUND
                   ? error_set(error, ERROR_NOT_FOUND, "there is no '%s': check the path, and that its disk is mounted",
                               root)
                   : error_set(error, why.code, "%s", why.message);
    if (stat.kind != PLATFORM_DIRECTORY)
        return error_set(error, ERROR_USAGE, "'%s' is no folder: name the one that holds the host's drive", root);
    return 0;
}

static int add_drive(struct take *take, const char *root, char letter, struct error *error)
{
    const struct config *config = take->options->config;
    struct take_drive *drive = &take->drives[take->drive_count];
    for (size_t i = 0; i < take->drive_count; i++)
        if (letter != 0 && take->drives[i].letter == letter)
            return error_set(error, ERROR_USAGE, "'%s' and '%s' can't both be drive %c:; name each one's with --drive",
                             take->drives[i].root, root, letter);
    if (check_folder(root, error) < 0)
        return -1;
    *drive = (struct take_drive){.root = strdup(root), .letter = letter, .roots = roots_new()};
    take->drive_count++;
    if (drive->root == NULL || drive->roots == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
    for (size_t i = 0; i < config->includes.count; i++)
        if (roots_include(drive->roots, config->includes.items[i], error) < 0)
            return -1;
    return 0;
}

/* The running system's drive has the letter that it has, whatever the configuration says of others. */
static int prepare(struct take *take, struct error *error)
{
    const struct take_options *options = take->options;
    const char *root = options->root != NULL ? options->root : platform_system_drive();
    if (root == NULL)
        return error_set(error, ERROR_USAGE,
                         "this is no Windows: name the folder that holds a host's drive with "
                         "--root DIR");
    if (add_drive(take, root, options->root != NULL ? options->config->drive : root[0], error) < 0)
        return -1;
    for (size_t i = 0; i < options->more_count && take->drive_count < FACTS_DRIVES_MAXIMUM; i++)
        if (add_drive(take, options->more[i].root, options->more[i].letter, error) < 0)
            return -1;
    return 0;
}

/* Own folders of the configuration: each belongs to the drive that it names, or to the system's. */
static int add_roots(struct take *take, char system, struct error *error)
{
    const struct string_list *own = &take->options->config->roots;
    for (size_t i = 0; i < own->count; i++) {
        const char *path = own->items[i];
        char letter = path[0] != 0 && path[1] == ':' ? (char)(path[0] | 0x20) : system;
        struct take_drive *at = &take->drives[0];
        for (size_t d = 0; d < take->drive_count; d++)
            if (take->drives[d].letter == letter || (at->letter != letter && take->drives[d].letter == system))
                at = &take->drives[d];
        if (roots_add(at->roots, at->letter, path, error) < 0)
            return -1;
    }
    for (size_t d = 0; own->count > 0 && d < take->drive_count; d++)
        roots_only_own(take->drives[d].roots);
    return 0;
}

int take_check(const struct take_options *options, struct error *error)
{
    _cleanup_(take_clear) struct take take = {.options = options};
    if (prepare(&take, error) < 0)
        return -1;
    /* Which letter it has the registry may know better. */
    if (take.drives[0].letter == 0 && options->config->roots.count > 0) {
        const char *first = options->config->roots.items[0];
        take.drives[0].letter = first[0] != 0 && first[1] == ':' ? (char)(first[0] | 0x20) : 'c';
    }
    return add_roots(&take, take.drives[0].letter, error);
}

/* ---- files ---- */

static int visit(void *context, const struct walk_file *file, struct error *error)
{
    struct take *take = context;
    if (take->options->stopped != NULL && take->options->stopped())
        return error_set(error, ERROR_IO, "the snapshot was not finished: the collector was asked to stop");
    return snapshot_visit(take->snapshot, file, error);
}

/* Of files whose paths are the same on Windows the oldest counts: none may hide one that is behind. */
static uint64_t rank(void *context, const struct walk_file *file)
{
    const struct take *take = context;
    return snapshot_version(take->snapshot, file);
}

static void report(void *context, const char *sentence)
{
    const struct take *take = context;
    take->options->report(take->options->context, sentence);
}

static void unseen(void *context, enum walk_unseen why, const char *path)
{
    static const Evenkeel__NotSeenKind kinds[] = {
        [WALK_UNREADABLE] = EVENKEEL__NOT_SEEN_KIND__UNREADABLE,
        [WALK_SAME_PATH] = EVENKEEL__NOT_SEEN_KIND__SAME_PATH,
        [WALK_LINK] = EVENKEEL__NOT_SEEN_KIND__LINK,
        [WALK_UNNAMEABLE] = EVENKEEL__NOT_SEEN_KIND__UNNAMEABLE,
        [WALK_PACKED] = EVENKEEL__NOT_SEEN_KIND__PACKED,
    };
    struct take *take = context;
    if (take->failed.code == ERROR_NONE)
        not_seen_add(take->facts, kinds[why], path, 1, &take->failed);
}

/* Each host's drives have a cache of their own. Without one everything is read, which is slow but right. */
static void use_cache(struct take *take, const struct pe_options *read)
{
    char path[LIMIT_PATH_BYTES], hex[DIGEST_HEX_SIZE];
    struct error problem = {0};
    struct digest name = {0};
    if (take->options->cache == NULL)
        return;
    for (size_t i = 0; i < take->drive_count; i++) {
        uint8_t text[DIGEST_BYTES + LIMIT_PATH_BYTES];
        size_t length = strnlen(take->drives[i].root, LIMIT_PATH_BYTES);
        memcpy(text, take->drives[i].root, length);
        memcpy(text + length, name.bytes, i > 0 ? DIGEST_BYTES : 0);
        name = digest_of(bytes_of(text, length + (i > 0 ? DIGEST_BYTES : 0)));
    }
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

static int walk_drive(struct take *take, const struct take_drive *drive, struct walk_counts *counts,
                      struct error *error)
{
    char prefix[] = {drive->letter, ':', '/', 0};
    struct walk_options options = {
        .prefix = prefix,
        .fold = true,
        .strict = true,
        .roots = drive->roots,
        .context = take,
        .visit = visit,
        .rank = rank,
        .report = report,
        .unseen = unseen,
    };
    struct platform_directory *directory;
    uint64_t files = counts->files;
    if (platform_directory_open(drive->root, &directory, error) < 0)
        return -1;
    int status = walk(directory, &options, counts, error);
    platform_directory_close(directory);
    if (status < 0)
        return -1;
    if (take->failed.code != ERROR_NONE)
        return error_set(error, take->failed.code, "%s", take->failed.message);
    const char *missing = roots_unmatched(drive->roots);
    if (missing != NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no '%s' below '%s', which the configuration names as a root",
                         missing, drive->root);
    if (counts->files == files && take->drive_count > 1) {
        struct error sentence = {0}; /* bounded, without control characters */
        error_set(
            &sentence, ERROR_NOT_FOUND,
            "nothing was taken from drive %c: ('%s'): none of the folders that the registry names is there; a root "
            "of the configuration can name others",
            drive->letter, drive->root);
        report(take, sentence.message);
    }
    return 0;
}

/* What was looked into becomes a fact: elsewhere a file may be or not. */
static int note_covered(struct take *take, struct error *error)
{
    _cleanup_(string_list_clear) struct string_list covered = {0};
    for (size_t i = 0; i < take->drive_count; i++)
        if (roots_covered(take->drives[i].roots, take->drives[i].letter, &covered, error) < 0)
            return -1;
    return facts_set_covered(take->facts, &covered, error);
}

static int take_files(struct take *take, FILE *file, struct digest *inventory, struct walk_counts *counts,
                      struct error *error)
{
    const struct config *config = take->options->config;
    struct pe_options read = {
        .symbols = config->symbols, .hash = config->hash, .hash_most = (uint64_t)config->hash_limit << 20};
    if (snapshot_new(file, &read, &take->snapshot, error) < 0)
        return -1;
    snapshot_use_store(take->snapshot, take->store.store);
    use_cache(take, &read);
    for (size_t i = 0; i < take->drive_count; i++)
        if (walk_drive(take, &take->drives[i], counts, error) < 0)
            return -1;
    if (snapshot_counts(take->snapshot)->files == 0 && counts->packed > 0)
        return error_set(error, ERROR_IO,
                         "no program in '%s' could be read: %" PRIu64 " files are packed by Windows (CompactOS or "
                         "deduplication), which what it is mounted with can't read; see NTFS in evenkeel-collector(1)",
                         take->drives[0].root, counts->packed);
    if (snapshot_counts(take->snapshot)->files == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no PE file (.exe, .dll, .sys) in '%s': name the folder that holds the host's "
                         "Windows directory, or own folders with 'root' in the configuration",
                         take->drives[0].root);
    if (note_covered(take, error) < 0 || snapshot_end(take->snapshot, inventory, error) < 0)
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
        .drive = take->drives[0].letter,
        .more = take->options->more,
        .more_count = take->options->more_count,
        .drive_found = &take->drives[0].letter,
        .registry_file = take->options->registry_file,
        .code_page = config->code_page,
        .groups = (const char *const *)config->groups.items,
        .group_count = config->groups.count,
        .store = take->store.store != NULL ? &take->store : NULL,
    };
    return facts_collect(&options, &take->facts, &take->times, &take->problems, error);
}

static void tell_problems(struct take *take)
{
    for (size_t i = 0; i < take->problems.count; i++)
        report(take, take->problems.items[i]);
}

static void tell_unhashed(struct take *take)
{
    char sentence[128];
    uint64_t files = snapshot_counts(take->snapshot)->unhashed;
    if (files == 0)
        return;
    snprintf(sentence, sizeof sentence, "no SHA-256 of %" PRIu64 " file%s larger than %" PRIu32 " MiB (hash-limit)",
             files, files == 1 ? "" : "s", take->options->config->hash_limit);
    report(take, sentence);
}

static bool has_drive(const struct take *take, char letter)
{
    for (size_t i = 0; i < take->drive_count; i++)
        if (take->drives[i].letter == letter)
            return true;
    return false;
}

/* A drive that holds folders of the host's: the running system's is at hand, another's had to be given. */
static int want_drive(struct take *take, ProtobufCBinaryData path, struct error *error)
{
    struct platform_stat stat;
    if (path.len < 3 || path.data[1] != ':' || has_drive(take, (char)path.data[0]))
        return 0;
    const char root[] = {(char)path.data[0], ':', '/', 0}, drive[] = {root[0], ':', 0};
    if (take->options->root == NULL && take->drive_count < FACTS_DRIVES_MAXIMUM &&
        platform_stat(root, &stat, NULL) == 0)
        return add_drive(take, root, root[0], error);
    return not_seen_add(take->facts, EVENKEEL__NOT_SEEN_KIND__OTHER_DRIVE, drive, 1, error);
}

static int by_letter(const void *a, const void *b)
{
    const struct take_drive *x = a, *y = b;
    return (x->letter > y->letter) - (x->letter < y->letter);
}

/* One of the host's folders of programs, or where its registry does not say it the usual one on the system's drive. */
static int add_programs(struct string_list *programs, ProtobufCBinaryData path, const char *usual, char letter,
                        struct error *error)
{
    char *text = NULL;
    int length = path.len > 0 ? asprintf(&text, "%.*s", (int)path.len, (const char *)path.data)
                              : asprintf(&text, "%c:/%s", letter, usual);
    return string_list_take(programs, length < 0 ? NULL : text, error);
}

/* The drives in the order of their paths, each with the folders that are the host's own by its facts. */
static int place_drives(struct take *take, struct error *error)
{
    const Evenkeel__Facts *facts = take->facts;
    _cleanup_(string_list_clear) struct string_list windows = {0}, programs = {0};
    char system = take->drives[0].letter;
    const ProtobufCBinaryData none = {0};

    for (size_t i = 1; i < take->drive_count; i++)
        if (take->drives[i].letter == system)
            return error_set(error, ERROR_USAGE, "'%s' and '%s' can't both be drive %c:; name each one's with --drive",
                             take->drives[0].root, take->drives[i].root, system);
    if (want_drive(take, facts->program_files, error) < 0 || want_drive(take, facts->program_files_x86, error) < 0)
        return -1;
    if (facts->windows_directory.len > 0) {
        system = (char)facts->windows_directory.data[0];
        if (add_programs(&windows, facts->windows_directory, "", system, error) < 0)
            return -1;
    }
    if (add_programs(&programs, facts->program_files, "program files", system, error) < 0 ||
        add_programs(&programs, facts->program_files_x86, "program files (x86)", system, error) < 0 ||
        add_programs(&programs, none, "program files (arm)", system, error) < 0)
        return -1;
    struct roots_places places = *roots_usual_places();
    if (windows.count > 0) {
        places.windows = (const char *const *)windows.items;
        places.windows_count = windows.count;
    }
    places.programs = (const char *const *)programs.items;
    places.programs_count = programs.count;
    if (add_roots(take, take->drives[0].letter, error) < 0)
        return -1;
    qsort(take->drives, take->drive_count, sizeof *take->drives, by_letter);
    for (size_t i = 0; i < take->drive_count; i++)
        if (roots_place(take->drives[i].roots, take->drives[i].letter, &places, error) < 0)
            return -1;
    return 0;
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

static int open_store(struct take *take, struct error *error)
{
    take->store.store = component_store_new();
    return take->store.store != NULL ? 0 : error_set(error, ERROR_MEMORY, "no memory for a snapshot");
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
                         take->options->root);
    if (given == NULL && found.len == 0) {
        if (platform_host_name(name, sizeof name, error) < 0)
            return -1;
        given = name;
    } else if (given == NULL) {
        snprintf(name, sizeof name, "%.*s", (int)found.len, (const char *)found.data);
        given = name;
    }
    if (host_name_check(bytes_of(given, strlen(given)), error) < 0)
        return -1;
    strcpy(offer->host, given);
    return 0;
}

static int put_facts(struct take *take, FILE *file, struct spool_offer *offer, struct error *error)
{
    if (take_store(take, error) < 0)
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
    if (prepare(&take, error) < 0 || open_store(&take, error) < 0 || collect_facts(&take, error) < 0 ||
        place_drives(&take, error) < 0 || name_host(&take, offer, error) < 0 ||
        take_files(&take, file, &offer->inventory, counts, error) < 0 || put_facts(&take, file, offer, error) < 0)
        return -1;
    tell_problems(&take);
    tell_unhashed(&take);
    for (size_t i = 0; options->drives != NULL && i <= take.drive_count; i++)
        options->drives[i] = i < take.drive_count ? take.drives[i].letter : 0;
    if (options->not_seen != NULL)
        not_seen_text(take.facts, options->not_seen, NOT_SEEN_TEXT_BYTES);
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
    tell_problems(&take);
    Evenkeel__MachineMarks found = marks_of(&take, offer->host);
    struct bytes packed;
    if (!object_pack(&found.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for the machine's marks");
    *marks = (Evenkeel__MachineMarks *)object_unpack(&evenkeel__machine_marks__descriptor, packed, arena, error);
    free((void *)packed.data);
    return *marks != NULL ? 0 : -1;
}
