/* What a field of a message may hold: every field has a row, and both ends of the wire go by it. */

#include "evenkeel.pb-c.h"
#include "proto/field_limits.h"
#include "proto/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every message that carries something into the database; those in them are found through them. */
static const ProtobufCMessageDescriptor *const roots[] = {
    &evenkeel__image__descriptor, &evenkeel__chunk__descriptor,  &evenkeel__inventory__descriptor,
    &evenkeel__facts__descriptor, &evenkeel__times__descriptor,  &evenkeel__machine_marks__descriptor,
    &evenkeel__offer__descriptor, &evenkeel__enroll__descriptor,
};

static bool kind_suits(enum field_kind kind, const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return kind == FIELD_MESSAGE;
    case PROTOBUF_C_TYPE_BYTES:
        return kind == FIELD_TEXT || kind == FIELD_PROSE || kind == FIELD_BYTES || kind == FIELD_DIGEST;
    case PROTOBUF_C_TYPE_BOOL:
        return kind == FIELD_FLAG;
    case PROTOBUF_C_TYPE_INT64:
        return kind == FIELD_TIME || kind == FIELD_NUMBER;
    default:
        return kind == FIELD_NUMBER;
    }
}

static void assert_rows(const ProtobufCMessageDescriptor *descriptor)
{
    unsigned rows;
    const struct field_limit *limits = field_limits_of(descriptor, &rows);
    if (limits == NULL || rows != descriptor->n_fields)
        fail_msg("proto/field_limits.h has %u rows for the %u fields of %s: add what is missing", rows,
                 descriptor->n_fields, descriptor->short_name);
    for (unsigned i = 0; i < rows; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (strcmp(limits[i].name, field->name) != 0)
            fail_msg("row %u of %s is %s, the field is %s", i, descriptor->short_name, limits[i].name, field->name);
        if (!kind_suits(limits[i].kind, field) ||
            (limits[i].entries > 1) != (field->label == PROTOBUF_C_LABEL_REPEATED))
            fail_msg("the row of %s.%s is of another kind than the field", descriptor->short_name, field->name);
        if (limits[i].kind == FIELD_DIGEST)
            assert_int_equal(limits[i].most, DIGEST_BYTES);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            assert_rows(field->descriptor);
    }
}

static void every_field_has_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        assert_rows(roots[i]);
}

static ProtobufCBinaryData text(size_t length)
{
    ProtobufCBinaryData made = {.len = length, .data = malloc(length + 1)};
    assert_non_null(made.data);
    memset(made.data, 'x', length);
    return made;
}

static void a_field_beyond_its_limit_is_refused_by_name(void **state)
{
    (void)state;
    struct error error = {0};
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.machine_guid = text(LIMIT_NAME_BYTES + 1);
    assert_int_equal(field_limits_check(&facts.base, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_string_equal(error.message, "Facts.machine_guid has 256 bytes; 255 are allowed");
    facts.machine_guid.len--;
    assert_int_equal(field_limits_check(&facts.base, &error), 0);
    facts.ubr = UINT32_MAX;
    assert_int_equal(field_limits_check(&facts.base, &error), -1);
    assert_string_equal(error.message, "Facts.ubr is 4294967295; at most 65535 is allowed");
    facts.ubr = 0;
    facts.clone_time = INT64_MIN;
    assert_int_equal(field_limits_check(&facts.base, &error), -1);
    assert_non_null(strstr(error.message, "Facts.clone_time is -9223372036854775808 microseconds"));
    facts.clone_time = FIELD_TIME_LEAST;
    facts.product_type = (Evenkeel__ProductType)-1;
    assert_int_equal(field_limits_check(&facts.base, &error), -1);
    free(facts.machine_guid.data);
}

/* What was told, one line per field. */
static char told[2048];

static void tell(void *context, const char *field, uint64_t count)
{
    (void)context;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s %llu\n", field, (unsigned long long)count);
}

static Evenkeel__Service *service(const char *name, uint32_t start)
{
    Evenkeel__Service *made = malloc(sizeof *made);
    assert_non_null(made);
    evenkeel__service__init(made);
    made->name = text(strlen(name));
    memcpy(made->name.data, name, made->name.len);
    made->start = start;
    return made;
}

static void what_is_beyond_is_cut_or_left_out_and_told_once_per_field(void **state)
{
    (void)state;
    struct error error = {0};
    Evenkeel__Facts *facts = malloc(sizeof *facts);
    assert_non_null(facts);
    evenkeel__facts__init(facts);
    facts->machine_guid = text(6000);
    facts->product_name = text(LIMIT_STRING_BYTES + 9);
    memcpy(facts->product_name.data + LIMIT_STRING_BYTES - 1, "\xc3\xa4", 2); /* a letter across the limit */
    facts->has_ubr = true;
    facts->ubr = UINT32_MAX;
    facts->install_time = INT64_MAX;
    facts->n_groups = LIMIT_GROUPS + 2;
    facts->groups = calloc(facts->n_groups, sizeof *facts->groups);
    facts->groups[0] = text(LIMIT_NAME_BYTES + 1);
    for (size_t i = 1; i < facts->n_groups; i++)
        facts->groups[i] = text(1);
    facts->n_services = 3;
    facts->services = calloc(3, sizeof *facts->services);
    facts->services[0] = service("a", UINT32_MAX);
    facts->services[1] = service("b", 2);
    free(facts->services[1]->name.data);
    facts->services[1]->name = text(LIMIT_STRING_BYTES + 1);
    facts->services[2] = service("c", 2);
    facts->services[2]->image_path = text(LIMIT_TEXT_BYTES + 1);
    told[0] = 0;
    field_limits_apply(&facts->base, tell, NULL);
    assert_string_equal(told, "product_name 1\nubr 1\ninstall_time 1\nmachine_guid 1\nservices.name 1\n"
                              "services.image_path 1\ngroups 2\n");
    assert_int_equal(facts->machine_guid.len, 0);
    assert_int_equal(facts->product_name.len, LIMIT_STRING_BYTES - 1);
    assert_false(facts->has_ubr);
    assert_int_equal(facts->ubr, 0);
    assert_int_equal(facts->n_groups, LIMIT_GROUPS);
    assert_int_equal(facts->n_services, 2);
    assert_int_equal(facts->services[0]->start, UINT32_MAX);
    assert_int_equal(facts->services[1]->name.data[0], 'c');
    assert_int_equal(facts->services[1]->image_path.len, LIMIT_TEXT_BYTES);
    assert_int_equal(field_limits_check(&facts->base, &error), 0);
    told[0] = 0;
    field_limits_apply(&facts->base, tell, NULL);
    assert_string_equal(told, "");
    evenkeel__facts__free_unpacked(facts, NULL);
}

static void numbers_of_lists_are_bounded(void **state)
{
    (void)state;
    struct error error = {0};
    uint32_t ordinals[] = {1, 65536};
    Evenkeel__Import import = EVENKEEL__IMPORT__INIT;
    import.ordinals = ordinals;
    import.n_ordinals = 1;
    assert_int_equal(field_limits_check(&import.base, &error), 0);
    import.n_ordinals = 2;
    assert_int_equal(field_limits_check(&import.base, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_a_row),
        cmocka_unit_test(a_field_beyond_its_limit_is_refused_by_name),
        cmocka_unit_test(what_is_beyond_is_cut_or_left_out_and_told_once_per_field),
        cmocka_unit_test(numbers_of_lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
