/*
 * PE files made byte by byte, for tests of what no linker writes. A crafted file has its headers in the first 0x400
 * bytes and one section, whose address is CRAFT_RVA; tests put their tables into it by address.
 */

#ifndef EVENKEEL_TESTS_PE_CRAFT_H
#define EVENKEEL_TESTS_PE_CRAFT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "collector/pe/pe.h"

#define CRAFT_HEADERS 0x400u
#define CRAFT_RVA 0x1000u
#define CRAFT_SECTION 0x1c00u
#define CRAFT_BYTES (CRAFT_HEADERS + CRAFT_SECTION)
#define CRAFT_PE 0x40u                         /* where the PE signature lies */
#define CRAFT_OPTIONAL (CRAFT_PE + 24)         /* the optional header, */
#define CRAFT_SECTIONS (CRAFT_OPTIONAL + 0xf0) /* the section table */

struct craft {
    uint8_t data[CRAFT_BYTES];
    size_t length; /* of the file; cut it to cut the file */
    bool plus;
    size_t reads;   /* how often it was read */
    size_t failing; /* this read fails, counted from 1; 0: none */
    size_t bytes_read;
};

static inline void put(struct craft *craft, size_t offset, const void *bytes, size_t length)
{
    assert_true(offset + length <= sizeof craft->data);
    memcpy(craft->data + offset, bytes, length);
}

static inline void put16(struct craft *craft, size_t offset, uint32_t value)
{
    uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    put(craft, offset, bytes, sizeof bytes);
}

static inline void put32(struct craft *craft, size_t offset, uint32_t value)
{
    put16(craft, offset, value & 0xffff);
    put16(craft, offset + 2, value >> 16);
}

static inline size_t at(uint32_t rva)
{
    return rva - CRAFT_RVA + CRAFT_HEADERS;
}

static inline void put_text(struct craft *craft, uint32_t rva, const char *text)
{
    put(craft, at(rva), text, strlen(text) + 1);
}

/* Puts 32-bit numbers one after the other. */
static inline void put_table(struct craft *craft, uint32_t rva, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put32(craft, at(rva) + 4 * i, values[i]);
}

#define PUT_TABLE(craft, rva, ...)                                                                                     \
    put_table(craft, rva, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static inline void put_directory(struct craft *craft, unsigned index, uint32_t rva, uint32_t size)
{
    size_t offset = CRAFT_OPTIONAL + (craft->plus ? 112 : 96) + 8 * (size_t)index;
    put32(craft, offset, rva);
    put32(craft, offset + 4, size);
}

/* Changes the section: its size in memory, its size in the file, its place in the file. */
static inline void put_section(struct craft *craft, uint32_t virtual_size, uint32_t raw_size, uint32_t raw)
{
    put32(craft, CRAFT_SECTIONS + 8, virtual_size);
    put32(craft, CRAFT_SECTIONS + 12, CRAFT_RVA);
    put32(craft, CRAFT_SECTIONS + 16, raw_size);
    put32(craft, CRAFT_SECTIONS + 20, raw);
}

/* Sound headers without any directory: a DLL for i386, or for x86-64 if `plus`. */
static inline void craft_start(struct craft *craft, bool plus)
{
    size_t optional = CRAFT_OPTIONAL;
    *craft = (struct craft){.length = CRAFT_BYTES, .plus = plus};
    put(craft, 0, "MZ", 2);
    put32(craft, 0x3c, CRAFT_PE);
    put(craft, CRAFT_PE, "PE\0", 4);
    put16(craft, CRAFT_PE + 4, plus ? 0x8664 : 0x014c);
    put16(craft, CRAFT_PE + 6, 1);
    put32(craft, CRAFT_PE + 8, 1045000000);
    put16(craft, CRAFT_PE + 20, 0xf0);
    put16(craft, CRAFT_PE + 22, 0x2022);
    put16(craft, optional, plus ? 0x20b : 0x10b);
    put32(craft, optional + (plus ? 24 : 28), 0x10000000);
    put32(craft, optional + 32, 0x1000);
    put32(craft, optional + 36, 0x200);
    put32(craft, optional + 56, 0x3000);
    put32(craft, optional + 60, CRAFT_HEADERS);
    put32(craft, optional + 64, 0x0001abcd);
    put32(craft, optional + (plus ? 108 : 92), 16);
    put_section(craft, CRAFT_SECTION, CRAFT_SECTION, CRAFT_HEADERS);
}

static inline int64_t craft_read_at(void *context, void *buffer, size_t length, uint64_t offset, struct error *error)
{
    struct craft *craft = context;
    craft->reads++;
    if (craft->reads == craft->failing)
        return error_set(error, ERROR_IO, "the disk is gone");
    if (offset >= craft->length)
        return 0;
    size_t rest = craft->length - (size_t)offset;
    size_t count = length < rest ? length : rest;
    memcpy(buffer, craft->data + offset, count);
    craft->bytes_read += count;
    return (int64_t)count;
}

/* Reads the crafted file, with symbols; the image is the caller's to clear. */
static inline void craft_read(struct craft *craft, struct pe_image *image)
{
    const struct pe_source source = {.read_at = craft_read_at, .context = craft, .size = craft->length};
    const struct pe_options options = {.symbols = true};
    struct error error = {0};
    craft->reads = craft->bytes_read = 0;
    assert_int_equal(pe_read_source(&source, &options, image, &error), 0);
}

static inline void assert_text(struct bytes seen, const char *wanted)
{
    assert_int_equal(seen.length, strlen(wanted));
    if (seen.length > 0)
        assert_memory_equal(seen.data, wanted, seen.length);
}

static inline void assert_version(struct pe_version seen, unsigned a, unsigned b, unsigned c, unsigned d)
{
    assert_int_equal(seen.major, a);
    assert_int_equal(seen.minor, b);
    assert_int_equal(seen.build, c);
    assert_int_equal(seen.revision, d);
}

#endif
