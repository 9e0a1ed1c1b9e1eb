/* The PE reader on version resources: the way through the resource tree, the fixed part, the strings. */

#include "pe_craft.h"

#include "proto/cleanup.h"

#include <string.h>

#define CLEARED _cleanup_(pe_image_clear)

#define TREE 0x1000u    /* where the resource tree starts; the offsets in it count from here */
#define VERSION 0x1200u /* VS_VERSIONINFO */
#define HIGH_BIT 0x80000000u

/* One resource directory with numbered entries: pairs of id and target. */
#define PUT_RESOURCES(craft, offset, count, ...)                                                                       \
    PUT_TABLE(craft, TREE + (offset), 0, 0, 0, (uint32_t)(count) << 16, __VA_ARGS__)

/* Writes VS_VERSIONINFO piece by piece; lengths are filled in when a node ends. */
struct writer {
    struct craft *craft;
    uint32_t start, end; /* addresses */
};

static void align(struct writer *writer)
{
    writer->end = (writer->end + 3) & ~3u;
}

static void units(struct writer *writer, const uint16_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++, writer->end += 2)
        put16(writer->craft, at(writer->end), values[i]);
}

static void ascii(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++)
        units(writer, &(uint16_t){(uint8_t)*text}, 1);
    units(writer, &(uint16_t){0}, 1);
}

/* Starts a node; returns where, for node_end(). */
static uint32_t node(struct writer *writer, const char *key, uint16_t value_length, uint16_t type)
{
    align(writer);
    uint32_t start = writer->end;
    put16(writer->craft, at(start + 2), value_length);
    put16(writer->craft, at(start + 4), type);
    writer->end += 6;
    ascii(writer, key);
    align(writer);
    return start;
}

static void node_end(struct writer *writer, uint32_t start)
{
    put16(writer->craft, at(start), writer->end - start);
}

static void string(struct writer *writer, const char *key, const char *value, uint16_t value_length)
{
    uint32_t start = node(writer, key, value_length, 1);
    ascii(writer, value);
    node_end(writer, start);
}

static void fixed(struct writer *writer)
{
    PUT_TABLE(writer->craft, writer->end, 0xfeef04bd, 0x10000, 6u << 16 | 1, 3790u << 16 | 1830, 6u << 16 | 2,
              65535u << 16 | 40000, 0x3f, 0xffffffcb, 4, 2, 0, 0, 0);
    writer->end += 52;
}

/* A file whose resource tree leads to a version at VERSION, of which nothing is written yet but the fixed part. */
static struct writer start_version(struct craft *craft, uint32_t *root)
{
    craft_start(craft, true);
    put_directory(craft, 2, TREE, 0x200);
    PUT_RESOURCES(craft, 0x00, 2, 3, HIGH_BIT | 0x100, 16, HIGH_BIT | 0x20);
    PUT_RESOURCES(craft, 0x20, 1, 1, HIGH_BIT | 0x38);
    PUT_RESOURCES(craft, 0x38, 1, 0x409, 0x50);
    PUT_TABLE(craft, TREE + 0x50, VERSION, 0x400, 0, 0);
    struct writer writer = {.craft = craft, .start = VERSION, .end = VERSION};
    *root = node(&writer, "VS_VERSION_INFO", 52, 0);
    fixed(&writer);
    return writer;
}

/* The same with one string table, to which strings are added by the caller; then end_strings(). */
struct table {
    struct writer writer;
    uint32_t root, info, table;
};

static struct table start_strings(struct craft *craft)
{
    struct table table;
    table.writer = start_version(craft, &table.root);
    table.info = node(&table.writer, "StringFileInfo", 0, 1);
    table.table = node(&table.writer, "040904b0", 0, 1);
    return table;
}

static void end_strings(struct table *table)
{
    node_end(&table->writer, table->table);
    node_end(&table->writer, table->info);
    node_end(&table->writer, table->root);
}

static void assert_fixed(const struct pe_image *image)
{
    assert_true(image->has_version);
    assert_version(image->file_version, 6, 1, 3790, 1830);
    assert_version(image->product_version, 6, 2, 65535, 40000);
}

static void the_fixed_part_gives_numbers_and_the_flags_under_the_mask(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    struct writer writer = start_version(&craft, &root);
    node_end(&writer, root);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_int_equal(image.file_flags, 0x0b);
    assert_int_equal(image.defects, 0);
    assert_int_equal(pe_version_number(image.file_version), 0x000600010ece0726);
}

