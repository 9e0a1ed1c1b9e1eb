/* The PE reader on exports, imports and delay imports. */

#include "pe_craft.h"

#include "collector/pe/image.h"
#include "proto/cleanup.h"
#include "proto/limits.h"

#include <string.h>

#define CLEARED _cleanup_(pe_image_clear)

#define EXPORTS 0x1000u /* the export directory, and its tables */
#define FUNCTIONS 0x1040u
#define NAMES 0x1080u
#define ORDINALS 0x10c0u
#define TEXT 0x1200u
#define CODE 0x2000u

static void put_exports(struct craft *craft, uint32_t base, uint32_t functions, uint32_t names)
{
    craft_start(craft, true);
    put_directory(craft, 0, EXPORTS, 0x400);
    PUT_TABLE(craft, EXPORTS, 0, 0, 0, TEXT, base, functions, names, FUNCTIONS, NAMES, ORDINALS);
}

static void put_name(struct craft *craft, unsigned i, uint32_t rva, const char *name, uint32_t index)
{
    put32(craft, at(NAMES) + 4 * (size_t)i, rva);
    put16(craft, at(ORDINALS) + 2 * (size_t)i, index);
    put_text(craft, rva, name);
}

static void assert_export(const struct pe_image *image, size_t i, uint32_t ordinal, const char *name,
                          const char *forwarder)
{
    assert_true(i < image->exports_length);
    assert_int_equal(image->exports[i].ordinal, ordinal);
    assert_text(image->exports[i].name, name);
    assert_text(image->exports[i].forwarder, forwarder);
}

static void exports_come_by_ordinal_then_name_without_the_gaps(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 10, 5, 4);
    PUT_TABLE(&craft, FUNCTIONS, CODE, 0, CODE + 1, TEXT + 0x80, TEXT + 0x90);
    put_name(&craft, 0, TEXT + 0x00, "Alpha", 3);
    put_name(&craft, 1, TEXT + 0x10, "Beta", 0);
    put_name(&craft, 2, TEXT + 0x20, "BetaW", 0);
    put_name(&craft, 3, TEXT + 0x30, "Gap", 1);
    put_text(&craft, TEXT + 0x80, "NTDLL.RtlAlpha");
    put_text(&craft, TEXT + 0x90, "NTDLL.#7");
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 5);
    assert_export(&image, 0, 10, "Beta", "");
    assert_export(&image, 1, 10, "BetaW", "");
    assert_export(&image, 2, 12, "", "");
    assert_export(&image, 3, 13, "Alpha", "NTDLL.RtlAlpha");
    assert_export(&image, 4, 14, "", "NTDLL.#7");
    assert_int_equal(image.defects, 0);
}

static void there_may_be_more_names_than_functions(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 1, 1, 3);
    PUT_TABLE(&craft, FUNCTIONS, CODE);
    put_name(&craft, 0, TEXT + 0x00, "C", 0);
    put_name(&craft, 1, TEXT + 0x10, "A", 0);
    put_name(&craft, 2, TEXT + 0x20, "AB", 0);
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 3);
    assert_export(&image, 0, 1, "A", "");
    assert_export(&image, 1, 1, "AB", "");
    assert_export(&image, 2, 1, "C", "");
    assert_int_equal(image.defects, 0);
}

static void a_broken_name_costs_only_itself(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 1, 2, 4);
    PUT_TABLE(&craft, FUNCTIONS, CODE, CODE, CODE /* behind the table's end */);
    put_name(&craft, 0, TEXT, "Sound", 0);
    put_name(&craft, 1, TEXT, "Sound", 2);   /* no such function */
    put_name(&craft, 2, TEXT + 0x10, "", 1); /* no name */
    put_name(&craft, 3, TEXT + 0x20, "Lost", 1);
    put32(&craft, at(NAMES) + 12, 0xffffff00); /* nowhere */
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 2);
    assert_export(&image, 0, 1, "Sound", "");
    assert_export(&image, 1, 2, "", "");
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);
}

static void a_name_without_end_or_beyond_the_limit_is_none(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 1, 1, 1);
    PUT_TABLE(&craft, FUNCTIONS, CODE);
    put_name(&craft, 0, TEXT, "", 0);
    memset(craft.data + at(TEXT), 'x', PE_NAME_LIMIT);
    craft_read(&craft, &image);
    assert_int_equal(image.exports[0].name.length, PE_NAME_LIMIT);
    assert_int_equal(image.defects, 0);
    craft.data[at(TEXT) + PE_NAME_LIMIT] = 'x';
    craft_read(&craft, &image);
    assert_export(&image, 0, 1, "", "");
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);

    memset(craft.data + at(TEXT), 'x', sizeof craft.data - at(TEXT));
    put32(&craft, at(NAMES), CRAFT_RVA + CRAFT_SECTION - 4); /* the section's last bytes */
    craft_read(&craft, &image);
    assert_export(&image, 0, 1, "", "");
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);
}

