/* The store: a batch of requests becomes rows. */

#include "store_batch.h"

#include "message_json.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

/* What the store remembers of ids at most: about 48 bytes each. Beyond that it forgets all and asks the database again.
 */
#define REMEMBERED_CHUNKS (1u << 20)
#define REMEMBERED_FILES (2u << 20)
/* One batch's own memory; its requests are bounded by the writer. */
#define BATCH_BYTES (256u << 20)
/* Objects of one host that may wait for the rest of a snapshot: what half a million new files take, and no more than a
 * batch can hold decoded. */
#define WAITING_BYTES (48u << 20)

/* What earlier gives of a batch's hosts left is loaded up to this, twice WAITING_BYTES; the writer takes fewer hosts at
 * a time then. */
#define BATCH_WAITING_BYTES "100663296"
/* A lock that is not had in this time makes a batch 'busy': a third of what a collector waits for an answer. */
#define LOCK_MILLISECONDS "20000"

struct store *store_open(const char *dsn, const struct store_options *options, struct error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        store_no_memory(error);
        return NULL;
    }
    store->options = *options;
    store->staging.limit = options->staging_bytes;
    store->connection = database_open(dsn, error);
    if (store->connection == NULL ||
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
    if (database_execute(store->connection, "begin", error) < 0)
        return -1;
    rows = database_query(store->connection, "select evenkeel.ingest_begin()", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    int64_t epoch = database_i64(rows, 0, 0);
    if (epoch != store->epoch || store->chunks.count > REMEMBERED_CHUNKS ||
        store->files.count + store->images.count + store->paths.count > REMEMBERED_FILES)
        forget(store);
    store->epoch = epoch;
    return 0;
}

/* Reads one more object that an earlier give left. */
static int load_upload(struct batch *batch, struct snapshot *snapshot, Evenkeel__ObjectKind kind, struct bytes body,
                       struct error *error)
{
    struct object *object = &snapshot->uploads[snapshot->upload_count];
    Evenkeel__RefusalReason reason;
    *object =
        (struct object){.kind = kind, .body = bytes_of(arena_copy(batch->arena, body.data, body.length), body.length)};
    if (object->body.data == NULL)
        return store_no_memory(error);
    if (request_decode_object(object, batch->arena, &reason, error) < 0)
        return -1;
    snapshot->upload_count++;
    return 0;
}

/* What earlier gives of a host left behind: rows first..end of the table upload, and what memory holds. */
static int load_host(struct batch *batch, struct snapshot *snapshot, const PGresult *rows, int first, int end,
                     struct error *error)
{
    const struct staged_host *staged = staging_find(&batch->store->staging, snapshot->request->offer->host_id.data);
    size_t count = (size_t)(end - first);
    for (const struct staged_object *object = staged != NULL ? staged->objects : NULL; object; object = object->next)
        count++;
    if (count == 0)
        return 0;
    snapshot->uploads = arena_take(batch->arena, count * sizeof *snapshot->uploads);
    if (snapshot->uploads == NULL)
        return store_no_memory(error);
    for (int row = first; row < end; row++)
        if (load_upload(batch, snapshot, (Evenkeel__ObjectKind)database_i32(rows, row, 1), database_bytes(rows, row, 2),
                        error) < 0)
            return -1;
    snapshot->uploads_in_database = snapshot->upload_count;
    for (const struct staged_object *object = staged != NULL ? staged->objects : NULL; object; object = object->next)
        if (object->kind == EVENKEEL__OBJECT_KIND__CHUNK)
            snapshot->uploads[snapshot->upload_count++] = (struct object){
                .kind = object->kind, .digest = object->digest, .body = object->body, .chunk = object->chunk};
        else if (load_upload(batch, snapshot, object->kind, object->body, error) < 0)
            return -1;
    return 0;
}

/* What earlier gives of these hosts left behind. */
static int load_uploads(struct batch *batch, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer hosts = {0};
    struct buffer_array array = buffer_array_begin(&hosts, TYPE_UUID, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        if (batch->snapshots[s].unchanged)
            continue;
        buffer_field_bytes(&hosts, bytes_of_field(batch->snapshots[s].request->offer->host_id));
        count++;
    }
    if (count == 0)
        return 0;
    buffer_array_end(&hosts, array, count);
    /* In the order of the array, so that each snapshot finds its rows behind those of the one before. */
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        batch->store->connection,
        "select u.host_id, u.kind::integer, case when sum(octet_length(u.body)) over () <= " BATCH_WAITING_BYTES
        " then u.body end from unnest($1) with ordinality h (host_id, place) "
        "join evenkeel.upload u using (host_id) order by h.place",
        &PARAMETER_BINARY(TYPE_UUID_ARRAY, hosts), 1, true, error);
    if (rows == NULL)
        return -1;
    int total = PQntuples(rows), first = 0;
    if (total > 0 && PQgetisnull(rows, 0, 2))
        return error_set(error, ERROR_LIMIT, "more than %s bytes wait for the rest of %zu snapshots",
                         BATCH_WAITING_BYTES, count);
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct snapshot *snapshot = &batch->snapshots[s];
        const uint8_t *host_id = snapshot->request->offer->host_id.data;
        int end = first;
        if (snapshot->unchanged)
            continue;
        while (end < total && memcmp(database_bytes(rows, end, 0).data, host_id, 16) == 0)
            end++;
        if (load_host(batch, snapshot, rows, first, end, error) < 0)
            return -1;
        first = end;
    }
    return 0;
}

