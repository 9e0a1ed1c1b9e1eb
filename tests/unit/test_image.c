/* Images as objects: the bytes of a few are pinned, for they are their identity. */

#include "hex.h"
#include "pe_craft.h"

#include "collector/pe/image.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

static struct bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static void assert_packed(const struct pe_image *image, const char *hex)
{
    _cleanup_free_ uint8_t *packed = NULL;
    size_t length;
    struct error error = {0};
    assert_int_equal(image_pack(image, &packed, &length, &error), 0);
    assert_hex(bytes_of(packed, length), hex);

    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    ProtobufCMessage *message = object_unpack(&evenkeel__image__descriptor, bytes_of(packed, length), arena, &error);
    assert_non_null(message);
    assert_int_equal(object_check_image((const Evenkeel__Image *)message, &error), 0);
    arena_free(arena);
}

static void an_image_of_defaults_is_no_bytes(void **state)
{
    const struct pe_image image = {.is_pe = true};
    (void)state;
    assert_packed(&image, "");
}

static void every_field_has_its_place(void **state)
{
    const struct pe_export exports[] = {
        {.ordinal = 1, .name = text_of("A")},
        {.ordinal = 2, .forwarder = text_of("B.C")},
    };
    const struct bytes names[] = {text_of("F"), text_of("G")};
    const uint16_t ordinals[] = {7, 300};
    const struct pe_import imports[] = {
        {.dll = text_of("K.dll"), .names = names, .names_length = 2},
        {.dll = text_of("D"), .delay = true, .ordinals = ordinals, .ordinals_length = 2},
    };
    struct pe_image image = {
        .is_pe = true,
        .size = 300,
        .machine = 0x8664,
        .magic = 0x20b,
        .time_date_stamp = 0x01020304,
        .size_of_image = 5,
        .checksum = 0x0a0b0c0d,
        .characteristics = 0x2022,
        .has_version = true,
        .file_version = {1, 2, 3, 4},
        .product_version = {5, 6, 7, 8},
        .file_flags = 9,
        .exports = exports,
        .exports_length = 2,
        .imports = imports,
        .imports_length = 2,
        .has_sha256 = true,
        .defects = PE_DEFECT_STRINGS,
        .symbols_omitted = true,
    };
    (void)state;
    for (size_t i = 0; i < PE_VERSION_STRINGS; i++)
        image.strings[i] = bytes_of("uvwxyz" + i, 1);
    memset(image.sha256, 0x11, sizeof image.sha256);
    assert_packed(&image, "08ac02"             /* size */
                          "10e48c02"           /* machine */
                          "1d04030201"         /* time_date_stamp */
                          "2005"               /* size_of_image */
                          "2d0d0c0b0a"         /* checksum */
                          "30a240"             /* characteristics */
                          "3801"               /* has_version */
                          "410400030002000100" /* file_version */
                          "490800070006000500" /* product_version */
                          "5009"               /* file_flags */
                          "5a0175"             /* file version, */
                          "620176"             /* product version, */
                          "6a0177"             /* product name, */
                          "720178"             /* company name, */
                          "7a0179"             /* original filename, */
                          "8201017a"           /* file description as strings */
                          "8a01050801120141"   /* exports */
                          "8a010708021a03422e43"
                          "92010d0a054b2e646c6c1a01461a0147" /* imports */
                          "92010a0a01441001220307ac02"
                          "9a012011111111111111111111111111111111"
                          "11111111111111111111111111111111" /* sha256 */
                          "a00120"                           /* defects */
                          "a80101");                         /* symbols_omitted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_of_defaults_is_no_bytes),
        cmocka_unit_test(every_field_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