static void a_name_that_is_not_utf_8_is_escaped(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 1, 3, 3);
    PUT_TABLE(&craft, FUNCTIONS, CODE, CODE, CODE);
    put_name(&craft, 0, TEXT + 0x00, "100%\xfc\xe9", 0);
    put_name(&craft, 1, TEXT + 0x10, "100%", 1);
    put_name(&craft, 2, TEXT + 0x20,
             "Gr\xc3\xbc\xc3\x9f"
             "e",
             2);
    craft_read(&craft, &image);
    assert_export(&image, 0, 1, "100%25%fc%e9", "");
    assert_export(&image, 1, 2, "100%", "");
    assert_export(&image, 2, 3,
                  "Gr\xc3\xbc\xc3\x9f"
                  "e",
                  "");
    assert_int_equal(image.defects, 0);
}

static void tables_that_leave_the_file_are_cut(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 1, 0xffffffff, 0xffffffff);
    PUT_TABLE(&craft, EXPORTS + 28, CRAFT_RVA + CRAFT_SECTION - 8, CRAFT_RVA + CRAFT_SECTION - 4, ORDINALS);
    PUT_TABLE(&craft, CRAFT_RVA + CRAFT_SECTION - 8, CODE, TEXT);
    put_text(&craft, TEXT, "Last");
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 2);
    assert_export(&image, 0, 1, "Last", "");
    assert_export(&image, 1, 2, "", "Last"); /* its address is that of the text, which lies in the directory */
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);

    put_directory(&craft, 0, CRAFT_RVA + CRAFT_SECTION - 39, 40);
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 0);
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);
}

static void ordinals_that_no_import_could_ask_for_are_left_out(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    put_exports(&craft, 65535, 2, 0);
    PUT_TABLE(&craft, FUNCTIONS, CODE, CODE);
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 1);
    assert_export(&image, 0, 65535, "", "");
    assert_int_equal(image.defects, PE_DEFECT_EXPORTS);
    put32(&craft, at(EXPORTS) + 16, 0xffffffff);
    craft_read(&craft, &image);
    assert_int_equal(image.exports_length, 0);
}

#define IMPORTS 0x1000u
#define LOOKUP 0x1100u
#define ADDRESSES 0x1180u
#define DLL 0x1300u
#define HINT 0x1400u

/* An entry of a lookup table: 64 or 32 bits wide. */
static void put_thunk(struct craft *craft, uint32_t table, unsigned i, uint32_t value, bool by_ordinal)
{
    if (!craft->plus) {
        put32(craft, at(table) + 4 * (size_t)i, value | (by_ordinal ? 0x80000000u : 0));
        return;
    }
    put32(craft, at(table) + 8 * (size_t)i, value);
    put32(craft, at(table) + 8 * (size_t)i + 4, by_ordinal ? 0x80000000u : 0);
}

static void start_imports(struct craft *craft, bool plus)
{
    craft_start(craft, plus);
    put_directory(craft, 1, IMPORTS, 40);
    PUT_TABLE(craft, IMPORTS, LOOKUP, 0, 0, DLL, ADDRESSES);
    put_text(craft, DLL, "KERNEL32.dll");
    put_text(craft, HINT + 2, "Sleep");
    put_text(craft, HINT + 18, "Beep");
}

static void imports_are_by_name_and_by_ordinal(void **state)
{
    (void)state;
    for (int plus = 0; plus < 2; plus++) {
        struct craft craft;
        CLEARED struct pe_image image = {0};
        start_imports(&craft, plus);
        put_thunk(&craft, LOOKUP, 0, HINT, false);
        put_thunk(&craft, LOOKUP, 1, 0xffff, true);
        put_thunk(&craft, LOOKUP, 2, HINT + 16, false);
        put_thunk(&craft, LOOKUP, 3, 1, true);
        craft_read(&craft, &image);
        assert_int_equal(image.imports_length, 1);
        assert_text(image.imports[0].dll, "KERNEL32.dll");
        assert_false(image.imports[0].delay);
        assert_int_equal(image.imports[0].names_length, 2);
        assert_text(image.imports[0].names[0], "Sleep");
        assert_text(image.imports[0].names[1], "Beep");
        assert_int_equal(image.imports[0].ordinals_length, 2);
        assert_int_equal(image.imports[0].ordinals[0], 0xffff);
        assert_int_equal(image.imports[0].ordinals[1], 1);
        assert_int_equal(image.defects, 0);
    }
}

