/* Numbers that C and SQL share, as functions of the database. */

#include "shared_numbers.h"

#include "collector/pe/pe.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/digest.h"
#include "proto/limits.h"

#include "evenkeel.pb-c.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name;
    long long value;
} numbers[] = {
#define NUMBER(name) {#name, name},
#define ENUMERATION(name)
#include "shared_numbers.inc"
#undef NUMBER
#undef ENUMERATION
};

static const ProtobufCEnumDescriptor *const enumerations[] = {
#define NUMBER(name)
#define ENUMERATION(name) &evenkeel__##name##__descriptor,
#include "shared_numbers.inc"
};

static void define(struct buffer *sql, const char *name, long long value)
{
    char lower[128];
    size_t length = 0;
    for (; length < sizeof lower - 1 && name[length] != 0; length++)
        lower[length] = (char)tolower((unsigned char)name[length]);
    lower[length] = 0;
    buffer_format(sql,
                  "create or replace function evenkeel.%s() returns integer language sql immutable parallel safe "
                  "as 'select %lld';\n"
                  "comment on function evenkeel.%s() is '%s of the sources.';\n",
                  lower, value, lower, name);
}

int shared_numbers_define(PGconn *connection, struct error *error)
{
    static const char prefix[] = "EVENKEEL__"; /* the package, which is the schema there */
    _cleanup_(buffer_clear) struct buffer sql = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        define(&sql, numbers[i].name, numbers[i].value);
    for (size_t i = 0; i < sizeof enumerations / sizeof *enumerations; i++)
        for (unsigned n = 0; n < enumerations[i]->n_values; n++)
            define(&sql, enumerations[i]->values[n].c_name + strlen(prefix), enumerations[i]->values[n].value);
    buffer_put(&sql, "", 1);
    if (sql.failed)
        return error_set(error, ERROR_MEMORY, "no memory for the numbers that C and SQL share");
    return database_execute(connection, (const char *)sql.data, error);
}
