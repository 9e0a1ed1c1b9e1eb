/* The headers of a PE file, the order in which its parts are read, and the file's hash. */

#include "pe.h"

#include "collector/platform/sha256.h"
#include "pe_reader.h"
#include "proto/cleanup.h"

#include <inttypes.h>

#define COFF_HEADER_BYTES 24 /* with the signature before it */
#define SECTION_HEADER_BYTES 40
#define OPTIONAL_HEADER_BYTES 240 /* of PE32+, with 16 directories; PE32's has 224 */
#define HASH_STEP_BYTES (256u * 1024u)

static const struct {
    uint32_t bit;
    const char *name;
} defect_names[] = {
    {PE_DEFECT_OPTIONAL_HEADER, "optional-header"},
    {PE_DEFECT_SECTIONS, "sections"},
    {PE_DEFECT_TRUNCATED, "truncated"},
    {PE_DEFECT_RESOURCES, "resources"},
    {PE_DEFECT_VERSION, "version"},
    {PE_DEFECT_STRINGS, "strings"},
    {PE_DEFECT_EXPORTS, "exports"},
    {PE_DEFECT_IMPORTS, "imports"},
    {PE_DEFECT_DELAY_IMPORTS, "delay-imports"},
    {PE_DEFECT_SYMBOL_LIMIT, "symbol-limit"},
    {PE_DEFECT_READ_LIMIT, "read-limit"},
};

const char *pe_defect_names(uint32_t defects, char *buffer, size_t capacity)
{
    size_t length = 0;
    if (capacity > 0)
        buffer[0] = '\0';
    for (size_t i = 0; i < sizeof defect_names / sizeof *defect_names; i++) {
        if (!(defects & defect_names[i].bit) || length >= capacity)
            continue;
        int written =
            snprintf(buffer + length, capacity - length, "%s%s", length > 0 ? ", " : "", defect_names[i].name);
        length += written > 0 ? (size_t)written : 0;
    }
    return buffer;
}

static const struct {
    uint16_t machine;
    const char *name;
} machine_names[] = {
    {PE_MACHINE_I386, "x86"},
    {PE_MACHINE_AMD64, "AMD64"},
    {PE_MACHINE_ARM64, "ARM64"},
    {PE_MACHINE_IA64, "IA64"},
    {PE_MACHINE_ALPHA, "ALPHA"},
    {0x0284, "ALPHA64"},
    {0x01c4, "ARM"},
    {0x01c0, "ARM"},
    {0x01c2, "ARM"},
    {0x0166, "MIPS"},
    {0x0162, "MIPS"},
    {0x01f0, "PPC"},
    {0xa641, "ARM64EC"},
    {0xa64e, "ARM64X"},
    {0x0ebc, "EBC"},
};

const char *pe_machine_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machine_names / sizeof *machine_names; i++)
        if (machine_names[i].machine == machine)
            return machine_names[i].name;
    return NULL;
}

/* The optional header: PE/COFF specification, section 'Optional Header'. False where it is of no use. */
static bool read_optional_header(struct pe_reader *reader, uint64_t offset)
{
    uint64_t rest = reader->source->size > offset ? reader->source->size - offset : 0;
    size_t length = rest < OPTIONAL_HEADER_BYTES ? (size_t)rest : OPTIONAL_HEADER_BYTES;
    struct bytes header;
    uint16_t magic;
    if (!pe_fetch(reader, PE_VIEW_TABLE, offset, length, &header) || !bytes_u16(header, 0, &magic) ||
        (magic != PE_MAGIC_PE32 && magic != PE_MAGIC_PE32_PLUS))
        return false;
    bool plus = magic == PE_MAGIC_PE32_PLUS;
    uint32_t base, count, checksum, size_of_image;
    bool whole = plus ? bytes_u64(header, 24, &reader->image_base) : bytes_u32(header, 28, &base);
    if (!plus)
        reader->image_base = base;
    uint64_t directories = plus ? 112 : 96;
    whole = whole && bytes_u32(header, 32, &reader->section_alignment) &&
            bytes_u32(header, 36, &reader->file_alignment) && bytes_u32(header, 56, &size_of_image) &&
            bytes_u32(header, 60, &reader->size_of_headers) && bytes_u32(header, 64, &checksum) &&
            bytes_u32(header, directories - 4, &count);
    if (!whole)
        return false;
    reader->image->magic = magic;
    reader->image->size_of_image = size_of_image;
    reader->image->checksum = checksum;
    for (size_t i = 0; i < PE_DIRECTORIES && i < count; i++)
        whole = bytes_u32(header, directories + 8 * i, &reader->directories[i].virtual_address) &&
                bytes_u32(header, directories + 8 * i + 4, &reader->directories[i].size) && whole;
    return whole;
}

