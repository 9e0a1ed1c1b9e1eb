/* Chunks: where they end, how paths are front-coded, and which bytes are refused. */

#include "hex.h"
#include "proto/arena.h"
#include "proto/chunk.h"
#include "proto/object.h"

#include <stdio.h>

static struct bytes text(const char *path)
{
    return bytes_of(path, strlen(path));
}

static const struct digest no_image;

static int add(struct chunk_builder *builder, const char *path, bool *complete)
{
    struct error error = {0};
    return chunk_builder_add(builder, text(path), &no_image, complete, &error);
}

static bool count_entry(void *context, const struct chunk_entry *entry)
{
    (void)entry;
    (*(size_t *)context)++;
    return true;
}

/* How many entries a chunk made of these lists has, or -1 where it is refused. */
static long read_lists(size_t count, uint32_t *shared, const char *const *suffixes)
{
    struct error error = {0};
    ProtobufCBinaryData fields[4];
    uint8_t images[4 * DIGEST_BYTES] = {0};
    for (size_t i = 0; i < count; i++)
        fields[i] = field_of(suffixes[i]);
    Evenkeel__Chunk chunk = EVENKEEL__CHUNK__INIT;
    chunk.n_shared = chunk.n_suffixes = count;
    chunk.shared = shared;
    chunk.suffixes = fields;
    chunk.images = (ProtobufCBinaryData){.len = count * DIGEST_BYTES, .data = images};
    size_t seen = 0;
    return chunk_read(&chunk, count_entry, &seen, &error) < 0 ? -1 : (long)seen;
}

static void chunk_has_pinned_bytes_and_name(void **state)
{
    (void)state;
    struct error error = {0};
    struct chunk_builder *builder = chunk_builder_new();
    struct digest images[] = {{{0}}, digest_of(bytes_of("one", 3)), digest_of(bytes_of("two", 3))};
    size_t length;
    sodium_hex2bin(images[0].bytes, DIGEST_BYTES, "db0af041a20a8485ed587fe260054659742f61253dffac1f6544db199bf8e55d",
                   64, NULL, &length, NULL);
    const char *paths[] = {"c:/windows/system32/inetsrv/iisutil.dll", "c:/windows/system32/inetsrv/w3core.dll",
                           "c:/windows/system32/kernel32.dll"};
    bool complete;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chunk_builder_add(builder, text(paths[i]), &images[i], &complete, &error), 0);
        assert_false(complete);
    }
    struct bytes packed;
    assert_int_equal(chunk_builder_take(builder, &packed, &error), 0);
    assert_hex(packed,
               "0a03001c141227633a2f77696e646f77732f73797374656d33322f696e65747372762f6969737574696c2e646c6c120a"
               "7733636f72652e646c6c120c6b65726e656c33322e646c6c1a60db0af041a20a8485ed587fe260054659742f61253dff"
               "ac1f6544db199bf8e55dd01c06cb09606bc4b2cedf4266a3a20e1e636b467cb77a9dbed595094e02ea467a52b251a342"
               "8a1b64967851157047d22919cc610c6b138e98a25280b1534b21");
    assert_digest(packed, "c25193da06e600f8aa29250a4cb4322e1e8114f9ef1dc013a4f9325380a1019a");
    free((void *)packed.data);
    chunk_builder_free(builder);
}

static void boundary_is_where_the_last_byte_ends_in_six_zero_bits(void **state)
{
    (void)state;
    /* The only ones among file0000 to file0350. */
    static const int boundaries[] = {72, 78, 218};
    size_t next = 0;
    for (int i = 0; i <= 350; i++) {
        char path[64];
        snprintf(path, sizeof path, "c:/windows/system32/file%04d.dll", i);
        bool expected = next < 3 && boundaries[next] == i;
        assert_int_equal(chunk_ends_after(text(path)), expected);
        next += expected;
    }
    assert_int_equal(next, 3);
}

static void builder_completes_a_chunk_at_a_boundary(void **state)
{
    (void)state;
    struct error error = {0};
    struct chunk_builder *builder = chunk_builder_new();
    bool complete;
    assert_int_equal(add(builder, "c:/windows/system32/file0071.dll", &complete), 0);
    assert_false(complete);
    assert_int_equal(add(builder, "c:/windows/system32/file0072.dll", &complete), 0);
    assert_true(complete);

    struct bytes packed;
    assert_int_equal(chunk_builder_take(builder, &packed, &error), 0);
    free((void *)packed.data);
    /* The order goes on across chunks. */
    assert_int_equal(add(builder, "c:/windows/system32/file0070.dll", &complete), -1);
    assert_int_equal(add(builder, "c:/windows/system32/file0073.dll", &complete), 0);
    assert_false(complete);
    chunk_builder_free(builder);
}

