/* The project's SQL on disk: migrations, functions, views, checks, catalogue. */

#ifndef EVENKEEL_SQL_FILES_H
#define EVENKEEL_SQL_FILES_H

#include "database.h"

#include <stddef.h>

/*
 * The directory: `given`, else EVENKEEL_SQL, else the one installed with this program, else `sql` of the source tree
 * that this program was built in. -1 with *error where none holds a folder `schema`.
 */
int sql_files_directory(const char *given, char *directory, size_t size, struct error *error);

/* The names in `folder` of that directory that end in `suffix`, sorted; free with sql_files_free(). An absent folder
 * has none. */
struct sql_files {
    char **names;
    size_t count;
};
int sql_files_list(const char *directory, const char *folder, const char *suffix, struct sql_files *files,
                   struct error *error);
void sql_files_free(struct sql_files *files);

/* The text of a file, with a NUL, from malloc; NULL with *error. At most 64 MiB. */
char *sql_files_read(const char *path, size_t *length, struct error *error);

#endif
