/* evenkeel hosts: who reports, and whose key may speak for whom. */

#include "command_hosts.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel hosts [ACTION] [OPTION]...\n\n"
                           "  list [HOST...] [--group G]... [--retired]\n"
                           "                          every host; pending: its state is newer (default)\n"
                           "  pending                 enrolments and renames that wait for approval\n"
                           "  keys                    every key, its status and the hosts it may speak for\n"
                           "  approve NAME|GLOB|KEY   approve what waits; --replace: in the place of the\n"
                           "                          host that has the name, whose key is forgotten\n"
                           "  revoke NAME|KEY         refuse a key from now on\n"
                           "  retire HOST...          leave hosts out of verdicts, checks, risk and counts\n"
                           "                          until they report again; --reason TEXT: why\n"
                           "  restore HOST|KEY        take back what retired a host, or revoked its key\n"
                           "  grant KEY|NAME HOST...  let a key speak for these hosts too, by name or glob\n"
                           "  rename HOST NAME        call a host otherwise than its collector does\n"
                           "  label HOST GROUP        put a host into a group; --remove: take it out\n"
                           "  merge OTHER HOST        two hosts are one: join the first into the second\n"
                           "  token [--uses N] [--for 24h | --until DATE] [--hosts GLOB] [--note TEXT]\n"
                           "                          print an enrolment token, once (default: one use,\n"
                           "                          for 24 hours, any host)\n"
                           "  token list, token remove ID\n\n"
                           "  --format F              text (default), json or csv\n\n"
                           "A key is called by the first 8 or more digits that 'keys' and 'pending' show.";

/* `none` is what is said where there are no rows; NULL: nothing. */
static int print_or(const struct hosts_call *call, const char *query, const struct parameter *parameters, size_t count,
                    const char *none, struct error *error)
{
    int rows;
    if (cli_print(call->connection, query, parameters, count, call->format, &rows, error) < 0)
        return -1;
    if (rows == 0 && none != NULL && call->format == CLI_TEXT)
        puts(none);
    return 0;
}

static int print(const struct hosts_call *call, const char *query, size_t parameters, struct error *error)
{
    struct parameter words[2] = {PARAMETER_TEXT(call->count > 0 ? call->words[0] : NULL),
                                 PARAMETER_TEXT(call->count > 1 ? call->words[1] : NULL)};
    return print_or(call, query, words, parameters, NULL, error);
}

static int list_retired(const struct hosts_call *call, struct error *error)
{
    return print_or(call,
                    "select host, retired_at::timestamptz(0) as retired_at, retired_because, "
                    "last_seen::timestamptz(0) as last_seen, host_id from ops.retired_host order by host, host_id",
                    NULL, 0, "no host is retired", error);
}

/* Groups and collectors are looked up host by host, which a fleet database does not ask its cells. */
static const char list_query[] =
    "select host, last_seen::timestamptz(0) as last_seen, verdict, coalesce(declared_level, '') as "
    "declared, evenkeel.shown_groups(h.host_id) as groups, coalesce(proof, '') as proof, "
    "files, os, judged_at::timestamptz(0) as judged, pending, "
    "coalesce(not_judged, '') as not_judged, evenkeel.shown_collectors(h.host_id) as collector, host_id "
    "from ops.host h where $1::uuid[] is null or host_id = any ($1::uuid[]) order by host, host_id";
static const char fleet_list_query[] =
    "select cell, host, last_seen::timestamptz(0) as last_seen, verdict, coalesce(declared_level, '') as "
    "declared, coalesce(proof, '') as proof, files, os, judged_at::timestamptz(0) as judged, pending, "
    "coalesce(not_judged, '') as not_judged, host_id "
    "from ops.host h where $1::uuid[] is null or host_id = any ($1::uuid[]) order by host, host_id";

