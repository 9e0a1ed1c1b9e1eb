/* The store's admission: who may enrol, which offers are let in, and what is counted of them. */

#include "store_admission.h"

#include "proto/cleanup.h"
#include "proto/object.h"

static const char *refusal_sentence(Evenkeel__RefusalReason reason)
{
    switch (reason) {
    case EVENKEEL__REFUSAL_REASON__KEY_UNKNOWN:
        return "the key is not known here: enrol first, with a token ('evenkeel hosts token') or for approval";
    case EVENKEEL__REFUSAL_REASON__KEY_PENDING:
        return "the key waits for approval: run 'evenkeel hosts approve' on the aggregator, or enrol with a token";
    case EVENKEEL__REFUSAL_REASON__KEY_REVOKED:
        return "the key was revoked";
    case EVENKEEL__REFUSAL_REASON__OTHER_HOST:
        return "the key may not speak for this host: it needs a grant ('evenkeel hosts grant')";
    case EVENKEEL__REFUSAL_REASON__OLD_SEQUENCE:
        return "another offer was already made under this sequence number, or under a higher one";
    case EVENKEEL__REFUSAL_REASON__KEY_SET_APART:
        return "the key belongs to another machine, or is used from two: this one must enrol anew, with a key of its "
               "own";
    case EVENKEEL__REFUSAL_REASON__TOKEN_INVALID:
        return "the enrolment token is unknown, used up, past its end, or not for a host of this name";
    case EVENKEEL__REFUSAL_REASON__OTHER_NAME:
        return "the key knows this host under another name: enrol again";
    case EVENKEEL__REFUSAL_REASON__OVER_LIMIT:
        return "the host has uploaded as many bytes today as are allowed ('evenkeel serve --upload-quota'): go on "
               "tomorrow";
    default:
        return "refused";
    }
}

/* What an enrolment states of its machine, as the database takes it. */
struct stated_marks {
    char *sid, *guid, *computer, *version;
    struct bytes location;
    struct digest digest;
    bool given;
};

static int state_marks(struct arena *arena, const Evenkeel__MachineMarks *marks, struct stated_marks *stated,
                       struct error *error)
{
    *stated = (struct stated_marks){
        .sid = "", .guid = "", .computer = "", .version = "", .location = {.data = (const uint8_t *)""}};
    if (marks == NULL)
        return 0;
    struct bytes packed;
    stated->sid = arena_copy(arena, marks->machine_sid.data, marks->machine_sid.len);
    stated->guid = arena_copy(arena, marks->machine_guid.data, marks->machine_guid.len);
    stated->computer = arena_copy(arena, marks->computer_name.data, marks->computer_name.len);
    stated->version = arena_copy(arena, marks->collector_version.data, marks->collector_version.len);
    if (stated->sid == NULL || stated->guid == NULL || stated->computer == NULL || stated->version == NULL ||
        !object_pack(&marks->base, &packed))
        return store_no_memory(error);
    stated->digest = digest_of(packed);
    free((void *)packed.data);
    if (marks->key_location.len > 0)
        stated->location = bytes_of_field(marks->key_location);
    stated->given = true;
    return 0;
}

