/* From files on a disk to objects: what an inventory holds, what a change touches, what the stream looks like. */

#include "snapshot_tree.h"

#include "proto/chunk.h"
#include "proto/object.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void write_text(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("MZ is how this text begins, and all that it has of a program", file);
    fclose(file);
}

/* The inventory's chunks, in the arena. */
static struct bytes chunks_of(struct taken *taken, struct arena *arena)
{
    struct error error = {0};
    Evenkeel__Object *object;
    assert_int_equal(snapshot_get(taken->snapshot, &taken->inventory, arena, &object, &error), 1);
    assert_int_equal(object->kind, EVENKEEL__OBJECT_KIND__INVENTORY);
    Evenkeel__Inventory *inventory = (Evenkeel__Inventory *)object_unpack(&evenkeel__inventory__descriptor,
                                                                          bytes_of_field(object->body), arena, &error);
    assert_non_null(inventory);
    assert_int_equal(object_check_inventory(inventory, &error), 0);
    return bytes_of_field(inventory->chunks);
}

static size_t chunks_not_in(struct bytes chunks, struct bytes others)
{
    size_t missing = 0;
    for (size_t i = 0; i < chunks.length; i += DIGEST_BYTES) {
        bool found = false;
        for (size_t k = 0; k < others.length && !found; k += DIGEST_BYTES)
            found = memcmp(chunks.data + i, others.data + k, DIGEST_BYTES) == 0;
        missing += !found;
    }
    return missing;
}

static void an_inventory_holds_pe_files_only(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 1);
    write_text(tree_path(&tree, "readme.txt"));
    close(open(tree_path(&tree, "empty.dll"), O_CREAT | O_WRONLY, 0600));
    take(&tree, &taken);
    assert_int_equal(taken.walk.files, 3);
    assert_int_equal(snapshot_counts(taken.snapshot)->files, 1);
    taken_free(&taken);
    tree_stop(&tree);
}

static void write_zeros(const char *path, off_t size)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_return_code(ftruncate(fd, size), 0);
    close(fd);
}

/* As a packed file looks where the file system does not know what that is. */
static void a_program_of_zeros_is_none_that_was_read(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 1);
    write_zeros(tree_path(&tree, "b.dll"), 30000);
    write_zeros(tree_path(&tree, "short.exe"), 10);
    write_zeros(tree_path(&tree, "data.bin"), 30000);
    write_zeros(tree_path(&tree, "pagefile.sys"), 30000);
    write_text(tree_path(&tree, "text.dll"));
    for (int i = 0; i < 2; i++) {
        take(&tree, &taken);
        assert_int_equal(taken.walk.files, 4);
        assert_int_equal(taken.walk.unreadable, 2);
        assert_int_equal(taken.walk.hidden, 2);
        assert_int_equal(snapshot_counts(taken.snapshot)->files, 1);
        taken_free(&taken);
    }
    tree_stop(&tree);
}

static void the_same_tree_gives_the_same_inventory_whatever_its_names_case(void **state)
{
    (void)state;
    struct tree upper, lower;
    struct taken first, second;
    tree_start(&upper);
    tree_start(&lower);
    write_image(tree_path(&upper, "NTDLL.DLL"), 1);
    write_image(tree_path(&upper, "b.dll"), 2);
    write_image(tree_path(&lower, "b.dll"), 2);
    write_image(tree_path(&lower, "ntdll.dll"), 1);
    take(&upper, &first);
    take(&lower, &second);
    assert_true(digest_equal(&first.inventory, &second.inventory));
    taken_free(&first);
    taken_free(&second);
    tree_stop(&upper);
    tree_stop(&lower);
}

static void one_build_at_two_paths_is_one_image(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 7);
    write_image(tree_path(&tree, "b.dll"), 7);
    write_image(tree_path(&tree, "c.dll"), 8);
    take(&tree, &taken);
    assert_int_equal(snapshot_counts(taken.snapshot)->files, 3);
    assert_int_equal(snapshot_counts(taken.snapshot)->images, 2);
    taken_free(&taken);
    tree_stop(&tree);
}

static void one_changed_file_changes_one_chunk(void **state)
{
    (void)state;
    struct tree tree;
    struct taken before, after;
    struct arena *arena = arena_new(4u << 20);
    tree_start(&tree);
    tree_fill(&tree);
    take(&tree, &before);
    write_image(tree_path(&tree, "file0500.dll"), 999999);
    take(&tree, &after);
    struct bytes old = chunks_of(&before, arena), new = chunks_of(&after, arena);
    assert_int_equal(new.length / DIGEST_BYTES, snapshot_counts(after.snapshot)->chunks);
    assert_in_range(new.length / DIGEST_BYTES, 5, 40); /* 64 entries a chunk on average */
    assert_int_equal(old.length, new.length);
    assert_int_equal(chunks_not_in(new, old), 1);
    taken_free(&before);
    taken_free(&after);
    arena_free(arena);
    tree_stop(&tree);
}