static int list(const struct hosts_call *call, struct error *error)
{
    if (call->retired && (call->count > 0 || cli_choice_is_given(call->choice)))
        return error_set(error, ERROR_USAGE, "--retired lists all that are retired: it takes no hosts and no --group");
    if (call->retired)
        return list_retired(call, error);
    for (int i = 0; i < call->count; i++)
        cli_choice_add(&call->choice->hosts, call->words[i], strlen(call->words[i]));
    _cleanup_(cleanup_result) PGresult *chosen = cli_chosen(call->connection, call->choice, error);
    if (chosen == NULL)
        return -1;
    struct parameter hosts = PARAMETER_TEXT(PQgetisnull(chosen, 0, 0) ? NULL : PQgetvalue(chosen, 0, 0));
    if (print_or(call, call->fleet ? fleet_list_query : list_query, &hosts, 1,
                 "no host has reported yet: run 'evenkeel-collector push'", error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *waiting =
        database_query(call->connection, "select count(*) from ops.enrolment", NULL, 0, true, error);
    if (waiting == NULL)
        return -1;
    if (database_i64(waiting, 0, 0) > 0)
        fprintf(stderr, "evenkeel hosts: %lld %s for approval: 'evenkeel hosts pending' lists them\n",
                (long long)database_i64(waiting, 0, 0), plural(database_i64(waiting, 0, 0), "waits", "wait"));
    return 0;
}

static int pending(const struct hosts_call *call, struct error *error)
{
    return print_or(call,
                    "select host, key, requested_at::timestamptz(0) as requested_at, asks, taken_by, asked_from, "
                    "machine_guid, machine_sid from ops.enrolment order by host, key",
                    NULL, 0, "nothing waits for approval", error);
}

static int keys(const struct hosts_call *call, struct error *error)
{
    return print_or(call,
                    "select key, status, status_since::timestamptz(0) as since, hosts, may_enrol, note, speaks_for "
                    "from ops.collector_key order by first_seen, key",
                    NULL, 0, "no key is known yet: collectors make theirs when they enrol", error);
}

static int approve(const struct hosts_call *call, struct error *error)
{
    return print(call,
                 call->replace ? "select done, host, key, host_id from evenkeel.approve($1, true)"
                               : "select done, host, key, host_id from evenkeel.approve($1)",
                 1, error);
}

static int revoke_key(const struct hosts_call *call, struct error *error)
{
    return print(call, "select 'revoked' as done, key, hosts from evenkeel.revoke($1)", 1, error);
}

/* The one statement that a loop over globs can't be: each glob is its own transaction, and all are harmless twice. */
static int grant(const struct hosts_call *call, struct error *error)
{
    for (int i = 1; i < call->count; i++) {
        struct parameter words[] = {PARAMETER_TEXT(call->words[0]), PARAMETER_TEXT(call->words[i])};
        int rows;
        if (cli_print(call->connection, "select done, key, host, host_id from evenkeel.grant_hosts($1, $2)", words, 2,
                      call->format, &rows, error) < 0)
            return -1;
        if (rows == 0)
            fprintf(stderr, "evenkeel hosts: granted '%s': no host is called so yet, those that enrol will be let in\n",
                    call->words[i]);
    }
    return 0;
}

/* Each host is a transaction of its own: it waits for whoever has that host in hand. */
static int retire(const struct hosts_call *call, struct error *error)
{
    for (int i = 0; i < call->count; i++) {
        struct parameter words[] = {PARAMETER_TEXT(call->words[i]),
                                    PARAMETER_TEXT(call->reason != NULL ? call->reason : "")};
        int rows;
        if (cli_print(call->connection,
                      "select 'retired' as done, host, findings as findings_closed, speaks as keys_that_may_report, "
                      "host_id from evenkeel.retire_host($1, $2)",
                      words, 2, call->format, &rows, error) < 0)
            return -1;
    }
    return 0;
}

static int restore(const struct hosts_call *call, struct error *error)
{
    return print(call, "select done, host, key, host_id from evenkeel.restore($1)", 1, error);
}

static int merge(const struct hosts_call *call, struct error *error)
{
    return print(call, "select 'merged' as done, host, host_id, states from evenkeel.merge_hosts($1, $2)", 2, error);
}

static int rename_host(const struct hosts_call *call, struct error *error)
{
    return print(call, "select 'renamed' as done, host, host_id from evenkeel.rename_host($1, $2)", 2, error);
}

static int label(const struct hosts_call *call, struct error *error)
{
    return print(call,
                 call->remove ? "select 'no longer labelled' as done, host, groups, host_id from "
                                "evenkeel.label_host($1, $2, true)"
                              : "select 'labelled' as done, host, groups, host_id from "
                                "evenkeel.label_host($1, $2, false)",
                 2, error);
}

static const struct {
    const char *name;
    int fewest, most; /* words after it */
    const char *needs;
    int (*run)(const struct hosts_call *call, struct error *error);
} actions[] = {
    {"list", 0, 1 << 16, "hosts, by name, host_id or glob", list},
    {"pending", 0, 0, "nothing", pending},
    {"keys", 0, 0, "nothing", keys},
    {"approve", 1, 1, "one host name, glob or key", approve},
    {"revoke", 1, 1, "one host name or key", revoke_key},
    {"retire", 1, 1 << 16, "hosts, by name or host_id", retire},
    {"restore", 1, 1, "one host, by name or host_id, or a key", restore},
    {"grant", 2, 1 << 16, "a key and the hosts that it may speak for", grant},
    {"rename", 2, 2, "a host, by name or host_id, and its new name", rename_host},
    {"label", 2, 2, "a host, by name or host_id, and a group", label},
    {"merge", 2, 2, "two hosts, by name or host_id", merge},
    {"token", 0, 2, "'list' or 'remove ID', or options alone", hosts_token},
};

static int run(const char *action, const char *dsn, struct hosts_call *call)
{
    struct error error = {0};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, action) != 0)
            continue;
        if (call->count < actions[i].fewest || call->count > actions[i].most)
            return cli_fail_usage("hosts", "'%s' takes %s", action, actions[i].needs);
        /* A fleet database has hosts to list and none to change. */
        bool lists = actions[i].run == list;
        _cleanup_(cleanup_connection) PGconn *connection = call->connection =
            lists ? cli_connect_either(dsn, &call->fleet, &error) : cli_connect(dsn, &error);
        if (connection == NULL || actions[i].run(call, &error) < 0)
            return cli_fail("hosts", &error);
        return EXIT_STATUS_OK;
    }
    return cli_fail_usage("hosts", "there is no action '%s'", action);
}