int store_enroll(struct store *store, struct request *request, struct store_outcome *outcome, struct error *error)
{
    const Evenkeel__Enroll *asked = request->enroll;
    struct stated_marks marks;
    char *name = arena_copy(request->arena, asked->host_name.data, asked->host_name.len);
    if (name == NULL || state_marks(request->arena, asked->marks, &marks, error) < 0)
        return store_no_memory(error);
    char most_pending[16];
    snprintf(most_pending, sizeof most_pending, "%d", (int)store->options.most_pending);
    struct parameter parameters[] = {
        PARAMETER_BINARY(TYPE_BYTEA, request->key),
        PARAMETER_TEXT(name),
        {.value = asked->token.len > 0 ? asked->token.data : NULL,
         .length = asked->token.len,
         .binary = true,
         .type = TYPE_BYTEA},
        PARAMETER_TEXT(marks.sid),
        PARAMETER_TEXT(marks.guid),
        PARAMETER_BINARY(TYPE_BYTEA, marks.location),
        {.value = marks.digest.bytes, .length = marks.given ? DIGEST_BYTES : 0, .binary = true, .type = TYPE_BYTEA},
        PARAMETER_TEXT(marks.computer),
        PARAMETER_TEXT(marks.version),
        PARAMETER_TEXT(most_pending),
        PARAMETER_TEXT(request->address != NULL ? request->address : ""),
    };
    /* Trusting is a function of its own, which the aggregator's role may not call. */
    static const char enroll[] = "select reason, host_id, approved, sequence from evenkeel.enroll($1, $2::text, $3, "
                                 "$4::text, $5::text, $6, $7, $8::text, $9::text, $10::integer, $11::text)";
    static const char enroll_trusting[] =
        "select reason, host_id, approved, sequence from evenkeel.enroll_trusting($1, $2::text, $3, $4::text, "
        "$5::text, $6, $7, $8::text, $9::text, true, $10::integer, $11::text)";
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(store->connection, store->options.trust_on_first_use ? enroll_trusting : enroll, parameters,
                       sizeof parameters / sizeof *parameters, true, error);
    if (rows == NULL)
        return -1;
    Evenkeel__RefusalReason reason = (Evenkeel__RefusalReason)database_i32(rows, 0, 0);
    if (reason != 0) {
        request_refuse(request, reason, 0,
                       reason == EVENKEEL__REFUSAL_REASON__OVER_LIMIT
                           ? "too many enrolments wait for approval, from this address as many as from any "
                             "('evenkeel hosts pending'): enrol with a token"
                           : refusal_sentence(reason));
        return 0;
    }
    bool approved = database_bool(rows, 0, 2);
    request_enrolled(request, approved ? database_bytes(rows, 0, 1) : (struct bytes){0}, approved,
                     (uint64_t)database_i64(rows, 0, 3));
    outcome->enrolled += approved;
    return 0;
}

/* Parameters that are an array each, a row per offer. */
#define COLUMNS_MAXIMUM 14

struct columns {
    size_t count;
    const uint32_t *types; /* of the elements */
    struct buffer buffers[COLUMNS_MAXIMUM];
    struct buffer_array arrays[COLUMNS_MAXIMUM];
};

static void columns_begin(struct columns *columns, const uint32_t *types, size_t count)
{
    *columns = (struct columns){.count = count, .types = types};
    for (size_t i = 0; i < count; i++)
        columns->arrays[i] = buffer_array_begin(&columns->buffers[i], types[i], false);
}

static void columns_clear(struct columns *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        buffer_clear(&columns->buffers[i]);
}

static uint32_t array_type(uint32_t type)
{
    switch (type) {
    case TYPE_BYTEA:
        return TYPE_BYTEA_ARRAY;
    case TYPE_UUID:
        return TYPE_UUID_ARRAY;
    case TYPE_INT8:
        return TYPE_INT8_ARRAY;
    case TYPE_TEXT:
        return TYPE_TEXT_ARRAY;
    default:
        return TYPE_INT4_ARRAY;
    }
}

/* Ends the arrays; the parameters point into the columns. */
static int columns_end(struct columns *columns, size_t rows, struct parameter *parameters, struct error *error)
{
    for (size_t i = 0; i < columns->count; i++) {
        buffer_array_end(&columns->buffers[i], columns->arrays[i], rows);
        if (columns->buffers[i].failed)
            return store_no_memory(error);
        parameters[i] = PARAMETER_BINARY(array_type(columns->types[i]), columns->buffers[i]);
    }
    return 0;
}

/* The marks that an offer refers to, where its give brought them. */
static const struct object *given_marks(const struct request *request)
{
    for (size_t i = 0; i < request->object_count; i++) {
        const struct object *object = &request->objects[i];
        if (object->kind == EVENKEEL__OBJECT_KIND__MACHINE_MARKS && request->offer->marks.len == DIGEST_BYTES &&
            memcmp(object->digest.bytes, request->offer->marks.data, DIGEST_BYTES) == 0)
            return object;
    }
    return NULL;
}

/* What a machine's marks are in the database: SID, GUID, place of the key, the host's name; null where there are no
 * marks. */
#define MARK_FIELDS 4

static void put_marks(struct buffer *fields, const struct object *object)
{
    if (object == NULL) {
        for (int i = 0; i < MARK_FIELDS; i++)
            buffer_field_null(&fields[i]);
        return;
    }
    const Evenkeel__MachineMarks *marks = (const Evenkeel__MachineMarks *)object->message;
    buffer_field_bytes(&fields[0], bytes_of_field(marks->machine_sid));
    buffer_field_bytes(&fields[1], bytes_of_field(marks->machine_guid));
    buffer_field_bytes(&fields[2], bytes_of_field(marks->key_location));
    buffer_field_bytes(&fields[3], bytes_of_field(marks->host_name));
}

