/* One snapshot of one host, taken and given to an aggregator. */

#include "collector/push.h"

#include "collector/accepted.h"
#include "collector/facts.h"
#include "collector/key.h"
#include "collector/platform.h"
#include "collector/roots.h"
#include "proto/cleanup.h"
#include "proto/object.h"

#include <string.h>

/* All that a push holds; cleared as one. */
struct push {
    const struct push_options *options;
    const char *root;
    char state[LIMIT_PATH_BYTES];
    struct signing_key key;
    struct roots *roots;
    FILE *spool;
    struct snapshot *snapshot;
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct digest inventory, facts_digest, times_digest, marks_digest, location;
    Evenkeel__MachineMarks marks; /* points into facts and location */
    struct host host;
    struct exchange *exchange;
    int64_t taken_at;
};

static void push_clear(struct push *push)
{
    exchange_free(push->exchange);
    snapshot_free(push->snapshot);
    roots_free(push->roots);
    if (push->spool != NULL)
        fclose(push->spool);
    if (push->facts != NULL)
        evenkeel__facts__free_unpacked(push->facts, NULL);
    if (push->times != NULL)
        evenkeel__times__free_unpacked(push->times, NULL);
    sodium_memzero(&push->key, sizeof push->key);
}

static void report(const struct push *push, const char *sentence)
{
    if (push->options->report != NULL)
        push->options->report(sentence);
}

