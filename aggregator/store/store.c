/* The store: a batch of requests becomes rows. */

#include "store.h"

#include "file_rows.h"
#include "message_json.h"
#include "store_admission.h"
#include "store_components.h"
#include "store_content.h"
#include "store_order.h"
#include "store_uploads.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

/* What the store remembers of ids at most: about 48 bytes each. Beyond that it forgets all and asks the database again.
 */
#define REMEMBERED_CHUNKS (1u << 20)
#define REMEMBERED_FILES (2u << 20)
/* One batch's own memory; its requests are bounded by the writer. */
#define BATCH_BYTES (256u << 20)
/* A lock that is not had in this time makes a batch 'busy': a third of what a collector waits for an answer. */
#define LOCK_MILLISECONDS "20000"

/* 'Accepted' is said of what is on disk, and on that of the standby that a commit waits for, whatever the database's
 * setting is; a stronger one stays. */
static int read_commits(struct store *store, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *strong = database_query(
        store->connection, "select current_setting('synchronous_commit') = 'remote_apply'", NULL, 0, true, error);
    if (strong == NULL)
        return -1;
    store->begin = database_bool(strong, 0, 0) ? "begin; set local synchronous_commit = remote_apply"
                                               : "begin; set local synchronous_commit = on";
    return 0;
}

struct store *store_open(const char *dsn, const struct store_options *options, struct error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        store_no_memory(error);
        return NULL;
    }
    store->options = *options;
    store->chunks = DIGEST_MAP(struct known_chunk);
    store->images = store->paths = store->files = DIGEST_MAP(int32_t);
    store->staging.limit = options->staging_bytes;
    store->connection = database_open(dsn, error);
    if (store->connection == NULL || read_commits(store, error) < 0 ||
        database_wait_for_no_standby(store->connection, error) < 0 ||
        database_execute(store->connection, "set lock_timeout = " LOCK_MILLISECONDS "; select evenkeel.ingest_open()",
                         error) < 0) {
        store_close(store);
        return NULL;
    }
    return store;
}

static void forget(struct store *store)
{
    digest_map_clear(&store->chunks);
    digest_map_clear(&store->images);
    digest_map_clear(&store->paths);
    digest_map_clear(&store->files);
    digest_map_clear(&store->orders);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    PQfinish(store->connection);
    forget(store);
    staging_clear(&store->staging);
    asked_clear(&store->asked);
    free(store);
}

/* Starts the transaction; ids that were remembered from before a prune are forgotten. */
static int begin(struct store *store, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = NULL;
    if (database_execute(store->connection, store->begin, error) < 0)
        return -1;
    if (database_check_schema(store->connection, error) < 0) {
        /* Whoever upgraded the database runs another program now: as good as gone, and nobody's request is at fault. */
        error->code = ERROR_NETWORK;
        return -1;
    }
    rows = database_query(store->connection, "select evenkeel.ingest_begin()", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    int64_t epoch = database_i64(rows, 0, 0);
    if (epoch != store->epoch || store->chunks.count > REMEMBERED_CHUNKS || store->orders.count > REMEMBERED_CHUNKS ||
        store->files.count + store->images.count + store->paths.count > REMEMBERED_FILES)
        forget(store);
    store->epoch = epoch;
    return 0;
}

static void refer(struct digest_map *given, const struct digest *digest, Evenkeel__ObjectKind kind)
{
    uint32_t *kinds = digest_map_get(given, digest);
    if (kinds != NULL)
        *kinds |= 1u << kind;
}

/* Marks which of the given objects a snapshot refers to, through the objects at hand. */
static void mark_references(const struct arrival *snapshot, struct digest_map *given, bool has_images)
{
    const struct request *request = snapshot->request;
    const Evenkeel__Facts *facts = snapshot->facts != NULL ? (const Evenkeel__Facts *)snapshot->facts->message : NULL;
    struct digest marks, components;
    refer(given, &request->inventory, EVENKEEL__OBJECT_KIND__INVENTORY);
    refer(given, &request->facts, EVENKEEL__OBJECT_KIND__FACTS);
    refer(given, &request->times, EVENKEEL__OBJECT_KIND__TIMES);
    if (digest_from(bytes_of_field(request->offer->marks), &marks))
        refer(given, &marks, EVENKEEL__OBJECT_KIND__MACHINE_MARKS);
    if (facts != NULL && digest_from(bytes_of_field(facts->component_store), &components))
        refer(given, &components, EVENKEEL__OBJECT_KIND__COMPONENT_STORE);
    for (size_t i = 0; i < snapshot->chunk_count; i++) {
        refer(given, &snapshot->chunk_digests[i], EVENKEEL__OBJECT_KIND__CHUNK);
        const struct object *chunk =
            has_images ? store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, &snapshot->chunk_digests[i]) : NULL;
        for (size_t k = 0; chunk != NULL && k < chunk->chunk.count; k++)
            refer(given, &chunk->chunk.entries[k].image, EVENKEEL__OBJECT_KIND__IMAGE);
    }
}