static void without_a_lookup_table_the_address_table_is_read(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    start_imports(&craft, false);
    put_thunk(&craft, ADDRESSES, 0, HINT, false);
    PUT_TABLE(&craft, IMPORTS, 0, 0xffffffff /* bound */, 0, DLL, ADDRESSES);
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 1);
    assert_text(image.imports[0].names[0], "Sleep");
    assert_int_equal(image.defects, 0);
}

static void a_broken_symbol_or_dll_costs_only_itself(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    start_imports(&craft, true);
    PUT_TABLE(&craft, IMPORTS, LOOKUP, 0, 0, 0xfffffff0, ADDRESSES, LOOKUP, 0, 0, DLL, ADDRESSES);
    put_thunk(&craft, LOOKUP, 0, 0x7ffffff0, false);
    put_thunk(&craft, LOOKUP, 1, HINT, false);
    put32(&craft, at(LOOKUP) + 20, 1); /* an address of more than 32 bits */
    put32(&craft, at(LOOKUP) + 16, HINT);
    put_thunk(&craft, LOOKUP, 3, HINT + 16, false);
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 1);
    assert_int_equal(image.imports[0].names_length, 2);
    assert_text(image.imports[0].names[0], "Sleep");
    assert_text(image.imports[0].names[1], "Beep");
    assert_int_equal(image.defects, PE_DEFECT_IMPORTS);
}

#define DELAY 0x1500u

static void assert_delay_import(struct craft *craft, uint32_t defects)
{
    CLEARED struct pe_image image = {0};
    craft_read(craft, &image);
    assert_int_equal(image.imports_length, 2);
    assert_false(image.imports[0].delay);
    assert_true(image.imports[1].delay);
    assert_text(image.imports[1].dll, "KERNEL32.dll");
    assert_int_equal(image.imports[1].names_length, 1);
    assert_text(image.imports[1].names[0], "Beep");
    assert_int_equal(image.imports[1].ordinals[0], 3);
    assert_int_equal(image.defects, defects);
}

static void delay_imports_are_by_address_of_either_kind(void **state)
{
    struct craft craft;
    const uint32_t base = 0x10000000;
    (void)state;
    for (int plus = 0; plus < 2; plus++) {
        start_imports(&craft, plus);
        put_directory(&craft, 13, DELAY, 64);
        PUT_TABLE(&craft, DELAY, 1, DLL, 0, ADDRESSES, ADDRESSES);
        put_thunk(&craft, ADDRESSES, 0, HINT + 16, false);
        put_thunk(&craft, ADDRESSES, 1, 3, true);
        assert_delay_import(&craft, 0);
    }
    start_imports(&craft, false); /* old linkers: with the image base in every address */
    put_directory(&craft, 13, DELAY, 64);
    PUT_TABLE(&craft, DELAY, 0, base + DLL, 0, base + ADDRESSES, base + ADDRESSES);
    put_thunk(&craft, ADDRESSES, 0, base + HINT + 16, false);
    put_thunk(&craft, ADDRESSES, 1, 3, true);
    assert_delay_import(&craft, 0);
    PUT_TABLE(&craft, DELAY + 32, 1, 0xfffffff0, 0, ADDRESSES, ADDRESSES);
    assert_delay_import(&craft, PE_DEFECT_DELAY_IMPORTS);
}

/* Memory in place of a file that would be too large to craft: headers of a crafted one, and a section of `length`. */
struct large {
    struct craft craft;
    uint8_t *section;
    size_t length;
    size_t bytes_read;
};

static int64_t large_read_at(void *context, void *buffer, size_t length, uint64_t offset, struct error *error)
{
    struct large *large = context;
    uint8_t *to = buffer;
    size_t count = 0;
    (void)error;
    for (; count < length && offset < CRAFT_HEADERS + large->length; count++, offset++)
        to[count] = offset < CRAFT_HEADERS ? large->craft.data[offset] : large->section[offset - CRAFT_HEADERS];
    large->bytes_read += count;
    return (int64_t)count;
}

