/* The PE reader on headers, sections, unreadable and changing files, and on what a linker made. */

#include "pe_craft.h"

#include "proto/cleanup.h"

#include <string.h>

#define CLEARED _cleanup_(pe_image_clear)

static void assert_no_pe(const void *data, size_t length)
{
    struct craft craft = {.length = length};
    CLEARED struct pe_image image = {0};
    if (length > 0)
        put(&craft, 0, data, length);
    craft_read(&craft, &image);
    assert_false(image.is_pe);
    assert_int_equal(image.size, length);
    assert_int_equal(image.machine, 0);
    assert_int_equal(image.defects, 0);
}

static void a_file_without_mz_and_pe_signature_is_no_pe(void **state)
{
    uint8_t dos[0x80] = {'M', 'Z'};
    (void)state;
    assert_no_pe(NULL, 0);
    assert_no_pe("M", 1);
    assert_no_pe("MZ", 2);
    assert_no_pe("\x7f"
                 "ELF",
                 4);
    assert_no_pe(dos, sizeof dos); /* its new header would be at 0 */
    dos[0x3c] = 0x40;
    memcpy(dos + 0x40, "NE", 2); /* 16-bit Windows */
    assert_no_pe(dos, sizeof dos);
    memcpy(dos + 0x40, "LE", 2); /* virtual device drivers */
    assert_no_pe(dos, sizeof dos);
    memcpy(dos + 0x40, "PE\0\0", 4);
    assert_no_pe(dos, 0x40 + 23); /* the COFF header is cut */
    memset(dos + 0x3c, 0xff, 4);
    assert_no_pe(dos, sizeof dos);
}

static void the_headers_give_what_names_the_build(void **state)
{
    (void)state;
    for (int plus = 0; plus < 2; plus++) {
        struct craft craft;
        CLEARED struct pe_image image = {0};
        craft_start(&craft, plus);
        craft_read(&craft, &image);
        assert_true(image.is_pe);
        assert_int_equal(image.size, CRAFT_BYTES);
        assert_int_equal(image.machine, plus ? 0x8664 : 0x014c);
        assert_int_equal(image.magic, plus ? 0x20b : 0x10b);
        assert_int_equal(image.time_date_stamp, 1045000000);
        assert_int_equal(image.size_of_image, 0x3000);
        assert_int_equal(image.checksum, 0x0001abcd);
        assert_int_equal(image.characteristics, 0x2022);
        assert_false(image.has_version);
        assert_int_equal(image.exports_length, 0);
        assert_int_equal(image.imports_length, 0);
        assert_int_equal(image.defects, 0);
        assert_int_equal(craft.reads, 1);
    }
}

static void an_optional_header_that_is_cut_or_unknown_leaves_the_coff_header(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    craft.length = CRAFT_OPTIONAL + 60;
    craft_read(&craft, &image);
    assert_true(image.is_pe);
    assert_int_equal(image.machine, 0x8664);
    assert_int_equal(image.magic, 0);
    assert_int_equal(image.defects, PE_DEFECT_OPTIONAL_HEADER);

    craft.length = CRAFT_BYTES;
    put16(&craft, CRAFT_OPTIONAL, 0x107); /* a ROM image */
    craft_read(&craft, &image);
    assert_int_equal(image.size_of_image, 0);
    assert_int_equal(image.defects, PE_DEFECT_OPTIONAL_HEADER);
}

static void a_section_table_that_is_cut_leaves_the_headers(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, false);
    craft.length = CRAFT_SECTIONS + 39;
    craft_read(&craft, &image);
    assert_int_equal(image.checksum, 0x0001abcd);
    assert_int_equal(image.defects, PE_DEFECT_SECTIONS);

    put16(&craft, CRAFT_PE + 6, 0xffff);
    craft.length = CRAFT_BYTES;
    craft_read(&craft, &image);
    assert_true(image.defects & PE_DEFECT_SECTIONS);
}

static void section_data_behind_the_end_of_the_file_is_noted(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    craft.length = CRAFT_BYTES - 1;
    craft_read(&craft, &image);
    assert_int_equal(image.defects, PE_DEFECT_TRUNCATED);
}