/* Whether a give brought only what its snapshot wants; otherwise it is refused, and nothing of it is used. */
static int check_given(struct arrival *snapshot, bool *fine, struct error *error)
{
    struct request *request = snapshot->request;
    _cleanup_(digest_map_clear) struct digest_map given =
        DIGEST_MAP(uint32_t); /* kinds that are referred to, as bits */
    bool has_images = false;
    *fine = true;
    for (size_t i = 0; i < request->object_count; i++) {
        if (digest_map_put(&given, &request->objects[i].digest, NULL) == NULL)
            return store_no_memory(error);
        has_images |= request->objects[i].kind == EVENKEEL__OBJECT_KIND__IMAGE;
    }
    if (request->object_count > 0)
        mark_references(snapshot, &given, has_images);
    for (size_t i = 0; *fine && i < request->object_count; i++) {
        struct object *object = &request->objects[i];
        object->wanted = (*(const uint32_t *)digest_map_get(&given, &object->digest) & 1u << object->kind) != 0;
        *fine = object->wanted;
        if (*fine)
            continue;
        char hex[DIGEST_HEX_SIZE], sentence[160];
        digest_hex(&object->digest, hex);
        snprintf(sentence, sizeof sentence, "the %s %s is not what the snapshot refers to",
                 object_kind_name(object->kind), hex);
        request_refuse(request, EVENKEEL__REFUSAL_REASON__WRONG_DIGEST, 0, sentence);
    }
    return 0;
}

/* Finds the bodies at hand and drops the snapshots whose gives are refused. */
static int open_snapshots(struct batch *batch, struct error *error)
{
    size_t kept = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct arrival *snapshot = &batch->snapshots[s];
        const struct request *request = snapshot->request;
        bool fine = true;
        snapshot->inventory = store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__INVENTORY, &request->inventory);
        snapshot->facts = store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__FACTS, &request->facts);
        snapshot->times = store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__TIMES, &request->times);
        if (snapshot->inventory != NULL && !snapshot->unchanged) {
            const Evenkeel__Inventory *inventory = (const Evenkeel__Inventory *)snapshot->inventory->message;
            snapshot->chunk_count = inventory->chunks.len / DIGEST_BYTES;
            snapshot->chunk_digests = arena_copy(batch->arena, inventory->chunks.data, inventory->chunks.len);
            if (snapshot->chunk_digests == NULL)
                return store_no_memory(error);
        }
        if (!snapshot->unchanged && check_given(snapshot, &fine, error) < 0)
            return -1;
        if (fine && (snapshot->unchanged || store_may_wait(snapshot)))
            batch->snapshots[kept++] = *snapshot;
    }
    batch->snapshot_count = kept;
    return 0;
}

static int want(struct batch *batch, struct arrival *snapshot, Evenkeel__ObjectKind kind, const struct digest *digest)
{
    struct wanted *wanted = &snapshot->wanted[kind];
    if (snapshot->wanted_count == LIMIT_WANTED_DIGESTS)
        return 0;
    if (wanted->digests == NULL) {
        bool several = kind == EVENKEEL__OBJECT_KIND__CHUNK || kind == EVENKEEL__OBJECT_KIND__IMAGE;
        wanted->digests = arena_take(batch->arena, (several ? LIMIT_WANTED_DIGESTS : 1) * sizeof *wanted->digests);
    }
    if (wanted->digests == NULL)
        return -1;
    wanted->digests[wanted->count++] = *digest;
    snapshot->wanted_count++;
    return 0;
}