static void large_put32(struct large *large, uint32_t rva, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        large->section[rva - CRAFT_RVA + (unsigned)i] = (uint8_t)(value >> 8 * i);
}

static void read_large(struct large *large, struct pe_image *image)
{
    const struct pe_source source = {large_read_at, large, CRAFT_HEADERS + large->length};
    const struct pe_options options = {.symbols = true};
    struct error error = {0};
    put_section(&large->craft, (uint32_t)large->length, (uint32_t)large->length, CRAFT_HEADERS);
    assert_int_equal(pe_read_source(&source, &options, image, &error), 0);
}

static void symbols_beyond_the_limit_are_left_out_so_that_an_image_can_travel(void **state)
{
    const uint32_t count = 60000, names = CRAFT_RVA + 0x40, ordinals = names + 4 * count, text = ordinals + 2 * count;
    struct large large = {.length = 3 << 20};
    CLEARED struct pe_image image = {0};
    _cleanup_free_ uint8_t *section = calloc(1, large.length);
    _cleanup_free_ uint8_t *packed = NULL;
    struct error error = {0};
    size_t length;
    (void)state;
    large.section = section;
    craft_start(&large.craft, true);
    put_directory(&large.craft, 0, CRAFT_RVA, 40);
    const uint32_t directory[] = {0, 0, 0, 0, 1, count, count, names, names, ordinals};
    for (uint32_t i = 0; i < 10; i++)
        large_put32(&large, CRAFT_RVA + 4 * i, directory[i]);
    for (uint32_t i = 0; i < count; i++) {
        large_put32(&large, names + 4 * i, text + 36 * i);
        section[ordinals - CRAFT_RVA + 2 * i] = (uint8_t)i;
        section[ordinals - CRAFT_RVA + 2 * i + 1] = (uint8_t)(i >> 8);
        memset(section + (text - CRAFT_RVA) + 36 * (size_t)i, 'a' + (int)(i % 26), 35);
    }
    read_large(&large, &image);
    assert_int_equal(image.defects, PE_DEFECT_SYMBOL_LIMIT);
    assert_true(image.exports_length > 20000);
    assert_int_equal(image_pack(&image, &packed, &length, &error), 0);
    assert_true(length > PE_SYMBOL_LIMIT / 2 && length < LIMIT_OBJECT_BYTES);
}

static void tables_without_end_are_left_after_the_limits(void **state)
{
    struct large large = {.length = 4 << 20};
    CLEARED struct pe_image image = {0};
    _cleanup_free_ uint8_t *section = malloc(large.length);
    (void)state;
    large.section = section;
    memset(section, 0x11,
           large.length); /* descriptors and thunks one behind the other, all of the same wrong address */
    craft_start(&large.craft, true);
    put_directory(&large.craft, 1, CRAFT_RVA, 40);
    put_directory(&large.craft, 13, CRAFT_RVA, 40);
    read_large(&large, &image);
    assert_int_equal(image.imports_length, 0);
    assert_true(image.defects & PE_DEFECT_IMPORTS);
    assert_true(image.defects & PE_DEFECT_SYMBOL_LIMIT);

    for (size_t i = 0; i < large.length; i += 4) /* all of them point to a name, which is the table itself */
        large_put32(&large, CRAFT_RVA + (uint32_t)i, 0x00001101);
    read_large(&large, &image);
    assert_true(image.defects & PE_DEFECT_IMPORTS);
    assert_true(image.defects & PE_DEFECT_SYMBOL_LIMIT);
}

/* One DLL with `count` entries in its lookup table, at LARGE_LOOKUP. */
#define LARGE_LOOKUP (CRAFT_RVA + 0x100)
static void start_large_imports(struct large *large)
{
    craft_start(&large->craft, false);
    put_directory(&large->craft, 1, CRAFT_RVA, 40);
    large_put32(large, CRAFT_RVA, LARGE_LOOKUP);
    large_put32(large, CRAFT_RVA + 12, CRAFT_RVA + 0x80);
    large_put32(large, CRAFT_RVA + 16, LARGE_LOOKUP);
    memcpy(large->section + 0x80, "A.dll", 6);
}

