/*
 * The collector's configuration file: 'key = value' lines; ';' and '#' start comments. Keys that may be given several
 * times add up. A key that is not in this list is an error.
 *
 *   aggregator   several  where to ship: tls+tcp://HOST:PORT, or tcp://127.0.0.1:PORT       none
 *   ca           once     file with the certificates (PEM) that aggregators are checked by   none
 *   allow-plain  once     yes: tcp:// to other machines too, unencrypted                     no
 *   host         once     the host's name                                                    its computer name
 *   token        once     enrolment token for a host that is new to the aggregator           none
 *   group        several  label of a group of hosts that should be alike                     none
 *   state        once     directory of key, state and spool                                  by platform.h
 *   drive        once     letter of the drive given as --root         as the host's registry says, else c
 *   code-page    once     code page of an 8-bit registry export       as the export says, else 1252
 *   root         several  own folder instead of the built-in ones, see collector/roots.h     the built-in ones
 *   include      several  backup folder that is wanted nevertheless, by its name             none
 *   hash         once     yes: SHA-256 of every image                                        no
 *   hash-limit   once     MiB of a file that is hashed; larger ones are not                                1024
 *   symbols      once     no: leave out exports and imports                                  yes
 *   schedule     once     seconds from one snapshot to the next                              86400
 *   spool-limit  once     MiB that waiting snapshots may take; the newest is always kept                 256
 */

#ifndef EVENKEEL_CONFIG_H
#define EVENKEEL_CONFIG_H

#include "collector/base/string_list.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config {
    struct string_list aggregators, groups, roots, includes;
    char *ca, *host, *state, *token; /* NULL where not given */
    char drive;                      /* 0: not given */
    bool allow_plain, hash, symbols;
    bool installed;     /* read from where an installation leaves settings, see collector/settings.h */
    uint32_t code_page; /* 0: not given */
    uint32_t schedule;
    uint32_t spool_limit; /* MiB */
    uint32_t hash_limit;  /* MiB */
};

#define CONFIG_SCHEDULE_DEFAULT 86400u
#define CONFIG_SPOOL_LIMIT_DEFAULT 256u /* some forty states of a large server */
#define CONFIG_HASH_LIMIT_DEFAULT 1024u /* no binary that Microsoft ships is as large */
#define CONFIG_MEBIBYTES_MOST (1u << 20)

/* What holds without a file. */
void config_init(struct config *config);

/* Reads `file`, called `name` in messages, over what *config holds. -1 with the line and the key that are wrong. */
int config_read(FILE *file, const char *name, struct config *config, struct error *error);

/* Likewise, from a path. */
int config_load(const char *path, struct config *config, struct error *error);

/* Takes the lines that set `key`, and those that continue them, out of a file's text; returns the length that is left.
 */
size_t config_forget(char *text, size_t length, const char *key);

/* Sets one key as a line of the file would; for options of commands. */
int config_set(struct config *config, const char *key, const char *value, struct error *error);

void config_clear(struct config *config);

#endif
