/*
 * Pushes whole reports that a test wants, as an honest collector would:
 *
 *   report_client URL edges                       every field of every message at its edge, a host each, and beyond it
 *   report_client URL random SECONDS SEED HOSTS   hosts whose reports are put together at random
 *   report_client URL kind NAME COUNT HOST        one host with much of something: files, services, forwarders, ...
 *   report_client URL hostile SEED HOST-ID NAME   a key that reports as much and as oddly as it may, without end, wants
 * to be called NAME, and speaks for the host of that id; both are another's
 *
 * A line per answer: what it was, and the answer.
 */

#include "report_words.h"

/* ---- edges ---- */

static const char *const folder_fields[] = {
    "search_path", "windows_directory", "program_files", "program_files_x86", "other_windows",
    "common_data", "profiles",          "covered",       "common_files",      "from",
    "to"};

static const char *start_of(const char *field)
{
    for (size_t i = 0; i < sizeof folder_fields / sizeof *folder_fields; i++)
        if (strcmp(folder_fields[i], field) == 0)
            return "c:/";
    return strcmp(field, "image_path") == 0 ? "c:\\windows\\system32\\" : "";
}

enum edge { EDGE_MOST, EDGE_LEAST, EDGE_BEYOND, EDGE_BELOW, EDGES };

static const char *const edge_names[] = {"most", "least", "beyond", "below"};

/* Whether the field has such an edge. */
static bool has_edge(const struct field_limit *limit, const ProtobufCFieldDescriptor *field, enum edge edge)
{
    bool wide = field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64;
    if (limit->kind == FIELD_TIME)
        return true;
    if (edge == EDGE_LEAST || edge == EDGE_BELOW)
        return false;
    if (edge == EDGE_BEYOND && limit->kind == FIELD_NUMBER)
        return limit->most < (wide ? UINT64_MAX : UINT32_MAX);
    return edge == EDGE_MOST || (limit->kind != FIELD_FLAG && limit->kind != FIELD_MESSAGE);
}

static void put_edge(struct report *report, const struct field_limit *limit, const ProtobufCFieldDescriptor *field,
                     void *place, enum edge edge)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)place = words_noise(report, start_of(field->name), limit->most + (edge == EDGE_BEYOND));
        return;
    }
    uint64_t number = limit->kind == FIELD_FLAG ? 1 : limit->most + (edge == EDGE_BEYOND);
    if (edge == EDGE_LEAST || edge == EDGE_BELOW)
        number = (uint64_t)(FIELD_TIME_LEAST - (edge == EDGE_BELOW));
    words_put_number(field, place, number);
}

/* A list of so many small entries, each of its own. */
static void put_many(struct report *report, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                     size_t count)
{
    uint8_t *list = words_list(report, message, field, count);
    for (size_t i = 0; i < count; i++) {
        char text[48];
        snprintf(text, sizeof text, "%s%05zu", start_of(field->name), i);
        void *place = list + i * words_size(field);
        if (field->type == PROTOBUF_C_TYPE_BYTES) {
            *(ProtobufCBinaryData *)place = report_text(report, text);
        } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            const ProtobufCMessageDescriptor *inner = field->descriptor;
            ProtobufCMessage *child = words_message(report, inner);
            *(ProtobufCMessage **)place = child;
            for (unsigned k = 0; k < inner->n_fields; k++)
                if (inner->fields[k].type == PROTOBUF_C_TYPE_BYTES &&
                    inner->fields[k].label != PROTOBUF_C_LABEL_REPEATED) {
                    *(ProtobufCBinaryData *)((uint8_t *)child + inner->fields[k].offset) = report_text(report, text);
                    break;
                }
        } else {
            words_put_number(field, place, i % 65536);
        }
    }
}

/* Where a message is in a report: the message itself, or an entry of a list in it. */
typedef ProtobufCMessage *(*place_of)(struct report *report);

static ProtobufCMessage *in_facts(struct report *report)
{
    return &report->facts->base;
}

static ProtobufCMessage *in_times(struct report *report)
{
    return &report->times->base;
}

static ProtobufCMessage *in_image(struct report *report)
{
    return &report->images[2]->base;
}