/* A DLL that imports A.dll!F, with the import directory at `rva`, whose bytes lie at `offset` of the file. */
static void put_import(struct craft *craft, uint32_t rva, size_t offset)
{
    const uint32_t fields[] = {rva + 0x30, 0, 0, rva + 0x50, rva + 0x30, 0, 0, 0, 0, 0, 0, 0, rva + 0x58, 0, 0, 0};
    put_directory(craft, 1, rva, 40);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        put32(craft, offset + 4 * i, fields[i]);
    put(craft, offset + 0x50, "A.dll", 6);
    put(craft, offset + 0x58, "\0\0F", 4);
}

static void assert_import_is_read(struct craft *craft, bool is_read)
{
    CLEARED struct pe_image image = {0};
    craft_read(craft, &image);
    assert_int_equal(image.imports_length, is_read ? 1 : 0);
    assert_int_equal(image.defects & PE_DEFECT_IMPORTS, is_read ? 0 : PE_DEFECT_IMPORTS);
    if (is_read)
        assert_text(image.imports[0].names[0], "F");
}

static void addresses_are_found_where_the_loader_would_map_them(void **state)
{
    struct craft craft;
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x100);
    assert_import_is_read(&craft, true);
    put_section(&craft, 0, CRAFT_SECTION, CRAFT_HEADERS); /* the size in the file stands for both */
    assert_import_is_read(&craft, true);
    put_section(&craft, CRAFT_SECTION, CRAFT_SECTION, CRAFT_HEADERS + 0x1ff); /* data starts at a sector */
    assert_import_is_read(&craft, true);
    put_section(&craft, 0x10, CRAFT_SECTION, CRAFT_HEADERS); /* a whole page is mapped */
    assert_import_is_read(&craft, true);
    put_section(&craft, CRAFT_SECTION, 0x130, CRAFT_HEADERS); /* zero bytes follow in memory, none in the file */
    assert_import_is_read(&craft, false);
    put_section(&craft, CRAFT_SECTION, CRAFT_SECTION, 0); /* uninitialized data */
    assert_import_is_read(&craft, false);
    put_import(&craft, 0x300, 0x300); /* in the headers */
    assert_import_is_read(&craft, true);
    put_import(&craft, 0x3000, 0x300); /* behind all sections */
    assert_import_is_read(&craft, false);
}

static void sections_of_small_alignment_keep_their_place(void **state)
{
    struct craft craft;
    (void)state;
    craft_start(&craft, false);
    put32(&craft, CRAFT_OPTIONAL + 32, 0x20);
    put32(&craft, CRAFT_OPTIONAL + 36, 0x20);
    put_section(&craft, 0x1000, 0x1000, CRAFT_HEADERS + 0x20);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x120);
    assert_import_is_read(&craft, true);
}

static void a_directory_beyond_the_stated_number_is_none(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x100);
    put32(&craft, CRAFT_OPTIONAL + 108, 1);
    craft_read(&craft, &image);
    assert_int_equal(image.imports_length, 0);
    assert_int_equal(image.defects, 0);
}

static void headers_behind_a_long_dos_program_are_found(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    memmove(craft.data + 0x1800, craft.data + CRAFT_PE, CRAFT_SECTIONS + 40 - CRAFT_PE);
    memset(craft.data + CRAFT_PE, 0x90, CRAFT_SECTIONS + 40 - CRAFT_PE);
    put32(&craft, 0x3c, 0x1800);
    craft_read(&craft, &image);
    assert_true(image.is_pe);
    assert_int_equal(image.checksum, 0x0001abcd);
    assert_int_equal(image.defects, 0);
}

static void a_read_that_fails_is_an_error_and_leaves_nothing(void **state)
{
    struct craft craft;
    const struct pe_options options = {.symbols = true, .hash = true};
    size_t failing = 1;
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x2100, CRAFT_HEADERS + 0x1100);
    for (;; failing++) {
        CLEARED struct pe_image image = {0};
        const struct pe_source source = {.read_at = craft_read_at, .context = &craft, .size = craft.length};
        struct error error = {0};
        craft.reads = 0;
        craft.failing = failing;
        if (pe_read_source(&source, &options, &image, &error) == 0)
            break;
        assert_int_equal(error.code, ERROR_IO);
        assert_string_equal(error.message, "the disk is gone");
        assert_false(image.is_pe);
        assert_int_equal(image.size, 0);
        assert_int_equal(image.imports_length, 0);
    }
    assert_true(failing > 4); /* the header, import tables and names, the hash */
}