/* Version of the collector and the computer's own name; null likewise. */
static void put_teller(struct buffer *fields, const struct object *object)
{
    const Evenkeel__MachineMarks *marks = object != NULL ? (const Evenkeel__MachineMarks *)object->message : NULL;
    if (marks != NULL) {
        buffer_field_bytes(&fields[0], bytes_of_field(marks->collector_version));
        buffer_field_bytes(&fields[1], bytes_of_field(marks->computer_name));
    } else {
        buffer_field_null(&fields[0]);
        buffer_field_null(&fields[1]);
    }
}

static int64_t given_bytes(const struct request *request)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < request->object_count; i++)
        bytes += (int64_t)request->objects[i].body.length;
    return bytes;
}

int store_count_refused(struct store *store, const struct request *request, struct error *error)
{
    char bytes[32];
    if (request->kind != REQUEST_SNAPSHOT)
        return 0;
    snprintf(bytes, sizeof bytes, "%lld", (long long)given_bytes(request));
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_BYTEA, request->key),
                                     {.value = request->offer->host_id.data,
                                      .length = request->offer->host_id.len,
                                      .binary = true,
                                      .type = TYPE_UUID},
                                     PARAMETER_TEXT(bytes)};
    _cleanup_(cleanup_result) PGresult *done = database_query(
        store->connection, "select evenkeel.count_refused($1, $2, $3::bigint)", parameters, 3, true, error);
    return done != NULL ? 0 : -1;
}

static void put_offer(struct columns *columns, const struct request *request)
{
    const Evenkeel__Offer *offer = request->offer;
    struct buffer *fields = columns->buffers;
    buffer_field_bytes(&fields[0], request->key);
    buffer_field_bytes(&fields[1], bytes_of_field(offer->host_id));
    buffer_field_i64(&fields[2], (int64_t)offer->sequence);
    buffer_field_bytes(&fields[3], bytes_of(request->offer_digest.bytes, DIGEST_BYTES));
    buffer_field_bytes(&fields[4], bytes_of(request->inventory.bytes, DIGEST_BYTES));
    buffer_field_bytes(&fields[5], bytes_of(request->facts.bytes, DIGEST_BYTES));
    buffer_field_bytes(&fields[6], bytes_of(request->times.bytes, DIGEST_BYTES));
    buffer_field_i64(&fields[7], offer->taken_at);
    buffer_field_bytes(&fields[8], bytes_of_field(offer->marks));
    put_marks(&fields[9], given_marks(request));
    buffer_field_i64(&fields[9 + MARK_FIELDS], given_bytes(request));
}

int store_admit(struct batch *batch, struct request **requests, size_t count, struct error *error)
{
    static const uint32_t types[] = {TYPE_BYTEA, TYPE_UUID,  TYPE_INT8, TYPE_BYTEA, TYPE_BYTEA, TYPE_BYTEA, TYPE_BYTEA,
                                     TYPE_INT8,  TYPE_BYTEA, TYPE_TEXT, TYPE_TEXT,  TYPE_BYTEA, TYPE_TEXT,  TYPE_INT8};
    enum { COLUMNS = sizeof types / sizeof *types };
    _cleanup_(columns_clear) struct columns columns;
    columns_begin(&columns, types, COLUMNS);
    size_t asked = 0;
    for (size_t r = 0; r < count; r++) {
        if (requests[r]->kind != REQUEST_SNAPSHOT)
            continue;
        put_offer(&columns, requests[r]);
        asked++;
    }
    if (asked == 0)
        return 0;
    struct parameter parameters[COLUMNS + 1];
    char quota[32];
    if (columns_end(&columns, asked, parameters, error) < 0)
        return -1;
    snprintf(quota, sizeof quota, "%lld", (long long)batch->store->options.upload_quota);
    parameters[COLUMNS] = PARAMETER_TEXT(quota);
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(batch->store->connection,
                       "select reason, highest, key_id, same_inventory, same_facts, same_times, marks_wanted, old, "
                       "coalesce(answered, 0) "
                       "from evenkeel.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::bigint)",
                       parameters, COLUMNS + 1, true, error);
    if (rows == NULL)
        return -1;
    if ((size_t)PQntuples(rows) != asked)
        return error_set(error, ERROR_DATABASE, "%zu offers were made, %d were judged", asked, PQntuples(rows));
    batch->snapshots = arena_take(batch->arena, asked * sizeof *batch->snapshots);
    if (batch->snapshots == NULL)
        return store_no_memory(error);
    int row = 0;
    for (size_t r = 0; r < count; r++) {
        if (requests[r]->kind != REQUEST_SNAPSHOT)
            continue;
        Evenkeel__RefusalReason reason = (Evenkeel__RefusalReason)database_i32(rows, row, 0);
        if (reason != 0) {
            request_refuse(requests[r], reason, (uint64_t)database_i64(rows, row, 1), refusal_sentence(reason));
        } else {
            struct arrival *snapshot = &batch->snapshots[batch->snapshot_count++];
            *snapshot = (struct arrival){.request = requests[r],
                                         .key_id = database_i32(rows, row, 2),
                                         .same_inventory = database_bool(rows, row, 3),
                                         .same_facts = database_bool(rows, row, 4),
                                         .same_times = database_bool(rows, row, 5),
                                         .marks_wanted = database_bool(rows, row, 6),
                                         .old = database_bool(rows, row, 7),
                                         .answered = database_i64(rows, row, 8),
                                         .marks = given_marks(requests[r]),
                                         .given_bytes = given_bytes(requests[r])};
            snapshot->unchanged =
                snapshot->same_inventory && snapshot->same_facts && snapshot->same_times && !snapshot->marks_wanted;
            if (snapshot->old)
                requests[r]->object_count = 0;
        }
        row++;
    }
    return 0;
}

