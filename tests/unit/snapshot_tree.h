/* A folder of small PE files, each another build, and a snapshot of it. */

#ifndef EVENKEEL_TESTS_SNAPSHOT_TREE_H
#define EVENKEEL_TESTS_SNAPSHOT_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "collector/disk/snapshot.h"

#include <stdlib.h>
#include <string.h>

#define FILES 1000
#define PE_OFFSET 0x40u

/* A COFF header without sections: the least that is a PE. */
static inline void write_image(const char *path, uint32_t time_date_stamp)
{
    uint8_t bytes[PE_OFFSET + 24] = {'M', 'Z', [0x3c] = PE_OFFSET, [PE_OFFSET] = 'P', [PE_OFFSET + 1] = 'E'};
    bytes[PE_OFFSET + 4] = 0x64; /* IMAGE_FILE_MACHINE_AMD64 */
    bytes[PE_OFFSET + 5] = 0x86;
    for (unsigned i = 0; i < 4; i++)
        bytes[PE_OFFSET + 8 + i] = (uint8_t)(time_date_stamp >> (8 * i));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
}

struct tree {
    char name[32];
};

static inline void tree_start(struct tree *tree)
{
    strcpy(tree->name, "tree.XXXXXX");
    assert_non_null(mkdtemp(tree->name));
}

static inline const char *tree_path(struct tree *tree, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", tree->name, name);
    return path;
}

/* FILES images, each another build. */
static inline void tree_fill(struct tree *tree)
{
    char name[32];
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%04u.dll", i);
        write_image(tree_path(tree, name), i + 1);
    }
}

static inline void tree_stop(struct tree *tree)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %.31s", tree->name);
    assert_int_equal(system(command), 0);
}

struct taken {
    FILE *file;
    struct snapshot *snapshot;
    struct digest inventory;
    struct walk_counts walk;
};

static inline int visit(void *context, const struct walk_file *file, struct error *error)
{
    return snapshot_visit(context, file, error);
}

static inline void take_cached(struct tree *tree, struct taken *taken, struct cache *cache)
{
    struct error error = {0};
    struct pe_options read = {.symbols = true};
    struct platform_directory *directory;
    *taken = (struct taken){.file = tmpfile()};
    assert_int_equal(snapshot_new(taken->file, &read, &taken->snapshot, &error), 0);
    snapshot_use_cache(taken->snapshot, cache);
    struct walk_options options = {
        .prefix = "c:/", .fold = true, .strict = true, .context = taken->snapshot, .visit = visit};
    assert_int_equal(platform_directory_open(tree->name, &directory, &error), 0);
    assert_int_equal(walk(directory, &options, &taken->walk, &error), 0);
    platform_directory_close(directory);
    assert_int_equal(snapshot_end(taken->snapshot, &taken->inventory, &error), 0);
}

static inline void take(struct tree *tree, struct taken *taken)
{
    take_cached(tree, taken, NULL);
}

static inline void taken_free(struct taken *taken)
{
    snapshot_free(taken->snapshot);
    fclose(taken->file);
}

#endif
