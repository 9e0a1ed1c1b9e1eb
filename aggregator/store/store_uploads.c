/* Objects of snapshots that are not complete yet: in memory, or in the database where that has no room. */

#include "store_uploads.h"

#include "proto/cleanup.h"
#include "proto/object.h"

/* Objects of one host that may wait for the rest of a snapshot: what half a million new files take, and no more than a
 * batch can hold decoded. */
#define WAITING_BYTES (48u << 20)

/* What earlier gives of a batch's hosts left is loaded up to this, twice WAITING_BYTES; the writer takes fewer hosts at
 * a time then. */
#define BATCH_WAITING_BYTES (2 * WAITING_BYTES)

/* Reads one more object that an earlier give left. */
static int load_upload(struct batch *batch, struct arrival *snapshot, Evenkeel__ObjectKind kind, struct bytes body,
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
static int load_host(struct batch *batch, struct arrival *snapshot, const PGresult *rows, int first, int end,
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

int store_load_uploads(struct batch *batch, struct error *error)
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
    char most[32];
    snprintf(most, sizeof most, "%u", BATCH_WAITING_BYTES);
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_UUID_ARRAY, hosts), PARAMETER_TEXT(most)};
    /* In the order of the array, so that each snapshot finds its rows behind those of the one before. */
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        batch->store->connection,
        "select u.host_id, u.kind::integer, case when sum(octet_length(u.body)) over () <= $2::bigint then u.body end "
        "from unnest($1) with ordinality h (host_id, place) join evenkeel.upload u using (host_id) order by h.place",
        parameters, 2, true, error);
    if (rows == NULL)
        return -1;
    int total = PQntuples(rows), first = 0;
    if (total > 0 && PQgetisnull(rows, 0, 2))
        return error_set(error, ERROR_LIMIT, "more than %u bytes wait for the rest of %zu snapshots",
                         BATCH_WAITING_BYTES, count);
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct arrival *snapshot = &batch->snapshots[s];
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

bool store_may_wait(struct arrival *snapshot)
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

/* Whether an object must wait in the database for the rest of its snapshot: images and whole chunks were stored, marks
 * were judged, and what the snapshot does not refer to is of no use any more. */
static bool must_wait(const struct store *store, const struct arrival *snapshot, const struct object *object,
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
    case EVENKEEL__OBJECT_KIND__COMPONENT_STORE:
        return snapshot->component_store_wanted && digest_equal(&object->digest, &snapshot->component_store);
    default:
        return false;
    }
}

static int index_chunks(const struct arrival *snapshot, struct digest_map *chunks, struct error *error)
{
    for (size_t i = 0; i < snapshot->chunk_count; i++)
        if (digest_map_put(chunks, &snapshot->chunk_digests[i], NULL) == NULL)
            return store_no_memory(error);
    return 0;
}

int store_drop_uploads(struct batch *batch, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer hosts = {0};
    _cleanup_(buffer_clear) struct buffer digests = {0};
    struct buffer_array host_array = buffer_array_begin(&hosts, TYPE_UUID, false),
                        digest_array = buffer_array_begin(&digests, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
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

int store_stage_uploads(struct batch *batch, struct error *error)
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
        const struct arrival *snapshot = &batch->snapshots[s];
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