static void a_new_file_changes_at_most_two_chunks(void **state)
{
    (void)state;
    struct tree tree;
    struct taken before, after;
    struct arena *arena = arena_new(4u << 20);
    tree_start(&tree);
    tree_fill(&tree);
    take(&tree, &before);
    write_image(tree_path(&tree, "file0500a.dll"), 1);
    take(&tree, &after);
    assert_in_range(chunks_not_in(chunks_of(&after, arena), chunks_of(&before, arena)), 1, 2);
    taken_free(&before);
    taken_free(&after);
    arena_free(arena);
    tree_stop(&tree);
}

static void the_stream_has_images_before_their_chunks_and_ends_with_the_inventory(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    struct arena *arena = arena_new(16u << 20);
    tree_start(&tree);
    tree_fill(&tree);
    take(&tree, &taken);
    rewind(taken.file);
    uint8_t length_bytes[4];
    size_t images = 0, entries = 0;
    Evenkeel__ObjectKind last = EVENKEEL__OBJECT_KIND__OBJECT_KIND_UNKNOWN;
    while (fread(length_bytes, 1, 4, taken.file) == 4) {
        uint32_t length;
        struct error error = {0};
        bytes_u32(bytes_of(length_bytes, 4), 0, &length);
        uint8_t *packed = arena_take(arena, length);
        assert_int_equal(fread(packed, 1, length, taken.file), length);
        Evenkeel__Object *object =
            (Evenkeel__Object *)object_unpack(&evenkeel__object__descriptor, bytes_of(packed, length), arena, &error);
        assert_non_null(object);
        ProtobufCMessage *body =
            object_unpack(object_descriptor(object->kind), bytes_of_field(object->body), arena, &error);
        assert_non_null(body);
        images += object->kind == EVENKEEL__OBJECT_KIND__IMAGE;
        if (object->kind == EVENKEEL__OBJECT_KIND__CHUNK)
            entries += ((Evenkeel__Chunk *)body)->n_shared;
        assert_true(entries <= images); /* every file here is another build */
        last = object->kind;
    }
    assert_int_equal(images, FILES);
    assert_int_equal(entries, FILES);
    assert_int_equal(last, EVENKEEL__OBJECT_KIND__INVENTORY);
    taken_free(&taken);
    arena_free(arena);
    tree_stop(&tree);
}

static void every_object_is_found_by_its_digest_and_no_other(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    struct error error = {0};
    struct arena *arena = arena_new(4u << 20);
    Evenkeel__Object *object;
    struct digest stranger = {{1}};
    tree_start(&tree);
    tree_fill(&tree);
    take(&tree, &taken);
    struct bytes chunks = chunks_of(&taken, arena);
    for (size_t i = 0; i < chunks.length; i += DIGEST_BYTES) {
        struct digest digest;
        assert_true(digest_from(bytes_of(chunks.data + i, DIGEST_BYTES), &digest));
        assert_int_equal(snapshot_get(taken.snapshot, &digest, arena, &object, &error), 1);
        assert_int_equal(object->kind, EVENKEEL__OBJECT_KIND__CHUNK);
    }
    assert_int_equal(snapshot_get(taken.snapshot, &stranger, arena, &object, &error), 0);
    assert_null(object);
    taken_free(&taken);
    arena_free(arena);
    tree_stop(&tree);
}

static void an_object_counts_as_given_until_all_marks_are_taken_back(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    struct error error = {0};
    struct arena *arena = arena_new(1u << 20);
    Evenkeel__Object *object;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 1);
    take(&tree, &taken);
    assert_false(snapshot_give(taken.snapshot, &taken.inventory));
    assert_true(snapshot_give(taken.snapshot, &taken.inventory));
    assert_int_equal(snapshot_get(taken.snapshot, &taken.inventory, arena, &object, &error), 1);
    snapshot_ungive(taken.snapshot);
    assert_false(snapshot_give(taken.snapshot, &taken.inventory));
    taken_free(&taken);
    arena_free(arena);
    tree_stop(&tree);
}

