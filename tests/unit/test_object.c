/*
 * Objects in canonical form: what their bytes and names are, and what is refused. The pinned bytes and digests were
 * worked out from the protobuf encoding rules and RFC 7693 by another program than this one.
 */

#include "hex.h"
#include "proto/limits.h"
#include "proto/object.h"

#define VERSION(a, b, c, d) ((uint64_t)(a) << 48 | (uint64_t)(b) << 32 | (uint64_t)(c) << 16 | (uint64_t)(d))
#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static struct arena *arena;

static int arena_make(void **state)
{
    (void)state;
    arena = arena_new(LIMIT_UNPACKED_BYTES);
    return arena == NULL;
}

static int arena_drop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Packs, compares with what is pinned, and reads back the same. */
static void assert_pinned(const ProtobufCMessage *message, const char *hex, const char *digest)
{
    struct error error = {0};
    struct bytes packed;
    assert_true(object_pack(message, &packed));
    assert_hex(packed, hex);
    assert_digest(packed, digest);
    assert_non_null(object_unpack(message->descriptor, packed, arena, &error));
    free((void *)packed.data);
}

static void assert_refused(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes, const char *complaint)
{
    struct error error = {0};
    assert_null(object_unpack(descriptor, bytes, arena, &error));
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_non_null(strstr(error.message, complaint));
}

