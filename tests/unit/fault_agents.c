/*
 * Agents of many hosts in one process, for tests/integration/faults: each runs the collector's real agent, spool, key
 * and exchange; only the disk that it reads is made up. What a host holds, and what its clock says, stands in a file
 * that the driver changes, so that both outlive a killed agent.
 *
 *   fault_agents WORLD STATE GROUP FIRST COUNT SCHEDULE URL...
 *
 * To stdout go, each by one write(): 'took HOST EPOCH TAKEN INVENTORY FACTS TIMES' for a snapshot, 'accepted HOST TAKEN
 * INVENTORY FACTS TIMES' as the agent learns that it is, 'said HOST SENTENCE' for what the agent warns of.
 *
 * The link replaces, by --wrap, what the collector would do in earnest: push_take() walks the made-up disk, push_give()
 * notes its answer, platform_now() reads the made-up clock, and a busy aggregator is asked again sooner.
 */

#include "collector/agent/key.h"
#include "collector/agent/push.h"
#include "collector/agent/run.h"
#include "collector/agent/transport.h"
#include "collector/commands/options.h"
#include "collector/platform/platform.h"
#include "collector/platform/stop.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/object.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define GROUPS 16
#define FILES 96
#define HASTE 5u /* a busy aggregator is asked again so many times sooner */

/* The file WORLD, in the machine's own byte order; faults.py writes it. */
struct world {
    int64_t clock[GROUPS]; /* microseconds to add to the clock of a group of agents */
    uint64_t epoch;
    struct world_host {
        uint32_t revisions[FILES]; /* of each file; 0: it is not there */
        uint32_t facts, times;
    } hosts[];
};

struct agent {
    unsigned number;
    char name[32];
    struct options options;
    struct digest location;
    pthread_t thread;
};

static const volatile struct world *world;
static unsigned group;
static _Thread_local struct agent *self;

/* What stands in for the functions that the link replaces, and what these were. */
int push_take_made_up(struct push *push, FILE *file, struct spool_offer *offer, struct walk_counts *walk,
                      struct error *error) __asm__("__wrap_push_take");
int push_give_noted(struct push *push, FILE *file, const struct spool_offer *offer, struct push_result *result,
                    struct error *error) __asm__("__wrap_push_give");
int push_give_itself(struct push *push, FILE *file, const struct spool_offer *offer, struct push_result *result,
                     struct error *error) __asm__("__real_push_give");
int64_t platform_now_made_up(void) __asm__("__wrap_platform_now");
int64_t platform_now_itself(void) __asm__("__real_platform_now");
void transport_sleep_shorter(uint32_t milliseconds) __asm__("__wrap_transport_sleep");
void transport_sleep_itself(uint32_t milliseconds) __asm__("__real_transport_sleep");

static void fatal(const char *what)
{
    perror(what);
    exit(3);
}

/* One line, whole even where the process is killed: less than PIPE_BUF, in one write. */
static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    length = length < (int)sizeof line - 1 ? length : (int)sizeof line - 2;
    line[length] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length + 1) != length + 1)
        fatal("ledger");
}

static void note_snapshot(const char *what, const struct spool_offer *offer)
{
    char inventory[DIGEST_HEX_SIZE], facts[DIGEST_HEX_SIZE], times[DIGEST_HEX_SIZE];
    digest_hex(&offer->inventory, inventory);
    digest_hex(&offer->facts, facts);
    digest_hex(&offer->times, times);
    note("%s %" PRId64 " %s %s %s", what, offer->taken_at, inventory, facts, times);
}

int64_t platform_now_made_up(void)
{
    return platform_now_itself() + world->clock[group];
}

void transport_sleep_shorter(uint32_t milliseconds)
{
    transport_sleep_itself(milliseconds / HASTE);
}

int push_give_noted(struct push *push, FILE *file, const struct spool_offer *offer, struct push_result *result,
                    struct error *error)
{
    char what[64];
    int status = push_give_itself(push, file, offer, result, error);
    snprintf(what, sizeof what, "accepted %s", self->name);
    if (status == 0)
        note_snapshot(what, offer);
    return status;
}

/* ---- the made-up disk ---- */

static ProtobufCBinaryData text(const char *value)
{
    return (ProtobufCBinaryData){.len = strlen(value), .data = (uint8_t *)value};
}