static void chunk_ends_at_1024_entries_and_takes_no_more(void **state)
{
    (void)state;
    struct error error = {0};
    struct chunk_builder *builder = chunk_builder_new();
    size_t added = 0;
    bool complete = false;
    for (int i = 0; !complete; i++) {
        char path[64];
        snprintf(path, sizeof path, "c:/windows/system32/file%04d.dll", i);
        if (chunk_ends_after(text(path)))
            continue;
        assert_int_equal(add(builder, path, &complete), 0);
        added++;
    }
    assert_int_equal(added, CHUNK_ENTRIES);
    assert_int_equal(add(builder, "c:/windows/system32/g.dll", &complete), -1);

    struct bytes packed;
    assert_int_equal(chunk_builder_take(builder, &packed, &error), 0);
    struct arena *arena = arena_new(1 << 20);
    Evenkeel__Chunk *chunk = (Evenkeel__Chunk *)object_unpack(&evenkeel__chunk__descriptor, packed, arena, &error);
    assert_non_null(chunk);
    size_t seen = 0;
    assert_int_equal(chunk_read(chunk, count_entry, &seen, &error), 0);
    assert_int_equal(seen, CHUNK_ENTRIES);
    arena_free(arena);
    free((void *)packed.data);
    assert_int_equal(chunk_builder_take(builder, &packed, &error), 0);
    assert_null(packed.data);
    chunk_builder_free(builder);
}

static void a_chunk_of_1025_entries_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    static ProtobufCBinaryData suffixes[CHUNK_ENTRIES + 1];
    static uint32_t shared[CHUNK_ENTRIES + 1];
    static uint8_t images[(CHUNK_ENTRIES + 1) * DIGEST_BYTES];
    Evenkeel__Chunk chunk = EVENKEEL__CHUNK__INIT;
    chunk.n_shared = chunk.n_suffixes = CHUNK_ENTRIES + 1;
    chunk.shared = shared;
    chunk.suffixes = suffixes;
    chunk.images = (ProtobufCBinaryData){.len = sizeof images, .data = images};
    size_t seen = 0;
    assert_int_equal(chunk_read(&chunk, count_entry, &seen, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    chunk.n_shared = chunk.n_suffixes = chunk.images.len = 0;
    assert_int_equal(chunk_read(&chunk, count_entry, &seen, &error), -1);
}

/* What is still to come, as visited. */
struct expected {
    const char *const *path;
    const struct digest *image;
};

static bool expect_entry(void *context, const struct chunk_entry *entry)
{
    struct expected *expected = context;
    assert_int_equal(entry->path.length, strlen(*expected->path));
    assert_memory_equal(entry->path.data, *expected->path, entry->path.length);
    assert_true(digest_equal(&entry->image, expected->image));
    expected->path++;
    expected->image++;
    return true;
}

static void entries_come_back_as_they_were_added(void **state)
{
    (void)state;
    struct error error = {0};
    static const char *const paths[] = {"c:/ab/x.dll", "c:/ab/y.dll", "c:/abc.exe", "d:/ab/x.dll"};
    const struct digest images[] = {{{1}}, {{2}}, {{1}}, {{3}}};
    struct chunk_builder *builder = chunk_builder_new();
    bool complete;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(chunk_builder_add(builder, text(paths[i]), &images[i], &complete, &error), 0);
    struct bytes packed;
    assert_int_equal(chunk_builder_take(builder, &packed, &error), 0);

    struct arena *arena = arena_new(1 << 16);
    Evenkeel__Chunk *chunk = (Evenkeel__Chunk *)object_unpack(&evenkeel__chunk__descriptor, packed, arena, &error);
    assert_non_null(chunk);
    struct expected expected = {.path = paths, .image = images};
    assert_int_equal(chunk_read(chunk, expect_entry, &expected, &error), 0);
    assert_ptr_equal(expected.path, paths + 4);
    arena_free(arena);
    free((void *)packed.data);
    chunk_builder_free(builder);
}

static void paths_that_do_not_rise_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_lists(2, (uint32_t[]){0, 3}, (const char *[]){"c:/b.dll", "a.dll"}), -1);
    assert_int_equal(read_lists(2, (uint32_t[]){0, 8}, (const char *[]){"c:/a.dll", ""}), -1); /* twice the same */
}

static void front_coding_must_share_all_that_is_shared(void **state)
{
    (void)state;
    const char *first = "c:/a.dll";
    assert_int_equal(read_lists(2, (uint32_t[]){0, 3}, (const char *[]){first, "b.dll"}), 2);
    assert_int_equal(read_lists(2, (uint32_t[]){0, 2}, (const char *[]){first, "/b.dll"}), -1);
    assert_int_equal(read_lists(2, (uint32_t[]){0, 9}, (const char *[]){first, "b.dll"}), -1); /* past its end */
    assert_int_equal(read_lists(1, (uint32_t[]){1}, (const char *[]){":/a.dll"}), -1); /* the first shares none */
    assert_int_equal(read_lists(2, (uint32_t[]){0, UINT32_MAX}, (const char *[]){first, "b.dll"}), -1);
}

