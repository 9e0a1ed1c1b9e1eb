/* The snapshots that no aggregator has accepted yet. */

#include "spool.h"

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "proto/bytes.h"
#include "proto/cleanup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define NAME_FORMAT "%020" PRIu64 ".snapshot"
#define NAME_BYTES 40
#define UNFINISHED "unfinished"
#define TEXT_BYTES 2048

struct entry {
    uint64_t number; /* rises, whatever the clock does */
    uint64_t bytes;
};

struct spool {
    char *directory;
    uint64_t limit;
    struct entry *entries; /* oldest first */
    size_t count, room;
    uint64_t bytes;
    FILE *unfinished;
    struct digest newest[3]; /* inventory, facts and times of the newest, where newest_known */
    bool newest_known;
};

static char *path_in(const struct spool *spool, const char *name, struct error *error)
{
    char *path = path_join(spool->directory, name);
    if (path == NULL)
        error_set(error, ERROR_MEMORY, "no memory for a path");
    return path;
}

static char *entry_path(const struct spool *spool, uint64_t number, struct error *error)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, NAME_FORMAT, number);
    return path_in(spool, name, error);
}

/* ---- listing ---- */

static int entries_add(struct spool *spool, struct entry entry, struct error *error)
{
    if (spool->count == spool->room) {
        size_t room = spool->room > 0 ? 2 * spool->room : 16;
        struct entry *entries = realloc(spool->entries, room * sizeof *entries);
        if (entries == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for the spool");
        spool->entries = entries;
        spool->room = room;
    }
    spool->entries[spool->count++] = entry;
    spool->bytes += entry.bytes;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->number, y = ((const struct entry *)b)->number;
    return (x > y) - (x < y);
}

static bool number_of(const char *name, uint64_t *number)
{
    char again[NAME_BYTES];
    if (sscanf(name, "%20" SCNu64, number) != 1)
        return false;
    snprintf(again, sizeof again, NAME_FORMAT, *number);
    return strcmp(name, again) == 0;
}

static int list(struct spool *spool, struct platform_directory *directory, struct error *error)
{
    const char *name;
    enum platform_kind kind;
    int got;
    while ((got = platform_directory_next(directory, &name, &kind, error)) == 1) {
        struct entry entry = {0};
        struct platform_stat stat;
        if (kind != PLATFORM_FILE || !number_of(name, &entry.number))
            continue;
        if (platform_directory_stat(directory, name, &stat, error) < 0)
            return -1;
        entry.bytes = stat.size;
        if (entries_add(spool, entry, error) < 0)
            return -1;
    }
    if (spool->count > 0)
        qsort(spool->entries, spool->count, sizeof *spool->entries, by_number);
    return got;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->unfinished != NULL)
        spool_abandon(spool);
    free(spool->directory);
    free(spool->entries);
    free(spool);
}

size_t spool_count(const struct spool *spool)
{
    return spool->count;
}

uint64_t spool_bytes(const struct spool *spool)
{
    return spool->bytes;
}

/* ---- adding ---- */

int spool_begin(struct spool *spool, FILE **file, struct error *error)
{
    _cleanup_free_ char *path = path_in(spool, UNFINISHED, error);
    *file = NULL;
    if (path == NULL)
        return -1;
    spool_abandon(spool);
    *file = spool->unfinished = platform_stream(path, "w", error);
    return *file != NULL ? 0 : -1;
}

void spool_abandon(struct spool *spool)
{
    _cleanup_free_ char *path = path_in(spool, UNFINISHED, NULL);
    if (spool->unfinished != NULL)
        fclose(spool->unfinished);
    spool->unfinished = NULL;
    if (path != NULL)
        platform_remove(path, NULL);
}

static size_t offer_text(const struct spool_offer *offer, char text[TEXT_BYTES])
{
    char inventory[DIGEST_HEX_SIZE], facts[DIGEST_HEX_SIZE], times[DIGEST_HEX_SIZE], marks[DIGEST_HEX_SIZE];
    digest_hex(&offer->inventory, inventory);
    digest_hex(&offer->facts, facts);
    digest_hex(&offer->times, times);
    digest_hex(&offer->marks, marks);
    int length = snprintf(text, TEXT_BYTES,
                          "evenkeel-collector snapshot 1\nhost %s\ntaken %" PRId64 "\nunreadable %" PRIu32
                          "\nfiles %" PRIu64 "\nchunks %" PRIu64 "\ninventory %s\nfacts %s\ntimes %s\nmarks %s\n",
                          offer->host, offer->taken_at, offer->unreadable, offer->files, offer->chunks, inventory,
                          facts, times, marks);
    struct digest digest = digest_of(bytes_of(text, (size_t)length));
    char sum[DIGEST_HEX_SIZE];
    digest_hex(&digest, sum);
    return (size_t)length + (size_t)sprintf(text + length, "sum %s\n", sum);
}

