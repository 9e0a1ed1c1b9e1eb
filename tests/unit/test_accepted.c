/* What goes along with an offer: what is new since the last accepted snapshot, and nothing else. */

#include "snapshot_tree.h"

#include "collector/agent/accepted.h"
#include "proto/object.h"

#include <unistd.h>

/* A snapshot with the offer that names it; its facts are the machine's name alone. */
struct offered {
    struct taken taken;
    struct digest facts, times;
    Evenkeel__Offer offer;
};

static void offered_take(struct tree *tree, const char *computer_name, struct offered *offered)
{
    struct error error = {0};
    struct bytes packed;
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.computer_name = (ProtobufCBinaryData){.data = (uint8_t *)computer_name, .len = strlen(computer_name)};
    take(tree, &offered->taken);
    object_pack(&facts.base, &packed);
    assert_int_equal(
        snapshot_put(offered->taken.snapshot, EVENKEEL__OBJECT_KIND__FACTS, packed, &offered->facts, &error), 0);
    free((void *)packed.data);
    assert_int_equal(
        snapshot_put(offered->taken.snapshot, EVENKEEL__OBJECT_KIND__TIMES, bytes_of("", 0), &offered->times, &error),
        0);
    evenkeel__offer__init(&offered->offer);
    offered->offer.inventory =
        (ProtobufCBinaryData){.data = offered->taken.inventory.bytes, .len = sizeof offered->taken.inventory};
    offered->offer.facts = (ProtobufCBinaryData){.data = offered->facts.bytes, .len = sizeof offered->facts};
    offered->offer.times = (ProtobufCBinaryData){.data = offered->times.bytes, .len = sizeof offered->times};
}

struct fixture {
    struct tree tree;
    struct offered before, after;
    struct exchange_ahead *ahead;
    size_t count;
    char path[64];
};

static void fixture_start(struct fixture *fixture)
{
    struct error error = {0};
    *fixture = (struct fixture){0};
    tree_start(&fixture->tree);
    tree_fill(&fixture->tree);
    snprintf(fixture->path, sizeof fixture->path, "%s.accepted", fixture->tree.name);
    offered_take(&fixture->tree, "WEB01", &fixture->before);
    assert_int_equal(accepted_save(fixture->path, fixture->before.taken.snapshot, &fixture->before.offer, &error), 0);
}

/* Takes the tree as it is now and compares. */
static void fixture_compare(struct fixture *fixture, const char *computer_name)
{
    struct error error = {0};
    offered_take(&fixture->tree, computer_name, &fixture->after);
    assert_int_equal(accepted_compare(fixture->path, fixture->after.taken.snapshot, &fixture->after.offer,
                                      &fixture->ahead, &fixture->count, &error),
                     0);
}

static void fixture_stop(struct fixture *fixture)
{
    taken_free(&fixture->before.taken);
    taken_free(&fixture->after.taken);
    free(fixture->ahead);
    unlink(fixture->path);
    tree_stop(&fixture->tree);
}

static void nothing_goes_ahead_where_nothing_is_new(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_compare(&fixture, "WEB01");
    assert_int_equal(fixture.count, 0);
    fixture_stop(&fixture);
}

static void a_changed_file_brings_its_image_its_chunk_and_the_inventory_in_that_order(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    write_image(tree_path(&fixture.tree, "file0321.dll"), 123456);
    fixture_compare(&fixture, "WEB01");
    assert_int_equal(fixture.count, 3);
    assert_int_equal(fixture.ahead[0].kind, EVENKEEL__OBJECT_KIND__IMAGE);
    assert_int_equal(fixture.ahead[1].kind, EVENKEEL__OBJECT_KIND__CHUNK);
    assert_int_equal(fixture.ahead[2].kind, EVENKEEL__OBJECT_KIND__INVENTORY);
    assert_true(digest_equal(&fixture.ahead[2].digest, &fixture.after.taken.inventory));
    fixture_stop(&fixture);
}

static void a_file_that_is_gone_brings_no_image(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    unlink(tree_path(&fixture.tree, "file0321.dll"));
    fixture_compare(&fixture, "WEB01");
    assert_in_range(fixture.count, 2, 3);
    for (size_t i = 0; i < fixture.count; i++)
        assert_int_not_equal(fixture.ahead[i].kind, EVENKEEL__OBJECT_KIND__IMAGE);
    fixture_stop(&fixture);
}

static void changed_facts_go_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_compare(&fixture, "WEB02");
    assert_int_equal(fixture.count, 1);
    assert_int_equal(fixture.ahead[0].kind, EVENKEEL__OBJECT_KIND__FACTS);
    assert_true(digest_equal(&fixture.ahead[0].digest, &fixture.after.facts));
    fixture_stop(&fixture);
}

static void where_all_is_new_nothing_goes_ahead(void **state)
{
    (void)state;
    struct fixture fixture;
    char name[32];
    fixture_start(&fixture);
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%04u.dll", i);
        write_image(tree_path(&fixture.tree, name), 1000000 + i);
    }
    fixture_compare(&fixture, "WEB01");
    assert_int_equal(fixture.count, 0);
    fixture_stop(&fixture);
}

static void a_damaged_file_only_costs_the_shortcut(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    write_image(tree_path(&fixture.tree, "file0321.dll"), 123456);
    assert_return_code(truncate(fixture.path, 5000), 0);
    fixture_compare(&fixture, "WEB01");
    assert_int_equal(fixture.count, 0);
    fixture_stop(&fixture);
}

static void a_first_snapshot_goes_ahead_but_for_what_other_hosts_may_have_given(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture);
    unlink(fixture.path);
    fixture_compare(&fixture, "WEB01");
    assert_int_equal(fixture.count, 3);
    assert_int_equal(fixture.ahead[0].kind, EVENKEEL__OBJECT_KIND__FACTS);
    assert_true(digest_equal(&fixture.ahead[0].digest, &fixture.after.facts));
    assert_int_equal(fixture.ahead[1].kind, EVENKEEL__OBJECT_KIND__TIMES);
    assert_int_equal(fixture.ahead[2].kind, EVENKEEL__OBJECT_KIND__INVENTORY);
    fixture_stop(&fixture);
}

static void a_snapshot_that_lacks_what_its_offer_names_is_damaged(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    struct exchange_ahead *ahead;
    size_t count;
    fixture_start(&fixture);
    fixture_compare(&fixture, "WEB01");
    fixture.after.taken.inventory.bytes[0] ^= 1;
    assert_int_equal(
        accepted_compare(fixture.path, fixture.after.taken.snapshot, &fixture.after.offer, &ahead, &count, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_ahead_where_nothing_is_new),
        cmocka_unit_test(a_changed_file_brings_its_image_its_chunk_and_the_inventory_in_that_order),
        cmocka_unit_test(a_file_that_is_gone_brings_no_image),
        cmocka_unit_test(changed_facts_go_alone),
        cmocka_unit_test(where_all_is_new_nothing_goes_ahead),
        cmocka_unit_test(a_damaged_file_only_costs_the_shortcut),
        cmocka_unit_test(a_first_snapshot_goes_ahead_but_for_what_other_hosts_may_have_given),
        cmocka_unit_test(a_snapshot_that_lacks_what_its_offer_names_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