/* What each snapshot still lacks; `complete` where that is nothing. */
static int find_wants(struct batch *batch, struct arrival *snapshot, struct error *error)
{
    const struct request *request = snapshot->request;
    struct store *store = batch->store;
    _cleanup_(digest_map_clear) struct digest_map asked = {0};
    int failed = 0;
    bool incomplete = false;
    struct digest marks;
    if (snapshot->marks_wanted && digest_from(bytes_of_field(request->offer->marks), &marks))
        failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &marks);
    if (snapshot->old)
        return failed != 0 ? store_no_memory(error) : 0;
    if (!snapshot->same_inventory && snapshot->inventory == NULL)
        failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__INVENTORY, &request->inventory);
    if (!snapshot->same_facts && snapshot->facts == NULL)
        failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__FACTS, &request->facts);
    if (!snapshot->same_times && snapshot->times == NULL)
        failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__TIMES, &request->times);
    if (snapshot->component_store_wanted &&
        store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__COMPONENT_STORE, &snapshot->component_store) == NULL)
        failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__COMPONENT_STORE, &snapshot->component_store);
    for (size_t i = 0; !snapshot->same_inventory && i < snapshot->chunk_count; i++) {
        const struct digest *digest = &snapshot->chunk_digests[i];
        if (store_chunk(store, digest) != NULL)
            continue;
        incomplete = true;
        const struct object *body = store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, digest);
        if (body == NULL)
            failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__CHUNK, digest);
        const struct new_chunk *chunk = body != NULL ? store_new_chunk(batch, digest) : NULL;
        for (size_t k = 0; body != NULL && k < body->chunk.count; k++) {
            const struct decoded_entry *entry = &body->chunk.entries[k];
            bool added;
            if (chunk->file_ids[k] != 0 || digest_map_get(&store->images, &entry->image) != NULL)
                continue;
            if (digest_map_put(&asked, &entry->image, &added) == NULL)
                return store_no_memory(error);
            if (added)
                failed |= want(batch, snapshot, EVENKEEL__OBJECT_KIND__IMAGE, &entry->image);
        }
    }
    snapshot->complete = !incomplete && snapshot->wanted_count == 0;
    return failed != 0 ? store_no_memory(error) : 0;
}

static void field_message(struct buffer *rows, const ProtobufCMessage *message)
{
    _cleanup_(buffer_clear) struct buffer json = {0};
    message_json(&json, message);
    buffer_put(&json, "", 1);
    if (json.failed)
        rows->failed = true;
    else
        buffer_field_jsonb(rows, (const char *)json.data);
}

/* One row of ingest_snapshot per complete snapshot; what has not changed is null. */
static void put_snapshot(struct buffer *rows, const struct store *store, const struct arrival *snapshot)
{
    const struct request *request = snapshot->request;
    const Evenkeel__Offer *offer = request->offer;
    buffer_put_i16(rows, 13);
    buffer_field_bytes(rows, bytes_of_field(offer->host_id));
    buffer_field_time(rows, offer->taken_at);
    buffer_field_i32(rows, (int32_t)offer->schedule);
    buffer_field_i32(rows, (int32_t)offer->unreadable);
    buffer_field_bytes(rows, bytes_of(request->inventory.bytes, DIGEST_BYTES));
    if (snapshot->same_inventory) {
        buffer_field_null(rows);
        buffer_field_null(rows);
    } else {
        int32_t files = 0;
        for (size_t i = 0; i < snapshot->chunk_count; i++)
            files += (int32_t)store_chunk(store, &snapshot->chunk_digests[i])->entries;
        buffer_field_i32(rows, files);
        struct buffer_array array = buffer_array_begin(rows, TYPE_INT8, true);
        for (size_t i = 0; i < snapshot->chunk_count; i++)
            buffer_field_i64(rows, store_chunk(store, &snapshot->chunk_digests[i])->chunk_id);
        buffer_array_end(rows, array, snapshot->chunk_count);
    }
    buffer_field_bytes(rows, bytes_of(request->facts.bytes, DIGEST_BYTES));
    if (snapshot->same_facts) {
        buffer_field_null(rows);
        buffer_field_null(rows);
    } else {
        buffer_field_bytes(rows, snapshot->facts->body);
        field_message(rows, snapshot->facts->message);
    }
    buffer_field_bytes(rows, bytes_of(request->times.bytes, DIGEST_BYTES));
    if (snapshot->same_times)
        buffer_field_null(rows);
    else
        field_message(rows, snapshot->times->message);
    buffer_field_i32(rows, snapshot->key_id);
}

