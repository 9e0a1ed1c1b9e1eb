/* A hive file of an offline disk, opened by libhivex as the host itself would see it. */

#ifndef EVENKEEL_HIVE_REPLAY_H
#define EVENKEEL_HIVE_REPLAY_H

#include "collector/base/string_list.h"
#include "proto/error.h"

#include <hivex.h>

/*
 * Opens the hive at `path`; close it with hivex_close(). One that was not finished being written is copied into memory
 * and its logs, which lie beside it under its name with '.LOG', '.LOG1' or '.LOG2', are laid over it (hive_log.h); the
 * disk stays as it is. Of a damaged one the sound parts are opened. Both are said in *problems, and in *defects (enum
 * registry_defect) what remains wrong. -1 where nothing of it can be read.
 */
int hive_open(const char *path, hive_h **hive, unsigned *defects, struct string_list *problems, struct error *error);

#endif
