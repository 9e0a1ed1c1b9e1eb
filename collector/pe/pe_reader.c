/* Views of a PE file through bounded reads, the way from addresses to offsets, and the memory of an image. */

#include "pe_reader.h"

#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_BYTES 65536u
#define KEPT_BYTES (1024u * 1024u) /* of memory from file to file; what one huge file needed is given back */

/* A view reads this much at a miss: more as long as it goes forward, little while it jumps about. */
#define AHEAD_FIRST 4096u
#define AHEAD_JUMP 4096u

#define PAGE_BYTES 4096u  /* the loader maps sections by pages, */
#define SECTOR_BYTES 512u /* and their data from a sector's start */

struct block {
    struct block *next;
    size_t capacity, used;
    alignas(max_align_t) uint8_t data[];
};

struct view {
    uint64_t offset;
    size_t length;
    size_t ahead;
    uint8_t *data; /* PE_VIEW_BYTES, from the first miss on */
};

struct pe_memory {
    struct block *blocks;
    struct block *current; /* the one that is taken from; those after it are free */
    size_t blocks_bytes;
    struct view views[PE_VIEWS];
    struct pe_lists lists;
    uint8_t header[PE_HEADER_BYTES];
};

static void free_blocks(struct pe_memory *memory)
{
    for (struct block *block = memory->blocks; block != NULL;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    memory->blocks = memory->current = NULL;
    memory->blocks_bytes = 0;
}

bool pe_memory_prepare(struct pe_memory **memory)
{
    if (*memory == NULL)
        *memory = calloc(1, sizeof **memory);
    if (*memory == NULL)
        return false;
    struct pe_memory *m = *memory;
    if (m->blocks_bytes > KEPT_BYTES)
        free_blocks(m);
    for (struct block *block = m->blocks; block != NULL; block = block->next)
        block->used = 0;
    m->current = m->blocks;
    for (size_t i = 0; i < PE_VIEWS; i++) {
        m->views[i].length = 0;
        m->views[i].ahead = AHEAD_FIRST;
    }
    return true;
}

void pe_memory_free(struct pe_memory *memory)
{
    if (memory == NULL)
        return;
    free_blocks(memory);
    for (size_t i = 0; i < PE_VIEWS; i++)
        free(memory->views[i].data);
    free(memory->lists.names);
    free(memory->lists.ordinals);
    free(memory->lists.imports);
    free(memory);
}

static bool no_memory(struct pe_reader *reader)
{
    reader->failed = true;
    error_set(reader->error, ERROR_MEMORY, "no memory left to read a binary");
    return false;
}

void *pe_take(struct pe_reader *reader, size_t size)
{
    struct pe_memory *memory = reader->memory;
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct block *block = memory->current;
    if (block != NULL && block->capacity - block->used < rounded && block->next != NULL)
        block = memory->current = block->next;
    if (block == NULL || block->capacity - block->used < rounded) {
        size_t capacity = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        struct block *fresh = malloc(sizeof *fresh + capacity);
        if (fresh == NULL) {
            no_memory(reader);
            return NULL;
        }
        struct block **link = block != NULL ? &block->next : &memory->blocks;
        *fresh = (struct block){.next = *link, .capacity = capacity};
        *link = memory->current = block = fresh;
        memory->blocks_bytes += capacity;
    }
    void *taken = block->data + block->used;
    block->used += rounded;
    return taken;
}

struct pe_lists *pe_lists(struct pe_reader *reader)
{
    return &reader->memory->lists;
}

void *pe_grow(struct pe_reader *reader, void *list, size_t length, size_t *capacity, size_t size)
{
    if (length < *capacity)
        return list;
    size_t larger = *capacity > 0 ? *capacity * 2 : 64;
    void *grown = realloc(list, larger * size);
    if (grown == NULL) {
        no_memory(reader);
        return NULL;
    }
    *capacity = larger;
    return grown;
}

/* Up to `length` bytes into `buffer`, as many as the file has; charged at no less than a page, since calls cost too. */
static bool read_bytes(struct pe_reader *reader, void *buffer, size_t length, uint64_t offset, size_t *got)
{
    *got = 0;
    if (reader->failed)
        return false;
    uint64_t charge = length > PAGE_BYTES ? length : PAGE_BYTES;
    if (charge > reader->read_budget) {
        reader->image->defects |= PE_DEFECT_READ_LIMIT;
        return false;
    }
    reader->read_budget -= charge;
    int64_t count = reader->source->read_at(reader->source->context, buffer, length, offset, reader->error);
    if (count < 0) {
        reader->failed = true;
        return false;
    }
    *got = (uint64_t)count < length ? (size_t)count : length;
    return true;
}

bool pe_fetch_header(struct pe_reader *reader)
{
    size_t got;
    size_t length = reader->source->size < PE_HEADER_BYTES ? (size_t)reader->source->size : PE_HEADER_BYTES;
    if (length == 0 || !read_bytes(reader, reader->memory->header, length, 0, &got))
        return false;
    reader->header = bytes_of(reader->memory->header, got);
    return true;
}

/* Makes the view start at `offset` and hold at least `length` bytes, or all that the file has from there. */
static bool fill(struct pe_reader *reader, struct view *view, uint64_t offset, size_t length)
{
    if (view->data == NULL) {
        view->data = malloc(PE_VIEW_BYTES);
        if (view->data == NULL)
            return no_memory(reader);
    }
    if (view->length > 0) {
        bool forward = offset >= view->offset && offset <= view->offset + view->length + AHEAD_JUMP;
        view->ahead = !forward ? AHEAD_JUMP : view->ahead < PE_VIEW_BYTES / 2 ? view->ahead * 2 : PE_VIEW_BYTES;
    }
    uint64_t rest = reader->source->size - offset;
    size_t wanted = view->ahead > length ? view->ahead : length;
    if (wanted > rest)
        wanted = (size_t)rest;
    view->offset = offset;
    return read_bytes(reader, view->data, wanted, offset, &view->length);
}

bool pe_fetch(struct pe_reader *reader, enum pe_view view, uint64_t offset, size_t length, struct bytes *bytes)
{
    *bytes = (struct bytes){0};
    if (bytes_slice(reader->header, offset, length, bytes))
        return true;
    uint64_t size = reader->source->size;
    if (offset > size || length > size - offset || length > PE_VIEW_BYTES)
        return false;
    struct view *v = &reader->memory->views[view];
    if (offset >= v->offset && bytes_slice(bytes_of(v->data, v->length), offset - v->offset, length, bytes))
        return true;
    return fill(reader, v, offset, length) && bytes_slice(bytes_of(v->data, v->length), 0, length, bytes);
}

/* How much of a section's data the loader maps from the file. */
static uint64_t mapped_bytes(const struct pe_section *section)
{
    if (section->virtual_size == 0)
        return section->size_of_raw_data;
    uint64_t pages = ((uint64_t)section->virtual_size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    return pages < section->size_of_raw_data ? pages : section->size_of_raw_data;
}

static bool map_in(const struct pe_reader *reader, const struct pe_section *section, uint64_t rva, uint64_t *offset,
                   uint64_t *available)
{
    uint64_t within = rva - section->virtual_address;
    uint64_t mapped = mapped_bytes(section);
    if (rva < section->virtual_address || within >= mapped)
        return false;
    uint64_t start = section->pointer_to_raw_data;
    if (reader->file_alignment >= SECTOR_BYTES)
        start &= ~(uint64_t)(SECTOR_BYTES - 1);
    *offset = start + within;
    *available = mapped - within;
    return *offset < reader->source->size;
}

bool pe_map(struct pe_reader *reader, uint64_t rva, uint64_t *offset, uint64_t *available)
{
    *offset = *available = 0;
    bool found = false;
    if (reader->last_section < reader->sections_length)
        found = map_in(reader, &reader->sections[reader->last_section], rva, offset, available);
    for (size_t i = 0; !found && i < reader->sections_length; i++) {
        found = map_in(reader, &reader->sections[i], rva, offset, available);
        if (found)
            reader->last_section = i;
    }
    if (!found && rva < reader->size_of_headers && rva < reader->source->size) {
        found = true;
        *offset = rva;
        *available = reader->size_of_headers - rva;
    }
    if (found && *available > reader->source->size - *offset)
        *available = reader->source->size - *offset;
    return found;
}

bool pe_fetch_rva(struct pe_reader *reader, enum pe_view view, uint64_t rva, size_t length, struct bytes *bytes)
{
    uint64_t offset, available;
    *bytes = (struct bytes){0};
    return pe_map(reader, rva, &offset, &available) && length <= available &&
           pe_fetch(reader, view, offset, length, bytes);
}

/* The bytes of `region`, which starts at `start` in the file, from `offset` up to a NUL. */
static bool text_in(struct bytes region, uint64_t start, uint64_t offset, uint64_t most, struct bytes *text)
{
    if (offset < start || offset - start >= region.length)
        return false;
    uint64_t rest = region.length - (offset - start);
    if (!bytes_slice(region, offset - start, rest < most ? rest : most, text))
        return false;
    const uint8_t *end = memchr(text->data, 0, text->length);
    if (end != NULL)
        text->length = (size_t)(end - text->data);
    return end != NULL;
}

static bool fetch_text(struct pe_reader *reader, uint64_t rva, struct bytes *text)
{
    uint64_t offset, available;
    if (!pe_map(reader, rva, &offset, &available))
        return false;
    uint64_t most = available < PE_NAME_LIMIT + 1 ? available : PE_NAME_LIMIT + 1;
    struct view *view = &reader->memory->views[PE_VIEW_TEXT];
    if (text_in(reader->header, 0, offset, most, text) ||
        text_in(bytes_of(view->data, view->length), view->offset, offset, most, text))
        return true;
    bool whole = offset >= view->offset && bytes_holds(bytes_of(view->data, view->length), offset - view->offset, most);
    return !whole && fill(reader, view, offset, (size_t)most) &&
           text_in(bytes_of(view->data, view->length), view->offset, offset, most, text);
}

bool pe_fetch_name(struct pe_reader *reader, uint64_t rva, struct bytes *name)
{
    static const char digits[] = "0123456789abcdef";
    struct bytes text;
    *name = (struct bytes){0};
    if (!fetch_text(reader, rva, &text) || text.length == 0)
        return false;
    bool plain = bytes_are_utf8(text);
    size_t escaped = 0;
    for (size_t i = 0; !plain && i < text.length; i++)
        escaped += text.data[i] > 0x7f || text.data[i] == '%';
    uint8_t *copy = pe_take(reader, text.length + 2 * escaped);
    if (copy == NULL)
        return false;
    *name = bytes_of(copy, text.length + 2 * escaped);
    if (plain) {
        memcpy(copy, text.data, text.length);
        return true;
    }
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte <= 0x7f && byte != '%') {
            *copy++ = byte;
            continue;
        }
        *copy++ = '%';
        *copy++ = (uint8_t)digits[byte >> 4];
        *copy++ = (uint8_t)digits[byte & 15];
    }
    return true;
}
