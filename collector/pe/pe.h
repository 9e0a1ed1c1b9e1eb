/*
 * Reads what identifies a Windows binary (PE32, PE32+) out of the file itself; never trusts it. Every offset and count
 * is checked, every loop and every amount of memory has a limit, and the file is only seen through bounded reads.
 *
 * Layout: Microsoft PE/COFF specification; version resource: VS_VERSIONINFO in the Windows SDK documentation.
 */

#ifndef EVENKEEL_PE_H
#define EVENKEEL_PE_H

#include "collector/platform/platform.h"
#include "proto/bytes.h"
#include "proto/error.h"

/* What may be read of one file, hash apart; what lies beyond is left out and PE_DEFECT_READ_LIMIT set. */
#define PE_READ_LIMIT (64 * 1024 * 1024)

/* Exports and imports of one image come to no more bytes than this when packed; the rest is left out,
 * PE_DEFECT_SYMBOL_LIMIT. */
#define PE_SYMBOL_LIMIT (1536 * 1024)

/* Bytes of one symbol's or DLL's name. A decorated name of Microsoft's compiler has at most 4,096. */
#define PE_NAME_LIMIT 4096

/* Bytes of UTF-8 of one version string; a longer one is cut at a character, PE_DEFECT_STRINGS. */
#define PE_STRING_LIMIT 1024

/* Sections of one file. The loader took 96 up to Windows XP. */
#define PE_SECTION_LIMIT 1024

/* The optional header's first number. */
#define PE_MAGIC_PE32 0x10b
#define PE_MAGIC_PE32_PLUS 0x20b

/* Which parts were broken: the sound ones beside them were read nevertheless. The numbers are stored: never reuse one.
 */
enum pe_defect {
    PE_DEFECT_OPTIONAL_HEADER = 1 << 0, /* cut, or of no known magic: only the COFF header was read */
    PE_DEFECT_SECTIONS = 1 << 1,        /* the section table is cut or beyond PE_SECTION_LIMIT */
    PE_DEFECT_TRUNCATED = 1 << 2,       /* a section's data would end behind the end of the file */
    PE_DEFECT_RESOURCES = 1 << 3,       /* the resource tree doesn't lead to the version resource that it announces */
    PE_DEFECT_VERSION = 1 << 4,         /* the version resource holds no sound VS_FIXEDFILEINFO */
    PE_DEFECT_STRINGS = 1 << 5,         /* StringFileInfo is broken, or a string is longer than PE_STRING_LIMIT */
    PE_DEFECT_EXPORTS = 1 << 6,         /* the export table points outside of the file, or a name is not one */
    PE_DEFECT_IMPORTS = 1 << 7,         /* likewise */
    PE_DEFECT_DELAY_IMPORTS = 1 << 8,   /* likewise */
    PE_DEFECT_SYMBOL_LIMIT = 1 << 9,
    PE_DEFECT_READ_LIMIT = 1 << 10,

    /* With any of these not all that the file imports was read, or not all that it exports. The database goes by it. */
    PE_DEFECT_UNREAD_IMPORTS = PE_DEFECT_OPTIONAL_HEADER | PE_DEFECT_SECTIONS | PE_DEFECT_TRUNCATED |
                               PE_DEFECT_IMPORTS | PE_DEFECT_DELAY_IMPORTS | PE_DEFECT_SYMBOL_LIMIT |
                               PE_DEFECT_READ_LIMIT,
    PE_DEFECT_UNREAD_EXPORTS = PE_DEFECT_OPTIONAL_HEADER | PE_DEFECT_SECTIONS | PE_DEFECT_EXPORTS |
                               PE_DEFECT_SYMBOL_LIMIT | PE_DEFECT_READ_LIMIT,
    /* The first: the file is not whole. The second: it may have a version, although none was read. */
    PE_DEFECT_CUT = PE_DEFECT_OPTIONAL_HEADER | PE_DEFECT_SECTIONS | PE_DEFECT_TRUNCATED,
    PE_DEFECT_UNREAD_VERSION = PE_DEFECT_CUT | PE_DEFECT_RESOURCES | PE_DEFECT_VERSION | PE_DEFECT_READ_LIMIT,
};

/* IMAGE_FILE_MACHINE_* of the machines that Windows' updates are for (PE/COFF specification, 'Machine Types'). */
enum pe_machine {
    PE_MACHINE_I386 = 0x014c,
    PE_MACHINE_ALPHA = 0x0184,
    PE_MACHINE_IA64 = 0x0200,
    PE_MACHINE_AMD64 = 0x8664,
    PE_MACHINE_ARM64 = 0xaa64,
};

/*
 * What an image of Windows on ARM64 serves beside the machine of its header. The numbers are stored. (Microsoft,
 * "Arm64X PE files": an image whose load configuration has a CHPEMetadataPointer holds code for x64 processes on
 * ARM64.)
 */
enum pe_hybrid {
    PE_HYBRID_UNTOLD = 0,  /* not looked at, or an image of a machine that knows no such */
    PE_HYBRID_NONE = 1,    /* ARM64 by its header, and nothing else */
    PE_HYBRID_ARM64EC = 2, /* x64 by its header, as which it counts; it runs on ARM64 only */
    PE_HYBRID_ARM64X = 3,  /* ARM64 by its header; x64 processes on ARM64 load it, too, and see other tables in it */
};