static ProtobufCMessage *in_marks(struct report *report)
{
    if (report->marks == NULL)
        report->marks = words_message(report, &evenkeel__machine_marks__descriptor);
    return &report->marks->base;
}

static ProtobufCMessage *in_offer(struct report *report)
{
    return &report->offer.base;
}

static void push_edge(const char *name, place_of find, const ProtobufCFieldDescriptor *outer, unsigned at,
                      enum edge edge, size_t count)
{
    struct report report;
    char host[128];
    snprintf(host, sizeof host, "%s-%s", name, edge_names[edge]);
    report_begin(&report, host);
    words_base(&report);
    ProtobufCMessage *message = find(&report);
    if (outer != NULL) {
        ProtobufCMessage *child = words_message(&report, outer->descriptor);
        *(ProtobufCMessage **)words_list(&report, message, outer, 1) = child;
        message = child;
        if (outer->descriptor == &evenkeel__service__descriptor)
            ((Evenkeel__Service *)child)->start = 2;
    }
    unsigned rows;
    const struct field_limit *limit = &field_limits_of(message->descriptor, &rows)[at];
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[at];
    if (count > 0)
        put_many(&report, message, field, count);
    else if (field->label == PROTOBUF_C_LABEL_REPEATED)
        put_edge(&report, limit, field, words_list(&report, message, field, 1), edge);
    else
        put_edge(&report, limit, field, (uint8_t *)message + field->offset, edge);
    if (message == &report.offer.base && strcmp(field->name, "sequence") == 0)
        report.sequence = report.offer.sequence;
    printf("%s %s %s\n", host, count > 0 ? "entries" : "value", report_answer(report_push(&report)));
    report_end(&report);
}

/* Fields that are not a value to choose: digests of what is sent, who sends it, and what has rows of its own. */
static bool is_given(const ProtobufCMessageDescriptor *descriptor, const char *field)
{
    if (strcmp(field, "component_store") == 0)
        return true;
    return descriptor == &evenkeel__offer__descriptor && strcmp(field, "taken_at") != 0 &&
           strcmp(field, "unreadable") != 0 && strcmp(field, "schedule") != 0 && strcmp(field, "sequence") != 0;
}

static void push_edges(place_of find, const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *outer)
{
    const ProtobufCMessageDescriptor *inner = outer != NULL ? outer->descriptor : descriptor;
    unsigned rows;
    const struct field_limit *limits = field_limits_of(inner, &rows);
    for (unsigned i = 0; i < rows; i++) {
        char name[96];
        const ProtobufCFieldDescriptor *field = &inner->fields[i];
        snprintf(name, sizeof name, "%s.%s", inner->short_name, field->name);
        if (is_given(inner, field->name))
            continue;
        for (enum edge edge = EDGE_MOST; edge < EDGES; edge++)
            if (limits[i].kind != FIELD_MESSAGE && has_edge(&limits[i], field, edge))
                push_edge(name, find, outer, i, edge, 0);
        if (limits[i].entries > 1) {
            char list[112];
            snprintf(list, sizeof list, "%s-list", name);
            push_edge(list, find, outer, i, EDGE_MOST, limits[i].entries);
            push_edge(list, find, outer, i, EDGE_BEYOND, limits[i].entries + 1);
        }
        if (limits[i].kind == FIELD_MESSAGE && outer == NULL)
            push_edges(find, descriptor, field);
    }
}

