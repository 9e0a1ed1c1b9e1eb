/* The version resource: the way to it through the resource tree, VS_FIXEDFILEINFO, StringFileInfo. */

#include "pe_reader.h"

#include "proto/utf8.h"

#define RT_VERSION 16
#define VS_VERSION_INFO 1 /* the name under which Windows looks for it */
#define DIRECTORY_BYTES 16
#define ENTRY_BYTES 8
#define ENTRY_LIMIT 8192 /* of one directory; as many as a view holds */
#define HIGH_BIT 0x80000000u
#define NO_LANGUAGE 0x7fffffffu /* languages have 16 bits: no entry has this one, so the first is taken */

#define FIXED_FILE_INFO_BYTES 52
#define FIXED_FILE_INFO_SIGNATURE 0xfeef04bdu
#define VERSION_BYTES 0xffff /* a VS_VERSIONINFO's length has 16 bits */

/* A directory's entry: `target` is a directory's offset in the tree, with HIGH_BIT, or a data entry's. */
struct resource_entry {
    uint32_t id;
    uint32_t target;
};

/*
 * Finds in the directory at `offset` of the tree the entry with the number `id`, or else, if `or_first`, the first one.
 * Returns false where the directory can't be read; *found says whether there is such an entry.
 */
static bool find_entry(struct pe_reader *reader, uint32_t offset, uint32_t id, bool or_first,
                       struct resource_entry *entry, bool *found)
{
    uint64_t base = (uint64_t)reader->directories[PE_DIRECTORY_RESOURCE].virtual_address + offset;
    struct bytes directory, entries;
    uint16_t named, numbered;
    *found = false;
    if (!pe_fetch_rva(reader, PE_VIEW_TABLE, base, DIRECTORY_BYTES, &directory) || !bytes_u16(directory, 12, &named) ||
        !bytes_u16(directory, 14, &numbered))
        return false;
    size_t count = (size_t)named + numbered;
    bool whole = count <= ENTRY_LIMIT;
    count = whole ? count : ENTRY_LIMIT;
    if (count == 0)
        return true;
    uint64_t at, available;
    if (!pe_map(reader, base + DIRECTORY_BYTES, &at, &available))
        return false;
    if (available / ENTRY_BYTES < count) {
        count = (size_t)(available / ENTRY_BYTES);
        whole = false;
    }
    if (count == 0 || !pe_fetch(reader, PE_VIEW_TABLE, at, count * ENTRY_BYTES, &entries))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct resource_entry this;
        bytes_u32(entries, ENTRY_BYTES * i, &this.id);
        bytes_u32(entries, ENTRY_BYTES * i + 4, &this.target);
        if (this.id != id && (!or_first || i > 0))
            continue;
        *entry = this;
        *found = true;
        if (this.id == id)
            return true;
    }
    return whole || *found;
}

/* Three levels lead to the data: type, name, language. They are walked down, so a circle in the tree can't be entered.
 */
static bool find_version(struct pe_reader *reader, struct bytes *version, bool *found)
{
    struct resource_entry entry;
    if (!find_entry(reader, 0, RT_VERSION, false, &entry, found))
        return false;
    if (!*found)
        return true;
    bool sound = true;
    if (entry.target & HIGH_BIT)
        sound = find_entry(reader, entry.target & ~HIGH_BIT, VS_VERSION_INFO, true, &entry, found) && *found;
    if (sound && (entry.target & HIGH_BIT))
        sound = find_entry(reader, entry.target & ~HIGH_BIT, NO_LANGUAGE, true, &entry, found) && *found;
    struct bytes data;
    uint32_t rva, size;
    uint64_t offset, available;
    uint64_t data_entry = (uint64_t)reader->directories[PE_DIRECTORY_RESOURCE].virtual_address + entry.target;
    if (!sound || (entry.target & HIGH_BIT) || !pe_fetch_rva(reader, PE_VIEW_TABLE, data_entry, 16, &data) ||
        !bytes_u32(data, 0, &rva) || !bytes_u32(data, 4, &size) || size == 0 ||
        !pe_map(reader, rva, &offset, &available))
        return false;
    if (size > VERSION_BYTES)
        size = VERSION_BYTES;
    return pe_fetch(reader, PE_VIEW_TABLE, offset, size < available ? size : (size_t)available, version);
}

/*
 * A node of VS_VERSIONINFO: its length, its value's length and type, a key in UTF-16 with NUL, the value, children;
 * value and children start at multiples of 4. The value's length counts bytes or words, depending on who wrote it, so
 * it is only trusted for VS_FIXEDFILEINFO.
 */
struct version_node {
    struct bytes key; /* UTF-16, without NUL */
    size_t value;
    uint16_t value_length;
    size_t end;
};

static size_t align4(size_t offset)
{
    return (offset + 3) & ~(size_t)3;
}

/* The node at `at` inside a parent that ends at `end`; false where there is none. One that says to be longer is cut. */
static bool read_node(struct bytes version, size_t at, size_t end, struct version_node *node, bool *cut)
{
    uint16_t length, unit;
    if (!bytes_u16(version, at, &length) || !bytes_u16(version, at + 2, &node->value_length) || length < 8)
        return false;
    *cut = *cut || length > end - at;
    node->end = length > end - at ? end : at + length;
    size_t key = at + 6, key_end = key;
    while (key_end + 2 <= node->end && bytes_u16(version, key_end, &unit) && unit != 0)
        key_end += 2;
    node->value = align4(key_end + 2);
    return bytes_slice(version, key, key_end - key, &node->key);
}

