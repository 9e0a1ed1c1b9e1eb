/* evenkeel init: makes or upgrades everything that the database holds of Evenkeel, as one transaction. */

#include "aggregator/base/shared_numbers.h"
#include "aggregator/base/sql_files.h"
#include "aggregator/catalogue/catalog_load.h"
#include "aggregator/catalogue/check_file.h"
#include "certificate_authority.h"
#include "cli.h"
#include "init_logins.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char preparation[] =
    "set client_min_messages = warning;"
    /* One 'evenkeel init' at a time: where its table is there, by a lock that readers can't take. */
    "do $$ begin"
    "    if to_regclass('evenkeel.migration') is null then perform pg_advisory_xact_lock(hashtext('evenkeel init')); "
    "    end if;"
    "end $$;"
    "create schema if not exists evenkeel;"
    "create schema if not exists ops;"
    "create table if not exists evenkeel.migration ("
    "    number integer primary key, name text not null, applied_at timestamptz not null default now());"
    "lock table evenkeel.migration in exclusive mode;"
    "comment on schema evenkeel is 'What Evenkeel keeps. Its tables may change between versions; dashboards use the "
    "schema ops.';"
    "comment on schema ops is 'Evenkeel''s views for dashboards and people: stable from version to version.';"
    "comment on table evenkeel.migration is 'Which files of sql/schema were applied.';"
    "comment on column evenkeel.migration.number is 'The number at the start of the file''s name.';"
    "comment on column evenkeel.migration.name is 'The file''s name.';"
    "comment on column evenkeel.migration.applied_at is 'When.';"
    "set check_function_bodies = off;";

/* What a function gives can't be replaced, so all go that nothing else rests on (views do, people's too), and with them
 * those that are no more. */
static const char drop_functions[] =
    "do $$"
    "declare f record;"
    "begin"
    "    for f in select p.oid::regprocedure as name, p.prokind from pg_proc p"
    "             where p.pronamespace in ('evenkeel'::regnamespace, 'ops'::regnamespace)"
    "               and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid"
    "                                 and d.deptype = 'e') loop"
    "        begin"
    "            execute format('drop routine %s', f.name);"
    "        exception when dependent_objects_still_exist then null;"
    "        end;"
    "    end loop;"
    "end $$";

/* What hosts are judged by, but for checks. */
#define JUDGED_BY                                                                                                      \
    "select p.oid::regprocedure::text as name, p.prosrc collate \"default\" as text from pg_proc p"                    \
    " where p.pronamespace = 'evenkeel'::regnamespace"                                                                 \
    " union all select c.oid::regclass::text, pg_get_viewdef(c.oid) from pg_class c"                                   \
    " where c.relnamespace = 'evenkeel'::regnamespace and c.relkind = 'v'"

/* Another schema, or other functions, may judge by the same catalogue otherwise: what changes of it next touches all.
 */
static const char note_everything[] =
    "insert into evenkeel.catalogue_change (product_id, file) values (null, null) on conflict do nothing";
static const char note_other_functions[] =
    "insert into evenkeel.catalogue_change (product_id, file) select null, null"
    " where exists ((" JUDGED_BY ") except table judged_before) or exists (table judged_before except (" JUDGED_BY "))"
    " on conflict do nothing";

/* Runs one file; an error names it. */
static int run_file(PGconn *connection, const char *directory, const char *folder, const char *name,
                    struct error *error)
{
    char path[PATH_MAX];
    size_t length;
    snprintf(path, sizeof path, "%s/%s/%s", directory, folder, name);
    _cleanup_free_ char *text = sql_files_read(path, &length, error);
    if (text == NULL)
        return -1;
    struct error cause = {0};
    if (database_execute(connection, text, &cause) < 0)
        return error_set(error, cause.code, "%s/%s: %s", folder, name, cause.message);
    return 0;
}

static int run_folder(PGconn *connection, const char *directory, const char *folder, struct error *error)
{
    _cleanup_(sql_files_free) struct sql_files files;
    if (sql_files_list(directory, folder, ".sql", &files, error) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        if (run_file(connection, directory, folder, files.names[i], error) < 0)
            return -1;
    return 0;
}

/* Runs all functions: a folder per subject; they may call each other in any order. */
static int run_functions(PGconn *connection, const char *directory, struct error *error)
{
    _cleanup_(sql_files_free) struct sql_files subjects;
    if (sql_files_list(directory, "functions", "", &subjects, error) < 0)
        return -1;
    for (size_t i = 0; i < subjects.count; i++) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "functions/%s", subjects.names[i]);
        if (run_folder(connection, directory, folder, error) < 0)
            return -1;
    }
    return 0;
}