static void digests_are_blake2b_256_without_a_key(void **state)
{
    (void)state;
    assert_digest(bytes_of("", 0), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    assert_digest(bytes_of("abc", 3), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void image_has_pinned_bytes_and_name(void **state)
{
    (void)state;
    Evenkeel__Export by_name = EVENKEEL__EXPORT__INIT, forwarded = EVENKEEL__EXPORT__INIT;
    by_name.ordinal = 1;
    by_name.name = field_of("PuDbgPrint");
    forwarded.ordinal = 2;
    forwarded.name = field_of("Moved");
    forwarded.forwarder = field_of("KERNEL32.Sleep");
    Evenkeel__Import kernel = EVENKEEL__IMPORT__INIT, sockets = EVENKEEL__IMPORT__INIT;
    kernel.dll = field_of("KERNEL32.dll");
    kernel.n_names = 2;
    kernel.names = (ProtobufCBinaryData[]){field_of("Sleep"), field_of("ExitProcess")};
    sockets.dll = field_of("WS2_32.dll");
    sockets.delay = true;
    sockets.n_ordinals = 3;
    sockets.ordinals = (uint32_t[]){3, 115, 300};

    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    image.size = 168448;
    image.machine = 0x14c;
    image.time_date_stamp = 0x45d695f1;
    image.size_of_image = 176128;
    image.checksum = 0x2f3a1;
    image.characteristics = 0x2102;
    image.has_version = true;
    image.file_version = image.product_version = VERSION(6, 0, 3790, 3959);
    image.file_version_string = field_of("6.0.3790.3959 (srv03_sp2_rtm.070216-1710)");
    image.original_filename = field_of("iisutil.dll");
    image.n_exports = 2;
    image.exports = (Evenkeel__Export *[]){&by_name, &forwarded};
    image.n_imports = 2;
    image.imports = (Evenkeel__Import *[]){&kernel, &sockets};
    assert_pinned(&image.base,
                  "0880a40a10cc021df195d6452080e00a2da1f30200308242380141770fce0e0000060049770fce0e000006005a29362e"
                  "302e333739302e33393539202873727630335f7370325f72746d2e3037303231362d31373130297a0b6969737574696c"
                  "2e646c6c8a010e0801120a50754462675072696e748a0119080212054d6f7665641a0e4b45524e454c33322e536c6565"
                  "709201220a0c4b45524e454c33322e646c6c1a05536c6565701a0b4578697450726f636573739201140a0a5753325f33"
                  "322e646c6c100122040373ac02",
                  "db0af041a20a8485ed587fe260054659742f61253dffac1f6544db199bf8e55d");
    struct error error = {0};
    assert_int_equal(object_check_image(&image, &error), 0);
}

static void inventory_has_pinned_bytes_and_name(void **state)
{
    (void)state;
    struct digest chunks[2];
    size_t length;
    assert_int_equal(sodium_hex2bin(chunks[0].bytes, DIGEST_BYTES,
                                    "c25193da06e600f8aa29250a4cb4322e1e8114f9ef1dc013a4f9325380a1019a", 64, NULL,
                                    &length, NULL),
                     0);
    chunks[1] = digest_of(bytes_of("another chunk", 13));
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.len = sizeof chunks, .data = chunks[0].bytes};
    assert_pinned(&inventory.base,
                  "0a40c25193da06e600f8aa29250a4cb4322e1e8114f9ef1dc013a4f9325380a1019a05a1e88f00776677b0dd6d71de7b"
                  "09a90b19c544d6d870e51f4cce45c163e61f",
                  "276848dca9f6ed0fc0b292b1e7df32eecc51f048fe065b984ae1e863931125ae");
}

static void facts_have_pinned_bytes_and_name(void **state)
{
    (void)state;
    Evenkeel__Hotfix hotfix = EVENKEEL__HOTFIX__INIT;
    hotfix.id = field_of("KB973917");
    hotfix.source = field_of("updates");
    hotfix.service_pack = field_of("SP3");
    hotfix.product = field_of("Windows Server 2003");
    Evenkeel__Service service = EVENKEEL__SERVICE__INIT;
    service.name = field_of("W3SVC");
    service.start = 2;
    service.type = 0x20;
    service.image_path = field_of("%SystemRoot%\\System32\\svchost.exe -k iissvcs");
    service.service_dll = field_of("C:\\WINDOWS\\system32\\inetsrv\\iisw3adm.dll");

    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.has_registry = true;
    facts.product_name = field_of("Microsoft Windows Server 2003");
    facts.current_version = field_of("5.2");
    facts.current_build = 3790;
    facts.product_type = EVENKEEL__PRODUCT_TYPE__SERVER;
    facts.service_pack = field_of("Service Pack 2");
    facts.architecture = field_of("x86");
    facts.machine_guid = field_of("5f1c2b3a-0d4e-4f6a-8b7c-9d0e1f2a3b4c");
    facts.n_hotfixes = 1;
    facts.hotfixes = (Evenkeel__Hotfix *[]){&hotfix};
    facts.n_services = 1;
    facts.services = (Evenkeel__Service *[]){&service};
    facts.inetstp_major = 6;
    facts.machine_keys_read = true;
    facts.windows_directory = field_of("c:/windows");
    assert_pinned(&facts.base,
                  "0801121d4d6963726f736f66742057696e646f77732053657276657220323030331a03352e3220ce1d40024a0e536572"
                  "76696365205061636b203252037838366a2435663163326233612d306434652d346636612d386237632d396430653166"
                  "326133623463a2012d0a084b423937333931371207757064617465731a035350332a1357696e646f7773205365727665"
                  "722032303033aa01630a05573353564310021820222c2553797374656d526f6f74255c53797374656d33325c73766368"
                  "6f73742e657865202d6b20696973737663732a28433a5c57494e444f57535c73797374656d33325c696e65747372765c"
                  "696973773361646d2e646c6cb00106c00101fa010a633a2f77696e646f7773",
                  "d9d8805e53f38c6f29d5be949aee2b4b3d6722a39e3070130ee599cb281cb1bb");
    struct error error = {0};
    assert_int_equal(object_check_facts(&facts, &error), 0);
}

static void what_was_not_seen_has_pinned_bytes_and_name(void **state)
{
    (void)state;
    Evenkeel__NotSeen link = EVENKEEL__NOT_SEEN__INIT;
    link.kind = EVENKEEL__NOT_SEEN_KIND__LINK;
    link.what = field_of("c:/program files");
    link.count = 1;
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.windows_directory = field_of("c:/nt40");
    facts.n_not_seen = 1;
    facts.not_seen = (Evenkeel__NotSeen *[]){&link};
    facts.program_files = field_of("c:/programme");
    facts.n_other_windows = 1;
    facts.other_windows = (ProtobufCBinaryData[]){field_of("c:/winnt")};
    facts.n_covered = 2;
    facts.covered = (ProtobufCBinaryData[]){field_of("c:/nt40/*"), field_of("c:/programme/**")};
    assert_pinned(&facts.base,
                  "fa0107633a2f6e7434309a021608031210633a2f70726f6772616d2066696c65731801a2020c633a2f70726f677261"
                  "6d6d65b20208633a2f77696e6e74fa0209633a2f6e7434302f2afa020f633a2f70726f6772616d6d652f2a2a",
                  "8196d1ba1985a7f675ffd966749837c3488af2a370d3484cace29ba42e80ab38");
    struct error error = {0};
    assert_int_equal(object_check_facts(&facts, &error), 0);
}

static void times_have_pinned_bytes_and_name(void **state)
{
    (void)state;
    Evenkeel__FileTime known = EVENKEEL__FILE_TIME__INIT, unknown = EVENKEEL__FILE_TIME__INIT;
    known.modified = 1255478400000000;
    Evenkeel__Times times = EVENKEEL__TIMES__INIT;
    times.n_machine_keys = 2;
    times.machine_keys = (Evenkeel__FileTime *[]){&known, &unknown};
    times.metabase = 1255478400000001;
    assert_pinned(&times.base, "0a090880c0b8c09dbb9d020a001081c0b8c09dbb9d02",
                  "4454b856db1772ee18e5693b57704d10dc0f7d74067609d966d70770064e17ec");
}

static void empty_message_is_no_bytes_and_reads_back(void **state)
{
    (void)state;
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    struct error error = {0};
    struct bytes packed;
    assert_true(object_pack(&facts.base, &packed));
    assert_int_equal(packed.length, 0);
    assert_non_null(object_unpack(&evenkeel__facts__descriptor, packed, arena, &error));
    free((void *)packed.data);
}

static void fields_in_another_order_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    /* Image: size 5, machine 7. */
    assert_non_null(object_unpack(&evenkeel__image__descriptor, BYTES(0x08, 5, 0x10, 7), arena, &error));
    assert_refused(&evenkeel__image__descriptor, BYTES(0x10, 7, 0x08, 5), "canonical");
}

static void a_field_twice_is_refused(void **state)
{
    (void)state;
    assert_refused(&evenkeel__image__descriptor, BYTES(0x08, 5, 0x08, 5), "canonical");
}

static void a_zero_that_says_nothing_is_refused(void **state)
{
    (void)state;
    assert_refused(&evenkeel__image__descriptor, BYTES(0x08, 0), "canonical");
    assert_refused(&evenkeel__image__descriptor, BYTES(0x5a, 0), "canonical"); /* an empty file_version_string */
}

static void a_number_longer_than_needed_is_refused(void **state)
{
    (void)state;
    assert_refused(&evenkeel__image__descriptor, BYTES(0x08, 0x85, 0x00), "canonical");
    assert_refused(&evenkeel__image__descriptor, BYTES(0x88, 0x00, 0x05), "canonical"); /* the tag itself */
}

static void a_boolean_other_than_one_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    assert_non_null(object_unpack(&evenkeel__image__descriptor, BYTES(0x38, 1), arena, &error));
    assert_refused(&evenkeel__image__descriptor, BYTES(0x38, 2), "canonical");
}