static int write_offer(FILE *file, const struct spool_offer *offer, uint64_t *length, struct error *error)
{
    static const uint8_t end[4] = {0};
    char text[TEXT_BYTES];
    size_t text_length = offer_text(offer, text);
    uint8_t number[4] = {(uint8_t)text_length, (uint8_t)(text_length >> 8)};
    if (fseeko(file, 0, SEEK_END) != 0 || fwrite(end, 1, sizeof end, file) != sizeof end ||
        fwrite(text, 1, text_length, file) != text_length || fwrite(number, 1, sizeof number, file) != sizeof number)
        return error_set(error, ERROR_IO, "can't write the spool: is its disk full?");
    *length = (uint64_t)ftello(file);
    return platform_stream_keep(file, error);
}

/* The entry at `index` goes. */
static int remove_entry(struct spool *spool, size_t index, struct error *error)
{
    _cleanup_free_ char *path = entry_path(spool, spool->entries[index].number, error);
    struct error problem = {0};
    if (path == NULL)
        return -1;
    if (platform_remove(path, &problem) < 0 && problem.code != ERROR_NOT_FOUND)
        return error_set(error, problem.code, "%s", problem.message);
    spool->bytes -= spool->entries[index].bytes;
    spool->count--;
    memmove(&spool->entries[index], &spool->entries[index + 1], (spool->count - index) * sizeof *spool->entries);
    return 0;
}

static bool is_newest(const struct spool *spool, const struct spool_offer *offer)
{
    return spool->count > 0 && spool->newest_known && digest_equal(&spool->newest[0], &offer->inventory) &&
           digest_equal(&spool->newest[1], &offer->facts) && digest_equal(&spool->newest[2], &offer->times);
}

static void remember_newest(struct spool *spool, const struct spool_offer *offer)
{
    spool->newest[0] = offer->inventory;
    spool->newest[1] = offer->facts;
    spool->newest[2] = offer->times;
    spool->newest_known = true;
}

static int keep(struct spool *spool, const struct spool_offer *offer, struct entry *entry, struct error *error)
{
    _cleanup_free_ char *from = path_in(spool, UNFINISHED, error);
    _cleanup_free_ char *to = from != NULL ? entry_path(spool, entry->number, error) : NULL;
    if (to == NULL || write_offer(spool->unfinished, offer, &entry->bytes, error) < 0)
        return -1;
    int closed = fclose(spool->unfinished);
    spool->unfinished = NULL;
    if (closed != 0)
        return error_set(error, ERROR_IO, "can't write the spool: is its disk full?");
    return platform_rename(from, to, error);
}

int spool_end(struct spool *spool, const struct spool_offer *offer, size_t *merged, struct error *error)
{
    *merged = 0;
    struct entry entry = {.number = spool->count > 0 ? spool->entries[spool->count - 1].number + 1 : 1};
    bool same = is_newest(spool, offer);
    if (keep(spool, offer, &entry, error) < 0 || entries_add(spool, entry, error) < 0) {
        spool_abandon(spool);
        return -1;
    }
    remember_newest(spool, offer);
    /* What can't be removed now is tried again the next time: the newest is safe, which is what was asked. */
    if (same)
        remove_entry(spool, spool->count - 2, NULL);
    while (spool->count > 1 && spool->bytes > spool->limit && remove_entry(spool, 0, NULL) == 0)
        ++*merged;
    return 0;
}

/* ---- reading and opening ---- */

static bool take_digest(const char **text, const char *name, struct digest *digest)
{
    char hex[DIGEST_HEX_SIZE], again[DIGEST_HEX_SIZE];
    size_t length = strlen(name);
    if (strncmp(*text, name, length) != 0 || sscanf(*text + length, "%64[0-9a-f]", hex) != 1 || strlen(hex) != 64)
        return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        digest->bytes[i] = (uint8_t)byte;
    }
    digest_hex(digest, again);
    *text += length + 64 + 1;
    return strcmp(hex, again) == 0;
}