/* The object at hand with this digest, from the give or from before. */
const struct object *store_at_hand(const struct snapshot *snapshot, Evenkeel__ObjectKind kind,
                                   const struct digest *digest)
{
    for (size_t i = 0; i < snapshot->request->object_count; i++)
        if (snapshot->request->objects[i].kind == kind && digest_equal(&snapshot->request->objects[i].digest, digest))
            return &snapshot->request->objects[i];
    for (size_t i = 0; i < snapshot->upload_count; i++)
        if (snapshot->uploads[i].kind == kind && digest_equal(&snapshot->uploads[i].digest, digest))
            return &snapshot->uploads[i];
    return NULL;
}

static void refer(struct digest_map *given, const struct digest *digest, Evenkeel__ObjectKind kind)
{
    struct digest_value *value = digest_map_get(given, digest);
    if (value != NULL)
        value->count |= 1u << kind;
}

/* Marks which of the given objects a snapshot refers to, through the objects at hand. */
static void mark_references(const struct snapshot *snapshot, struct digest_map *given, bool has_images)
{
    const struct request *request = snapshot->request;
    struct digest marks;
    refer(given, &request->inventory, EVENKEEL__OBJECT_KIND__INVENTORY);
    refer(given, &request->facts, EVENKEEL__OBJECT_KIND__FACTS);
    refer(given, &request->times, EVENKEEL__OBJECT_KIND__TIMES);
    if (digest_from(bytes_of_field(request->offer->marks), &marks))
        refer(given, &marks, EVENKEEL__OBJECT_KIND__MACHINE_MARKS);
    for (size_t i = 0; i < snapshot->chunk_count; i++) {
        refer(given, &snapshot->chunk_digests[i], EVENKEEL__OBJECT_KIND__CHUNK);
        const struct object *chunk =
            has_images ? store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, &snapshot->chunk_digests[i]) : NULL;
        for (size_t k = 0; chunk != NULL && k < chunk->chunk.count; k++)
            refer(given, &chunk->chunk.entries[k].image, EVENKEEL__OBJECT_KIND__IMAGE);
    }
}

/* Whether a give brought only what its snapshot wants; otherwise it is refused, and nothing of it is used. */
static int check_given(struct snapshot *snapshot, bool *fine, struct error *error)
{
    struct request *request = snapshot->request;
    _cleanup_(digest_map_clear) struct digest_map given = {0};
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
        object->wanted = (digest_map_get(&given, &object->digest)->count & 1u << object->kind) != 0;
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

/* Whether what would wait for the rest of a snapshot stays within its bound; otherwise the give is refused. */
static bool check_waiting(struct snapshot *snapshot)
{
    size_t bytes = 0;
    for (size_t i = 0; i < snapshot->upload_count; i++)
        bytes += snapshot->uploads[i].body.length;
    for (size_t i = 0; i < snapshot->request->object_count; i++)
        if (snapshot->request->objects[i].kind != EVENKEEL__OBJECT_KIND__IMAGE)
            bytes += snapshot->request->objects[i].body.length;
    if (bytes <= WAITING_BYTES)
        return true;
    char sentence[160];
    snprintf(sentence, sizeof sentence, "%zu bytes of a snapshot would wait for the rest of it; %u are allowed", bytes,
             WAITING_BYTES);
    request_refuse(snapshot->request, EVENKEEL__REFUSAL_REASON__OVER_LIMIT, 0, sentence);
    return false;
}

/* Finds the bodies at hand and drops the snapshots whose gives are refused. */
static int open_snapshots(struct batch *batch, struct error *error)
{
    size_t kept = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct snapshot *snapshot = &batch->snapshots[s];
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
        if (fine && (snapshot->unchanged || check_waiting(snapshot)))
            batch->snapshots[kept++] = *snapshot;
    }
    batch->snapshot_count = kept;
    return 0;
}