static void no_more_ordinals_are_taken_than_a_list_holds(void **state)
{
    const uint32_t most = 65536;
    struct large large = {.length = 1 << 20};
    CLEARED struct pe_image image = {0};
    _cleanup_free_ uint8_t *section = calloc(1, large.length);
    (void)state;
    large.section = section;
    start_large_imports(&large);
    for (uint32_t i = 0; i < most; i++)
        large_put32(&large, LARGE_LOOKUP + 4 * i, 0x80000000u | i % 65536);
    read_large(&large, &image);
    assert_int_equal(image.imports_length, 1);
    assert_int_equal(image.imports[0].ordinals_length, most);
    assert_int_equal(image.defects, 0);

    large_put32(&large, LARGE_LOOKUP + 4 * most, 0x80000001u);
    read_large(&large, &image);
    assert_int_equal(image.imports[0].ordinals_length, most);
    assert_int_equal(image.imports[0].ordinals[most - 1], 65535);
    assert_int_equal(image.defects, PE_DEFECT_SYMBOL_LIMIT);
}

static void a_file_that_sends_the_reader_to_and_fro_is_left_after_the_limit(void **state)
{
    const uint32_t count = 40000, near = LARGE_LOOKUP + 4 * count + 8, far = CRAFT_RVA + (3 << 20);
    struct large large = {.length = 4 << 20};
    CLEARED struct pe_image image = {0};
    _cleanup_free_ uint8_t *section = calloc(1, large.length);
    (void)state;
    large.section = section;
    start_large_imports(&large);
    memcpy(section + (near - CRAFT_RVA) + 2, "Near", 5);
    memcpy(section + (far - CRAFT_RVA) + 2, "Far", 4);
    for (uint32_t i = 0; i < count; i++) /* each name is where the view is not */
        large_put32(&large, LARGE_LOOKUP + 4 * i, i % 2 == 0 ? near : far);
    read_large(&large, &image);
    assert_true(image.defects & PE_DEFECT_READ_LIMIT);
    assert_true(large.bytes_read <= PE_READ_LIMIT);
    assert_true(large.bytes_read > PE_READ_LIMIT / 2);
    assert_int_equal(image.imports_length, 1);
    assert_true(image.imports[0].names_length > 1000 && image.imports[0].names_length < count);
}

static void an_image_that_is_read_into_again_holds_nothing_of_before(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    start_imports(&craft, true);
    put_thunk(&craft, LOOKUP, 0, HINT, false);
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 1);
    put_exports(&craft, 1, 1, 1);
    PUT_TABLE(&craft, FUNCTIONS, CODE);
    put_name(&craft, 0, TEXT, "Only", 0);
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 0);
    assert_export(&image, 0, 1, "Only", "");
    struct craft text = {.data = "hello", .length = 5};
    craft_read(&text, &image);
    assert_false(image.is_pe);
    assert_int_equal(image.exports_length, 0);
}

static void no_single_damage_keeps_the_symbol_reader_from_its_end(void **state)
{
    static const uint8_t damages[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    start_imports(&craft, true);
    put_thunk(&craft, LOOKUP, 0, HINT, false);
    put_thunk(&craft, LOOKUP, 1, 7, true);
    put_directory(&craft, 13, DELAY, 64);
    PUT_TABLE(&craft, DELAY, 1, DLL, 0, LOOKUP, LOOKUP);
    for (size_t offset = at(IMPORTS); offset < at(DELAY + 64); offset++) {
        uint8_t sound = craft.data[offset];
        for (size_t i = 0; i < sizeof damages; i++) {
            craft.data[offset] = damages[i];
            craft_read(&craft, &image);
            for (size_t k = 0; k < image.imports_length; k++)
                assert_true(bytes_are_utf8(image.imports[k].dll));
        }
        craft.data[offset] = sound;
    }
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 2);
    assert_int_equal(image.defects, 0);
}

