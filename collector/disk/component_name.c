/* Reads names of components in one pass over a folded copy: a host has tens of thousands of them. */

#include "component_name.h"

#include "collector/pe/pe.h"

#include <string.h>

#define NAME_BYTES 1024 /* Windows' names have at most 255 letters */

/* Parts of a name that are divided by '_', counted from its end. */
struct parts {
    char text[NAME_BYTES];
    size_t length;
    size_t last[3]; /* where the last, the one before, and the one before that begin */
    size_t count;
};

/* The length, or NAME_BYTES where it is too long. */
static size_t fold(char *to, const char *name)
{
    size_t length = 0;
    for (; length < NAME_BYTES - 1 && name[length] != 0; length++) {
        const char c = name[length];
        to[length] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == '\\' ? '/' : c;
    }
    to[length] = 0;
    return name[length] == 0 ? length : NAME_BYTES;
}

name_hash name_hash_of(const struct name_key *key, const char *text, size_t length)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)text, length, key->bytes);
    return hash;
}

name_hash name_hash_folded(const struct name_key *key, const char *text)
{
    char folded[NAME_BYTES];
    size_t length = fold(folded, text);
    /* A longer one stands by itself: no folder of the host's has such a name. */
    return name_hash_of(key, length < NAME_BYTES ? folded : text, length < NAME_BYTES ? length : strlen(text));
}

bool component_name_skips(const char *name)
{
    return strncmp(name, "msil_", strlen("msil_")) == 0 || strstr(name, ".resources_") != NULL ||
           strstr(name, ".inf_") != NULL;
}

static uint16_t machine_of(const char *name)
{
    static const struct {
        const char *start;
        size_t length;
        uint16_t machine;
    } machines[] = {
        {"amd64_", 6, PE_MACHINE_AMD64}, {"x86_", 4, PE_MACHINE_I386},    {"wow64_", 6, PE_MACHINE_I386},
        {"ia64_", 5, PE_MACHINE_IA64},   {"arm64_", 6, PE_MACHINE_ARM64},
    };
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (strncmp(name, machines[i].start, machines[i].length) == 0)
            return machines[i].machine;
    return 0;
}

/* False where it is no component's, or has fewer parts behind its first. */
static bool divide(const char *name, size_t count, struct parts *parts, uint16_t *machine)
{
    parts->length = fold(parts->text, name);
    *machine = machine_of(parts->text);
    if (parts->length == NAME_BYTES || *machine == 0 || component_name_skips(parts->text))
        return false;
    parts->count = 0;
    for (size_t at = parts->length; at > 0 && parts->count < count; at--)
        if (parts->text[at - 1] == '_')
            parts->last[parts->count++] = at;
    return parts->count == count;
}

/* Four numbers with dots between them, of five digits at most, and nothing else. */
static bool read_version(const char *text, size_t length, uint64_t *version)
{
    uint32_t part = 0;
    size_t digits = 0, dots = 0;
    *version = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            part = part * 10 + (uint32_t)(text[i] - '0');
            if (++digits > 5 || part > UINT16_MAX)
                return false;
        } else if (text[i] == '.' && digits > 0 && dots < 3) {
            *version = *version << 16 | part;
            part = 0;
            digits = 0;
            dots++;
        } else {
            return false;
        }
    }
    *version = *version << 16 | part;
    return dots == 3 && digits > 0;
}

bool component_name_of_winner(const struct name_key *key, const char *name, const char *version,
                              struct component_name *component)
{
    struct parts parts; /* hash, language */
    char text[2 * NAME_BYTES];
    const size_t length = strlen(version);
    if (!divide(name, 2, &parts, &component->machine) || !read_version(version, length, &component->version))
        return false;
    /* As a folder is called: machine_name_token_version_language. */
    const size_t start = parts.last[1], language = parts.last[0] - 1 - start;
    memcpy(text, parts.text, start);
    memcpy(text + start, version, length);
    text[start + length] = '_';
    memcpy(text + start + length + 1, parts.text + start, language);
    component->hash = name_hash_of(key, text, start + length + 1 + language);
    return true;
}

bool component_name_of_folder(const struct name_key *key, const char *name, struct component_name *component)
{
    struct parts parts; /* hash, language, version */
    if (!divide(name, 3, &parts, &component->machine) ||
        !read_version(parts.text + parts.last[2], parts.last[1] - 1 - parts.last[2], &component->version))
        return false;
    component->hash = name_hash_of(key, parts.text, parts.last[0] - 1);
    return true;
}