/* A path as long as one may be, in a component's folder, and a chunk as full as one may be. */
static void push_content_edges(void)
{
    struct report report;
    report_begin(&report, "Chunk.suffixes-most");
    words_base(&report);
    ProtobufCBinaryData path = words_noise(&report, "c:/windows/system32/inetsrv/", LIMIT_PATH_BYTES);
    memcpy(path.data + LIMIT_PATH_BYTES - 11, "/w3core.dll", 11);
    report.files[report.file_count++] = (struct report_file){.path = (char *)path.data, .image = 2};
    printf("Chunk.suffixes-most value %s\n", report_answer(report_push(&report)));
    report_end(&report);

    report_begin(&report, "Inventory.chunks-many");
    words_base(&report);
    struct report_file *files = report_take(&report, 3000 * sizeof *files);
    memcpy(files, report.files, report.file_count * sizeof *files);
    report.files = files;
    while (report.file_count < 3000) {
        char name[64];
        snprintf(name, sizeof name, "c:/windows/system32/inetsrv/%06zu.dll", report.file_count);
        report.files[report.file_count++] =
            (struct report_file){.path = (char *)report_text(&report, name).data, .image = words_random(6)};
    }
    printf("Inventory.chunks-many value %s\n", report_answer(report_push(&report)));
    report_end(&report);

    report_begin(&report, "ComponentStore.suffixes-many");
    words_base(&report);
    report.store_count = 3000;
    report.store = report_take(&report, report.store_count * sizeof *report.store);
    for (size_t i = 0; i < report.store_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "c:/windows/system32/%06zu.dll", i);
        ProtobufCBinaryData text = report_text(&report, name);
        report.store[i] = bytes_of(text.data, text.len);
    }
    printf("ComponentStore.suffixes-many value %s\n", report_answer(report_push(&report)));
    report_end(&report);

    report_begin(&report, (char *)"x");
    report.host_name = (char *)words_noise(&report, "", LIMIT_HOST_NAME_BYTES).data;
    words_base(&report);
    printf("Enroll.host_name-most value %s\n", report_answer(report_push(&report)));
    report.host_name = (char *)words_noise(&report, "", LIMIT_HOST_NAME_BYTES + 1).data;
    printf("Enroll.host_name-beyond value %s\n", report_answer(report_push(&report)));
    report_end(&report);
}

/* ---- at random ---- */

static void push_random(unsigned number)
{
    struct report report;
    char host[32];
    snprintf(host, sizeof host, "random-%u", number);
    report_begin(&report, host);
    words_base(&report);
    words_fill(&report, &report.facts->base);
    words_fill(&report, &report.times->base);
    if (words_random(4) > 0) { /* mostly a Windows that the catalogue knows */
        report.facts->has_registry = true;
        report.facts->current_version = report_text(&report, "5.2");
        report.facts->current_build = 3790;
    }
    for (size_t i = 0; i < report.image_count; i++)
        if (words_random(2) == 0)
            words_fill(&report, &report.images[i]->base);
    for (uint32_t more = words_random(8); more > 0; more--) {
        static const char *const folders[] = {
            "c:/windows/system32/inetsrv", "c:/windows/system32",           "c:/x(",
            "d:/winnt/system32",           "c:/program files/common files", "c:/windows/winsxs/x86_[a"};
        static const char *const names[] = {"w3core.dll", "iisutil.dll",         "asp.dll", "a.exe", "%s.dll",
                                            "x'.dll",     "\xf0\x9f\x92\xa9.dll"};
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folders[words_random(6)], names[words_random(7)]);
        report.files[report.file_count++] = (struct report_file){.path = (char *)report_text(&report, path).data,
                                                                 .image = words_random((uint32_t)report.image_count)};
    }
    report.offer.unreadable = words_random(3) == 0 ? words_random(100) : 0;
    const char *answer = report_answer(report_push(&report));
    if (strcmp(answer, "accepted") != 0)
        printf("%s value %s\n", host, answer);
    report_end(&report);
}

static void push_for(unsigned seconds, unsigned seed, unsigned hosts)
{
    time_t end = time(NULL) + seconds;
    unsigned reports = 0;
    words_state = seed * UINT64_C(2654435761) + 1;
    for (; time(NULL) < end; reports++)
        push_random(words_random(hosts));
    printf("%u reports of %u hosts, seed %u\n", reports, hosts, seed);
}

/* ---- much of something ---- */