static void numbers_that_should_be_packed_and_are_not_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    /* Chunk.shared: 0, 3 */
    assert_non_null(object_unpack(&evenkeel__chunk__descriptor, BYTES(0x0a, 2, 0, 3), arena, &error));
    assert_refused(&evenkeel__chunk__descriptor, BYTES(0x08, 0, 0x08, 3), "canonical");
    assert_refused(&evenkeel__chunk__descriptor, BYTES(0x0a, 1, 0, 0x0a, 1, 3), "canonical");
}

static void unknown_fields_are_refused_at_any_depth(void **state)
{
    (void)state;
    assert_refused(&evenkeel__image__descriptor, BYTES(0x08, 5, 0xf8, 0x06, 1), "does not know");
    /* Image.exports[0] with ordinal 1 and a field 15 */
    assert_refused(&evenkeel__image__descriptor, BYTES(0x8a, 0x01, 4, 0x08, 1, 0x78, 1), "does not know");
    /* Request.give.offer with a field 15 */
    assert_refused(&evenkeel__request__descriptor, BYTES(0x1a, 4, 0x0a, 2, 0x78, 1), "does not know");
}

static void two_bodies_in_one_request_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    assert_non_null(object_unpack(&evenkeel__request__descriptor, BYTES(0x12, 0), arena, &error));
    assert_refused(&evenkeel__request__descriptor, BYTES(0x0a, 0, 0x12, 0), "canonical");
}