static void symbols_that_are_not_asked_for_are_noted_as_such(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    const struct pe_source source = {.read_at = craft_read_at, .context = &craft, .size = CRAFT_BYTES};
    const struct pe_options options = {0};
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x100);
    assert_int_equal(pe_read_source(&source, &options, &image, NULL), 0);
    assert_true(image.symbols_omitted);
    assert_int_equal(image.imports_length, 0);
    assert_false(image.has_sha256);
}

static void the_hash_is_that_of_the_whole_file_pe_or_not(void **state)
{
    static const uint8_t of_abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                       0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                       0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct craft craft = {.length = 3, .data = "abc"};
    CLEARED struct pe_image image = {0};
    struct pe_source source = {.read_at = craft_read_at, .context = &craft, .size = 3};
    const struct pe_options options = {.hash = true};
    struct error error = {0};
    (void)state;
    assert_int_equal(pe_read_source(&source, &options, &image, &error), 0);
    assert_false(image.is_pe);
    assert_true(image.has_sha256);
    assert_memory_equal(image.sha256, of_abc, sizeof of_abc);

    source.size = 4; /* it shrank since its size was asked for */
    assert_int_equal(pe_read_source(&source, &options, &image, &error), -1);
    assert_int_equal(error.code, ERROR_IO);
    source.size = 2; /* it grew */
    assert_int_equal(pe_read_source(&source, &options, &image, &error), -1);
}

static void a_file_larger_than_is_hashed_has_no_hash_and_all_else(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    struct pe_options options = {.symbols = true, .hash = true, .hash_most = CRAFT_BYTES};
    const struct pe_source source = {.read_at = craft_read_at, .context = &craft, .size = CRAFT_BYTES};
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x100);
    assert_int_equal(pe_read_source(&source, &options, &image, NULL), 0);
    assert_true(image.has_sha256);
    options.hash_most = CRAFT_BYTES - 1;
    assert_int_equal(pe_read_source(&source, &options, &image, NULL), 0);
    assert_false(image.has_sha256);
    assert_int_equal(image.imports_length, 1);
    assert_false(pe_is_hashed(&options, CRAFT_BYTES));
    assert_true(pe_is_hashed(&options, CRAFT_BYTES - 1));
}

static void what_lies_outside_of_the_file_is_not_looked_for(void **state)
{
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    craft_read(&craft, &image);
    assert_true(image.is_pe);
    put32(&craft, 0x3c, 0x7ffffff0);
    craft.reads = 0;
    craft_read(&craft, &image);
    assert_false(image.is_pe);
    assert_int_equal(craft.reads, 1); /* the file's begin, which says where */
}

/* Whatever one byte is changed to, and wherever the file ends, reading ends, and well. */
static void no_single_damage_keeps_the_reader_from_its_end(void **state)
{
    static const uint8_t damages[] = {0x00, 0x7f, 0x80, 0xff};
    struct craft craft;
    CLEARED struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    put_import(&craft, 0x1100, CRAFT_HEADERS + 0x100);
    for (size_t offset = 0; offset < CRAFT_HEADERS + 0x180; offset++) {
        uint8_t sound = craft.data[offset];
        for (size_t i = 0; i < sizeof damages; i++) {
            craft.data[offset] = damages[i];
            craft_read(&craft, &image);
        }
        craft.data[offset] = sound;
        craft.length = offset;
        craft_read(&craft, &image);
        craft.length = CRAFT_BYTES;
    }
    craft_read(&craft, &image);
    assert_int_equal(image.defects, 0);
}

static void defects_have_names(void **state)
{
    char buffer[64];
    (void)state;
    assert_string_equal(pe_defect_names(0, buffer, sizeof buffer), "");
    assert_string_equal(pe_defect_names(PE_DEFECT_EXPORTS | PE_DEFECT_READ_LIMIT, buffer, sizeof buffer),
                        "exports, read-limit");
    assert_string_equal(pe_defect_names(UINT32_MAX, buffer, 8), "optiona");
}

static void machines_have_the_names_of_processor_architecture(void **state)
{
    (void)state;
    assert_string_equal(pe_machine_name(0x014c), "x86");
    assert_string_equal(pe_machine_name(0x8664), "AMD64");
    assert_string_equal(pe_machine_name(0xaa64), "ARM64");
    assert_null(pe_machine_name(0x1234));
}