static int accept_complete(struct batch *batch, int64_t *moment, struct store_outcome *outcome, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer rows = {0};
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        if (!batch->snapshots[s].complete || batch->snapshots[s].unchanged)
            continue;
        put_snapshot(&rows, batch->store, &batch->snapshots[s]);
        outcome->snapshots++;
    }
    *moment = 0;
    if (outcome->snapshots == 0)
        return 0;
    if (database_copy(batch->store->connection, "copy ingest_snapshot from stdin (format binary)", &rows, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *done =
        database_query(batch->store->connection,
                       "select (extract(epoch from max(valid_from)) * 1000000)::bigint, count(came_back)::integer, "
                       "coalesce(string_agg(came_back || ' (' || host_id || ')', ', ' order by came_back), '') "
                       "from evenkeel.accept_snapshots()",
                       NULL, 0, true, error);
    if (done == NULL)
        return -1;
    *moment = database_i64(done, 0, 0);
    outcome->came_back = (unsigned)database_i32(done, 0, 1);
    snprintf(outcome->came_back_names, sizeof outcome->came_back_names, "%s", PQgetvalue(done, 0, 2));
    return 0;
}

static void answer(struct batch *batch, int64_t moment, struct store_outcome *outcome)
{
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct arrival *snapshot = &batch->snapshots[s];
        if (snapshot->unchanged) {
            request_accept(snapshot->request, snapshot->answered, snapshot->answered != 0);
            outcome->unchanged++;
        } else if (snapshot->complete) {
            request_accept(snapshot->request, moment, true);
            staging_forget(&batch->store->staging, snapshot->request->offer->host_id.data);
        } else {
            request_want(snapshot->request, snapshot->wanted);
            outcome->wants++;
            continue;
        }
        outcome->accepted++;
    }
}

/* Which chunks there are; snapshots whose chunks are out of order are refused, and nothing of theirs is stored. */
static int find_chunks(struct batch *batch, struct error *error)
{
    bool dropped;
    if (store_find_chunks(batch, error) < 0 || store_check_order(batch, &dropped, error) < 0)
        return -1;
    if (!dropped)
        return 0;
    digest_map_clear(&batch->chunk_index);
    batch->new_chunks = NULL;
    batch->new_chunk_count = batch->new_chunk_size = 0;
    return store_find_chunks(batch, error);
}

static int run(struct batch *batch, struct request **requests, size_t count, struct store_outcome *outcome,
               int64_t *moment, struct error *error)
{
    struct store *store = batch->store;
    if (begin(store, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (requests[i]->kind == REQUEST_ENROLL && store_enroll(store, requests[i], outcome, error) < 0)
            return -1;
    if (store_admit(batch, requests, count, error) < 0 || store_load_uploads(batch, error) < 0 ||
        open_snapshots(batch, error) < 0 || find_chunks(batch, error) < 0 || store_count_offers(batch, error) < 0 ||
        store_new_images(batch, error) < 0 || file_rows_store(batch, error) < 0 || store_new_chunks(batch, error) < 0 ||
        store_find_components(batch, error) < 0)
        return -1;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct arrival *snapshot = &batch->snapshots[s];
        if (!snapshot->unchanged && find_wants(batch, snapshot, error) < 0)
            return -1;
        if (!snapshot->unchanged && !snapshot->complete &&
            snapshot->request->object_count + snapshot->upload_count == 0)
            outcome->coming++;
    }
    if (store_drop_uploads(batch, error) < 0 || store_stage_uploads(batch, error) < 0 ||
        store_new_components(batch, error) < 0 || accept_complete(batch, moment, outcome, error) < 0)
        return -1;
    return database_commit(store->connection, error);
}

int store_batch(struct store *store, struct request **requests, size_t count, struct store_outcome *outcome,
                struct error *error)
{
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(BATCH_BYTES);
    struct batch batch = {
        .store = store, .arena = arena, .chunk_index = DIGEST_MAP(size_t), .image_index = DIGEST_MAP(size_t)};
    int64_t moment;
    *outcome = (struct store_outcome){0};
    if (arena == NULL)
        return store_no_memory(error);
    int result = run(&batch, requests, count, outcome, &moment, error);
    if (result == 0) {
        answer(&batch, moment, outcome);
    } else {
        /* What was remembered in this batch may never have been committed. */
        forget(store);
        struct error ignored;
        if (PQtransactionStatus(store->connection) != PQTRANS_IDLE)
            database_execute(store->connection, "rollback", &ignored);
    }
    digest_map_clear(&batch.chunk_index);
    digest_map_clear(&batch.image_index);
    return result;
}