static void cut_bytes_are_refused(void **state)
{
    (void)state;
    const uint8_t image[] = {0x08, 0x85, 0x01, 0x5a, 3, 'a', 'b', 'c'};
    for (size_t length = 0; length <= sizeof image; length++) {
        struct error error = {0};
        bool whole = length == 0 || length == 3 || length == sizeof image; /* ends of fields */
        uint8_t *cut = malloc(length > 0 ? length : 1); /* so that the address sanitizer sees the end */
        memcpy(cut, image, length);
        assert_int_equal(object_unpack(&evenkeel__image__descriptor, bytes_of(cut, length), arena, &error) != NULL,
                         whole);
        free(cut);
    }
}

static void a_message_that_swells_when_unpacked_fails_at_the_budget(void **state)
{
    (void)state;
    /* A million empty exports: two bytes each on the wire, some eighty unpacked. */
    size_t count = 1000000;
    uint8_t *bytes = malloc(3 * count);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + 3 * i, (const uint8_t[]){0x8a, 0x01, 0x00}, 3);
    struct error error = {0};
    assert_null(object_unpack(&evenkeel__image__descriptor, bytes_of(bytes, 3 * count), arena, &error));
    assert_int_not_equal(error.code, ERROR_NONE);
    free(bytes);
}

static void every_budget_that_is_too_small_fails_cleanly(void **state)
{
    (void)state;
    const struct bytes image =
        BYTES(0x08, 5, 0x5a, 3, 'a', 'b', 'c', 0x8a, 0x01, 5, 0x08, 1, 0x12, 1, 'x', 0x92, 0x01, 3, 0x0a, 1, 'y');
    bool enough = false;
    for (size_t budget = 0; budget < 4096 && !enough; budget += 16) {
        struct error error = {0};
        struct arena *small = arena_new(budget);
        enough = object_unpack(&evenkeel__image__descriptor, image, small, &error) != NULL;
        assert_int_equal(enough, error.code == ERROR_NONE);
        arena_free(small);
    }
    assert_true(enough);
}

static void arena_gives_no_more_than_its_budget(void **state)
{
    (void)state;
    struct arena *small = arena_new(64);
    assert_non_null(arena_take(small, 1));
    assert_non_null(arena_take(small, 48));
    assert_null(arena_take(small, 1));
    assert_null(arena_take(small, SIZE_MAX));
    arena_free(small);
}