/* Applies the migrations that were not applied yet: how many, or -1. */
static int migrate(PGconn *connection, const char *directory, struct error *error)
{
    _cleanup_(sql_files_free) struct sql_files files;
    _cleanup_(cleanup_result) PGresult *newest =
        database_query(connection, "select coalesce(max(number), 0) from evenkeel.migration", NULL, 0, true, error);
    if (newest == NULL || sql_files_list(directory, "schema", ".sql", &files, error) < 0)
        return -1;
    int version = database_i32(newest, 0, 0), applied = 0;
    if (version > DATABASE_SCHEMA_VERSION)
        return error_set(error, ERROR_DATABASE,
                         "the database is at schema %d, this program knows up to %d: upgrade this program", version,
                         DATABASE_SCHEMA_VERSION);
    for (size_t i = 0; i < files.count; i++) {
        char number[16];
        int wanted = atoi(files.names[i]);
        if (wanted <= version)
            continue;
        if (wanted > DATABASE_SCHEMA_VERSION)
            return error_set(error, ERROR_DATABASE, "'schema/%s' is newer than this program, which knows up to %d",
                             files.names[i], DATABASE_SCHEMA_VERSION);
        if (run_file(connection, directory, "schema", files.names[i], error) < 0)
            return -1;
        snprintf(number, sizeof number, "%d", wanted);
        struct parameter parameters[] = {PARAMETER_TEXT(number), PARAMETER_TEXT(files.names[i])};
        _cleanup_(cleanup_result) PGresult *recorded =
            database_query(connection, "insert into evenkeel.migration (number, name) values ($1::integer, $2)",
                           parameters, 2, false, error);
        if (recorded == NULL)
            return -1;
        applied++;
    }
    return applied;
}

/* Replaces the definitions of all checks: how many changed, or -1. */
static int load_checks(PGconn *connection, const char *directory, struct error *error)
{
    _cleanup_(sql_files_free) struct sql_files files;
    int changed = 0;
    if (sql_files_list(directory, "checks", ".sql", &files, error) < 0 ||
        database_execute(connection, "create temporary table kept_check (code text) on commit drop", error) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++) {
        char path[PATH_MAX], code[128];
        size_t length;
        snprintf(path, sizeof path, "%s/checks/%s", directory, files.names[i]);
        snprintf(code, sizeof code, "%.*s", (int)(strlen(files.names[i]) - strlen(".sql")), files.names[i]);
        _cleanup_free_ char *text = sql_files_read(path, &length, error);
        struct check_file check;
        if (text == NULL || check_file_parse(code, text, &check, error) < 0)
            return -1;
        struct parameter parameters[] = {
            PARAMETER_TEXT(code),       PARAMETER_TEXT(check.scope),       PARAMETER_TEXT(check.title),
            PARAMETER_TEXT(check.keys), PARAMETER_TEXT(check.verdict),     PARAMETER_TEXT(check.reads),
            PARAMETER_TEXT(check.rank), PARAMETER_TEXT(check.counted_one), PARAMETER_TEXT(check.counted_many)};
        _cleanup_(cleanup_result) PGresult *merged =
            database_query(connection,
                           "with kept as (insert into kept_check values ($1::text)) "
                           "insert into evenkeel.check_definition as o (code, scope, title, key_query, query, reads, "
                           "rank, counted_one, counted_many) values ($1::text, $2, $3, $4, $5, "
                           "regexp_split_to_array($6, ', *'), $7::integer, $8, $9) "
                           "on conflict (code) do update set scope = excluded.scope, title = excluded.title, "
                           "key_query = excluded.key_query, query = excluded.query, reads = excluded.reads, "
                           "rank = excluded.rank, counted_one = excluded.counted_one, "
                           "counted_many = excluded.counted_many where o is distinct from excluded",
                           parameters, sizeof parameters / sizeof *parameters, false, error);
        if (merged == NULL)
            return -1;
        changed += atoi(PQcmdTuples(merged));
    }
    _cleanup_(cleanup_result) PGresult *gone = database_query(
        connection,
        "delete from evenkeel.check_definition d where not exists (select from kept_check k where k.code = d.code)",
        NULL, 0, false, error);
    return gone != NULL ? changed + atoi(PQcmdTuples(gone)) : -1;
}