static bool same_text(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static bool same_imports(const struct pe_image *a, const struct pe_image *b)
{
    bool same = a->imports_length == b->imports_length;
    for (size_t i = 0; same && i < a->imports_length; i++)
        same = same_text(a->imports[i].dll, b->imports[i].dll) &&
               a->imports[i].names_length == b->imports[i].names_length &&
               a->imports[i].ordinals_length == b->imports[i].ordinals_length;
    return same;
}

static bool same_exports(const struct pe_image *a, const struct pe_image *b)
{
    bool same = a->exports_length == b->exports_length;
    for (size_t i = 0; same && i < a->exports_length; i++)
        same = a->exports[i].ordinal == b->exports[i].ordinal && same_text(a->exports[i].name, b->exports[i].name) &&
               same_text(a->exports[i].forwarder, b->exports[i].forwarder);
    return same;
}

#define SYMBOLS_EXPORTS 0x1500u /* where the imports of start_imports() leave room */
#define SYMBOLS_DELAYED 0x1b00u

/* A file with symbols of every kind, the exports before the delayed imports. */
static void start_symbols(struct craft *craft, bool plus)
{
    start_imports(craft, plus);
    put_thunk(craft, LOOKUP, 0, HINT, false);
    put_thunk(craft, LOOKUP, 1, 7, true);
    put_directory(craft, 0, SYMBOLS_EXPORTS, 0x100);
    PUT_TABLE(craft, SYMBOLS_EXPORTS, 0, 0, 0, 0, 1, 2, 1, SYMBOLS_EXPORTS + 0x40, SYMBOLS_EXPORTS + 0x50,
              SYMBOLS_EXPORTS + 0x60);
    PUT_TABLE(craft, SYMBOLS_EXPORTS + 0x40, CODE, SYMBOLS_EXPORTS + 0x70);
    PUT_TABLE(craft, SYMBOLS_EXPORTS + 0x50, SYMBOLS_EXPORTS + 0x80);
    put_text(craft, SYMBOLS_EXPORTS + 0x70, "B.Other");
    put_text(craft, SYMBOLS_EXPORTS + 0x80, "One");
    put_directory(craft, 13, SYMBOLS_DELAYED, 64);
    PUT_TABLE(craft, SYMBOLS_DELAYED, 1, SYMBOLS_DELAYED + 0x80, 0, 0, SYMBOLS_DELAYED + 0x40);
    put_thunk(craft, SYMBOLS_DELAYED + 0x40, 0, SYMBOLS_DELAYED + 0x60, false);
    put_text(craft, SYMBOLS_DELAYED + 0x62, "Late");
    put_text(craft, SYMBOLS_DELAYED + 0x80, "C.dll");
}

static void what_is_not_read_of_a_file_that_is_cut_is_said(void **state)
{
    (void)state;
    for (int plus = 0; plus < 2; plus++) {
        struct craft craft;
        CLEARED struct pe_image whole = {0};
        start_symbols(&craft, plus);
        craft_read(&craft, &whole);
        assert_int_equal(whole.defects, 0);
        assert_int_equal(whole.imports_length, 2);
        assert_int_equal(whole.exports_length, 2);
        size_t imports_cut = 0, exports_cut = 0;
        for (craft.length = CRAFT_OPTIONAL; craft.length < CRAFT_BYTES; craft.length++) {
            CLEARED struct pe_image image = {0};
            craft_read(&craft, &image);
            bool imports = same_imports(&whole, &image), exports = same_exports(&whole, &image);
            assert_true(imports || image.defects & PE_DEFECT_UNREAD_IMPORTS);
            assert_true(exports || image.defects & PE_DEFECT_UNREAD_EXPORTS);
            imports_cut += !imports;
            exports_cut += !exports;
        }
        assert_true(imports_cut > CRAFT_HEADERS && imports_cut < CRAFT_SECTION);
        assert_true(exports_cut > CRAFT_HEADERS && exports_cut < imports_cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_come_by_ordinal_then_name_without_the_gaps),
        cmocka_unit_test(there_may_be_more_names_than_functions),
        cmocka_unit_test(a_broken_name_costs_only_itself),
        cmocka_unit_test(a_name_without_end_or_beyond_the_limit_is_none),
        cmocka_unit_test(a_name_that_is_not_utf_8_is_escaped),
        cmocka_unit_test(tables_that_leave_the_file_are_cut),
        cmocka_unit_test(ordinals_that_no_import_could_ask_for_are_left_out),
        cmocka_unit_test(imports_are_by_name_and_by_ordinal),
        cmocka_unit_test(without_a_lookup_table_the_address_table_is_read),
        cmocka_unit_test(a_broken_symbol_or_dll_costs_only_itself),
        cmocka_unit_test(delay_imports_are_by_address_of_either_kind),
        cmocka_unit_test(symbols_beyond_the_limit_are_left_out_so_that_an_image_can_travel),
        cmocka_unit_test(tables_without_end_are_left_after_the_limits),
        cmocka_unit_test(no_more_ordinals_are_taken_than_a_list_holds),
        cmocka_unit_test(a_file_that_sends_the_reader_to_and_fro_is_left_after_the_limit),
        cmocka_unit_test(an_image_that_is_read_into_again_holds_nothing_of_before),
        cmocka_unit_test(what_is_not_read_of_a_file_that_is_cut_is_said),
        cmocka_unit_test(no_single_damage_keeps_the_symbol_reader_from_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