/* "exports, read-limit" for the bits that are set, "" for none; cut where `capacity` ends. Returns `buffer`. */
const char *pe_defect_names(uint32_t defects, char *buffer, size_t capacity);

struct pe_version {
    uint16_t major, minor, build, revision;
};

/* a << 48 | b << 32 | c << 16 | d, the form that travels and is stored. */
static inline uint64_t pe_version_number(struct pe_version version)
{
    return (uint64_t)version.major << 48 | (uint64_t)version.minor << 32 | (uint64_t)version.build << 16 |
           version.revision;
}

enum pe_version_string {
    PE_FILE_VERSION,
    PE_PRODUCT_VERSION,
    PE_PRODUCT_NAME,
    PE_COMPANY_NAME,
    PE_ORIGINAL_FILENAME,
    PE_FILE_DESCRIPTION,
    PE_VERSION_STRINGS, /* how many there are */
};

/*
 * Names of symbols and DLLs are well-formed UTF-8 without NUL. One that is not so in the file has every byte above 0x7f
 * and every '%' written as %XX, so that importer and exporter still spell it alike. They are never empty.
 */
struct pe_export {
    uint32_t ordinal;
    struct bytes name;      /* empty: by ordinal only */
    struct bytes forwarder; /* 'DLL.Symbol' or 'DLL.#ordinal', as in the file; empty where the code is here */
};

/* What one entry of the import or delay import directory asks of one DLL. */
struct pe_import {
    struct bytes dll; /* as written in the file */
    bool delay;
    const struct bytes *names; /* in the file's order */
    size_t names_length;
    const uint16_t *ordinals; /* in the file's order */
    size_t ordinals_length;
};

struct pe_memory; /* opaque: what the strings and arrays below lie in */

/*
 * One build of one binary file. Start with `= {0}`; may be read into again and again, which keeps and reuses its memory
 * (a few MiB at most); all that it points to is valid until then. Free with pe_image_clear().
 */
struct pe_image {
    bool
        is_pe; /* false: the file has no MZ and PE signature (DOS, NE, LE, text ...), only size and sha256 are filled */
    uint64_t size;            /* bytes of the file */
    uint16_t machine;         /* PE_MACHINE_*, or another */
    uint8_t hybrid;           /* enum pe_hybrid; of x64 ones only looked at together with symbols */
    uint16_t magic;           /* PE_MAGIC_*; 0 with PE_DEFECT_OPTIONAL_HEADER */
    uint32_t time_date_stamp; /* seconds since 1970-01-01 UTC, as linked; may be a hash in reproducible builds */
    uint32_t size_of_image;
    uint32_t checksum;
    uint16_t characteristics; /* IMAGE_FILE_*: 0x2000 is a DLL */

    bool has_version;                                /* a VS_FIXEDFILEINFO was found */
    struct pe_version file_version, product_version; /* its numbers; zero without */
    uint32_t file_flags;                             /* VS_FF_*, under the mask */
    struct bytes strings[PE_VERSION_STRINGS]; /* StringFileInfo, first language, well-formed UTF-8; empty: none */

    const struct pe_export *exports; /* by ordinal, then name */
    size_t exports_length;
    const struct pe_import *imports; /* in the order of the file's directories, plain before delayed */
    size_t imports_length;
    bool symbols_omitted; /* exports and imports were not asked for */

    bool has_sha256;
    uint8_t sha256[32];
    uint32_t defects; /* enum pe_defect */

    struct pe_memory *memory;
};

struct pe_options {
    bool symbols;       /* read exports and imports */
    bool hash;          /* SHA-256 of the whole file */
    uint64_t hash_most; /* bytes of a file that is hashed; a larger one has no hash. 0: any */
};

/* Whether a file of that size is to have a hash: reading a disk's images, or what only looks like one, has an end. */
bool pe_is_hashed(const struct pe_options *options, uint64_t size);

/*
 * Fills *image from `file`, whose size the caller knows from platform_file_stat(). A file that is no PE is no error: it
 * has image->is_pe false. Broken parts are left empty and named in image->defects. -1 only where the file can't be read
 * (ERROR_IO, without its path, which is not known here) or memory ends; *image is empty then.
 */
int pe_read(const struct platform_file *file, uint64_t size, const struct pe_options *options, struct pe_image *image,
            struct error *error);

/* Where the bytes come from: reads as platform_file_read_at() does. For bytes that are in memory, such as tests. */
struct pe_source {
    int64_t (*read_at)(void *context, void *buffer, size_t length, uint64_t offset, struct error *error);
    void *context;
    uint64_t size; /* bytes */
};

int pe_read_source(const struct pe_source *source, const struct pe_options *options, struct pe_image *image,
                   struct error *error);

/* Frees what *image holds and empties it. */
void pe_image_clear(struct pe_image *image);

/* 'x86', 'AMD64', 'IA64', 'ALPHA', 'ARM64' ... as Windows calls it in PROCESSOR_ARCHITECTURE; NULL for one without a
 * name. */
const char *pe_machine_name(uint16_t machine);

#endif