static void a_wrong_signature_is_no_version(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    struct writer writer = start_version(&craft, &root);
    node_end(&writer, root);
    put32(&craft, at(VERSION + 40), 0xfeef04bc);
    craft_read(&craft, &image);
    assert_false(image.has_version);
    assert_version(image.file_version, 0, 0, 0, 0);
    assert_int_equal(image.defects, PE_DEFECT_VERSION);
}

static void a_resource_without_a_fixed_part_has_strings_only(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    table.writer.end = VERSION;
    table.root = node(&table.writer, "VS_VERSION_INFO", 0, 0);
    table.info = node(&table.writer, "StringFileInfo", 0, 1);
    table.table = node(&table.writer, "040904b0", 0, 1);
    string(&table.writer, "ProductName", "P", 2);
    end_strings(&table);
    craft_read(&craft, &image);
    assert_false(image.has_version);
    assert_text(image.strings[PE_PRODUCT_NAME], "P");
    assert_int_equal(image.defects, 0);
}

static void strings_are_read_whether_lengths_count_words_or_bytes_or_nothing(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    string(&table.writer, "FileVersion", "6.1.3790.0 (x)", 15);
    string(&table.writer, "ProductVersion", "6.2", 8);
    string(&table.writer, "PRODUCTNAME", "Evenkeel", 0);
    string(&table.writer, "Comments", "not kept", 9);
    string(&table.writer, "CompanyName", "", 1);
    string(&table.writer, "OriginalFilename", "a.dll", 0xffff);
    string(&table.writer, "FileDescription", "odd", 4);
    end_strings(&table);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_text(image.strings[PE_FILE_VERSION], "6.1.3790.0 (x)");
    assert_text(image.strings[PE_PRODUCT_VERSION], "6.2");
    assert_text(image.strings[PE_PRODUCT_NAME], "Evenkeel");
    assert_text(image.strings[PE_COMPANY_NAME], "");
    assert_text(image.strings[PE_ORIGINAL_FILENAME], "a.dll");
    assert_text(image.strings[PE_FILE_DESCRIPTION], "odd");
    assert_int_equal(image.defects, 0);
}

static void utf_16_becomes_utf_8_and_half_a_pair_becomes_a_replacement(void **state)
{
    static const uint16_t text[] = {'A', 0xe9, 0x20ac, 0xd83d, 0xde00, 0xdc00, 'B', 0xd800, 0};
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    uint32_t start = node(&table.writer, "ProductName", 9, 1);
    units(&table.writer, text, sizeof text / sizeof *text);
    node_end(&table.writer, start);
    end_strings(&table);
    craft_read(&craft, &image);
    assert_text(image.strings[PE_PRODUCT_NAME], "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd"
                                                "B\xef\xbf\xbd");
    assert_true(bytes_are_utf8(image.strings[PE_PRODUCT_NAME]));
}

static void a_string_that_is_too_long_is_cut_at_a_character(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    PUT_TABLE(&craft, TREE + 0x50, VERSION, 0x1000, 0, 0);
    uint32_t start = node(&table.writer, "ProductName", 1, 1);
    ascii(&table.writer, "x");
    table.writer.end -= 2;
    for (size_t i = 0; i < PE_STRING_LIMIT; i++)
        units(&table.writer, &(uint16_t){0xe9}, 1);
    node_end(&table.writer, start);
    end_strings(&table);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_int_equal(image.strings[PE_PRODUCT_NAME].length, PE_STRING_LIMIT - 1);
    assert_true(bytes_are_utf8(image.strings[PE_PRODUCT_NAME]));
    assert_int_equal(image.defects, PE_DEFECT_STRINGS);
}

static void the_first_string_table_and_of_equal_names_the_first_counts(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    string(&table.writer, "ProductName", "first", 6);
    string(&table.writer, "ProductName", "again", 6);
    node_end(&table.writer, table.table);
    table.table = node(&table.writer, "040704b0", 0, 1);
    string(&table.writer, "ProductName", "second", 7);
    string(&table.writer, "CompanyName", "second", 7);
    end_strings(&table);
    craft_read(&craft, &image);
    assert_text(image.strings[PE_PRODUCT_NAME], "first");
    assert_text(image.strings[PE_COMPANY_NAME], "");
}