/* What can be wrong without a look at the disk or the network: all of that first. */
static int prepare(struct push *push, struct error *error)
{
    const struct config *config = push->options->config;
    struct platform_stat stat;
    struct error why = {0};
    push->root = push->options->root != NULL ? push->options->root : platform_system_drive();
    if (push->root == NULL)
        return error_set(error, ERROR_USAGE,
                         "this is no Windows: name the folder that holds a host's drive with "
                         "--root DIR");
    if (platform_stat(push->root, &stat, &why) < 0)
        return why.code == ERROR_NOT_FOUND
                   ? error_set(error, ERROR_NOT_FOUND, "there is no '%s': check the path, and that its disk is mounted",
                               push->root)
                   : error_set(error, why.code, "%s", why.message);
    if (stat.kind != PLATFORM_DIRECTORY)
        return error_set(error, ERROR_USAGE, "'%s' is no folder: name the one that holds the host's drive", push->root);

    push->roots = roots_new();
    if (push->roots == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a push");
    for (size_t i = 0; i < config->includes.count; i++)
        if (roots_include(push->roots, config->includes.items[i], error) < 0)
            return -1;
    for (size_t i = 0; i < config->roots.count; i++)
        if (roots_add(push->roots, config->drive, config->roots.items[i], error) < 0)
            return -1;

    struct exchange_options exchange = {
        .urls = (const char *const *)config->aggregators.items,
        .url_count = config->aggregators.count,
        .ca = config->ca,
        .allow_plain = config->allow_plain,
        .key = &push->key,
    };
    if (exchange_new(&exchange, &push->exchange, error) < 0)
        return -1;
    if (config->state == NULL) {
        if (platform_state_directory(push->state, sizeof push->state, error) < 0)
            return -1;
    } else if (snprintf(push->state, sizeof push->state, "%s", config->state) >= (int)sizeof push->state) {
        return error_set(error, ERROR_LIMIT, "the state directory's path is too long: '%.80s...'", config->state);
    }
    if (platform_make_directory(push->state, error) < 0 || key_load(push->state, &push->key, error) < 0 ||
        key_location(push->state, &push->location, error) < 0)
        return -1;
    push->spool = platform_temporary(push->state, error);
    return push->spool != NULL ? 0 : -1;
}

/* ---- taking ---- */

static int visit(void *context, const struct walk_file *file, struct error *error)
{
    return snapshot_visit(((struct push *)context)->snapshot, file, error);
}

static void report_walk(void *context, const char *sentence)
{
    report(context, sentence);
}

static int take_files(struct push *push, struct walk_counts *counts, struct error *error)
{
    const struct config *config = push->options->config;
    struct pe_options read = {.symbols = config->symbols, .hash = config->hash};
    char prefix[] = {config->drive, ':', '/', 0};
    struct walk_options options = {
        .prefix = prefix,
        .fold = true,
        .strict = true,
        .roots = push->roots,
        .context = push,
        .visit = visit,
        .report = report_walk,
    };
    struct platform_directory *directory;
    if (snapshot_new(push->spool, &read, &push->snapshot, error) < 0 ||
        platform_directory_open(push->root, &directory, error) < 0)
        return -1;
    int status = walk(directory, &options, counts, error);
    platform_directory_close(directory);
    if (status < 0)
        return -1;
    const char *missing = roots_unmatched(push->roots);
    if (missing != NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no '%s' below '%s', which the configuration names as a root",
                         missing, push->root);
    if (snapshot_counts(push->snapshot)->files == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no PE file (.exe, .dll, .sys) in '%s': name the folder that holds the host's "
                         "Windows directory, or own folders with 'root' in the configuration",
                         push->root);
    return snapshot_end(push->snapshot, &push->inventory, error);
}

static int put_message(struct push *push, Evenkeel__ObjectKind kind, const ProtobufCMessage *message,
                       struct digest *digest, struct error *error)
{
    struct bytes packed;
    if (!object_pack(message, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for the host's facts");
    int status = snapshot_put(push->snapshot, kind, packed, digest, error);
    free((void *)packed.data);
    return status;
}

static int take_facts(struct push *push, struct error *error)
{
    const struct config *config = push->options->config;
    struct facts_options options = {
        .root = push->options->root,
        .drive = config->drive,
        .registry_file = push->options->registry_file,
        .groups = (const char *const *)config->groups.items,
        .group_count = config->groups.count,
    };
    struct string_list problems = {0};
    int status = facts_collect(&options, &push->facts, &push->times, &problems, error);
    for (size_t i = 0; i < problems.count; i++)
        report(push, problems.items[i]);
    string_list_clear(&problems);
    if (status < 0)
        return -1;

    evenkeel__machine_marks__init(&push->marks);
    push->marks.machine_sid = push->facts->machine_sid;
    push->marks.machine_guid = push->facts->machine_guid;
    push->marks.key_location = (ProtobufCBinaryData){.data = push->location.bytes, .len = DIGEST_BYTES};
    if (put_message(push, EVENKEEL__OBJECT_KIND__FACTS, &push->facts->base, &push->facts_digest, error) < 0 ||
        put_message(push, EVENKEEL__OBJECT_KIND__TIMES, &push->times->base, &push->times_digest, error) < 0 ||
        put_message(push, EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &push->marks.base, &push->marks_digest, error) < 0)
        return -1;
    if (fflush(push->spool) != 0)
        return error_set(error, ERROR_IO, "can't write the snapshot in '%s': is its disk full?", push->state);
    return 0;
}

/* The host's name: as configured, else as its registry says; a disk without a registry has none. */
static int name_host(struct push *push, struct error *error)
{
    char name[LIMIT_HOST_NAME_BYTES + 2];
    const char *given = push->options->config->host;
    ProtobufCBinaryData found = push->facts->computer_name;
    if (given == NULL && found.len == 0 && push->options->root != NULL)
        return error_set(error, ERROR_USAGE,
                         "nothing in '%s' tells the host's name: give --host NAME, or its registry with --facts FILE",
                         push->root);
    if (given == NULL && found.len == 0) {
        if (platform_host_name(name, sizeof name, error) < 0)
            return -1;
        given = name;
    } else if (given == NULL) {
        snprintf(name, sizeof name, "%.*s", (int)found.len, (const char *)found.data);
        given = name;
    }
    return host_load(push->state, &push->key, given, &push->host, error);
}

/* ---- giving ---- */

static int enroll(struct push *push, Evenkeel__RefusalReason *reason, struct error *error)
{
    bool approved;
    if (exchange_enroll(push->exchange, &push->host, &push->marks, NULL, &approved, reason, error) < 0)
        return -1;
    if (!approved) {
        char fingerprint[17];
        sodium_bin2hex(fingerprint, sizeof fingerprint, push->key.public_key, 8);
        return error_set(error, ERROR_REFUSED,
                         "%s is enrolled and waits to be approved: 'evenkeel hosts approve %s' where the aggregator "
                         "runs (its key is %s), then push again",
                         push->host.name, push->host.name, fingerprint);
    }
    return host_save(push->state, &push->key, &push->host, error);
}

/* The key belongs to another machine, which goes on with it: this one takes a new key and is a host of its own. */
static int become_itself(struct push *push, struct error *error)
{
    char name[sizeof push->host.name];
    strcpy(name, push->host.name);
    report(push, "the key file was copied from another machine: this one makes a key of its own and enrols anew");
    if (key_renew(push->state, &push->key, error) < 0)
        return -1;
    return host_load(push->state, &push->key, name, &push->host, error);
}

/* Where what was last accepted of the host is noted; to be freed. */
static char *accepted_path(const struct push *push, struct error *error)
{
    char *accepted;
    _cleanup_free_ char *path = host_path(push->state, &push->key, push->host.name, error);
    if (path == NULL)
        return NULL;
    if (asprintf(&accepted, "%s.accepted", path) >= 0)
        return accepted;
    error_set(error, ERROR_MEMORY, "no memory for a path");
    return NULL;
}

/* One try with the key and the host as they are; *reason tells why it was refused. */
static int give_once(struct push *push, Evenkeel__Offer *offer, bool *changed, Evenkeel__RefusalReason *reason,
                     struct error *error)
{
    bool known = push->host.enrolled;
    struct exchange_ahead *ahead;
    size_t ahead_count;
    _cleanup_free_ char *accepted = accepted_path(push, error);
    if (accepted == NULL || accepted_compare(accepted, push->snapshot, offer, &ahead, &ahead_count, error) < 0)
        return -1;
    _cleanup_free_ void *ahead_memory = ahead;
    if (!known && enroll(push, reason, error) < 0)
        return -1;
    int status =
        exchange_push(push->exchange, &push->host, push->snapshot, offer, ahead, ahead_count, changed, reason, error);
    bool forgotten =
        status < 0 && known && error->code == ERROR_REFUSED &&
        (*reason == EVENKEEL__REFUSAL_REASON__KEY_UNKNOWN || *reason == EVENKEEL__REFUSAL_REASON__OTHER_HOST);
    if (!forgotten)
        return status;
    /* Another database than before, or an older one: what was remembered is of no use there. */
    if (enroll(push, reason, error) < 0)
        return -1;
    return exchange_push(push->exchange, &push->host, push->snapshot, offer, NULL, 0, changed, reason, error);
}

static int give_offer(struct push *push, Evenkeel__Offer *offer, bool *changed, struct error *error)
{
    Evenkeel__RefusalReason reason = EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN;
    bool copied = false;
    /* Only where this machine's own disk is read are SID and GUID those of the machine that holds the key. */
    if (push->options->root == NULL && key_check_machine(push->state, &push->marks, &copied, error) < 0)
        return -1;
    if (!copied) {
        int status = give_once(push, offer, changed, &reason, error);
        copied = status < 0 && error->code == ERROR_REFUSED && reason == EVENKEEL__REFUSAL_REASON__KEY_SET_APART;
        if (!copied)
            return status;
    }
    if (become_itself(push, error) < 0 ||
        (push->options->root == NULL && key_note_machine(push->state, &push->marks, error) < 0))
        return -1;
    return give_once(push, offer, changed, &reason, error);
}

static int give(struct push *push, struct push_result *result, struct error *error)
{
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.inventory = (ProtobufCBinaryData){.data = push->inventory.bytes, .len = DIGEST_BYTES};
    offer.facts = (ProtobufCBinaryData){.data = push->facts_digest.bytes, .len = DIGEST_BYTES};
    offer.times = (ProtobufCBinaryData){.data = push->times_digest.bytes, .len = DIGEST_BYTES};
    offer.marks = (ProtobufCBinaryData){.data = push->marks_digest.bytes, .len = DIGEST_BYTES};
    offer.taken_at = push->taken_at;
    uint64_t unreadable = result->walk.unreadable + result->walk.unnameable;
    offer.unreadable = unreadable < UINT32_MAX ? (uint32_t)unreadable : UINT32_MAX;
    offer.schedule = push->options->schedule;

    int status = give_offer(push, &offer, &result->changed, error);
    if (status < 0)
        return -1;
    struct error unsaved = {0};
    _cleanup_free_ char *accepted = accepted_path(push, &unsaved);
    if (accepted == NULL || host_save(push->state, &push->key, &push->host, &unsaved) < 0 ||
        (result->changed && accepted_save(accepted, push->snapshot, &offer, &unsaved) < 0))
        report(push, unsaved.message);
    return status;
}

int push_snapshot(const struct push_options *options, struct push_result *result, struct error *error)
{
    _cleanup_(push_clear) struct push push = {.options = options};
    *result = (struct push_result){0};
    if (prepare(&push, error) < 0)
        return -1;
    push.taken_at = platform_now();
    if (take_files(&push, &result->walk, error) < 0 || take_facts(&push, error) < 0 || name_host(&push, error) < 0)
        return -1;
    strcpy(result->host, push.host.name);
    result->snapshot = *snapshot_counts(push.snapshot);
    int status = give(&push, result, error);
    result->traffic = *exchange_traffic(push.exchange);
    return status;
}