/* The text's own digest covers all of it, so what passes that was written by offer_text(). */
static bool parse_offer(char *text, size_t length, struct spool_offer *offer)
{
    const size_t sum_length = strlen("sum ") + 2 * DIGEST_BYTES + 1;
    struct digest noted;
    if (length <= sum_length)
        return false;
    const char *sum = text + length - sum_length, *digests;
    if (!take_digest(&sum, "sum ", &noted))
        return false;
    struct digest found = digest_of(bytes_of(text, length - sum_length));
    if (!digest_equal(&noted, &found))
        return false;
    *offer = (struct spool_offer){0};
    digests = strstr(text, "\ninventory ");
    if (digests == NULL ||
        sscanf(text,
               "evenkeel-collector snapshot 1\nhost %255[^\n]\ntaken %" SCNd64 "\nunreadable %" SCNu32
               "\nfiles %" SCNu64 "\nchunks %" SCNu64,
               offer->host, &offer->taken_at, &offer->unreadable, &offer->files, &offer->chunks) != 5)
        return false;
    return take_digest(&digests, "\ninventory ", &offer->inventory) &&
           (digests--, take_digest(&digests, "\nfacts ", &offer->facts)) &&
           (digests--, take_digest(&digests, "\ntimes ", &offer->times)) &&
           (digests--, take_digest(&digests, "\nmarks ", &offer->marks));
}

static bool read_offer(FILE *file, struct spool_offer *offer)
{
    uint8_t number[4];
    uint32_t length;
    char text[TEXT_BYTES + 1];
    if (fseeko(file, -(off_t)sizeof number, SEEK_END) != 0 || fread(number, 1, sizeof number, file) != sizeof number)
        return false;
    bytes_u32(bytes_of(number, sizeof number), 0, &length);
    if (length > TEXT_BYTES || fseeko(file, -(off_t)(sizeof number + length), SEEK_END) != 0 ||
        fread(text, 1, length, file) != length)
        return false;
    text[length] = 0;
    return parse_offer(text, length, offer);
}

/* What the newest says of itself; where it is damaged the next state counts as another one. */
static void know_newest(struct spool *spool)
{
    struct spool_offer offer;
    if (spool->count == 0)
        return;
    _cleanup_free_ char *path = entry_path(spool, spool->entries[spool->count - 1].number, NULL);
    _cleanup_fclose_ FILE *file = path != NULL ? platform_stream(path, "r", NULL) : NULL;
    if (file != NULL && read_offer(file, &offer))
        remember_newest(spool, &offer);
}

int spool_open(const char *path, uint64_t limit, struct spool **spool, struct error *error)
{
    struct platform_directory *directory;
    struct spool *made = *spool = calloc(1, sizeof *made);
    if (made == NULL || (made->directory = strdup(path)) == NULL) {
        spool_close(made);
        *spool = NULL;
        return error_set(error, ERROR_MEMORY, "no memory for the spool");
    }
    made->limit = limit;
    int status = platform_make_directory(path, error);
    if (status == 0 && (status = platform_directory_open(path, &directory, error)) == 0) {
        status = list(made, directory, error);
        platform_directory_close(directory);
    }
    if (status < 0) {
        spool_close(made);
        *spool = NULL;
        return -1;
    }
    spool_abandon(made);
    know_newest(made);
    return 0;
}

int spool_oldest(struct spool *spool, FILE **file, struct spool_offer *offer, struct error *error)
{
    *file = NULL;
    if (spool->count == 0)
        return 0;
    _cleanup_free_ char *path = entry_path(spool, spool->entries[0].number, error);
    if (path == NULL || (*file = platform_stream(path, "r", error)) == NULL)
        return -1;
    if (read_offer(*file, offer) && fseeko(*file, 0, SEEK_SET) == 0)
        return 1;
    fclose(*file);
    *file = NULL;
    return error_set(error, ERROR_FORMAT, "the snapshot '%s' that waited to be shipped is damaged", path);
}

int spool_drop(struct spool *spool, struct error *error)
{
    return spool->count > 0 ? remove_entry(spool, 0, error) : 0;
}
