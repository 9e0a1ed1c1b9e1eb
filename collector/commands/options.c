/* The options of push, run and enroll. */

#include "options.h"

#include "collector/disk/roots.h"
#include "collector/settings/settings.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

void options_usage(FILE *out)
{
    fputs("  --root DIR         folder of the host's drive (default: this Windows' own);\n"
          "                     may be repeated, for the host's other drives\n"
          "  --drive LETTER     the letter of the drive named before it (default: as its\n"
          "                     registry says, or else c)\n"
          "  --host NAME        the host's name (default: its computer name)\n"
          "  --aggregator URL   where to: tls+tcp://HOST:PORT; may be repeated\n"
          "  --ca FILE          certificates to check the aggregator by, for tls+tcp\n"
          "  --token TOKEN      enrolment token, for a host that is new to the aggregator\n"
          "  --facts FILE       the host's registry export (.reg), where DIR has none\n"
          "  --code-page N      of an export that is not Unicode (default: what it says)\n"
          "  --group LABEL      a group of hosts that should be alike; may be repeated\n"
          "  --include NAME     a backup folder too; 'scan --help' lists them\n"
          "  --hash             read whole files for their SHA-256\n"
          "  --state DIR        where key, state and spool are kept\n",
          out);
}

enum { ROOT = 1, FACTS, CONFIG, HASH, HELP, HOSTS, AT_ONCE };

/* Options that are settings of the configuration file too. */
static const struct {
    int option;
    const char *key;
} settings[] = {
    {'h', "host"},    {'a', "aggregator"}, {'c', "ca"},       {'t', "token"},     {'g', "group"},
    {'i', "include"}, {'s', "state"},      {'w', "schedule"}, {'p', "code-page"},
};

static const struct option push_options[] = {
    {"root", required_argument, NULL, ROOT},
    {"facts", required_argument, NULL, FACTS},
    {"code-page", required_argument, NULL, 'p'},
    {"config", required_argument, NULL, CONFIG},
    {"hash", no_argument, NULL, HASH},
    {"help", no_argument, NULL, HELP},
    {"drive", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'h'},
    {"aggregator", required_argument, NULL, 'a'},
    {"ca", required_argument, NULL, 'c'},
    {"token", required_argument, NULL, 't'},
    {"group", required_argument, NULL, 'g'},
    {"include", required_argument, NULL, 'i'},
    {"state", required_argument, NULL, 's'},
    {"hosts", required_argument, NULL, HOSTS},
    {"at-once", required_argument, NULL, AT_ONCE},
    {0},
};

static const struct option run_options[] = {
    {"root", required_argument, NULL, ROOT},
    {"facts", required_argument, NULL, FACTS},
    {"code-page", required_argument, NULL, 'p'},
    {"config", required_argument, NULL, CONFIG},
    {"hash", no_argument, NULL, HASH},
    {"help", no_argument, NULL, HELP},
    {"drive", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'h'},
    {"aggregator", required_argument, NULL, 'a'},
    {"ca", required_argument, NULL, 'c'},
    {"token", required_argument, NULL, 't'},
    {"group", required_argument, NULL, 'g'},
    {"include", required_argument, NULL, 'i'},
    {"state", required_argument, NULL, 's'},
    {"schedule", required_argument, NULL, 'w'},
    {0},
};

static const struct option enroll_options[] = {
    {"root", required_argument, NULL, ROOT},     {"facts", required_argument, NULL, FACTS},
    {"code-page", required_argument, NULL, 'p'}, {"config", required_argument, NULL, CONFIG},
    {"help", no_argument, NULL, HELP},           {"drive", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'h'},      {"aggregator", required_argument, NULL, 'a'},
    {"ca", required_argument, NULL, 'c'},        {"token", required_argument, NULL, 't'},
    {"state", required_argument, NULL, 's'},     {0},
};

static int set_at_once(struct options *options, const char *text, struct error *error)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != 0 || number > OPTIONS_AT_ONCE_MAXIMUM)
        return error_set(error, ERROR_USAGE, "'--at-once %s' is no number from 1 to %u", text, OPTIONS_AT_ONCE_MAXIMUM);
    options->at_once = (unsigned)number;
    return 0;
}

/* Another root, or the first. */
static int add_root(struct options *options, const char *root, struct error *error)
{
    if (options->root == NULL) {
        options->root = root;
        return 0;
    }
    if (options->drive_first)
        return error_set(error, ERROR_USAGE, "of several roots, each --drive stands behind its --root DIR");
    if (options->more_count == sizeof options->more / sizeof *options->more)
        return error_set(error, ERROR_USAGE, "'%s' is one drive too many", root);
    options->more[options->more_count++] = (struct facts_drive){.root = root};
    return 0;
}

/* The letter of the root before it; before all roots, of the first. */
static int set_drive(struct options *options, const char *letter, struct error *error)
{
    options->drive_first |= options->root == NULL;
    if (options->more_count == 0)
        return config_set(&options->config, "drive", letter, error);
    return roots_drive(letter, &options->more[options->more_count - 1].letter, error);
}

static int check_drives(const struct options *options, struct error *error)
{
    for (size_t i = 0; i < options->more_count; i++)
        if (options->more[i].letter == 0)
            return error_set(error, ERROR_USAGE, "which drive '%s' is was not told: write '--root %s --drive LETTER'",
                             options->more[i].root, options->more[i].root);
    return 0;
}

/* One option of the second round, in which those that are settings come on top of the file. */
static int apply(struct options *options, int option, const char *value, bool *aggregators_replaced,
                 struct error *error)
{
    if (option == ROOT && add_root(options, value, error) < 0)
        return -1;
    if (option == 'd')
        return set_drive(options, value, error);
    if (option == FACTS)
        options->registry_file = value;
    else if (option == HASH)
        options->config.hash = true;
    else if (option == HOSTS)
        options->hosts = value;
    else if (option == AT_ONCE && set_at_once(options, value, error) < 0)
        return -1;
    if (option == 'a' && !*aggregators_replaced) {
        string_list_clear(&options->config.aggregators);
        *aggregators_replaced = true;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].option == option && config_set(&options->config, settings[i].key, value, error) < 0)
            return -1;
    return 0;
}

int options_parse(int argc, char **argv, struct options *options, struct error *error)
{
    bool is_push = strcmp(argv[0], "push") == 0, aggregators_replaced = false, from_file = false;
    const struct option *known = is_push ? push_options : strcmp(argv[0], "run") == 0 ? run_options : enroll_options;
    int option;
    *options = (struct options){.at_once = OPTIONS_AT_ONCE_DEFAULT};
    config_init(&options->config);
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == '?')
            return error_set(error, ERROR_USAGE,
                             "'%s' is no option, or lacks its value; 'evenkeel-collector %s --help' tells the options",
                             argv[optind - 1], argv[0]);
        if (option == HELP)
            return 1;
        if (option == CONFIG) {
            from_file = true;
            if (config_load(optarg, &options->config, error) < 0)
                return -1;
        }
    }
    if (optind < argc)
        return error_set(error, ERROR_USAGE, "'%s' is no option; 'evenkeel-collector %s --help' tells the options",
                         argv[optind], argv[0]);
    if (!is_push && !from_file && settings_load(&options->config, error) < 0)
        return -1;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (apply(options, option, optarg, &aggregators_replaced, error) < 0)
            return -1;
    return check_drives(options, error);
}

void options_clear(struct options *options)
{
    config_clear(&options->config);
}