static int want(struct batch *batch, struct snapshot *snapshot, Evenkeel__ObjectKind kind, const struct digest *digest)
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
static int find_wants(struct batch *batch, struct snapshot *snapshot, struct error *error)
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

/* Whether an object must wait in the database for the rest of its snapshot: images and whole chunks were stored, marks
 * were judged, and what the snapshot does not refer to is of no use any more. */
static bool must_wait(const struct store *store, const struct snapshot *snapshot, const struct object *object,
                      const struct digest_map *chunks)
{
    switch (object->kind) {
    case EVENKEEL__OBJECT_KIND__CHUNK:
        return store_chunk(store, &object->digest) == NULL && digest_map_get(chunks, &object->digest) != NULL;
    case EVENKEEL__OBJECT_KIND__INVENTORY:
        return digest_equal(&object->digest, &snapshot->request->inventory);
    case EVENKEEL__OBJECT_KIND__FACTS:
        return digest_equal(&object->digest, &snapshot->request->facts);
    case EVENKEEL__OBJECT_KIND__TIMES:
        return digest_equal(&object->digest, &snapshot->request->times);
    default:
        return false;
    }
}

static int index_chunks(const struct snapshot *snapshot, struct digest_map *chunks, struct error *error)
{
    for (size_t i = 0; i < snapshot->chunk_count; i++)
        if (digest_map_put(chunks, &snapshot->chunk_digests[i], NULL) == NULL)
            return store_no_memory(error);
    return 0;
}

/* What earlier gives left and nobody waits for: offers that were never completed must not pile up. */
static int drop_uploads(struct batch *batch, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer hosts = {0};
    _cleanup_(buffer_clear) struct buffer digests = {0};
    struct buffer_array host_array = buffer_array_begin(&hosts, TYPE_UUID, false),
                        digest_array = buffer_array_begin(&digests, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct snapshot *snapshot = &batch->snapshots[s];
        _cleanup_(digest_map_clear) struct digest_map chunks = {0};
        if (snapshot->old || snapshot->complete || snapshot->inventory == NULL || snapshot->upload_count == 0)
            continue;
        if (index_chunks(snapshot, &chunks, error) < 0)
            return -1;
        for (size_t i = 0; i < snapshot->upload_count; i++) {
            if (must_wait(batch->store, snapshot, &snapshot->uploads[i], &chunks))
                continue;
            if (i >= snapshot->uploads_in_database) {
                staging_drop(&batch->store->staging, snapshot->request->offer->host_id.data,
                             &snapshot->uploads[i].digest);
                continue;
            }
            buffer_field_bytes(&hosts, bytes_of_field(snapshot->request->offer->host_id));
            buffer_field_bytes(&digests, bytes_of(snapshot->uploads[i].digest.bytes, DIGEST_BYTES));
            count++;
        }
    }
    if (count == 0)
        return 0;
    buffer_array_end(&hosts, host_array, count);
    buffer_array_end(&digests, digest_array, count);
    if (hosts.failed || digests.failed)
        return store_no_memory(error);
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_UUID_ARRAY, hosts),
                                     PARAMETER_BINARY(TYPE_BYTEA_ARRAY, digests)};
    _cleanup_(cleanup_result) PGresult *done =
        database_query(batch->store->connection,
                       "delete from evenkeel.upload u using unnest($1, $2) d (host_id, digest) "
                       "where u.host_id = d.host_id and u.digest = d.digest",
                       parameters, 2, true, error);
    return done != NULL ? 0 : -1;
}

