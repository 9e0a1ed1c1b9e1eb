/*
 * libFuzzer target: a vendor's package. Whatever it holds, unpacking it ends, keeps to its budget and stays within the
 * folder that it was told.
 */

#include "aggregator/payload/payload_unpack.h"
#include "tests/fuzz/fuzz.h"

#include <fts.h>
#include <sys/stat.h>

#define BUDGET_BYTES (1u << 20)
#define BUDGET_FILES 100u

/* Counts what lies below `folder` and removes it. */
static unsigned take_away(const char *folder, uint64_t *bytes)
{
    char *const roots[] = {(char *)folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    unsigned files = 0;
    require(tree != NULL);
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        require(entry->fts_info != FTS_SL && entry->fts_info != FTS_SLNONE && entry->fts_info != FTS_DEFAULT);
        if (entry->fts_info == FTS_F) {
            files++;
            *bytes += (uint64_t)entry->fts_statp->st_size;
        }
        if (entry->fts_info != FTS_D)
            remove(entry->fts_accpath);
    }
    fts_close(tree);
    return files;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct payload_budget budget = {.bytes = BUDGET_BYTES, .files = BUDGET_FILES};
    struct error error = {0};
    bool found = false;
    uint64_t bytes = 0;
    mkdir("place", 0700);
    mkdir("place/folder", 0700);
    put_file("place/package.dl_", bytes_of(data, size));
    enum payload_kind kind = payload_kind_of("place/package.dl_");
    if (kind == PAYLOAD_MSI || kind == PAYLOAD_WIM)
        kind = PAYLOAD_OTHER; /* tools of the system read these, in processes of their own */
    int status = payload_unpack("place/package.dl_", kind, "place/folder", &budget, &found, &error);
    require(status == 0 || error.code != ERROR_NONE);
    require(found || take_away("place/folder", &bytes) == 0 || status < 0);
    take_away("place/folder", &bytes);
    require(bytes <= BUDGET_BYTES);
    bytes = 0;
    require(take_away("place", &bytes) == 1 && bytes == size); /* nothing but the package lies outside of the folder */
    return 0;
}