static void read_sections(struct pe_reader *reader, uint64_t offset, uint16_t count)
{
    struct pe_image *image = reader->image;
    size_t wanted = count;
    if (wanted > PE_SECTION_LIMIT) {
        wanted = PE_SECTION_LIMIT;
        image->defects |= PE_DEFECT_SECTIONS;
    }
    struct pe_section *sections = wanted > 0 ? pe_take(reader, wanted * sizeof *sections) : NULL;
    if (sections == NULL)
        return;
    reader->sections = sections;
    for (size_t i = 0; i < wanted; i++) {
        struct bytes header;
        if (!pe_fetch(reader, PE_VIEW_TABLE, offset + SECTION_HEADER_BYTES * i, SECTION_HEADER_BYTES, &header)) {
            image->defects |= PE_DEFECT_SECTIONS;
            return;
        }
        struct pe_section *section = &sections[reader->sections_length++];
        bytes_u32(header, 8, &section->virtual_size);
        bytes_u32(header, 12, &section->virtual_address);
        bytes_u32(header, 16, &section->size_of_raw_data);
        bytes_u32(header, 20, &section->pointer_to_raw_data);
        if (section->pointer_to_raw_data == 0)
            section->size_of_raw_data = 0;
        if ((uint64_t)section->pointer_to_raw_data + section->size_of_raw_data > reader->source->size &&
            section->size_of_raw_data > 0)
            image->defects |= PE_DEFECT_TRUNCATED;
    }
}

/* The headers, from the DOS header on; image->is_pe says whether this is a PE at all. */
static void read_headers(struct pe_reader *reader)
{
    struct pe_image *image = reader->image;
    struct bytes coff;
    uint32_t offset, signature;
    uint16_t magic, sections, optional_bytes;
    if (!pe_fetch_header(reader) || !bytes_u16(reader->header, 0, &magic) || magic != 0x5a4d /* MZ */ ||
        !bytes_u32(reader->header, 0x3c, &offset) ||
        !pe_fetch(reader, PE_VIEW_TABLE, offset, COFF_HEADER_BYTES, &coff) || !bytes_u32(coff, 0, &signature) ||
        signature != 0x4550 /* PE, NUL, NUL */)
        return;
    image->is_pe = true;
    bytes_u16(coff, 4, &image->machine);
    bytes_u16(coff, 6, &sections);
    bytes_u32(coff, 8, &image->time_date_stamp);
    bytes_u16(coff, 20, &optional_bytes);
    bytes_u16(coff, 22, &image->characteristics);
    uint64_t optional = (uint64_t)offset + COFF_HEADER_BYTES;
    if (!read_optional_header(reader, optional))
        image->defects |= PE_DEFECT_OPTIONAL_HEADER;
    if (image->magic != 0)
        read_sections(reader, optional + optional_bytes, sections);
}

/* IMAGE_LOAD_CONFIG_DIRECTORY64: CHPEMetadataPointer, 8 bytes; one that ends before it is from before there were such.
 */
#define CHPE_METADATA_OFFSET 200