/* In the order of their bytes. The last one is of a known product, and its revision 1 is RTM's, 2 SP2's. */
static const char *path_of(unsigned file, char path[64])
{
    if (file == FILES - 1)
        strcpy(path, "c:/windows/system32/inetsrv/iisutil.dll");
    else
        snprintf(path, 64, "c:/windows/system32/harness%03u.dll", file);
    return path;
}

static int put(struct snapshot *snapshot, Evenkeel__ObjectKind kind, const ProtobufCMessage *message,
               struct digest *digest, struct error *error)
{
    struct bytes packed;
    if (!object_pack(message, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for an object");
    int status = snapshot_put(snapshot, kind, packed, digest, error);
    free((void *)packed.data);
    return status;
}

static int put_image(struct snapshot *snapshot, unsigned file, uint32_t revision, struct digest *digest,
                     struct error *error)
{
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    char path[64];
    bool known = file == FILES - 1;
    uint64_t release = known ? UINT64_C(6) << 48 : UINT64_C(5) << 48 | UINT64_C(2) << 32;
    uint64_t build = known ? (revision == 1 ? 0 : 3959) : revision & 0xffff;
    image.size = 40960 + file;
    image.machine = 0x14c;
    image.time_date_stamp = 0x40000000 + revision;
    image.size_of_image = 45056;
    image.characteristics = 0x2102;
    image.has_version = true;
    image.file_version = image.product_version = release | UINT64_C(3790) << 16 | build;
    image.original_filename = text(strrchr(path_of(file, path), '/') + 1);
    image.file_description = text("A file that no disk holds");
    return put(snapshot, EVENKEEL__OBJECT_KIND__IMAGE, &image.base, digest, error);
}

static int put_chunk(struct snapshot *snapshot, struct chunk_builder *builder, struct digest *chunks, size_t *count,
                     struct error *error)
{
    struct bytes packed;
    if (chunk_builder_take(builder, &packed, error) < 0)
        return -1;
    int status = 0;
    if (packed.length > 0)
        status = snapshot_put(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, packed, &chunks[(*count)++], error);
    free((void *)packed.data);
    return status;
}

static void free_builder(struct chunk_builder **builder)
{
    chunk_builder_free(*builder);
}

static int put_files(struct snapshot *snapshot, const struct world_host *host, struct spool_offer *offer,
                     struct error *error)
{
    struct digest chunks[FILES + 1];
    size_t count = 0;
    _cleanup_(free_builder) struct chunk_builder *builder = chunk_builder_new();
    if (builder == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a chunk");
    for (unsigned file = 0; file < FILES; file++) {
        char path[64];
        struct digest image;
        bool complete;
        if (host->revisions[file] == 0)
            continue;
        path_of(file, path);
        if (put_image(snapshot, file, host->revisions[file], &image, error) < 0 ||
            chunk_builder_add(builder, bytes_of(path, strlen(path)), &image, &complete, error) < 0 ||
            (complete && put_chunk(snapshot, builder, chunks, &count, error) < 0))
            return -1;
        offer->files++;
    }
    if (put_chunk(snapshot, builder, chunks, &count, error) < 0)
        return -1;
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.data = chunks[0].bytes, .len = count * DIGEST_BYTES};
    offer->chunks = count;
    return put(snapshot, EVENKEEL__OBJECT_KIND__INVENTORY, &inventory.base, &offer->inventory, error);
}

static int put_facts(struct snapshot *snapshot, const struct world_host *host, struct spool_offer *offer,
                     struct error *error)
{
    char guid[64], sid[64], edition[64];
    snprintf(guid, sizeof guid, "%08x-0000-4000-8000-%012x", self->number, self->number * 7919 + 1);
    snprintf(sid, sizeof sid, "S-1-5-21-%u-%u-%u", self->number + 1000, self->number + 2000, self->number + 3000);
    snprintf(edition, sizeof edition, "revision %u", host->facts);
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.has_registry = true;
    facts.product_name = text("Microsoft Windows Server 2003");
    facts.current_version = text("5.2");
    facts.current_build = 3790;
    facts.edition = text(edition);
    facts.product_type = EVENKEEL__PRODUCT_TYPE__SERVER;
    facts.service_pack = text("Service Pack 2");
    facts.architecture = text("x86");
    facts.computer_name = text(self->name);
    facts.machine_guid = text(guid);
    facts.machine_sid = text(sid);
    facts.windows_directory = text("c:/windows");
    Evenkeel__Times times = EVENKEEL__TIMES__INIT;
    times.machine_guid = (int64_t)host->times * 1000000;
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    marks.machine_sid = text(sid);
    marks.machine_guid = text(guid);
    marks.key_location = (ProtobufCBinaryData){.data = self->location.bytes, .len = DIGEST_BYTES};
    if (put(snapshot, EVENKEEL__OBJECT_KIND__FACTS, &facts.base, &offer->facts, error) < 0 ||
        put(snapshot, EVENKEEL__OBJECT_KIND__TIMES, &times.base, &offer->times, error) < 0 ||
        put(snapshot, EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &marks.base, &offer->marks, error) < 0)
        return -1;
    return 0;
}

int push_take_made_up(struct push *push, FILE *file, struct spool_offer *offer, struct walk_counts *walk,
                      struct error *error)
{
    static const struct pe_options options;
    struct snapshot *snapshot;
    uint64_t epoch = world->epoch;
    struct world_host host;
    char what[64];
    (void)walk;
    memcpy(&host, (const struct world_host *)&world->hosts[self->number], sizeof host);
    *offer = (struct spool_offer){.taken_at = platform_now()};
    strcpy(offer->host, self->name);
    if (key_location(push_state(push), &self->location, error) < 0 ||
        snapshot_new(file, &options, &snapshot, error) < 0)
        return -1;
    int status = put_files(snapshot, &host, offer, error) < 0 ? -1 : put_facts(snapshot, &host, offer, error);
    snapshot_free(snapshot);
    if (status == 0 && fflush(file) != 0)
        status = error_set(error, ERROR_IO, "can't write the snapshot: is the state's disk full?");
    snprintf(what, sizeof what, "took %s %" PRIu64, self->name, epoch);
    if (status == 0)
        note_snapshot(what, offer);
    return status;
}

/* ---- running ---- */

static void tell(enum run_weight weight, const char *sentence)
{
    if (weight != RUN_NEWS)
        note("said %s %s", self->name, sentence);
}

/* A service manager would start it again, too. */
static void *run(void *context)
{
    struct error error;
    self = context;
    while (!stop_asked()) {
        error = (struct error){0};
        if (run_agent(&self->options, tell, &error) == 0)
            break;
        note("said %s %s", self->name, error.message);
        stop_wait(500);
    }
    return NULL;
}

static void set(struct agent *agent, const char *key, const char *value)
{
    struct error error = {0};
    if (config_set(&agent->options.config, key, value, &error) < 0) {
        fprintf(stderr, "fault_agents: %s\n", error.message);
        exit(3);
    }
}

static void prepare(struct agent *agent, const char *state, const char *schedule, char **urls, unsigned url_count)
{
    char path[512];
    snprintf(agent->name, sizeof agent->name, "host-%03u", agent->number);
    snprintf(path, sizeof path, "%s/%s", state, agent->name);
    config_init(&agent->options.config);
    agent->options.root = "/";
    set(agent, "host", agent->name);
    set(agent, "state", path);
    set(agent, "schedule", schedule);
    for (unsigned i = 0; i < url_count; i++)
        set(agent, "aggregator", urls[(agent->number + i) % url_count]);
}

static void open_world(const char *path, unsigned hosts)
{
    size_t length = sizeof *world + hosts * sizeof world->hosts[0];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *memory = fd >= 0 ? mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (memory == MAP_FAILED)
        fatal(path);
    close(fd);
    world = memory;
}

int main(int argc, char **argv)
{
    if (argc < 8) {
        fputs("usage: fault_agents WORLD STATE GROUP FIRST COUNT SCHEDULE URL...\n", stderr);
        return 3;
    }
    group = (unsigned)atoi(argv[3]) % GROUPS;
    unsigned first = (unsigned)atoi(argv[4]), count = (unsigned)atoi(argv[5]);
    open_world(argv[1], first + count);
    struct agent *agents = calloc(count, sizeof *agents);
    if (agents == NULL || sodium_init() < 0)
        fatal("agents");
    signal(SIGXFSZ, SIG_IGN); /* a full disk is an error of write() */
    signal(SIGPIPE, SIG_IGN);
    stop_arm();
    for (unsigned i = 0; i < count; i++) {
        agents[i].number = first + i;
        prepare(&agents[i], argv[2], argv[6], argv + 7, (unsigned)argc - 7);
        if (pthread_create(&agents[i].thread, NULL, run, &agents[i]) != 0)
            fatal("thread");
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(agents[i].thread, NULL);
    for (unsigned i = 0; i < count; i++)
        config_clear(&agents[i].options.config);
    free(agents);
    return 0;
}