static void strings_may_stand_behind_other_blocks_and_before_padding(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    struct writer writer = start_version(&craft, &root);
    uint32_t other = node(&writer, "VarFileInfo", 0, 1);
    uint32_t translation = node(&writer, "Translation", 4, 0);
    PUT_TABLE(&craft, writer.end, 0x04b00409);
    writer.end += 4;
    node_end(&writer, translation);
    node_end(&writer, other);
    uint32_t info = node(&writer, "StringFileInfo", 0, 1);
    uint32_t table = node(&writer, "040904b0", 0, 1);
    string(&writer, "ProductName", "P", 2);
    writer.end += 16;
    node_end(&writer, table);
    node_end(&writer, info);
    node_end(&writer, root);
    craft_read(&craft, &image);
    assert_text(image.strings[PE_PRODUCT_NAME], "P");
    assert_int_equal(image.defects, 0);
}

static void a_node_that_says_to_be_longer_than_its_parent_spoils_only_the_strings(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    string(&table.writer, "ProductName", "P", 2);
    end_strings(&table);
    put16(&craft, at(table.table), 0xfff0);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_int_equal(image.defects, PE_DEFECT_STRINGS);

    put16(&craft, at(table.table), 5); /* shorter than its own head */
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_text(image.strings[PE_PRODUCT_NAME], "");
    assert_int_equal(image.defects, PE_DEFECT_STRINGS);

    put16(&craft, at(VERSION), 0xffff); /* the root itself */
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_int_equal(image.defects, PE_DEFECT_STRINGS);
}

static void a_node_that_ends_outside_of_its_parent_gets_nothing_from_there(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    uint32_t last = node(&table.writer, "ProductName", 0, 1);
    units(&table.writer, (const uint16_t[]){'i', 'n'}, 2); /* up to the end of all, without a NUL */
    node_end(&table.writer, last);
    end_strings(&table);
    put16(&craft, at(last), table.writer.end - last + 6);
    units(&table.writer, (const uint16_t[]){'o', 'u', 't'}, 3);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_text(image.strings[PE_PRODUCT_NAME], "in");
    assert_int_equal(image.defects, PE_DEFECT_STRINGS);
}

static void the_name_1_is_preferred_and_the_first_language_taken(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    struct writer writer = start_version(&craft, &root);
    node_end(&writer, root);
    PUT_RESOURCES(&craft, 0x00, 1, 16, HIGH_BIT | 0x80);
    PUT_RESOURCES(&craft, 0x80, 3, 0x80000120, HIGH_BIT | 0x1000, 1, HIGH_BIT | 0xa8, 7, HIGH_BIT | 0x1000);
    PUT_RESOURCES(&craft, 0xa8, 2, 0x407, 0x50, 0x409, 0x1000);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_int_equal(image.defects, 0);

    put32(&craft, at(TREE + 0x80 + 24), 2); /* no name 1: the first there is */
    put32(&craft, at(TREE + 0x80 + 20), HIGH_BIT | 0xa8);
    craft_read(&craft, &image);
    assert_fixed(&image);
}

static void a_tree_without_versions_has_none_and_is_sound(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    start_version(&craft, &root);
    PUT_RESOURCES(&craft, 0x00, 1, 24, HIGH_BIT | 0x20);
    craft_read(&craft, &image);
    assert_false(image.has_version);
    assert_int_equal(image.defects, 0);
    PUT_RESOURCES(&craft, 0x00, 0, 0);
    craft_read(&craft, &image);
    assert_false(image.has_version);
    assert_int_equal(image.defects, 0);
}

static void assert_broken_tree(struct craft *craft)
{
    CLEARED struct pe_image image = {0};
    craft_read(craft, &image);
    assert_false(image.has_version);
    assert_int_equal(image.defects, PE_DEFECT_RESOURCES);
    assert_true(craft->reads < 10);
}

