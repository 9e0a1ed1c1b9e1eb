/* What the tests of host facts share: facts that are taken of a registry or a disk, and what they should be. */

#ifndef EVENKEEL_FACTS_TAKEN_H
#define EVENKEEL_FACTS_TAKEN_H

#include "collector/facts/facts.h"
#include "hex.h"
#include "proto/object.h"

#include <stdio.h>

#define HEADER "Windows Registry Editor Version 5.00\n"
#define NT "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
#define SYSTEM "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet"
#define MANAGER SYSTEM "\\Control\\Session Manager"
#define PACKAGES                                                                                                       \
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\"
#define ROOT NT "]\n\"SystemRoot\"=\"C:\\\\WINNT\"\n"

/* What one collection gave. */
struct taken {
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct string_list problems;
};

static inline void drop(struct taken *taken)
{
    evenkeel__facts__free_unpacked(taken->facts, NULL);
    evenkeel__times__free_unpacked(taken->times, NULL);
    string_list_clear(&taken->problems);
}

static inline struct taken take(const struct facts_options *options)
{
    struct taken taken = {0};
    struct error error = {0};
    if (facts_collect(options, &taken.facts, &taken.times, &taken.problems, &error) == -1)
        fail_msg("%s", error.message);
    assert_int_equal(object_check_facts(taken.facts, &error), 0);
    assert_int_equal(object_check_times(taken.times, &error), 0);
    return taken;
}

static inline struct taken take_text(const char *text)
{
    struct facts_options options = {0};
    struct error error = {0};
    if (registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &options.registry, &error) == -1)
        fail_msg("%s", error.message);
    struct taken taken = take(&options);
    registry_close(options.registry);
    return taken;
}

static inline struct taken take_fixture(const char *name)
{
    char path[4096];
    const char *source = getenv("SOURCE");
    snprintf(path, sizeof path, "%s/tests/fixtures/registry/%s", source != NULL ? source : ".", name);
    return take(&(struct facts_options){.registry_file = path});
}

static inline void assert_text(ProtobufCBinaryData field, const char *wanted)
{
    char seen[4096];
    assert_true(field.len < sizeof seen);
    if (field.len > 0)
        memcpy(seen, field.data, field.len);
    seen[field.len] = 0;
    assert_string_equal(seen, wanted);
}

/* All of a list, with blanks between. */
static inline void assert_list(size_t count, const ProtobufCBinaryData *list, const char *wanted)
{
    char seen[4096] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%.*s", i > 0 ? " " : "", (int)list[i].len,
                                 (const char *)list[i].data);
    assert_string_equal(seen, wanted);
}

#endif
