/* Component stores: their lists of paths, and what is worked out of winners, folders and links. */

#include "collector/disk/component_store.h"
#include "collector/pe/pe.h"
#include "proto/component_store.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define VERSION(a, b, c, d) ((uint64_t)(a) << 48 | (uint64_t)(b) << 32 | (uint64_t)(c) << 16 | (uint64_t)(d))

/* ---- the message ---- */

static bool join_path(void *context, struct bytes path)
{
    strncat(context, (const char *)path.data, path.length);
    strcat(context, " ");
    return true;
}

static int read_list(size_t count, const uint32_t *shared, const char *const *suffixes, char *paths,
                     struct error *error)
{
    ProtobufCBinaryData fields[8];
    Evenkeel__ComponentStore store = EVENKEEL__COMPONENT_STORE__INIT;
    for (size_t i = 0; i < count; i++)
        fields[i] = (ProtobufCBinaryData){.data = (uint8_t *)suffixes[i], .len = strlen(suffixes[i])};
    store.n_shared = store.n_suffixes = count;
    store.shared = (uint32_t *)shared;
    store.suffixes = fields;
    *paths = 0;
    return component_store_read(&store, join_path, paths, error);
}

static void paths_are_front_coded_and_come_back(void **state)
{
    (void)state;
    const char *const texts[] = {"c:/w/a.dll", "c:/w/ab.dll", "c:/w/ab.dll.x", "c:/x"};
    struct bytes paths[4], packed;
    struct error error = {0};
    char seen[256] = "";
    for (size_t i = 0; i < 4; i++)
        paths[i] = bytes_of(texts[i], strlen(texts[i]));
    assert_int_equal(component_store_pack(paths, 4, &packed, &error), 0);
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    Evenkeel__ComponentStore *store =
        (Evenkeel__ComponentStore *)object_unpack(&evenkeel__component_store__descriptor, packed, arena, &error);
    assert_non_null(store);
    assert_int_equal(store->shared[1], 6);
    assert_int_equal(store->shared[2], 11);
    assert_int_equal(component_store_read(store, join_path, seen, &error), 0);
    assert_string_equal(seen, "c:/w/a.dll c:/w/ab.dll c:/w/ab.dll.x c:/x ");
    arena_free(arena);
    free((void *)packed.data);
}

static void lists_in_any_other_form_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t shared[2];
        const char *suffixes[2];
    } wrong[] = {
        {{0, 0}, {"c:/b", "c:/a"}}, /* out of order */
        {{0, 4}, {"c:/b", ""}},     /* twice */
        {{0, 2}, {"c:/a", "/b"}},   /* shares more */
        {{0, 9}, {"c:/a", "b"}},    /* more than there is */
        {{0, 3}, {"c:/a", "B"}},    /* not folded */
        {{1, 3}, {"c:/a", "b"}},    /* the first shares nothing */
        {{0, 3}, {"/a", "b"}},      /* no drive */
    };
    char paths[256];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {0};
        assert_int_equal(read_list(2, wrong[i].shared, wrong[i].suffixes, paths, &error), -1);
        assert_int_equal(error.code, ERROR_FORMAT);
    }
}

/* ---- comparing ---- */

struct world {
    struct component_store *store;
    Evenkeel__Facts facts;
    char directory[64];
    uint64_t device;
};

static struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct platform_stat stat;
    struct error error = {0};
    assert_non_null(world);
    evenkeel__facts__init(&world->facts);
    world->facts.windows_directory = (ProtobufCBinaryData){.data = (uint8_t *)strdup("c:/windows"), .len = 10};
    world->store = component_store_new();
    strcpy(world->directory, "winsxs-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    assert_int_equal(platform_stat(world->directory, &stat, &error), 0);
    world->device = stat.device;
    return world;
}

static void world_free(struct world *world)
{
    component_store_free(world->store);
    Evenkeel__Facts *facts = malloc(sizeof *facts);
    *facts = world->facts;
    evenkeel__facts__free_unpacked(facts, NULL);
    rmdir(world->directory);
    free(world);
}

#define KEY(machine, name) machine "_microsoft-windows-" name "_31bf3856ad364e35_none_0123456789abcdef"
#define FOLDER(machine, name, version)                                                                                 \
    machine "_microsoft-windows-" name "_31bf3856ad364e35_" version "_none_fedcba9876543210"

static void wins(struct world *world, const char *key, const char *version)
{
    struct error error = {0};
    assert_int_equal(component_store_winner(world->store, key, version, &error), 0);
}

static int folder(struct world *world, const char *name)
{
    struct error error = {0};
    return component_store_folder(world->store, name, &error);
}

static void holds(struct world *world, const char *name, uint64_t identity)
{
    struct error error = {0};
    assert_int_equal(component_store_file(world->store, name, identity, &error), 0);
}

static void sees(struct world *world, const char *path, uint64_t identity, uint16_t machine)
{
    struct error error = {0};
    const struct platform_stat stat = {.identity = identity, .device = world->device, .size = 100, .links = 1};
    assert_int_equal(component_store_see(world->store, bytes_of(path, strlen(path)), &stat, machine, &error), 0);
}

/* The paths that servicing owns, with a blank behind each; "" where nothing was seen. */
static void end(struct world *world, char *owned)
{
    struct error error = {0};
    struct bytes packed;
    *owned = 0;
    assert_int_equal(component_store_end(world->store, world->directory, &world->facts, &packed, &error), 0);
    if (packed.data == NULL)
        return;
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    Evenkeel__ComponentStore *store =
        (Evenkeel__ComponentStore *)object_unpack(&evenkeel__component_store__descriptor, packed, arena, &error);
    assert_non_null(store);
    assert_int_equal(component_store_read(store, join_path, owned, &error), 0);
    arena_free(arena);
    free((void *)packed.data);
}

