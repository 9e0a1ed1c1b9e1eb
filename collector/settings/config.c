/* The collector's configuration file. */

#include "config.h"

#include "collector/disk/roots.h"
#include "collector/platform/platform.h"
#include "proto/cleanup.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <string.h>

enum kind { TEXT, LIST, FLAG, LETTER, CODE_PAGE, SECONDS, MEBIBYTES };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
} keys[] = {
    {"aggregator", LIST, offsetof(struct config, aggregators)},
    {"ca", TEXT, offsetof(struct config, ca)},
    {"allow-plain", FLAG, offsetof(struct config, allow_plain)},
    {"host", TEXT, offsetof(struct config, host)},
    {"token", TEXT, offsetof(struct config, token)},
    {"group", LIST, offsetof(struct config, groups)},
    {"state", TEXT, offsetof(struct config, state)},
    {"drive", LETTER, offsetof(struct config, drive)},
    {"code-page", CODE_PAGE, offsetof(struct config, code_page)},
    {"root", LIST, offsetof(struct config, roots)},
    {"include", LIST, offsetof(struct config, includes)},
    {"hash", FLAG, offsetof(struct config, hash)},
    {"hash-limit", MEBIBYTES, offsetof(struct config, hash_limit)},
    {"symbols", FLAG, offsetof(struct config, symbols)},
    {"schedule", SECONDS, offsetof(struct config, schedule)},
    {"spool-limit", MEBIBYTES, offsetof(struct config, spool_limit)},
};

void config_init(struct config *config)
{
    *config = (struct config){.symbols = true,
                              .schedule = CONFIG_SCHEDULE_DEFAULT,
                              .spool_limit = CONFIG_SPOOL_LIMIT_DEFAULT,
                              .hash_limit = CONFIG_HASH_LIMIT_DEFAULT};
}

void config_clear(struct config *config)
{
    string_list_clear(&config->aggregators);
    string_list_clear(&config->groups);
    string_list_clear(&config->roots);
    string_list_clear(&config->includes);
    free(config->ca);
    free(config->host);
    free(config->state);
    free(config->token);
    *config = (struct config){0};
}

static int set_text(char **text, const char *value, struct error *error)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the configuration");
    free(*text);
    *text = copy;
    return 0;
}

static int set_flag(bool *flag, const char *key, const char *value, struct error *error)
{
    *flag = strcmp(value, "yes") == 0;
    if (!*flag && strcmp(value, "no") != 0)
        return error_set(error, ERROR_USAGE, "'%s = %s' is neither yes nor no", key, value);
    return 0;
}

static int set_number(uint32_t *field, const char *key, const char *value, uint32_t most, const char *unit,
                      struct error *error)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != 0 || errno != 0 || number == 0 || number > most)
        return error_set(error, ERROR_USAGE, "'%s = %s' is no number of %s", key, value, unit);
    *field = (uint32_t)number;
    return 0;
}

int config_set(struct config *config, const char *key, const char *value, struct error *error)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, key) != 0)
            continue;
        void *field = (char *)config + keys[i].offset;
        if (value[0] == 0)
            return error_set(error, ERROR_USAGE, "'%s' has no value", key);
        switch (keys[i].kind) {
        case TEXT:
            return set_text(field, value, error);
        case LIST:
            return string_list_add(field, value, error);
        case FLAG:
            return set_flag(field, key, value, error);
        case LETTER:
            return roots_drive(value, field, error);
        case CODE_PAGE:
            return set_number(field, key, value, UINT16_MAX, "a code page, such as 1251", error);
        case SECONDS:
            return set_number(field, key, value, INT32_MAX, "seconds", error);
        case MEBIBYTES:
            return set_number(field, key, value, CONFIG_MEBIBYTES_MOST, "MiB from 1 to 1048576", error);
        }
    }
    return error_set(error, ERROR_USAGE, "there is no setting '%s'; the manual's list of settings has their names",
                     key);
}

struct reading {
    FILE *file;
    struct config *config;
    int line;
    int failed_line; /* 0: none */
    struct error failure;
};

static int failed(struct reading *reading, const char *why)
{
    if (reading->failed_line == 0) {
        reading->failed_line = reading->line;
        error_set(&reading->failure, ERROR_USAGE, "%s", why);
    }
    return 0;
}

/* inih's reader, so that lines are counted here and one that does not fit is an error rather than two lines. */
static char *read_line(char *line, int size, void *context)
{
    struct reading *reading = context;
    if (reading->failed_line != 0 || fgets(line, size, reading->file) == NULL)
        return NULL;
    reading->line++;
    size_t length = strlen(line);
    if (length + 1 == (size_t)size && line[length - 1] != '\n' && !feof(reading->file)) {
        failed(reading, "the line is too long");
        return NULL;
    }
    return line;
}

static int set_from_line(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    struct error error = {0};
    if (section[0] != 0)
        error_set(&error, ERROR_USAGE, "'[%s]': this file has no sections; leave that line out", section);
    else if (config_set(reading->config, key, value, &error) == 0)
        return 1;
    return failed(reading, error.message);
}

int config_read(FILE *file, const char *name, struct config *config, struct error *error)
{
    struct reading reading = {.file = file, .config = config};
    int first = ini_parse_stream(read_line, &reading, set_from_line, &reading);
    if (reading.failed_line != 0 && (first <= 0 || reading.failed_line <= first))
        return error_set(error, ERROR_USAGE, "%s, line %d: %s", name, reading.failed_line, reading.failure.message);
    if (first > 0)
        return error_set(error, ERROR_USAGE, "%s, line %d: this is no line like 'key = value'", name, first);
    if (first < 0 || ferror(file))
        return error_set(error, ERROR_IO, "can't read the configuration '%s'", name);
    return 0;
}

/* ---- forgetting a setting ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_blanks(const char *line, size_t length, size_t at)
{
    while (at < length && is_blank(line[at]))
        at++;
    return at;
}

static bool sets(const char *line, size_t length, const char *key)
{
    size_t name = strlen(key), at = skip_blanks(line, length, 0);
    if (length - at < name || memcmp(line + at, key, name) != 0)
        return false;
    at = skip_blanks(line, length, at + name);
    return at < length && (line[at] == '=' || line[at] == ':');
}

size_t config_forget(char *text, size_t length, const char *key)
{
    static const char mark[] = "\xef\xbb\xbf"; /* an editor's, of UTF-8 */
    size_t at = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0, kept = at;
    bool named = false, forgotten = false; /* a name came before; it was that of `key` */
    while (at < length) {
        const char *line = text + at, *end = memchr(line, '\n', length - at);
        size_t line_length = end != NULL ? (size_t)(end - line) + 1 : length - at;
        size_t start = skip_blanks(line, line_length, 0);
        bool remark = start == line_length || line[start] == ';' || line[start] == '#';
        if (!remark && (start == 0 || !named)) {
            named = true;
            forgotten = sets(line, line_length, key);
        }
        if (remark || !forgotten) {
            memmove(text + kept, line, line_length);
            kept += line_length;
        }
        at += line_length;
    }
    return kept;
}

int config_load(const char *path, struct config *config, struct error *error)
{
    struct error problem = {0};
    _cleanup_fclose_ FILE *file = platform_stream(path, "r", &problem);
    if (file == NULL)
        return error_set(error, problem.code, "no configuration: %s", problem.message);
    return config_read(file, path, config, error);
}
