/*
 * libFuzzer target: what a person writes for the collector. The first byte picks: the configuration file, a list of
 * settings as the Windows registry holds them ('key', a NUL, the values), or the file of 'push --hosts'.
 */

#include "collector/agent/batch_hosts.h"
#include "collector/agent/host.h"
#include "collector/settings/config.h"
#include "collector/settings/settings_source.h"
#include "proto/host_name.h"
#include "tests/fuzz/fuzz.h"

static void check_list(const struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        require(list->items[i][0] != 0);
}

static void check_config(const struct config *config)
{
    require(config->drive == 0 || (config->drive >= 'a' && config->drive <= 'z'));
    require(config->schedule > 0 && config->schedule <= INT32_MAX);
    check_list(&config->aggregators);
    check_list(&config->groups);
    check_list(&config->roots);
    check_list(&config->includes);
    const char *const texts[] = {config->ca, config->host, config->state, config->token};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        require(texts[i] == NULL || texts[i][0] != 0);
}

static void check_hosts(const struct batch_hosts *hosts)
{
    struct error error = {0};
    require(hosts->count > 0);
    for (size_t i = 0; i < hosts->count; i++) {
        const struct batch_host *host = &hosts->items[i];
        require(host_name_check(bytes_of(host->name, strlen(host->name)), &error) == 0 && host->root[0] != 0 &&
                host->line > 0);
        require(host->registry_file == NULL || host->registry_file[0] != 0);
        for (size_t k = 0; k < i; k++)
            require(strcmp(host->name, hosts->items[k].name) != 0);
    }
}

static void read_config(struct bytes bytes)
{
    struct config config;
    struct error error = {0};
    FILE *file = fmemopen((void *)bytes.data, bytes.length, "r");
    config_init(&config);
    require(config_read(file, "fuzzed", &config, &error) == 0 || error.code != ERROR_NONE);
    check_config(&config);
    config_clear(&config);
    fclose(file);
}

static void read_setting(struct bytes bytes)
{
    struct config config;
    struct error error = {0};
    char *key = calloc(1, bytes.length + 2); /* a NUL behind the key, and one behind the values */
    memcpy(key, bytes.data, bytes.length);
    char *values = key + strlen(key) + 1;
    config_init(&config);
    require(settings_set_all(&config, key, values, &error) == 0 || error.code != ERROR_NONE);
    check_config(&config);
    config_clear(&config);
    free(key);
}

static void read_hosts(struct bytes bytes)
{
    struct batch_hosts hosts = {0};
    struct error error = {0};
    FILE *file = fmemopen((void *)bytes.data, bytes.length, "r");
    if (batch_hosts_read(file, "fuzzed", &hosts, &error) == 0)
        check_hosts(&hosts);
    else
        require(error.code != ERROR_NONE);
    batch_hosts_clear(&hosts);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct bytes bytes) = {read_config, read_setting, read_hosts};
    if (size > 1)
        readers[data[0] % 3](bytes_of(data + 1, size - 1));
    return 0;
}