static bool key_is(struct bytes key, const char *ascii)
{
    size_t length = strlen(ascii);
    if (key.length != 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint16_t unit;
        bytes_u16(key, 2 * i, &unit);
        if ((unit >= 'A' && unit <= 'Z' ? unit + 32 : unit) !=
            (ascii[i] >= 'A' && ascii[i] <= 'Z' ? ascii[i] + 32 : ascii[i]))
            return false;
    }
    return true;
}

/* UTF-16 up to a NUL or the end, as UTF-8 in the image's memory; a half of a surrogate pair becomes U+FFFD. */
static bool copy_utf16(struct pe_reader *reader, struct bytes from, struct bytes *to)
{
    uint8_t text[PE_STRING_LIMIT];
    size_t length = 0;
    bool whole = true;
    uint16_t unit, low;
    for (size_t at = 0; bytes_u16(from, at, &unit) && unit != 0; at += 2) {
        uint32_t code = unit;
        if (unit >= 0xd800 && unit <= 0xdbff && bytes_u16(from, at + 2, &low) && low >= 0xdc00 && low <= 0xdfff) {
            code = 0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            at += 2;
        } else if (unit >= 0xd800 && unit <= 0xdfff) {
            code = UTF8_REPLACEMENT;
        }
        char encoded[UTF8_MOST];
        size_t more = utf8_put(encoded, code);
        if (more > sizeof text - length) {
            whole = false;
            break;
        }
        memcpy(text + length, encoded, more);
        length += more;
    }
    uint8_t *copy = length > 0 ? pe_take(reader, length) : NULL;
    if (copy != NULL)
        *to = bytes_of(memcpy(copy, text, length), length);
    return whole;
}

static const char *const string_keys[PE_VERSION_STRINGS] = {
    [PE_FILE_VERSION] = "FileVersion",           [PE_PRODUCT_VERSION] = "ProductVersion",
    [PE_PRODUCT_NAME] = "ProductName",           [PE_COMPANY_NAME] = "CompanyName",
    [PE_ORIGINAL_FILENAME] = "OriginalFilename", [PE_FILE_DESCRIPTION] = "FileDescription",
};

/* The first StringTable of a StringFileInfo. */
static bool read_strings(struct pe_reader *reader, struct bytes version, const struct version_node *info)
{
    struct version_node table, string;
    bool cut = false, whole = true;
    if (info->value >= info->end)
        return true;
    if (!read_node(version, info->value, info->end, &table, &cut))
        return false;
    for (size_t at = table.value; at < table.end; at = align4(string.end)) {
        uint16_t length;
        if (!bytes_u16(version, at, &length) || length == 0)
            break; /* what follows the last string is padding */
        if (!read_node(version, at, table.end, &string, &cut))
            return false;
        for (size_t i = 0; i < PE_VERSION_STRINGS; i++) {
            struct bytes *text = &reader->image->strings[i];
            struct bytes value;
            if (text->length == 0 && key_is(string.key, string_keys[i]) && string.value < string.end &&
                bytes_slice(version, string.value, string.end - string.value, &value))
                whole = copy_utf16(reader, value, text) && whole;
        }
    }
    return whole && !cut;
}

static struct pe_version version_of(uint32_t most, uint32_t least)
{
    return (struct pe_version){(uint16_t)(most >> 16), (uint16_t)most, (uint16_t)(least >> 16), (uint16_t)least};
}

static bool read_fixed_file_info(struct pe_image *image, struct bytes version, const struct version_node *root)
{
    struct bytes fixed;
    uint32_t signature, numbers[4], mask, flags;
    if (!bytes_slice(version, root->value, FIXED_FILE_INFO_BYTES, &fixed) || !bytes_u32(fixed, 0, &signature) ||
        signature != FIXED_FILE_INFO_SIGNATURE)
        return false;
    for (size_t i = 0; i < 4; i++)
        bytes_u32(fixed, 8 + 4 * i, &numbers[i]);
    bytes_u32(fixed, 24, &mask);
    bytes_u32(fixed, 28, &flags);
    image->has_version = true;
    image->file_version = version_of(numbers[0], numbers[1]);
    image->product_version = version_of(numbers[2], numbers[3]);
    image->file_flags = flags & mask;
    return true;
}

void pe_read_version(struct pe_reader *reader)
{
    struct pe_image *image = reader->image;
    struct bytes version = {0};
    bool found = false;
    if (reader->directories[PE_DIRECTORY_RESOURCE].virtual_address == 0)
        return;
    if (!find_version(reader, &version, &found)) {
        image->defects |= PE_DEFECT_RESOURCES;
        return;
    }
    if (!found)
        return;
    struct version_node root, info;
    bool cut = false;
    if (!read_node(version, 0, version.length, &root, &cut)) {
        image->defects |= PE_DEFECT_VERSION;
        return;
    }
    if (root.value_length > 0 && !read_fixed_file_info(image, version, &root))
        image->defects |= PE_DEFECT_VERSION;
    for (size_t at = align4(root.value + root.value_length); at < root.end; at = align4(info.end)) {
        uint16_t length;
        if (!bytes_u16(version, at, &length) || length == 0)
            break;
        if (!read_node(version, at, root.end, &info, &cut)) {
            cut = true;
            break;
        }
        if (!key_is(info.key, "StringFileInfo"))
            continue;
        cut = !read_strings(reader, version, &info) || cut;
        break;
    }
    if (cut)
        image->defects |= PE_DEFECT_STRINGS;
}
