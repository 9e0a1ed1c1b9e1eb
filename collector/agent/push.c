/* One snapshot of one host, taken and given to an aggregator. */

#include "push.h"

#include "accepted.h"
#include "collector/platform/platform.h"
#include "collector/settings/settings.h"
#include "key.h"
#include "proto/cleanup.h"
#include "proto/object.h"
#include "take.h"

#include <string.h>

#define MARKS_BUDGET (64u << 10)

struct push {
    const struct push_options *options;
    char state[LIMIT_PATH_BYTES];
    struct signing_key key;
    struct digest location;
    struct exchange *exchange;
    bool token_forgotten;

    /* of the snapshot that is being given */
    struct snapshot *snapshot;
    struct arena *arena;
    Evenkeel__MachineMarks *marks; /* in the arena */
    struct host host;
};

static void report(void *context, const char *sentence)
{
    const struct push *push = context;
    if (push->options->report != NULL)
        push->options->report(push->options->context, sentence);
}

static struct take_options take_options(struct push *push)
{
    return (struct take_options){
        .config = push->options->config,
        .root = push->options->root,
        .more = push->options->more,
        .more_count = push->options->more_count,
        .registry_file = push->options->registry_file,
        .cache = push->state,
        .location = &push->location,
        .report = report,
        .context = push,
        .stopped = push->options->stopped,
    };
}

static int find_state(struct push *push, struct error *error)
{
    const char *given = push->options->config->state;
    if (given == NULL)
        return platform_state_directory(push->state, sizeof push->state, error);
    if (snprintf(push->state, sizeof push->state, "%s", given) >= (int)sizeof push->state)
        return error_set(error, ERROR_LIMIT, "the state directory's path is too long: '%.80s...'", given);
    return 0;
}

/* Who named no directory learns where the key lies by which this machine is known from now on. */
static void report_state(struct push *push)
{
    char sentence[LIMIT_PATH_BYTES + 160];
    snprintf(
        sentence, sizeof sentence,
        "this collector's key is new, and is kept in '%s', with all that it notes; --state names another directory",
        push->state);
    report(push, sentence);
}

/* What can be wrong without a look at the disk or the network: all of that first. */
static int prepare(struct push *push, struct error *error)
{
    const struct config *config = push->options->config;
    struct take_options take = take_options(push);
    struct exchange_options exchange = {
        .urls = (const char *const *)config->aggregators.items,
        .url_count = config->aggregators.count,
        .ca = config->ca,
        .allow_plain = config->allow_plain,
        .key = &push->key,
    };
    if (take_check(&take, error) < 0 || exchange_new(&exchange, &push->exchange, error) < 0 ||
        find_state(push, error) < 0 || platform_make_directory(push->state, error) < 0)
        return -1;
    bool known = key_exists(push->state);
    if (key_load(push->state, &push->key, error) < 0 || key_location(push->state, &push->location, error) < 0)
        return -1;
    if (!known && config->state == NULL)
        report_state(push);
    return 0;
}

int push_open(const struct push_options *options, struct push **push, struct error *error)
{
    struct push *made = *push = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a push");
    made->options = options;
    if (prepare(made, error) == 0)
        return 0;
    push_close(made);
    *push = NULL;
    return -1;
}

void push_close(struct push *push)
{
    if (push == NULL)
        return;
    exchange_free(push->exchange);
    sodium_memzero(&push->key, sizeof push->key);
    free(push);
}

const char *push_state(const struct push *push)
{
    return push->state;
}

struct digest push_identity(const struct push *push)
{
    return digest_of(bytes_of(push->key.public_key, sizeof push->key.public_key));
}

int push_take(struct push *push, FILE *file, struct spool_offer *offer, struct walk_counts *walk, struct error *error)
{
    struct take_options options = take_options(push);
    struct snapshot *snapshot;
    int status = take_snapshot(&options, file, &snapshot, offer, walk, error);
    snapshot_free(snapshot);
    return status;
}

/* ---- giving ---- */

/* Who is let in needs no token any more; one that an installation left is a secret that lies about. */
static void forget_token(struct push *push)
{
    struct error error = {0};
    const struct config *config = push->options->config;
    if (config->token == NULL || !config->installed || push->token_forgotten)
        return;
    if (settings_forget("token", &error) < 0)
        report(push, error.message);
    push->token_forgotten = true;
}