static void a_boundary_before_the_end_is_refused(void **state)
{
    (void)state;
    const char *boundary = "c:/windows/system32/file0072.dll";
    assert_int_equal(read_lists(1, (uint32_t[]){0}, &boundary), 1);
    assert_int_equal(read_lists(2, (uint32_t[]){0, 27}, (const char *[]){boundary, "3.dll"}), -1);
    assert_int_equal(read_lists(2, (uint32_t[]){0, 27}, (const char *[]){"c:/windows/system32/file0073.dll", "4.dll"}),
                     2);
}

static void lists_of_different_length_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    uint32_t shared[] = {0, 0};
    ProtobufCBinaryData suffixes[] = {field_of("c:/a.dll"), field_of("d:/a.dll")};
    uint8_t images[2 * DIGEST_BYTES] = {0};
    size_t seen = 0;
    Evenkeel__Chunk chunk = EVENKEEL__CHUNK__INIT;
    chunk.shared = shared;
    chunk.suffixes = suffixes;
    chunk.images = (ProtobufCBinaryData){.len = sizeof images, .data = images};
    chunk.n_shared = chunk.n_suffixes = 2;
    assert_int_equal(chunk_read(&chunk, count_entry, &seen, &error), 0);
    chunk.images.len--;
    assert_int_equal(chunk_read(&chunk, count_entry, &seen, &error), -1);
    chunk.images.len++;
    chunk.n_shared = 1;
    assert_int_equal(chunk_read(&chunk, count_entry, &seen, &error), -1);
}

static void only_folded_paths_from_a_drive_letter_are_valid(void **state)
{
    (void)state;
    static const char *const valid[] = {"c:/a", "d:/windows/system32/x.dll", "c:/a b/~1...dll", "c:/.../x",
                                        "c:/\xc3\x84nderung.dll" /* only ASCII is folded */};
    static const char *const invalid[] = {"",       "c:",      "c:/",   "C:/a",      "c:\\a",   "c:/A",    "c:/a\\b",
                                          "/c:/a",  "c:/a/",   "c://a", "c:/./a",    "c:/a/..", "c:/a\tb", "c:/\x7f",
                                          "1:/abc", "c:/\xff", "c:abc", "c:/a/../b", "..",      "c:/a\n"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true(chunk_path_valid(text(valid[i])));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        assert_false(chunk_path_valid(text(invalid[i])));
        assert_int_equal(read_lists(1, (uint32_t[]){0}, &invalid[i]), -1);
    }
    assert_false(chunk_path_valid(bytes_of("c:/a\0b", 6)));
}

static void a_path_may_have_4096_bytes_and_no_more(void **state)
{
    (void)state;
    char path[LIMIT_PATH_BYTES + 1] = "c:/";
    memset(path + 3, 'a', sizeof path - 3);
    assert_true(chunk_path_valid(bytes_of(path, LIMIT_PATH_BYTES)));
    assert_false(chunk_path_valid(bytes_of(path, LIMIT_PATH_BYTES + 1)));
    struct error error = {0};
    struct chunk_builder *builder = chunk_builder_new();
    bool complete;
    assert_int_equal(chunk_builder_add(builder, bytes_of(path, sizeof path), &no_image, &complete, &error), -1);
    assert_int_equal(chunk_builder_add(builder, bytes_of(path, LIMIT_PATH_BYTES), &no_image, &complete, &error), 0);
    chunk_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk_has_pinned_bytes_and_name),
        cmocka_unit_test(boundary_is_where_the_last_byte_ends_in_six_zero_bits),
        cmocka_unit_test(builder_completes_a_chunk_at_a_boundary),
        cmocka_unit_test(chunk_ends_at_1024_entries_and_takes_no_more),
        cmocka_unit_test(a_chunk_of_1025_entries_is_refused),
        cmocka_unit_test(entries_come_back_as_they_were_added),
        cmocka_unit_test(paths_that_do_not_rise_are_refused),
        cmocka_unit_test(front_coding_must_share_all_that_is_shared),
        cmocka_unit_test(a_boundary_before_the_end_is_refused),
        cmocka_unit_test(lists_of_different_length_are_refused),
        cmocka_unit_test(only_folded_paths_from_a_drive_letter_are_valid),
        cmocka_unit_test(a_path_may_have_4096_bytes_and_no_more),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