static void text_must_be_utf8_without_nul(void **state)
{
    (void)state;
    struct error error = {0};
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    image.company_name = (ProtobufCBinaryData){.len = 3, .data = (uint8_t *)"a\0b"};
    assert_int_equal(object_check_image(&image, &error), -1);
    assert_non_null(strstr(error.message, "company_name"));
    image.company_name = field_of("\xff\xfe");
    assert_int_equal(object_check_image(&image, &error), -1);
    image.company_name = field_of("\xed\xa0\x80"); /* a surrogate */
    assert_int_equal(object_check_image(&image, &error), -1);
    image.company_name = field_of("\xc0\xaf"); /* a slash, two bytes long */
    assert_int_equal(object_check_image(&image, &error), -1);
    image.company_name = field_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(object_check_image(&image, &error), 0);
}

static void text_of_nested_messages_is_checked_too(void **state)
{
    (void)state;
    struct error error = {0};
    Evenkeel__Import import = EVENKEEL__IMPORT__INIT;
    import.n_names = 2;
    import.names = (ProtobufCBinaryData[]){field_of("good"), field_of("\xff")};
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    image.n_imports = 1;
    image.imports = (Evenkeel__Import *[]){&import};
    assert_int_equal(object_check_image(&image, &error), -1);
    assert_non_null(strstr(error.message, "Import.names"));
}

static void digests_have_32_bytes_or_none(void **state)
{
    (void)state;
    struct error error = {0};
    uint8_t digest[33] = {0xff}; /* no UTF-8: a digest is no text */
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    image.sha256 = (ProtobufCBinaryData){.len = 32, .data = digest};
    assert_int_equal(object_check_image(&image, &error), 0);
    image.sha256.len = 31;
    assert_int_equal(object_check_image(&image, &error), -1);
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.len = 33, .data = digest};
    assert_int_equal(object_check_inventory(&inventory, &error), -1);
}

static void lists_over_their_limit_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    ProtobufCBinaryData *names = calloc(LIMIT_LIST_ENTRIES + 1, sizeof *names);
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.machine_keys = names;
    facts.n_machine_keys = LIMIT_LIST_ENTRIES;
    assert_int_equal(object_check_facts(&facts, &error), 0);
    facts.n_machine_keys++;
    assert_int_equal(object_check_facts(&facts, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    free(names);

    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks.len = (LIMIT_INVENTORY_CHUNKS + 1) * (size_t)DIGEST_BYTES;
    assert_int_equal(object_check_inventory(&inventory, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_blake2b_256_without_a_key),
        cmocka_unit_test(image_has_pinned_bytes_and_name),
        cmocka_unit_test(inventory_has_pinned_bytes_and_name),
        cmocka_unit_test(facts_have_pinned_bytes_and_name),
        cmocka_unit_test(what_was_not_seen_has_pinned_bytes_and_name),
        cmocka_unit_test(times_have_pinned_bytes_and_name),
        cmocka_unit_test(empty_message_is_no_bytes_and_reads_back),
        cmocka_unit_test(fields_in_another_order_are_refused),
        cmocka_unit_test(a_field_twice_is_refused),
        cmocka_unit_test(a_zero_that_says_nothing_is_refused),
        cmocka_unit_test(a_number_longer_than_needed_is_refused),
        cmocka_unit_test(a_boolean_other_than_one_is_refused),
        cmocka_unit_test(numbers_that_should_be_packed_and_are_not_are_refused),
        cmocka_unit_test(unknown_fields_are_refused_at_any_depth),
        cmocka_unit_test(two_bodies_in_one_request_are_refused),
        cmocka_unit_test(cut_bytes_are_refused),
        cmocka_unit_test(a_message_that_swells_when_unpacked_fails_at_the_budget),
        cmocka_unit_test(every_budget_that_is_too_small_fails_cleanly),
        cmocka_unit_test(arena_gives_no_more_than_its_budget),
        cmocka_unit_test(text_must_be_utf8_without_nul),
        cmocka_unit_test(text_of_nested_messages_is_checked_too),
        cmocka_unit_test(digests_have_32_bytes_or_none),
        cmocka_unit_test(lists_over_their_limit_are_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, arena_make, arena_drop);
}