/* Without the roles everything runs as the database's owner, which is more than a service needs. */
static int note_roles(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *roles = database_query(
        connection,
        "select count(*) from pg_roles where rolname in ('evenkeel_owner', 'evenkeel_ingest', 'evenkeel_read')", NULL,
        0, true, error);
    if (roles == NULL)
        return -1;
    if (database_i64(roles, 0, 0) < 3)
        fputs("evenkeel init: this database user may not make roles, so evenkeel_owner, evenkeel_ingest and "
              "evenkeel_read are not there: for them run init once as one who may\n",
              stderr);
    return 0;
}

/* Tables without statistics, as after a restore, would be read by plans that are right for empty ones. */
static const char analysis[] =
    "do $$ declare unknown regclass;"
    " begin for unknown in select c.oid from pg_class c where c.relnamespace = 'evenkeel'::regnamespace"
    "  and c.relkind = 'r' and c.reltuples < 0 and pg_relation_size(c.oid) > 0 and pg_has_role(c.relowner, 'usage')"
    " loop execute format('analyze %s', unknown); end loop; end $$";

static int init(PGconn *connection, const char *directory, struct error *error)
{
    struct catalog_change change;
    char catalog[PATH_MAX];
    if (database_execute(connection, "begin", error) < 0 || database_execute(connection, preparation, error) < 0 ||
        database_execute(connection, "create temporary table judged_before on commit drop as " JUDGED_BY, error) < 0 ||
        database_execute(connection, drop_functions, error) < 0 || shared_numbers_define(connection, error) < 0)
        return -1;
    int migrations = migrate(connection, directory, error);
    if (migrations < 0 || run_functions(connection, directory, error) < 0 ||
        run_folder(connection, directory, "views", error) < 0)
        return -1;
    int checks = load_checks(connection, directory, error);
    if (checks < 0 || run_folder(connection, directory, "roles", error) < 0)
        return -1;
    snprintf(catalog, sizeof catalog, "%s/catalog", directory);
    if (database_execute(connection, migrations > 0 ? note_everything : note_other_functions, error) < 0)
        return -1;
    if (catalog_load(connection, catalog, "shipped", &change, error) < 0)
        return -1;
    /* A check that reads differently judges differently: every host is judged again. */
    if (checks > 0 && database_execute(connection,
                                       "insert into evenkeel.judge_queue (host_id) select host_id from "
                                       "evenkeel.host_inventory_current on conflict do nothing",
                                       error) < 0)
        return -1;
    if (database_execute(connection, "select evenkeel.read_again()", error) < 0 ||
        database_execute(connection, "select evenkeel.retry_not_judged()", error) < 0 ||
        database_execute(connection, "commit", error) < 0 || database_execute(connection, analysis, error) < 0)
        return -1;
    printf("schema %d (%d new), %d %s changed, %lld %s of the catalogue changed\n", DATABASE_SCHEMA_VERSION, migrations,
           checks, plural(checks, "check", "checks"), change.total, plural(change.total, "row", "rows"));
    return 0;
}

/* What else a small CA is: a start, and what to type next. */
static int make_authority(const char *directory, const char **names, size_t count, bool renew, struct error *error)
{
    char own[256], end[32];
    struct certificate_authority authority;
    if (gethostname(own, sizeof own) < 0)
        return error_set(error, ERROR_IO, "can't tell this machine's name: give it with --name");
    own[sizeof own - 1] = 0;
    if (certificate_authority_make(directory, names, count, own, renew, &authority, error) < 0)
        return -1;
    time_t seconds = (time_t)authority.end;
    strftime(end, sizeof end, "%Y-%m-%d", gmtime(&seconds));
    printf("\n%s CA is in '%s', with a %sserver certificate for %s that ends on %s",
           authority.made ? "A new small" : "The", directory, authority.server_new ? "new " : "", authority.names, end);
    printf(authority.server_new ? ".\n" : ";\nit stays as it was, key and all: --renew makes a new one.\n");
    printf("This is for a start. Who reads ca-key.pem there can pose as this aggregator: if you have a PKI of your "
           "own, use\n"
           "a certificate of that instead; else keep ca-key.pem on another machine.\n\n"
           "Here:          evenkeel serve --listen tls+tcp://0.0.0.0:8470 --certificate %s/server.pem --private-key "
           "%s/server-key.pem\n"
           "For each host: evenkeel hosts token\n"
           "On the host, with a copy of %s/ca.pem:\n"
           "               evenkeel-collector enroll --aggregator tls+tcp://%s:8470 --ca ca.pem --token TOKEN\n",
           directory, directory, directory, authority.first);
    return 0;
}