/* Objects of incomplete snapshots wait for the rest: in memory, or in the database where that has no room. */
static int stage_uploads(struct batch *batch, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer hosts = {0};
    _cleanup_(buffer_clear) struct buffer digests = {0};
    _cleanup_(buffer_clear) struct buffer kinds = {0};
    _cleanup_(buffer_clear) struct buffer bodies = {0};
    struct buffer_array host_array = buffer_array_begin(&hosts, TYPE_UUID, false),
                        digest_array = buffer_array_begin(&digests, TYPE_BYTEA, false),
                        kind_array = buffer_array_begin(&kinds, TYPE_INT4, false),
                        body_array = buffer_array_begin(&bodies, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct snapshot *snapshot = &batch->snapshots[s];
        _cleanup_(digest_map_clear) struct digest_map chunks = {0};
        if (snapshot->unchanged || snapshot->complete || snapshot->request->object_count == 0)
            continue;
        if (index_chunks(snapshot, &chunks, error) < 0)
            return -1;
        for (size_t i = 0; i < snapshot->request->object_count; i++) {
            const struct object *object = &snapshot->request->objects[i];
            if (!must_wait(batch->store, snapshot, object, &chunks) ||
                staging_put(&batch->store->staging, snapshot->request->offer->host_id.data, object))
                continue;
            buffer_field_bytes(&hosts, bytes_of_field(snapshot->request->offer->host_id));
            buffer_field_bytes(&digests, bytes_of(object->digest.bytes, DIGEST_BYTES));
            buffer_field_i32(&kinds, (int32_t)object->kind);
            buffer_field_bytes(&bodies, object->body);
            count++;
        }
    }
    if (count == 0)
        return 0;
    buffer_array_end(&hosts, host_array, count);
    buffer_array_end(&digests, digest_array, count);
    buffer_array_end(&kinds, kind_array, count);
    buffer_array_end(&bodies, body_array, count);
    if (hosts.failed || digests.failed || kinds.failed || bodies.failed)
        return store_no_memory(error);
    struct parameter parameters[] = {
        PARAMETER_BINARY(TYPE_UUID_ARRAY, hosts), PARAMETER_BINARY(TYPE_BYTEA_ARRAY, digests),
        PARAMETER_BINARY(TYPE_INT4_ARRAY, kinds), PARAMETER_BINARY(TYPE_BYTEA_ARRAY, bodies)};
    _cleanup_(cleanup_result) PGresult *done =
        database_query(batch->store->connection,
                       "insert into evenkeel.upload (host_id, digest, kind, body) select * from unnest($1, $2, $3, $4) "
                       "on conflict (host_id, digest) do nothing",
                       parameters, 4, true, error);
    return done != NULL ? 0 : -1;
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
static void put_snapshot(struct buffer *rows, const struct store *store, const struct snapshot *snapshot)
{
    const struct request *request = snapshot->request;
    const Evenkeel__Offer *offer = request->offer;
    buffer_put_i16(rows, 12);
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
            files += (int32_t)store_chunk(store, &snapshot->chunk_digests[i])->count;
        buffer_field_i32(rows, files);
        struct buffer_array array = buffer_array_begin(rows, TYPE_INT8, true);
        for (size_t i = 0; i < snapshot->chunk_count; i++)
            buffer_field_i64(rows, store_chunk(store, &snapshot->chunk_digests[i])->id);
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
    _cleanup_(cleanup_result) PGresult *done = database_query(
        batch->store->connection,
        "select (extract(epoch from max(valid_from)) * 1000000)::bigint from evenkeel.accept_snapshots()", NULL, 0,
        true, error);
    if (done == NULL)
        return -1;
    *moment = database_i64(done, 0, 0);
    return 0;
}

static void answer(struct batch *batch, int64_t moment, struct store_outcome *outcome)
{
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct snapshot *snapshot = &batch->snapshots[s];
        if (snapshot->unchanged) {
            request_accept(snapshot->request, 0, false);
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

static int run(struct batch *batch, struct request **requests, size_t count, struct store_outcome *outcome,
               int64_t *moment, struct error *error)
{
    struct store *store = batch->store;
    if (begin(store, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (requests[i]->kind == REQUEST_ENROLL && store_enroll(store, requests[i], outcome, error) < 0)
            return -1;
    if (store_admit(batch, requests, count, error) < 0 || load_uploads(batch, error) < 0 ||
        open_snapshots(batch, error) < 0 || store_count_offers(batch, error) < 0 ||
        store_find_chunks(batch, error) < 0 || store_new_images(batch, error) < 0 ||
        store_new_files(batch, error) < 0 || store_new_chunks(batch, error) < 0)
        return -1;
    for (size_t s = 0; s < batch->snapshot_count; s++)
        if (!batch->snapshots[s].unchanged && find_wants(batch, &batch->snapshots[s], error) < 0)
            return -1;
    if (drop_uploads(batch, error) < 0 || stage_uploads(batch, error) < 0 ||
        accept_complete(batch, moment, outcome, error) < 0)
        return -1;
    return database_execute(store->connection, "commit", error);
}

int store_batch(struct store *store, struct request **requests, size_t count, struct store_outcome *outcome,
                struct error *error)
{
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(BATCH_BYTES);
    struct batch batch = {.store = store, .arena = arena};
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
        database_execute(store->connection, "rollback", &ignored);
    }
    digest_map_clear(&batch.chunk_index);
    digest_map_clear(&batch.image_index);
    return result;
}