/* What is said of an option that the action does not take; NULL: nothing. */
static const char *misplaced(const struct hosts_call *call, const char *action)
{
    bool for_token =
        call->uses != NULL || call->until != NULL || call->within != NULL || call->hosts != NULL || call->note != NULL;
    if (for_token && strcmp(action, "token") != 0)
        return "--uses, --until, --for, --hosts and --note are for 'token' only";
    if (call->replace && strcmp(action, "approve") != 0)
        return "--replace is for 'approve' only";
    if (call->remove && strcmp(action, "label") != 0)
        return "--remove is for 'label' only";
    if ((call->retired || cli_choice_is_given(call->choice)) && strcmp(action, "list") != 0)
        return "--retired and --group are for 'list' only";
    if (call->reason != NULL && strcmp(action, "retire") != 0)
        return "--reason is for 'retire' only";
    return NULL;
}

int command_hosts(int argc, char **argv)
{
    enum {
        OPTION_FORMAT = 256,
        OPTION_USES,
        OPTION_UNTIL,
        OPTION_FOR,
        OPTION_HOSTS,
        OPTION_NOTE,
        OPTION_REPLACE,
        OPTION_REMOVE,
        OPTION_RETIRED,
        OPTION_REASON
    };
    static const struct option options[] = {{"format", required_argument, NULL, OPTION_FORMAT},
                                            {"uses", required_argument, NULL, OPTION_USES},
                                            {"until", required_argument, NULL, OPTION_UNTIL},
                                            {"for", required_argument, NULL, OPTION_FOR},
                                            {"hosts", required_argument, NULL, OPTION_HOSTS},
                                            {"note", required_argument, NULL, OPTION_NOTE},
                                            {"replace", no_argument, NULL, OPTION_REPLACE},
                                            {"remove", no_argument, NULL, OPTION_REMOVE},
                                            {"retired", no_argument, NULL, OPTION_RETIRED},
                                            {"reason", required_argument, NULL, OPTION_REASON},
                                            {"group", required_argument, NULL, CLI_GROUP},
                                            CLI_OPTIONS,
                                            {0}};
    _cleanup_(cli_clear) struct cli cli = {.command = "hosts", .help = help};
    struct hosts_call call = {.format = CLI_TEXT, .choice = &cli.choice};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_FORMAT:
            if (!cli_format_of("hosts", optarg, &call.format))
                return EXIT_STATUS_ERROR;
            break;
        case OPTION_USES:
            call.uses = optarg;
            break;
        case OPTION_UNTIL:
            call.until = optarg;
            break;
        case OPTION_FOR:
            call.within = optarg;
            break;
        case OPTION_HOSTS:
            call.hosts = optarg;
            break;
        case OPTION_NOTE:
            call.note = optarg;
            break;
        case OPTION_REPLACE:
            call.replace = true;
            break;
        case OPTION_REMOVE:
            call.remove = true;
            break;
        case OPTION_RETIRED:
            call.retired = true;
            break;
        case OPTION_REASON:
            call.reason = optarg;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    const char *action = optind < argc ? argv[optind++] : "list";
    const char *wrong = misplaced(&call, action);
    if (wrong != NULL)
        return cli_fail_usage("hosts", "%s", wrong);
    call.words = argv + optind;
    call.count = argc - optind;
    return run(action, cli.dsn, &call);
}
