/* Exports with names, ordinals and forwarders; imports and delay imports with names and ordinals. */

#include "pe_reader.h"

#include <stdlib.h>

#define EXPORT_DIRECTORY_BYTES 40
#define IMPORT_DESCRIPTOR_BYTES 20
#define DELAY_DESCRIPTOR_BYTES 32
#define DELAY_BY_RVA 1u /* in a delay descriptor's attributes; without it addresses hold the image base too */

#define ORDINALS 65536u   /* an import's ordinal has 16 bits, so what lies above can't be asked for */
#define LIST_LIMIT 65536u /* what the receiver takes in one list */
#define DLL_LIMIT 4096u

/* What an entry may take when packed, its text apart: tags, lengths, ordinal. */
#define EXPORT_COST 19u
#define IMPORT_COST 16u
#define THUNK_COST 5u

/* Takes from what symbols may come to; false, and the defect noted, when that is used up. */
static bool charge(struct pe_reader *reader, size_t bytes)
{
    if (bytes > reader->symbol_budget) {
        reader->image->defects |= PE_DEFECT_SYMBOL_LIMIT;
        reader->symbol_budget = 0;
        return false;
    }
    reader->symbol_budget -= (uint32_t)bytes;
    return true;
}

/* How the addresses in a directory are meant: the image base is to be taken off those that hold it. */
static uint64_t address_of(const struct pe_reader *reader, uint64_t value, bool by_rva)
{
    return !by_rva && value >= reader->image_base ? value - reader->image_base : value;
}