/* A load configuration of that size with that CHPEMetadataPointer, in an image for that machine. */
static uint8_t hybrid_of(uint16_t machine, uint32_t size, uint32_t metadata, bool symbols)
{
    static struct craft craft;
    struct pe_image image = {0};
    struct error error = {0};
    craft_start(&craft, true);
    put16(&craft, CRAFT_PE + 4, machine);
    if (size > 0) {
        put_directory(&craft, 10, CRAFT_RVA, size);
        put32(&craft, at(CRAFT_RVA), size);
        put32(&craft, at(CRAFT_RVA) + 200, metadata);
    }
    const struct pe_source source = {.read_at = craft_read_at, .context = &craft, .size = craft.length};
    const struct pe_options options = {.symbols = symbols};
    assert_int_equal(pe_read_source(&source, &options, &image, &error), 0);
    assert_int_equal(image.defects, 0);
    uint8_t hybrid = image.hybrid;
    pe_image_clear(&image);
    return hybrid;
}

static void images_of_windows_on_arm64_are_told_apart_by_their_load_configuration(void **state)
{
    (void)state;
    assert_int_equal(hybrid_of(PE_MACHINE_ARM64, 0, 0, false), PE_HYBRID_NONE);
    assert_int_equal(hybrid_of(PE_MACHINE_ARM64, 320, 0, false), PE_HYBRID_NONE);
    assert_int_equal(hybrid_of(PE_MACHINE_ARM64, 320, 0x10001800, false), PE_HYBRID_ARM64X);
    assert_int_equal(hybrid_of(PE_MACHINE_ARM64, 200, 0x10001800, false), PE_HYBRID_NONE); /* ends before it */
    assert_int_equal(hybrid_of(PE_MACHINE_AMD64, 320, 0x10001800, true), PE_HYBRID_ARM64EC);
    assert_int_equal(hybrid_of(PE_MACHINE_AMD64, 320, 0, true), PE_HYBRID_UNTOLD);
    assert_int_equal(hybrid_of(PE_MACHINE_AMD64, 320, 0x10001800, false), PE_HYBRID_UNTOLD); /* not looked at */
    assert_int_equal(hybrid_of(0x200, 320, 0x10001800, true), PE_HYBRID_UNTOLD);
}

static void an_arm64_image_whose_load_configuration_is_not_in_the_file_may_be_any(void **state)
{
    static struct craft craft;
    struct pe_image image = {0};
    (void)state;
    craft_start(&craft, true);
    put16(&craft, CRAFT_PE + 4, PE_MACHINE_ARM64);
    put_directory(&craft, 10, 0x2fff0, 320);
    craft_read(&craft, &image);
    assert_int_equal(image.hybrid, PE_HYBRID_UNTOLD);
    craft.length = CRAFT_HEADERS + 100;
    put_directory(&craft, 10, CRAFT_RVA, 320);
    put32(&craft, at(CRAFT_RVA), 320);
    craft_read(&craft, &image);
    assert_int_equal(image.hybrid, PE_HYBRID_UNTOLD);
    pe_image_clear(&image);
}

/* Reads a file that tests/fixtures/build-pe made of `line`. */
static void read_built(const char *line, struct pe_image *image)
{
    char command[4096];
    const char *source = getenv("SOURCE");
    assert_non_null(source); /* the source tree, from ctest */
    snprintf(command, sizeof command, "printf '%%s\\n' '%s' | '%s/tests/fixtures/build-pe'", line, source);
    assert_int_equal(system(command), 0);
    struct platform_file file;
    struct platform_stat stat;
    struct error error = {0};
    const struct pe_options options = {.symbols = true, .hash = true};
    assert_int_equal(platform_file_open("built.bin", &file, &error), 0);
    assert_int_equal(platform_file_stat(&file, &stat, &error), 0);
    assert_int_equal(pe_read(&file, stat.size, &options, image, &error), 0);
    platform_file_close(&file);
}