static const char help[] = "usage: evenkeel init [--sql DIR] [--logins HOW] [--ca DIR [--name HOST]...\n"
                           "                     [--renew]] [--dsn STRING]\n\n"
                           "Makes or upgrades schema, functions, views and checks, and loads the shipped\n"
                           "catalogue. A second run changes nothing.\n"
                           "  --sql DIR     Evenkeel's SQL files (default: EVENKEEL_SQL, else those beside\n"
                           "                this program)\n"
                           "  --logins HOW  let evenkeel_ingest (serve) and evenkeel_read (reports, Grafana)\n"
                           "                log in: peer, or scram with the passwords that are in\n"
                           "                " INIT_LOGINS_INGEST " and " INIT_LOGINS_READ "\n"
                           "  --ca DIR      make a small certificate authority there, unless there is one,\n"
                           "                and a server certificate, unless there is one\n"
                           "  --name HOST   a name or address of this aggregator for that certificate; may\n"
                           "                be repeated (default: this machine's name)\n"
                           "  --renew       a new server certificate, also for the names of the one that is\n"
                           "                there; 'systemctl reload evenkeel-aggregator' then";

int command_init(int argc, char **argv)
{
    enum { OPTION_SQL = 256, OPTION_CA, OPTION_NAME, OPTION_LOGINS, OPTION_RENEW };
    static const struct option options[] = {{"sql", required_argument, NULL, OPTION_SQL},
                                            {"logins", required_argument, NULL, OPTION_LOGINS},
                                            {"ca", required_argument, NULL, OPTION_CA},
                                            {"name", required_argument, NULL, OPTION_NAME},
                                            {"renew", no_argument, NULL, OPTION_RENEW},
                                            CLI_OPTIONS,
                                            {0}};
    const char *authority = NULL, *names[CERTIFICATE_NAMES_MAXIMUM];
    size_t name_count = 0;
    bool renew = false;
    const char *given_sql = NULL, *logins = NULL;
    char dsn[2048], directory[PATH_MAX - 256];
    struct cli cli = {.command = "init", .help = help, .repeated = (const char *const[]){"name", NULL}};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_SQL:
            given_sql = optarg;
            break;
        case OPTION_LOGINS:
            logins = optarg;
            if (!init_logins_is_way(logins))
                return cli_fail_usage("init", "--logins '%s' is none: peer and scram are", logins);
            break;
        case OPTION_CA:
            authority = optarg;
            break;
        case OPTION_NAME:
            if (name_count == CERTIFICATE_NAMES_MAXIMUM)
                return cli_fail_usage("init", "more than %d names", CERTIFICATE_NAMES_MAXIMUM);
            names[name_count++] = optarg;
            if (certificate_name_check(optarg, &error) < 0)
                return cli_fail("init", &error);
            break;
        case OPTION_RENEW:
            renew = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (renew && authority == NULL)
        return cli_fail_usage("init", "--renew is for --ca only");
    if (name_count > 0 && authority == NULL)
        return cli_fail_usage("init", "--name is for --ca only");
    database_settings_file("prune.env");
    if (sql_files_directory(given_sql, directory, sizeof directory, &error) < 0 ||
        database_dsn(cli.dsn, dsn, sizeof dsn, &error) < 0)
        return cli_fail("init", &error);
    database_session_kind("read-write");
    _cleanup_(cleanup_connection) PGconn *connection = database_connect(dsn, &error);
    if (connection == NULL || init(connection, directory, &error) < 0 || note_roles(connection, &error) < 0 ||
        (logins != NULL && init_logins_make(connection, logins, &error) < 0) ||
        (authority != NULL && make_authority(authority, names, name_count, renew, &error) < 0))
        return cli_fail("init", &error);
    return EXIT_STATUS_OK;
}
