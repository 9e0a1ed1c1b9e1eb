/* What a knowledge-base article or a cumulative update's list says: its file table, and what it tells about levels. */

#ifndef EVENKEEL_KB_ARTICLE_H
#define EVENKEEL_KB_ARTICLE_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bounds on what is read; beyond them kb_read() fails with ERROR_LIMIT. A long list has some 60,000 rows. */
#define KB_INPUT_LIMIT (64u << 20) /* bytes of a file */
#define KB_ROW_LIMIT 500000u       /* rows of a file */
#define KB_FACT_LIMIT 1000u        /* requirements, statements, sections and products, each */
#define KB_PROBLEM_LIMIT 1000u     /* problems kept; of further ones only the number */

/* One row of a file table. Strings are UTF-8 and never NULL; an empty one means that the row has none. */
struct kb_row {
    char date[11];        /* ISO, 2001-12-31 */
    char time[6];         /* HH:MM, 24 hours */
    const char *version;  /* as printed */
    bool has_version4;    /* the version is two to four numbers of 16 bits, joined by dots */
    uint64_t version4;    /* those numbers, the first in the highest 16 bits; missing ones are 0 */
    bool has_size;        /* not where only KB or MB are given */
    uint64_t size;        /* bytes */
    const char *file;     /* as printed, with a path if there is one */
    const char *platform; /* as printed in the row, without brackets around the whole; never taken from a heading */
    uint32_t line;        /* of the file, from 1 */
    uint32_t table;       /* the first table of the article is 0, and so on */
    uint32_t section;     /* index into kb_document.sections where `has_section` */
    bool has_section;
};

/* 'This hotfix requires Windows NT 4.0 Service Pack 5 or later': any of `levels` will do. */
struct kb_requirement {
    const char *product;  /* 'Windows NT 4.0'; empty where the sentence names none */
    const char *levels;   /* 'SP5;SP6a'; 'RTM' for what the articles call Gold */
    bool or_later;        /* the sentence says 'or later' */
    const char *sentence; /* the words that say so */
    uint32_t line;
};

/* 'This problem was first corrected in Windows 2000 Service Pack 3'. */
struct kb_first_corrected {
    const char *product;
    const char *service_pack; /* 'SP3'; 'SP4 HRP' for a rollup package, which is no service pack */
    uint32_t line;
};

/* A section of a cumulative update's CSV list, opened by a line such as 'Windows 11, version 24H2 LCU x64-based'. */
struct kb_section {
    const char *banner;       /* as printed */
    const char *product;      /* 'Windows 11, version 24H2' */
    const char *architecture; /* 'x64', 'x86', 'arm64', 'ia64'; empty where the banner names none */
    uint32_t line;
};

/* What could not be read, or was read with a doubt that a person should know of. */
struct kb_problem {
    uint32_t line;
    const char *sentence;
};

/* Everything read from one file. Owns all strings; free with kb_document_clear(). */
struct kb_document {
    const char
        *article;    /* 'Q157589', and 'KB5044288' for the seven-digit numbers that never had a Q; empty if unknown */
    uint32_t number; /* 157589; 0 if unknown */
    uint32_t tables;
    struct kb_row *rows;
    size_t row_count;
    struct kb_requirement *requirements;
    size_t requirement_count;
    struct kb_first_corrected *first_corrected;
    size_t first_corrected_count;
    struct kb_section *sections;
    size_t section_count;
    const char **products; /* what the article says it applies to, a product each, as printed but for 'Microsoft' */
    size_t product_count;
    struct kb_problem *problems;
    size_t problem_count;
    size_t problems_left_out;
    struct kb_strings *strings; /* where all the strings lie */
};

/*
 * Reads an article (text in any of UTF-8, UTF-16 or Windows-1252; HTML; a pasted page, even with its table run together
 * on one line) or a CSV list of files into *document. `name` is the file's name: it tells the update's number where the
 * content does not, and may be empty. What can't be read becomes a problem of its line; only input beyond the limits
 * (ERROR_LIMIT), bytes that are no text (ERROR_FORMAT) and lack of memory are errors, and then *document is empty.
 */
int kb_read(struct bytes input, const char *name, struct kb_document *document, struct error *error);

void kb_document_clear(struct kb_document *document);

/*
 * Reads the files named in paths[0..count), and prints their rows to `out`, below a line that names the columns:
 * article, date, time, version, version4, size, file, platform, between tabs. Values are printed as they are, the
 * backslashes of paths too; none has a line break, and a tab in one becomes a blank. Problems go to `problems` as
 * `FILE:LINE: sentence`. A file that can't be read at all is told there too, the others are still printed, and the last
 * such error is returned.
 */
int kb_print_tsv(const char *const *paths, size_t count, FILE *out, FILE *problems, struct error *error);

/* Reads the file at `path` as kb_read() does. */
int kb_read_file(const char *path, struct kb_document *document, struct error *error);

#endif