/* Forwarders in one image: each leads to the next, the last to the first. */
static void add_forwarders(struct report *report, size_t count)
{
    Evenkeel__Image *image = report->images[3]; /* iisutil.dll */
    image->n_exports = count;
    image->exports = report_take(report, count * sizeof *image->exports);
    for (size_t i = 0; i < count; i++) {
        char name[32], next[48];
        Evenkeel__Export *export = image->exports[i] = words_message(report, &evenkeel__export__descriptor);
        snprintf(name, sizeof name, "f%05zu", i);
        snprintf(next, sizeof next, "iisutil.f%05zu", (i + 1) % count);
        export->ordinal = (uint32_t)i + 1;
        export->name = report_text(report, name);
        export->forwarder = report_text(report, next);
    }
    /* w3core.dll imports the first, inetinfo.exe all of them. */
    report->images[2]->imports[0]->names[0] = image->exports[0]->name;
    Evenkeel__Import *all = report->images[4]->imports[0];
    all->dll = report_text(report, "iisutil.dll");
    all->n_names = count;
    all->names = report_take(report, count * sizeof *all->names);
    for (size_t i = 0; i < count; i++)
        all->names[i] = image->exports[i]->name;
}

static void add_services(struct report *report, size_t count)
{
    report->facts->n_services = count;
    report->facts->services = report_take(report, count * sizeof *report->facts->services);
    for (size_t i = 0; i < count; i++) {
        char name[32], path[64];
        Evenkeel__Service *service = report->facts->services[i] = words_message(report, &evenkeel__service__descriptor);
        snprintf(name, sizeof name, "s%05zu", i);
        snprintf(path, sizeof path, "c:\\windows\\system32\\%05zu.exe", i);
        service->name = report_text(report, name);
        service->start = 2;
        service->type = 16;
        service->image_path = report_text(report, path);
    }
}

static void add_renames(struct report *report, size_t count)
{
    report->facts->n_pending_renames = count;
    report->facts->pending_renames = report_take(report, count * sizeof *report->facts->pending_renames);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        report->facts->pending_renames[i] = words_message(report, &evenkeel__pending_rename__descriptor);
        snprintf(path, sizeof path, "c:/windows/system32/inetsrv/%05zu.dll", i);
        report->facts->pending_renames[i]->from = report_text(report, path);
    }
}

static void add_files(struct report *report, size_t count)
{
    struct report_file *files = report_take(report, (report->file_count + count) * sizeof *files);
    memcpy(files, report->files, report->file_count * sizeof *files);
    report->files = files;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "c:/program files/app/%03zu/%07zu.dll", i / 1000, i);
        report->files[report->file_count++] =
            (struct report_file){.path = (char *)report_text(report, path).data, .image = i % 6};
    }
}

/* Imports of DLLs that are nowhere, from files of a component. */
static void add_unresolved(struct report *report, size_t count)
{
    struct report_file *files = report_take(report, (report->file_count + count) * sizeof *files);
    memcpy(files, report->files, report->file_count * sizeof *files);
    report->files = files;
    report->images[2]->imports[0]->dll = report_text(report, "nowhere.dll");
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "c:/windows/system32/inetsrv/%05zu.dll", i);
        report->files[report->file_count++] =
            (struct report_file){.path = (char *)report_text(report, path).data, .image = 2};
    }
}

/* Instances of SQL Server, called by the host. */
static void add_instances(struct report *report, size_t count)
{
    struct report_file *files = report_take(report, (report->file_count + count) * sizeof *files);
    memcpy(files, report->files, report->file_count * sizeof *files);
    report->files = files;
    for (size_t i = 0; i < count; i++) {
        char path[128];
        snprintf(path, sizeof path, "c:/program files/microsoft sql server/mssql15.%.20s%04zu/mssql/binn/sqlmin.dll",
                 report->host_name, i);
        report->files[report->file_count++] =
            (struct report_file){.path = (char *)report_text(report, path).data, .image = i % 6};
    }
}

static const struct {
    const char *name;
    void (*add)(struct report *report, size_t count);
} kinds[] = {{"forwarders", add_forwarders}, {"services", add_services},     {"renames", add_renames},
             {"files", add_files},           {"unresolved", add_unresolved}, {"instances", add_instances}};

static void push_kind(const char *name, size_t count, const char *host)
{
    struct report report;
    report_begin(&report, host);
    words_base(&report);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            kinds[i].add(&report, count);
    printf("%s %s %s\n", host, name, report_answer(report_push(&report)));
    report_end(&report);
}

/* ---- as one that means harm ---- */