static void links_to_what_won_are_servicings_and_others_in_their_folders_are_outside(void **state)
{
    (void)state;
    struct world *world = world_new();
    char owned[512];
    wins(world, KEY("amd64", "a"), "10.0.17763.1518");
    wins(world, KEY("amd64", "b"), "10.0.17763.1339");
    wins(world, KEY("wow64", "b"), "10.0.17763.1");
    assert_int_equal(folder(world, FOLDER("amd64", "a", "10.0.17763.1518")), 1);
    holds(world, "A.dll", 11);
    holds(world, "c.dll", 12);
    assert_int_equal(folder(world, FOLDER("amd64", "a", "10.0.17763.1")), 0); /* did not win */
    assert_int_equal(folder(world, FOLDER("amd64", "b", "10.0.17763.1339")), 1);
    holds(world, "b.dll", 13);
    holds(world, "c.dll", 14);
    assert_int_equal(folder(world, FOLDER("wow64", "b", "10.0.17763.1")), 1);
    holds(world, "d.dll", 15);
    sees(world, "c:/other/b.dll", 99, PE_MACHINE_AMD64);         /* not in the Windows directory */
    sees(world, "c:/windows/spool/b.dll", 98, PE_MACHINE_AMD64); /* where no link is */
    sees(world, "c:/windows/system32/a.dll", 11, PE_MACHINE_AMD64);
    sees(world, "c:/windows/system32/b.dll", 13, PE_MACHINE_AMD64);
    sees(world, "c:/windows/system32/c.dll", 97, PE_MACHINE_AMD64); /* of two that won */
    sees(world, "c:/windows/system32/d.dll", 96, PE_MACHINE_AMD64); /* the store's is for x86 */
    sees(world, "c:/windows/system32/e.dll", 95, PE_MACHINE_AMD64); /* the store has none */
    end(world, owned);
    assert_string_equal(owned, "c:/windows/system32/a.dll c:/windows/system32/b.dll c:/windows/system32/c.dll ");
    assert_int_equal(world->facts.n_outside_store, 1);
    assert_memory_equal(world->facts.outside_store[0]->path.data, "c:/windows/system32/c.dll", 25);
    assert_true(world->facts.outside_store[0]->winner == VERSION(10, 0, 17763, 1339));
    assert_true(world->facts.outside_store[0]->one_link);
    assert_int_equal(world->facts.n_store_newest, 1);
    assert_true(world->facts.store_newest[0] == VERSION(10, 0, 17763, 1518));
    assert_int_equal(world->facts.n_not_seen, 0);
    world_free(world);
}

static void components_of_other_schedules_are_left_out(void **state)
{
    (void)state;
    static const char *const names[] = {
        "amd64_microsoft-windows-a.resources_31bf3856ad364e35_10.0.1.1_en-us_0123456789abcdef",
        "amd64_dual_disk.inf_31bf3856ad364e35_10.0.1.1_none_0123456789abcdef",
        "msil_system.web_b03f5f7f11d50a3a_4.0.1.1_none_0123456789abcdef",
        "$$_system32_21f9a9c4a2f8b514",
        "manifests",
        "amd64_a_b_c",
        "amd64_a_b_1.2.3_none_0",
        "amd64_a_b_1.2.3.70000_none_0",
        "",
    };
    struct world *world = world_new();
    char owned[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wins(world, names[i], "10.0.1.1");
        wins(world, names[i], "no version");
        assert_int_equal(folder(world, names[i]), 0);
    }
    sees(world, "c:/windows/system32/a.dll", 11, PE_MACHINE_AMD64);
    end(world, owned);
    assert_string_equal(owned, "");
    world_free(world);
}

static void where_links_or_winners_are_not_seen_nothing_follows(void **state)
{
    (void)state;
    struct world *world = world_new();
    char owned[64];
    sees(world, "c:/windows/system32/a.dll", 11, PE_MACHINE_AMD64);
    end(world, owned);
    assert_string_equal(owned, "");
    assert_int_equal(world->facts.not_seen[0]->kind, EVENKEEL__NOT_SEEN_KIND__NO_STORE);
    assert_memory_equal(world->facts.not_seen[0]->what.data, "winners", 7);
    world_free(world);

    for (int linked = 0; linked < 2; linked++) {
        world = world_new();
        wins(world, KEY("amd64", "a"), "10.0.17763.1518");
        assert_int_equal(folder(world, FOLDER("amd64", "a", "10.0.17763.1518")), 1);
        holds(world, "a.dll", 11);
        holds(world, "b.dll", 12);
        holds(world, "c.dll", 13);
        sees(world, "c:/windows/system32/a.dll", linked ? 11 : 91, PE_MACHINE_AMD64);
        sees(world, "c:/windows/system32/b.dll", 92, PE_MACHINE_AMD64);
        sees(world, "c:/windows/system32/c.dll", 93, PE_MACHINE_AMD64);
        end(world, owned);
        assert_string_equal(owned, "");
        assert_int_equal(world->facts.n_outside_store, 0);
        assert_memory_equal(world->facts.not_seen[0]->what.data, "links", 5);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_front_coded_and_come_back),
        cmocka_unit_test(lists_in_any_other_form_are_refused),
        cmocka_unit_test(links_to_what_won_are_servicings_and_others_in_their_folders_are_outside),
        cmocka_unit_test(components_of_other_schedules_are_left_out),
        cmocka_unit_test(where_links_or_winners_are_not_seen_nothing_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