static int enroll(struct push *push, struct push_result *result, struct error *error)
{
    const struct config *config = push->options->config;
    bool approved;
    if (exchange_enroll(push->exchange, &push->host, push->marks, config->token, &approved, &result->reason, error) < 0)
        return -1;
    if (!approved) {
        result->waits = true;
        sodium_bin2hex(result->key, sizeof result->key, push->key.public_key, (sizeof result->key - 1) / 2);
        return error_set(error, ERROR_REFUSED,
                         "%s is enrolled and waits to be approved: 'evenkeel hosts approve %s' where the aggregator "
                         "runs (its key is %s), then push again",
                         push->host.name, push->host.name, result->key);
    }
    forget_token(push);
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

/* One try with the key and the host as they are. */
static int give_once(struct push *push, Evenkeel__Offer *offer, struct push_result *result, struct error *error)
{
    Evenkeel__RefusalReason *reason = &result->reason;
    bool known = push->host.enrolled;
    struct exchange_ahead *ahead;
    size_t ahead_count;
    _cleanup_free_ char *accepted = accepted_path(push, error);
    if (accepted == NULL || accepted_compare(accepted, push->snapshot, offer, &ahead, &ahead_count, error) < 0)
        return -1;
    _cleanup_free_ void *ahead_memory = ahead;
    if (!known && enroll(push, result, error) < 0)
        return -1;
    int status = exchange_push(push->exchange, &push->host, push->snapshot, offer, ahead, ahead_count, &result->changed,
                               reason, error);
    bool forgotten =
        status < 0 && known && error->code == ERROR_REFUSED &&
        (*reason == EVENKEEL__REFUSAL_REASON__KEY_UNKNOWN || *reason == EVENKEEL__REFUSAL_REASON__OTHER_HOST ||
         *reason == EVENKEEL__REFUSAL_REASON__OTHER_NAME);
    if (status == 0)
        forget_token(push);
    if (!forgotten)
        return status;
    /* Another database than before, an older one, or a host that has another name there: what was remembered is of no
     * use. */
    if (enroll(push, result, error) < 0)
        return -1;
    return exchange_push(push->exchange, &push->host, push->snapshot, offer, NULL, 0, &result->changed, reason, error);
}

/* Without an offer the host is enrolled and that is all. */
static int try_once(struct push *push, Evenkeel__Offer *offer, struct push_result *result, struct error *error)
{
    return offer != NULL ? give_once(push, offer, result, error) : enroll(push, result, error);
}

/* Likewise, with a key of its own where it turns out that the key is a copy. */
static int try_as_itself(struct push *push, Evenkeel__Offer *offer, struct push_result *result, struct error *error)
{
    bool copied = false;
    /* Only where this machine's own disk is read are SID and GUID those of the machine that holds the key. */
    if (push->options->root == NULL && key_check_machine(push->state, push->marks, &copied, error) < 0)
        return -1;
    if (!copied) {
        int status = try_once(push, offer, result, error);
        copied =
            status < 0 && error->code == ERROR_REFUSED && result->reason == EVENKEEL__REFUSAL_REASON__KEY_SET_APART;
        if (!copied)
            return status;
    }
    if (become_itself(push, error) < 0 ||
        (push->options->root == NULL && key_note_machine(push->state, push->marks, error) < 0))
        return -1;
    return try_once(push, offer, result, error);
}

static int read_marks(struct push *push, const struct digest *digest, struct error *error)
{
    Evenkeel__Object *object;
    int found = snapshot_get(push->snapshot, digest, push->arena, &object, error);
    if (found == 1)
        push->marks = (Evenkeel__MachineMarks *)object_unpack(&evenkeel__machine_marks__descriptor,
                                                              bytes_of_field(object->body), push->arena, error);
    else if (found == 0)
        error_set(error, ERROR_FORMAT, "a snapshot's file is damaged: it lacks the machine's marks");
    return push->marks != NULL ? 0 : -1;
}

static int give(struct push *push, const struct spool_offer *taken, struct push_result *result, struct error *error)
{
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.inventory = (ProtobufCBinaryData){.data = (uint8_t *)taken->inventory.bytes, .len = DIGEST_BYTES};
    offer.facts = (ProtobufCBinaryData){.data = (uint8_t *)taken->facts.bytes, .len = DIGEST_BYTES};
    offer.times = (ProtobufCBinaryData){.data = (uint8_t *)taken->times.bytes, .len = DIGEST_BYTES};
    offer.marks = (ProtobufCBinaryData){.data = (uint8_t *)taken->marks.bytes, .len = DIGEST_BYTES};
    offer.taken_at = taken->taken_at;
    offer.unreadable = taken->unreadable;
    offer.schedule = push->options->schedule;

    if (read_marks(push, &taken->marks, error) < 0 ||
        host_load(push->state, &push->key, taken->host, &push->host, error) < 0 ||
        try_as_itself(push, &offer, result, error) < 0)
        return -1;
    struct error unsaved = {0};
    _cleanup_free_ char *accepted = accepted_path(push, &unsaved);
    if (accepted == NULL || host_save(push->state, &push->key, &push->host, &unsaved) < 0 ||
        (result->changed && accepted_save(accepted, push->snapshot, &offer, &unsaved) < 0))
        report(push, unsaved.message);
    return 0;
}

/* Takes the snapshot over. */
static int give_snapshot(struct push *push, struct snapshot *snapshot, const struct spool_offer *offer,
                         struct push_result *result, struct error *error)
{
    strcpy(result->host, offer->host);
    result->files = offer->files;
    result->chunks = offer->chunks;
    struct exchange_traffic before = *exchange_traffic(push->exchange), *traffic = &result->traffic;
    push->snapshot = snapshot;
    push->arena = arena_new(MARKS_BUDGET);
    int status =
        push->arena != NULL ? give(push, offer, result, error) : error_set(error, ERROR_MEMORY, "no memory for a push");
    arena_free(push->arena);
    snapshot_free(snapshot);
    push->arena = NULL;
    push->marks = NULL;
    push->snapshot = NULL;
    *traffic = *exchange_traffic(push->exchange);
    traffic->requests -= before.requests;
    traffic->sent -= before.sent;
    traffic->received -= before.received;
    return status;
}

int push_give(struct push *push, FILE *file, const struct spool_offer *offer, struct push_result *result,
              struct error *error)
{
    struct snapshot *snapshot;
    *result = (struct push_result){0};
    if (snapshot_open(file, &snapshot, error) < 0)
        return -1;
    return give_snapshot(push, snapshot, offer, result, error);
}

/* ---- drives ---- */

/* Where the letters of the drives are noted that the host's last snapshot held; to be freed. */
static char *drives_path(const struct push *push, const char *host, struct error *error)
{
    char *drives;
    _cleanup_free_ char *path = host_path(push->state, &push->key, host, error);
    if (path == NULL)
        return NULL;
    if (asprintf(&drives, "%s.drives", path) >= 0)
        return drives;
    error_set(error, ERROR_MEMORY, "no memory for a path");
    return NULL;
}

/* A snapshot of some of a host's drives would take away what is known of the others. */
static int check_drives(const char *noted, const char *host, const char *drives, struct error *error)
{
    char before[FACTS_DRIVES_MAXIMUM + 1] = "";
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    struct error problem = {0};
    if (platform_file_open(noted, &file, &problem) < 0)
        return problem.code == ERROR_NOT_FOUND ? 0 : error_set(error, problem.code, "%s", problem.message);
    int64_t length = platform_file_read_at(&file, before, sizeof before - 1, 0, error);
    if (length < 0)
        return -1;
    before[length] = 0;
    size_t lost = strspn(before, drives);
    if (before[lost] < 'a' || before[lost] > 'z')
        return 0;
    return error_set(
        error, ERROR_USAGE,
        "the last snapshot of '%s' held its drive %c: too, and this one would take that away: give all "
        "drives in one push, each as --root DIR --drive LETTER; or, where it is gone for good, remove '%s'",
        host, before[lost], noted);
}

static void close_push(struct push **push)
{
    push_close(*push);
}

int push_snapshot(const struct push_options *options, struct push_result *result, struct error *error)
{
    _cleanup_(close_push) struct push *push = NULL;
    *result = (struct push_result){0};
    if (push_open(options, &push, error) < 0)
        return -1;
    _cleanup_fclose_ FILE *file = platform_temporary(push->state, error);
    if (file == NULL)
        return -1;
    struct take_options take = take_options(push);
    struct snapshot *snapshot;
    struct spool_offer offer;
    char drives[FACTS_DRIVES_MAXIMUM + 1];
    take.not_seen = result->not_seen;
    take.drives = drives;
    if (take_snapshot(&take, file, &snapshot, &offer, &result->walk, error) < 0)
        return -1;
    _cleanup_free_ char *noted = drives_path(push, offer.host, error);
    /* The running system's drives are at hand, those that are not there are none. */
    if (noted == NULL || (options->root != NULL && check_drives(noted, offer.host, drives, error) < 0)) {
        snapshot_free(snapshot);
        return -1;
    }
    if (give_snapshot(push, snapshot, &offer, result, error) < 0)
        return -1;
    struct error unsaved = {0};
    if (platform_file_replace(noted, drives, strlen(drives), &unsaved) < 0)
        report(push, unsaved.message);
    return 0;
}

static int enroll_host(struct push *push, struct push_result *result, struct error *error)
{
    struct take_options take = take_options(push);
    struct spool_offer named;
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(MARKS_BUDGET);
    if (arena == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an enrolment");
    if (take_identity(&take, arena, &push->marks, &named, error) < 0 ||
        host_load(push->state, &push->key, named.host, &push->host, error) < 0)
        return -1;
    strcpy(result->host, named.host);
    int status = try_as_itself(push, NULL, result, error);
    push->marks = NULL;
    return result->waits ? 0 : status;
}

int push_enroll(const struct push_options *options, struct push_result *result, struct error *error)
{
    _cleanup_(close_push) struct push *push = NULL;
    *result = (struct push_result){0};
    if (push_open(options, &push, error) < 0 || enroll_host(push, result, error) < 0)
        return -1;
    result->traffic = *exchange_traffic(push->exchange);
    return 0;
}