struct victim {
    uint8_t id[16];
    const char *name;
};

static void tell(struct report *report, const char *what, const Evenkeel__Reply *reply)
{
    printf("%s %s\n", what, report_answer(reply));
    report_end(report);
}

static void harm_by_much(struct report *report)
{
    static const size_t counts[] = {20000, 30000, 20000, 60000, 3000, 600};
    size_t kind = words_random(sizeof kinds / sizeof *kinds);
    words_base(report);
    kinds[kind].add(report, counts[kind]);
    tell(report, kinds[kind].name, report_push(report));
}

static void harm_by_length(struct report *report)
{
    words_base(report);
    report->facts->machine_guid = words_noise(report, "", 6000);
    tell(report, "too-long", report_push(report));
}

static void harm_at_random(struct report *report)
{
    words_base(report);
    words_fill(report, &report->facts->base);
    words_fill(report, &report->times->base);
    tell(report, "odd", report_push(report));
}

/* With the key of a host that is let in. */
static void harm_by_name(struct report *report, const struct victim *victim)
{
    report->key_name = report->host_name;
    report->host_name = victim->name;
    words_base(report);
    tell(report, "other-name", report_push(report));
}

static void harm_by_id(struct report *report, const struct victim *victim)
{
    words_base(report);
    const Evenkeel__Reply *reply = report_enroll(report);
    if (reply == NULL) {
        memcpy(report->host, victim->id, sizeof report->host);
        report->offer.sequence += 1000000;
        reply = report_exchange(report);
    }
    tell(report, "other-host", reply);
}

static void do_harm(unsigned seed, const struct victim *victim)
{
    static const char *const names[] = {"hostile-0", "hostile-1"};
    struct report report;
    words_state = seed * UINT64_C(2654435761) + 1;
    nng_socket_set_ms(report_socket, NNG_OPT_RECVTIMEO, 10000);
    report_patience = 2;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        report_begin(&report, names[i]);
        harm_at_random(&report);
    }
    for (;; nng_msleep(100)) {
        report_begin(&report, names[words_random(2)]);
        switch (words_random(8)) {
        case 0:
        case 1:
            harm_by_much(&report);
            break;
        case 2:
            harm_by_length(&report);
            break;
        case 3:
            harm_by_name(&report, victim);
            break;
        case 4:
            harm_by_id(&report, victim);
            break;
        default:
            harm_at_random(&report);
        }
    }
}

/* 36 characters with hyphens, as the database writes it. */
static struct victim victim_of(const char *id, const char *name)
{
    struct victim victim = {.name = name};
    size_t length;
    if (sodium_hex2bin(victim.id, sizeof victim.id, id, strlen(id), "-", &length, NULL) != 0 ||
        length != sizeof victim.id)
        report_fatal("no such host_id");
    return victim;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0 || argc < 3)
        report_fatal("usage: report_client URL edges | random SECONDS SEED HOSTS | kind NAME COUNT HOST | "
                     "hostile SEED HOST-ID NAME");
    setvbuf(stdout, NULL, _IOLBF, 0);
    report_connect(argv[1]);
    if (strcmp(argv[2], "edges") == 0) {
        push_content_edges();
        push_edges(in_facts, &evenkeel__facts__descriptor, NULL);
        push_edges(in_times, &evenkeel__times__descriptor, NULL);
        push_edges(in_image, &evenkeel__image__descriptor, NULL);
        push_edges(in_marks, &evenkeel__machine_marks__descriptor, NULL);
        push_edges(in_offer, &evenkeel__offer__descriptor, NULL);
    } else if (strcmp(argv[2], "random") == 0 && argc == 6) {
        push_for((unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
    } else if (strcmp(argv[2], "kind") == 0 && argc == 6) {
        push_kind(argv[3], strtoul(argv[4], NULL, 10), argv[5]);
    } else if (strcmp(argv[2], "hostile") == 0 && argc == 6) {
        struct victim victim = victim_of(argv[4], argv[5]);
        do_harm((unsigned)atoi(argv[3]), &victim);
    } else {
        report_fatal("no such call");
    }
    nng_close(report_socket);
    return 0;
}