static void a_tree_that_runs_in_circles_or_out_of_the_file_is_cut(void **state)
{
    struct craft craft;
    uint32_t root;
    (void)state;
    start_version(&craft, &root);
    PUT_RESOURCES(&craft, 0x00, 1, 16, HIGH_BIT | 0); /* every level is the root again */
    assert_broken_tree(&craft);
    PUT_RESOURCES(&craft, 0x00, 1, 16, HIGH_BIT | 0x7fffffff);
    assert_broken_tree(&craft);
    PUT_RESOURCES(&craft, 0x00, 1, 16, 0x7fffffff);
    assert_broken_tree(&craft);
    PUT_RESOURCES(&craft, 0x00, 0xffff, 3, 0, 3, 0);
    assert_broken_tree(&craft);
    start_version(&craft, &root);
    PUT_TABLE(&craft, TREE + 0x50, 0xfffffff0, 0x400);
    assert_broken_tree(&craft);
    PUT_TABLE(&craft, TREE + 0x50, VERSION, 0);
    assert_broken_tree(&craft);
    start_version(&craft, &root);
    put_directory(&craft, 2, 0xfffffff0, 0x200);
    assert_broken_tree(&craft);
}

static void a_version_at_the_end_of_the_section_may_be_cut_behind_the_fixed_part(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    uint32_t root;
    (void)state;
    struct writer writer = start_version(&craft, &root);
    node_end(&writer, root);
    put_section(&craft, CRAFT_SECTION, VERSION + 92 - CRAFT_RVA, CRAFT_HEADERS);
    craft_read(&craft, &image);
    assert_fixed(&image);
    put_section(&craft, CRAFT_SECTION, VERSION + 91 - CRAFT_RVA, CRAFT_HEADERS);
    craft_read(&craft, &image);
    assert_false(image.has_version);
    assert_true(image.defects & PE_DEFECT_VERSION);
}

static void versions_take_three_reads_at_most_in_a_large_file(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    string(&table.writer, "ProductName", "P", 2);
    end_strings(&table);
    put_section(&craft, CRAFT_SECTION, 0xc00, 0x1400);
    memmove(craft.data + 0x1400, craft.data + CRAFT_HEADERS, 0xc00);
    memset(craft.data + CRAFT_HEADERS, 0, 0x1000);
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_text(image.strings[PE_PRODUCT_NAME], "P");
    assert_true(craft.reads <= 3);
}

static void no_single_damage_keeps_the_version_reader_from_its_end(void **state)
{
    static const uint8_t damages[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    struct table table = start_strings(&craft);
    string(&table.writer, "ProductName", "P", 2);
    string(&table.writer, "FileVersion", "6.1", 4);
    end_strings(&table);
    for (size_t offset = at(TREE); offset < at(table.writer.end); offset++) {
        uint8_t sound = craft.data[offset];
        for (size_t i = 0; i < sizeof damages; i++) {
            craft.data[offset] = damages[i];
            craft_read(&craft, &image);
            assert_true(bytes_are_utf8(image.strings[PE_PRODUCT_NAME]));
        }
        craft.data[offset] = sound;
    }
    craft_read(&craft, &image);
    assert_fixed(&image);
    assert_text(image.strings[PE_FILE_VERSION], "6.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixed_part_gives_numbers_and_the_flags_under_the_mask),
        cmocka_unit_test(a_wrong_signature_is_no_version),
        cmocka_unit_test(a_resource_without_a_fixed_part_has_strings_only),
        cmocka_unit_test(strings_are_read_whether_lengths_count_words_or_bytes_or_nothing),
        cmocka_unit_test(utf_16_becomes_utf_8_and_half_a_pair_becomes_a_replacement),
        cmocka_unit_test(a_string_that_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(the_first_string_table_and_of_equal_names_the_first_counts),
        cmocka_unit_test(strings_may_stand_behind_other_blocks_and_before_padding),
        cmocka_unit_test(a_node_that_says_to_be_longer_than_its_parent_spoils_only_the_strings),
        cmocka_unit_test(a_node_that_ends_outside_of_its_parent_gets_nothing_from_there),
        cmocka_unit_test(the_name_1_is_preferred_and_the_first_language_taken),
        cmocka_unit_test(a_tree_without_versions_has_none_and_is_sound),
        cmocka_unit_test(a_tree_that_runs_in_circles_or_out_of_the_file_is_cut),
        cmocka_unit_test(a_version_at_the_end_of_the_section_may_be_cut_behind_the_fixed_part),
        cmocka_unit_test(versions_take_three_reads_at_most_in_a_large_file),
        cmocka_unit_test(no_single_damage_keeps_the_version_reader_from_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