/* What of an image that may be for Windows on ARM64 its header does not say. */
static uint8_t read_hybrid(struct pe_reader *reader)
{
    struct pe_directory directory = reader->directories[PE_DIRECTORY_LOAD_CONFIG];
    bool arm64 = reader->image->machine == PE_MACHINE_ARM64;
    uint8_t none = arm64 ? PE_HYBRID_NONE : PE_HYBRID_UNTOLD;
    struct bytes config;
    uint32_t size;
    uint64_t metadata;
    if (directory.virtual_address == 0)
        return none;
    if (!pe_fetch_rva(reader, PE_VIEW_TABLE, directory.virtual_address, sizeof size, &config) ||
        !bytes_u32(config, 0, &size))
        return PE_HYBRID_UNTOLD;
    if (size < CHPE_METADATA_OFFSET + sizeof metadata)
        return none;
    if (!pe_fetch_rva(reader, PE_VIEW_TABLE, (uint64_t)directory.virtual_address + CHPE_METADATA_OFFSET,
                      sizeof metadata, &config) ||
        !bytes_u64(config, 0, &metadata))
        return PE_HYBRID_UNTOLD;
    return metadata == 0 ? none : arm64 ? PE_HYBRID_ARM64X : PE_HYBRID_ARM64EC;
}

static int hash_file(const struct pe_source *source, struct pe_image *image, struct error *error)
{
    _cleanup_(cleanup_sha256) struct sha256 *hash = NULL;
    _cleanup_free_ uint8_t *buffer = malloc(HASH_STEP_BYTES);
    if (buffer == NULL)
        return error_set(error, ERROR_MEMORY, "no memory left to hash a file");
    if (sha256_new(&hash, error) < 0 || sha256_start(hash, error) < 0)
        return -1;
    uint64_t offset = 0;
    for (;;) {
        int64_t got = source->read_at(source->context, buffer, HASH_STEP_BYTES, offset, error);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        offset += (uint64_t)got;
        if (offset > source->size)
            break;
        if (sha256_add(hash, buffer, (size_t)got, error) < 0)
            return -1;
    }
    if (offset != source->size)
        return error_set(error, ERROR_IO, "the file changed while it was read (%" PRIu64 " bytes were expected)",
                         source->size);
    if (sha256_end(hash, image->sha256, error) < 0)
        return -1;
    image->has_sha256 = true;
    return 0;
}

bool pe_is_hashed(const struct pe_options *options, uint64_t size)
{
    return options->hash && (options->hash_most == 0 || size <= options->hash_most);
}

int pe_read_source(const struct pe_source *source, const struct pe_options *options, struct pe_image *image,
                   struct error *error)
{
    struct pe_memory *memory = image->memory;
    *image = (struct pe_image){.size = source->size, .memory = memory};
    if (!pe_memory_prepare(&image->memory))
        return error_set(error, ERROR_MEMORY, "no memory left to read a binary");
    struct pe_reader reader = {
        .source = source,
        .image = image,
        .memory = image->memory,
        .error = error,
        .read_budget = PE_READ_LIMIT,
        .symbol_budget = PE_SYMBOL_LIMIT,
    };
    read_headers(&reader);
    if (image->magic != 0) {
        pe_read_version(&reader);
        image->symbols_omitted = !options->symbols;
        if (image->magic == PE_MAGIC_PE32_PLUS &&
            (image->machine == PE_MACHINE_ARM64 || (options->symbols && image->machine == PE_MACHINE_AMD64)))
            image->hybrid = read_hybrid(&reader);
        if (options->symbols) {
            /* What a file needs of others is worth more than what it offers, should there not be room for both. */
            pe_read_imports(&reader);
            pe_read_exports(&reader);
        }
    }
    if (!reader.failed && (!pe_is_hashed(options, source->size) || hash_file(source, image, error) == 0))
        return 0;
    *image = (struct pe_image){.memory = image->memory};
    return -1;
}

static int64_t read_platform_file(void *context, void *buffer, size_t length, uint64_t offset, struct error *error)
{
    return platform_file_read_at(context, buffer, length, offset, error);
}

int pe_read(const struct platform_file *file, uint64_t size, const struct pe_options *options, struct pe_image *image,
            struct error *error)
{
    struct platform_file copy = *file;
    const struct pe_source source = {.read_at = read_platform_file, .context = &copy, .size = size};
    return pe_read_source(&source, options, image, error);
}

void pe_image_clear(struct pe_image *image)
{
    pe_memory_free(image->memory);
    *image = (struct pe_image){0};
}