static int check_in(struct batch *batch, struct error *error)
{
    static const uint32_t types[] = {TYPE_UUID, TYPE_INT8, TYPE_INT4, TYPE_INT4};
    enum { COLUMNS = sizeof types / sizeof *types };
    _cleanup_(columns_clear) struct columns columns;
    columns_begin(&columns, types, COLUMNS);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const Evenkeel__Offer *offer = batch->snapshots[s].request->offer;
        if (!batch->snapshots[s].unchanged)
            continue;
        buffer_field_bytes(&columns.buffers[0], bytes_of_field(offer->host_id));
        buffer_field_i64(&columns.buffers[1], offer->taken_at);
        buffer_field_i32(&columns.buffers[2], (int32_t)offer->schedule);
        buffer_field_i32(&columns.buffers[3], (int32_t)offer->unreadable);
        count++;
    }
    struct parameter parameters[COLUMNS];
    if (count == 0)
        return 0;
    if (columns_end(&columns, count, parameters, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *done = database_query(
        batch->store->connection, "select evenkeel.check_in($1, $2, $3, $4)", parameters, COLUMNS, true, error);
    return done != NULL ? 0 : -1;
}

int store_count_offers(struct batch *batch, struct error *error)
{
    static const uint32_t types[] = {TYPE_INT4, TYPE_UUID,  TYPE_INT8, TYPE_BYTEA, TYPE_BYTEA, TYPE_TEXT,
                                     TYPE_TEXT, TYPE_BYTEA, TYPE_TEXT, TYPE_TEXT,  TYPE_TEXT,  TYPE_INT8};
    enum { COLUMNS = sizeof types / sizeof *types };
    _cleanup_(columns_clear) struct columns columns;
    columns_begin(&columns, types, COLUMNS);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
        const struct request *request = snapshot->request;
        struct buffer *fields = columns.buffers;
        if (snapshot->old)
            continue;
        buffer_field_i32(&fields[0], snapshot->key_id);
        buffer_field_bytes(&fields[1], bytes_of_field(request->offer->host_id));
        /* A copy of the key must not use up numbers before its marks give it away. */
        buffer_field_i64(&fields[2], snapshot->marks_wanted ? 0 : (int64_t)request->offer->sequence);
        buffer_field_bytes(&fields[3], bytes_of(request->offer_digest.bytes, DIGEST_BYTES));
        buffer_field_bytes(&fields[4], bytes_of_field(request->offer->marks));
        put_marks(&fields[5], snapshot->marks);
        put_teller(&fields[5 + MARK_FIELDS], snapshot->marks);
        buffer_field_i64(&fields[7 + MARK_FIELDS], snapshot->given_bytes);
        count++;
    }
    struct parameter parameters[COLUMNS];
    if (count == 0)
        return 0;
    if (columns_end(&columns, count, parameters, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *done = database_query(
        batch->store->connection, "select evenkeel.count_offers($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        parameters, COLUMNS, true, error);
    return done != NULL ? check_in(batch, error) : -1;
}
