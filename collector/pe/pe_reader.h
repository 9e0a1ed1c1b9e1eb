/*
 * What the parts of the PE reader share: views of the file, addresses, memory. Internal to pe*.c.
 *
 * A failing read (as against one that is not in the file) is remembered in reader->failed; from then on nothing can be
 * fetched, so the parts need not tell the two apart and pe_read_source() looks at it once, at the end.
 */

#ifndef EVENKEEL_PE_READER_H
#define EVENKEEL_PE_READER_H

#include "pe.h"

#define PE_HEADER_BYTES 4096 /* read first; holds all headers of nearly every file, and small files altogether */
#define PE_VIEW_BYTES 65536  /* no single thing that is fetched is larger: a VS_VERSIONINFO's length has 16 bits */

/* What lies in one view may be used until that view is asked for something else. */
enum pe_view {
    PE_VIEW_TABLE, /* resource tree, descriptors, one of two tables that are read in step */
    PE_VIEW_OTHER, /* the other one */
    PE_VIEW_TEXT,
    PE_VIEWS,
};

struct pe_section {
    uint32_t virtual_address;
    uint32_t virtual_size;
    uint32_t size_of_raw_data;
    uint32_t pointer_to_raw_data;
};

enum pe_directory_index {
    PE_DIRECTORY_EXPORT = 0,
    PE_DIRECTORY_IMPORT = 1,
    PE_DIRECTORY_RESOURCE = 2,
    PE_DIRECTORY_LOAD_CONFIG = 10,
    PE_DIRECTORY_DELAY_IMPORT = 13,
    PE_DIRECTORIES = 16,
};

struct pe_directory {
    uint32_t virtual_address;
    uint32_t size;
};

struct pe_reader {
    const struct pe_source *source;
    struct pe_image *image;
    struct pe_memory *memory;
    struct error *error;
    bool failed;            /* *error is filled */
    uint64_t read_budget;   /* bytes that may still be read */
    uint32_t symbol_budget; /* packed bytes of symbols that may still be added */
    struct bytes header;    /* the file's first bytes */

    uint64_t image_base;
    uint32_t section_alignment, file_alignment, size_of_headers;
    struct pe_directory directories[PE_DIRECTORIES];
    const struct pe_section *sections;
    size_t sections_length;
    size_t last_section; /* where the last address was found; the next is mostly there too */
};

/* Makes the memory of the image ready for another file; false where there is none. */
bool pe_memory_prepare(struct pe_memory **memory);
void pe_memory_free(struct pe_memory *memory); /* NULL is allowed */

/* `size` bytes, aligned for any type, that live as long as the image's content; NULL sets reader->failed. */
void *pe_take(struct pe_reader *reader, size_t size);

/* Lists of what is not counted beforehand: they grow in the image's memory and are copied out with pe_take(). */
struct pe_lists {
    struct bytes *names;
    size_t names_length, names_capacity;
    uint16_t *ordinals;
    size_t ordinals_length, ordinals_capacity;
    struct pe_import *imports;
    size_t imports_length, imports_capacity;
};

struct pe_lists *pe_lists(struct pe_reader *reader);

/* The list, with room for one more element of `size` bytes; NULL, and the list as it was, sets reader->failed. */
void *pe_grow(struct pe_reader *reader, void *list, size_t length, size_t *capacity, size_t size);

/* Reads the start of the file into reader->header. */
bool pe_fetch_header(struct pe_reader *reader);

/* [offset, offset + length) of the file; false where it does not lie in the file. `length` is at most PE_VIEW_BYTES. */
bool pe_fetch(struct pe_reader *reader, enum pe_view view, uint64_t offset, size_t length, struct bytes *bytes);

/*
 * Where in the file the image's address `rva` lies, and how many bytes follow it there in the same section (at least
 * one); false for an address that is backed by no byte of the file.
 */
bool pe_map(struct pe_reader *reader, uint64_t rva, uint64_t *offset, uint64_t *available);

/* As pe_fetch(), by address; all of it must lie in one section. */
bool pe_fetch_rva(struct pe_reader *reader, enum pe_view view, uint64_t rva, size_t length, struct bytes *bytes);

/*
 * The text at `rva` without its NUL, as struct pe_export describes names, in the image's memory; false where it is
 * empty, longer than PE_NAME_LIMIT, or has no end.
 */
bool pe_fetch_name(struct pe_reader *reader, uint64_t rva, struct bytes *name);

/* Reads the image's version resource (pe_version.c), its imports and its exports (pe_symbols.c). */
void pe_read_version(struct pe_reader *reader);
void pe_read_imports(struct pe_reader *reader);
void pe_read_exports(struct pe_reader *reader);

#endif