static void a_full_disk_is_an_error_not_half_a_snapshot(void **state)
{
    (void)state;
    struct error error = {0};
    struct snapshot *snapshot;
    struct digest digest;
    struct pe_options read = {0};
    FILE *full = fopen("/dev/full", "r+b");
    assert_non_null(full);
    assert_int_equal(snapshot_new(full, &read, &snapshot, &error), 0);
    assert_int_equal(snapshot_end(snapshot, &digest, &error), -1);
    assert_int_equal(error.code, ERROR_IO);
    assert_non_null(strstr(error.message, strerror(ENOSPC)));
    snapshot_free(snapshot);
    fclose(full);
}

static void a_snapshot_file_that_was_tampered_with_is_noticed(void **state)
{
    (void)state;
    struct tree tree;
    struct taken taken;
    struct error error = {0};
    struct arena *arena = arena_new(1u << 20);
    Evenkeel__Object *object;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 1);
    take(&tree, &taken);
    fseek(taken.file, -1, SEEK_END);
    int byte = fgetc(taken.file);
    fseek(taken.file, -1, SEEK_END);
    fputc(byte ^ 1, taken.file);
    assert_int_equal(snapshot_get(taken.snapshot, &taken.inventory, arena, &object, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    taken_free(&taken);
    arena_free(arena);
    tree_stop(&tree);
}

/* Takes the tree with the cache of this path; how many images there are. */
static uint64_t images_with_cache(struct tree *tree, const char *path)
{
    struct pe_options read = {.symbols = true};
    struct error error = {0};
    struct cache *cache;
    struct taken taken;
    assert_int_equal(cache_open(path, snapshot_cache_kind(&read), &cache, &error), 0);
    take_cached(tree, &taken, cache);
    assert_int_equal(cache_commit(cache, &error), 0);
    assert_int_equal(snapshot_counts(taken.snapshot)->files, 2);
    uint64_t images = snapshot_counts(taken.snapshot)->images;
    taken_free(&taken);
    cache_close(cache);
    return images;
}

/* Writes a cache that tells one file's image of both. */
static void write_lie(struct tree *tree, const char *path)
{
    static const char *const names[] = {"a.dll", "b.dll"};
    struct pe_options read = {.symbols = true};
    struct error error = {0};
    struct cache *cache;
    struct cache_entry entry;
    assert_int_equal(cache_open(path, snapshot_cache_kind(&read), &cache, &error), 0);
    for (size_t i = 0; i < 2; i++) {
        struct platform_stat stat;
        char folded[] = "c:/?.dll";
        folded[3] = names[i][0];
        assert_int_equal(platform_stat(tree_path(tree, names[i]), &stat, &error), 0);
        if (i == 0)
            assert_true(cache_find(cache, bytes_of(folded, strlen(folded)), &stat, &entry));
        cache_put(cache, bytes_of(folded, strlen(folded)), &stat, &entry);
    }
    assert_int_equal(cache_commit(cache, &error), 0);
    cache_close(cache);
}

static void a_file_that_the_cache_knows_is_opened_again_only_when_it_changed(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    write_image(tree_path(&tree, "a.dll"), 1);
    write_image(tree_path(&tree, "b.dll"), 2);
    struct timespec settling = {.tv_sec = CACHE_SETTLED / 1000000, .tv_nsec = 100000000};
    nanosleep(&settling, NULL);
    assert_int_equal(images_with_cache(&tree, "cache"), 2);
    assert_int_equal(images_with_cache(&tree, "cache"), 2);
    write_lie(&tree, "cache");
    assert_int_equal(images_with_cache(&tree, "cache"), 1);
    write_image(tree_path(&tree, "b.dll"), 3);
    assert_int_equal(images_with_cache(&tree, "cache"), 2);
    unlink("cache");
    tree_stop(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inventory_holds_pe_files_only),
        cmocka_unit_test(a_program_of_zeros_is_none_that_was_read),
        cmocka_unit_test(the_same_tree_gives_the_same_inventory_whatever_its_names_case),
        cmocka_unit_test(one_build_at_two_paths_is_one_image),
        cmocka_unit_test(one_changed_file_changes_one_chunk),
        cmocka_unit_test(a_new_file_changes_at_most_two_chunks),
        cmocka_unit_test(the_stream_has_images_before_their_chunks_and_ends_with_the_inventory),
        cmocka_unit_test(every_object_is_found_by_its_digest_and_no_other),
        cmocka_unit_test(an_object_counts_as_given_until_all_marks_are_taken_back),
        cmocka_unit_test(a_full_disk_is_an_error_not_half_a_snapshot),
        cmocka_unit_test(a_snapshot_file_that_was_tampered_with_is_noticed),
        cmocka_unit_test(a_file_that_the_cache_knows_is_opened_again_only_when_it_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