static bool add_ordinal(struct pe_reader *reader, struct pe_lists *lists, uint16_t ordinal)
{
    uint16_t *grown =
        pe_grow(reader, lists->ordinals, lists->ordinals_length, &lists->ordinals_capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    lists->ordinals = grown;
    lists->ordinals[lists->ordinals_length++] = ordinal;
    return true;
}

static bool add_name(struct pe_reader *reader, struct pe_lists *lists, struct bytes name)
{
    struct bytes *grown = pe_grow(reader, lists->names, lists->names_length, &lists->names_capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    lists->names = grown;
    lists->names[lists->names_length++] = name;
    return true;
}

/* Adds the symbol of one entry of a lookup table; false where no more can be read. */
static bool add_thunk(struct pe_reader *reader, struct pe_lists *lists, uint64_t thunk, bool by_rva, uint32_t defect)
{
    bool plus = reader->image->magic == PE_MAGIC_PE32_PLUS;
    struct bytes name;
    if (!charge(reader, THUNK_COST))
        return false;
    if (thunk >> (plus ? 63 : 31) & 1)
        return add_ordinal(reader, lists, (uint16_t)thunk);
    if (!pe_fetch_name(reader, address_of(reader, thunk, by_rva) + 2 /* the hint */, &name)) {
        reader->image->defects |= defect;
        return !reader->failed;
    }
    return charge(reader, name.length) && add_name(reader, lists, name);
}

/* Adds what is imported from the DLL whose name is at `dll`, by the lookup table at `table`. */
static bool add_import(struct pe_reader *reader, uint64_t dll, uint64_t table, bool by_rva, uint32_t defect)
{
    struct pe_lists *lists = pe_lists(reader);
    struct pe_import import = {.delay = defect == PE_DEFECT_DELAY_IMPORTS};
    if (!charge(reader, IMPORT_COST))
        return false;
    if (!pe_fetch_name(reader, dll, &import.dll)) {
        reader->image->defects |= defect;
        return !reader->failed;
    }
    if (!charge(reader, import.dll.length))
        return false;
    size_t size = reader->image->magic == PE_MAGIC_PE32_PLUS ? 8 : 4;
    bool more = true;
    lists->names_length = lists->ordinals_length = 0;
    for (uint64_t at = table; more; at += size) {
        struct bytes entry;
        uint64_t thunk;
        uint32_t low = 0;
        if (!pe_fetch_rva(reader, PE_VIEW_OTHER, at, size, &entry)) {
            reader->image->defects |= defect;
            break;
        }
        if (!bytes_u64(entry, 0, &thunk) && bytes_u32(entry, 0, &low))
            thunk = low;
        if (thunk == 0)
            break;
        if (lists->names_length == LIST_LIMIT || lists->ordinals_length == LIST_LIMIT) {
            reader->image->defects |= PE_DEFECT_SYMBOL_LIMIT;
            break;
        }
        more = add_thunk(reader, lists, thunk, by_rva, defect);
    }
    struct pe_import *grown =
        pe_grow(reader, lists->imports, lists->imports_length, &lists->imports_capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    lists->imports = grown;
    struct bytes *names = pe_take(reader, lists->names_length * sizeof *names);
    uint16_t *ordinals = pe_take(reader, lists->ordinals_length * sizeof *ordinals);
    if (names == NULL || ordinals == NULL)
        return false;
    if (lists->names_length > 0)
        memcpy(names, lists->names, lists->names_length * sizeof *names);
    if (lists->ordinals_length > 0)
        memcpy(ordinals, lists->ordinals, lists->ordinals_length * sizeof *ordinals);
    import.names = names;
    import.names_length = lists->names_length;
    import.ordinals = ordinals;
    import.ordinals_length = lists->ordinals_length;
    lists->imports[lists->imports_length++] = import;
    return more;
}

/* The import directory: PE/COFF specification, section 'The .idata Section'. Its end is a descriptor without a name. */
static void read_plain_imports(struct pe_reader *reader)
{
    uint64_t at = reader->directories[PE_DIRECTORY_IMPORT].virtual_address;
    bool more = at != 0;
    for (size_t i = 0; more; i++, at += IMPORT_DESCRIPTOR_BYTES) {
        struct bytes descriptor;
        uint32_t lookup_table, name, address_table;
        if (!pe_fetch_rva(reader, PE_VIEW_TABLE, at, IMPORT_DESCRIPTOR_BYTES, &descriptor)) {
            reader->image->defects |= PE_DEFECT_IMPORTS;
            return;
        }
        bytes_u32(descriptor, 0, &lookup_table);
        bytes_u32(descriptor, 12, &name);
        bytes_u32(descriptor, 16, &address_table);
        if (name == 0 || address_table == 0)
            return;
        if (i == DLL_LIMIT) {
            reader->image->defects |= PE_DEFECT_SYMBOL_LIMIT;
            return;
        }
        /* Some linkers write no lookup table: then the address table holds the same until the loader fills it in. */
        bool no_lookup_table = lookup_table < reader->size_of_headers;
        more = add_import(reader, name, no_lookup_table ? address_table : lookup_table, true, PE_DEFECT_IMPORTS);
    }
}

/* The delay import directory: PE/COFF specification, section 'Delay-Load Import Tables'. */
static void read_delay_imports(struct pe_reader *reader)
{
    uint64_t at = reader->directories[PE_DIRECTORY_DELAY_IMPORT].virtual_address;
    bool more = at != 0;
    for (size_t i = 0; more; i++, at += DELAY_DESCRIPTOR_BYTES) {
        struct bytes descriptor;
        uint32_t attributes, name, name_table;
        if (!pe_fetch_rva(reader, PE_VIEW_TABLE, at, DELAY_DESCRIPTOR_BYTES, &descriptor)) {
            reader->image->defects |= PE_DEFECT_DELAY_IMPORTS;
            return;
        }
        bytes_u32(descriptor, 0, &attributes);
        bytes_u32(descriptor, 4, &name);
        bytes_u32(descriptor, 16, &name_table);
        if (name == 0)
            return;
        if (i == DLL_LIMIT) {
            reader->image->defects |= PE_DEFECT_SYMBOL_LIMIT;
            return;
        }
        bool by_rva = attributes & DELAY_BY_RVA;
        more = add_import(reader, address_of(reader, name, by_rva), address_of(reader, name_table, by_rva), by_rva,
                          PE_DEFECT_DELAY_IMPORTS);
    }
}

void pe_read_imports(struct pe_reader *reader)
{
    struct pe_lists *lists = pe_lists(reader);
    lists->imports_length = 0;
    read_plain_imports(reader);
    read_delay_imports(reader);
    struct pe_import *imports = pe_take(reader, lists->imports_length * sizeof *imports);
    if (imports == NULL)
        return;
    if (lists->imports_length > 0)
        memcpy(imports, lists->imports, lists->imports_length * sizeof *imports);
    reader->image->imports = imports;
    reader->image->imports_length = lists->imports_length;
}

struct export_directory {
    struct pe_directory place;
    uint32_t ordinal_base;
    uint32_t functions, functions_length; /* address of the export address table, and its entries */
    uint32_t names, ordinals, names_length;
};

/* An export while its ordinal is still an index into the export address table. */
struct export_list {
    struct pe_export *exports;
    size_t length, capacity;
};

/* How many entries of `size` bytes of a table of `count` lie in the file. */
static uint32_t entries_in_file(struct pe_reader *reader, uint32_t table, uint32_t count, uint32_t size)
{
    uint64_t offset, available;
    if (count == 0 || !pe_map(reader, table, &offset, &available))
        return 0;
    return available / size < count ? (uint32_t)(available / size) : count;
}

static bool read_directory(struct pe_reader *reader, struct export_directory *directory)
{
    struct bytes header;
    directory->place = reader->directories[PE_DIRECTORY_EXPORT];
    if (!pe_fetch_rva(reader, PE_VIEW_TABLE, directory->place.virtual_address, EXPORT_DIRECTORY_BYTES, &header))
        return false;
    bytes_u32(header, 16, &directory->ordinal_base);
    bytes_u32(header, 20, &directory->functions_length);
    bytes_u32(header, 24, &directory->names_length);
    bytes_u32(header, 28, &directory->functions);
    bytes_u32(header, 32, &directory->names);
    bytes_u32(header, 36, &directory->ordinals);
    uint32_t functions = entries_in_file(reader, directory->functions, directory->functions_length, 4);
    uint32_t names = entries_in_file(reader, directory->names, directory->names_length, 4);
    uint32_t ordinals = entries_in_file(reader, directory->ordinals, names, 2);
    bool whole = functions == directory->functions_length && ordinals == directory->names_length;
    uint32_t most = directory->ordinal_base < ORDINALS ? ORDINALS - directory->ordinal_base : 0;
    if (functions > most) {
        functions = most;
        whole = false;
    }
    directory->functions_length = functions;
    directory->names_length = ordinals;
    return whole;
}

static bool add_export(struct pe_reader *reader, struct export_list *list, uint32_t index, struct bytes name)
{
    if (list->length == list->capacity) {
        reader->image->defects |= PE_DEFECT_SYMBOL_LIMIT;
        return false;
    }
    if (!charge(reader, EXPORT_COST + name.length))
        return false;
    list->exports[list->length++] = (struct pe_export){.ordinal = index, .name = name};
    return true;
}

/* Adds what has a name; `named` gets a bit for each function with at least one. */
static void add_named(struct pe_reader *reader, const struct export_directory *directory, struct export_list *list,
                      uint8_t *named)
{
    for (uint32_t i = 0; i < directory->names_length && !reader->failed; i++) {
        struct bytes address, ordinal, name;
        uint32_t rva;
        uint16_t index;
        if (!pe_fetch_rva(reader, PE_VIEW_TABLE, directory->names + 4ull * i, 4, &address) ||
            !bytes_u32(address, 0, &rva) ||
            !pe_fetch_rva(reader, PE_VIEW_OTHER, directory->ordinals + 2ull * i, 2, &ordinal) ||
            !bytes_u16(ordinal, 0, &index) || index >= directory->functions_length ||
            !pe_fetch_name(reader, rva, &name)) {
            reader->image->defects |= PE_DEFECT_EXPORTS;
            if (!charge(reader, EXPORT_COST))
                return;
            continue;
        }
        if (!add_export(reader, list, index, name))
            return;
        named[index / 8] |= (uint8_t)(1u << index % 8);
    }
}

static uint32_t function_at(struct pe_reader *reader, const struct export_directory *directory, uint32_t index)
{
    struct bytes entry;
    uint32_t rva = 0;
    if (!pe_fetch_rva(reader, PE_VIEW_TABLE, directory->functions + 4ull * index, 4, &entry) ||
        !bytes_u32(entry, 0, &rva))
        reader->image->defects |= PE_DEFECT_EXPORTS;
    return rva;
}

/* Adds the functions that are exported by their number alone. An address of 0 is a gap in the numbers. */
static void add_unnamed(struct pe_reader *reader, const struct export_directory *directory, struct export_list *list,
                        const uint8_t *named)
{
    for (uint32_t i = 0; i < directory->functions_length && !reader->failed; i++)
        if (!(named[i / 8] & 1u << i % 8) && function_at(reader, directory, i) != 0 &&
            !add_export(reader, list, i, (struct bytes){0}))
            return;
}

static int compare_exports(const void *a, const void *b)
{
    const struct pe_export *left = a, *right = b;
    if (left->ordinal != right->ordinal)
        return left->ordinal < right->ordinal ? -1 : 1;
    size_t shorter = left->name.length < right->name.length ? left->name.length : right->name.length;
    int order = shorter > 0 ? memcmp(left->name.data, right->name.data, shorter) : 0;
    return order != 0 ? order : (left->name.length > right->name.length) - (left->name.length < right->name.length);
}

/* Linkers mostly number what they export in the order of names, so that sorting is rarely needed. */
static void sort_exports(struct export_list *list)
{
    for (size_t i = 1; i < list->length; i++)
        if (compare_exports(&list->exports[i - 1], &list->exports[i]) > 0) {
            qsort(list->exports, list->length, sizeof *list->exports, compare_exports);
            return;
        }
}

/* Turns indices into ordinals and adds the forwarders; drops names of gaps. What is left is the image's. */
static void finish(struct pe_reader *reader, const struct export_directory *directory, struct export_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->length && !reader->failed; i++) {
        struct pe_export export = list->exports[i];
        uint32_t rva = function_at(reader, directory, export.ordinal);
        if (rva == 0)
            continue;
        export.ordinal += directory->ordinal_base;
        if (rva >= directory->place.virtual_address && rva - directory->place.virtual_address < directory->place.size) {
            if (!pe_fetch_name(reader, rva, &export.forwarder))
                reader->image->defects |= PE_DEFECT_EXPORTS;
            else if (!charge(reader, export.forwarder.length))
                break;
        }
        list->exports[kept++] = export;
    }
    reader->image->exports = list->exports;
    reader->image->exports_length = kept;
}

/* The export directory: PE/COFF specification, section 'The .edata Section'. */
void pe_read_exports(struct pe_reader *reader)
{
    struct export_directory directory = {0};
    uint8_t named[ORDINALS / 8] = {0};
    if (reader->directories[PE_DIRECTORY_EXPORT].virtual_address == 0)
        return;
    if (!read_directory(reader, &directory))
        reader->image->defects |= PE_DEFECT_EXPORTS;
    struct export_list list = {.capacity = (size_t)directory.functions_length + directory.names_length};
    if (list.capacity > LIST_LIMIT)
        list.capacity = LIST_LIMIT;
    list.exports = pe_take(reader, list.capacity * sizeof *list.exports);
    if (list.exports == NULL)
        return;
    add_named(reader, &directory, &list, named);
    add_unnamed(reader, &directory, &list, named);
    sort_exports(&list);
    finish(reader, &directory, &list);
}