static void assert_built(const struct pe_image *image, uint16_t machine)
{
    assert_true(image->is_pe);
    assert_int_equal(image->machine, machine);
    assert_int_equal(image->time_date_stamp, 1045000000);
    assert_int_equal(image->defects, 0);
    assert_true(image->has_sha256);
    assert_version(image->file_version, 6, 0, 3790, 1830);
    assert_version(image->product_version, 6, 0, 65535, 0);
    assert_text(image->strings[PE_FILE_VERSION], "6.0.3790.1830 (srv03_sp1_rtm)");
    assert_text(image->strings[PE_FILE_DESCRIPTION], "Gr\xc3\xb6\xc3\x9f"
                                                     "e");
    assert_text(image->strings[PE_ORIGINAL_FILENAME], "built.bin");
    assert_text(image->strings[PE_COMPANY_NAME], "");
    assert_int_equal(image->exports_length, 4);
    assert_int_equal(image->exports[0].ordinal, 4);
    assert_text(image->exports[0].name, "Four");
    assert_text(image->exports[1].name, "First");
    assert_text(image->exports[2].name, "Moved");
    assert_text(image->exports[2].forwarder, "OTHER.Function");
    assert_int_equal(image->exports[3].ordinal, 9);
    assert_text(image->exports[3].name, "");
    assert_int_equal(image->imports_length, 2);
    assert_text(image->imports[0].dll, "ntdll.dll");
    assert_int_equal(image->imports[0].names_length, 2);
    assert_text(image->imports[0].names[1], "memset");
    assert_int_equal(image->imports[0].ordinals_length, 1);
    assert_int_equal(image->imports[0].ordinals[0], 12);
    assert_false(image->imports[0].delay);
    assert_text(image->imports[1].dll, "A.dll");
}

#define BUILT                                                                                                          \
    "built.bin | dll | 6.0.3790.1830 | 6.0.65535.0 | timestamp=1045000000 | FileDescription=Gr\xc3\xb6\xc3\x9f"        \
    "e | FileVersion=6.0.3790.1830 (srv03_sp1_rtm) | exports=First,Four@4,@9,Moved=OTHER.Function"                     \
    " | imports=ntdll.dll!memcpy,#12,memset | imports=A.dll!A"

static void a_linked_dll_is_read_whole_for_both_machines(void **state)
{
    CLEARED struct pe_image image = {0};
    (void)state;
    read_built(BUILT, &image);
    assert_built(&image, 0x8664);
    read_built(BUILT " | machine=x86", &image);
    assert_built(&image, 0x014c);
}

static void a_linked_program_without_a_version_has_none(void **state)
{
    CLEARED struct pe_image image = {0};
    (void)state;
    read_built("built.bin | exe | - | -", &image);
    assert_true(image.is_pe);
    assert_false(image.characteristics & 0x2000);
    assert_false(image.has_version);
    assert_int_equal(image.defects, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_without_mz_and_pe_signature_is_no_pe),
        cmocka_unit_test(the_headers_give_what_names_the_build),
        cmocka_unit_test(an_optional_header_that_is_cut_or_unknown_leaves_the_coff_header),
        cmocka_unit_test(a_section_table_that_is_cut_leaves_the_headers),
        cmocka_unit_test(section_data_behind_the_end_of_the_file_is_noted),
        cmocka_unit_test(addresses_are_found_where_the_loader_would_map_them),
        cmocka_unit_test(sections_of_small_alignment_keep_their_place),
        cmocka_unit_test(a_directory_beyond_the_stated_number_is_none),
        cmocka_unit_test(headers_behind_a_long_dos_program_are_found),
        cmocka_unit_test(a_read_that_fails_is_an_error_and_leaves_nothing),
        cmocka_unit_test(symbols_that_are_not_asked_for_are_noted_as_such),
        cmocka_unit_test(the_hash_is_that_of_the_whole_file_pe_or_not),
        cmocka_unit_test(a_file_larger_than_is_hashed_has_no_hash_and_all_else),
        cmocka_unit_test(what_lies_outside_of_the_file_is_not_looked_for),
        cmocka_unit_test(no_single_damage_keeps_the_reader_from_its_end),
        cmocka_unit_test(defects_have_names),
        cmocka_unit_test(images_of_windows_on_arm64_are_told_apart_by_their_load_configuration),
        cmocka_unit_test(an_arm64_image_whose_load_configuration_is_not_in_the_file_may_be_any),
        cmocka_unit_test(machines_have_the_names_of_processor_architecture),
        cmocka_unit_test(a_linked_dll_is_read_whole_for_both_machines),
        cmocka_unit_test(a_linked_program_without_a_version_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
