/* evenkeel serve: answers collectors until SIGTERM or SIGINT; SIGHUP has it read its certificate again. */

#include "aggregator/base/log.h"
#include "aggregator/service/canceller.h"
#include "aggregator/service/descriptors.h"
#include "aggregator/service/http.h"
#include "aggregator/service/judge.h"
#include "aggregator/service/ports.h"
#include "aggregator/service/service.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nng/nng.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define URLS_MAXIMUM 16
#define SESSION_NAME_BYTES 64 /* as many as PostgreSQL keeps */
#define DEFAULT_URL "tcp://127.0.0.1:8470"
#define DEFAULT_HTTP_URL "http://127.0.0.1:8471"
/* What waits when the signal comes is stored within this time; then what still runs in the database is cancelled, and
 * the rest is told 'busy': an end within 10 seconds in all. */
#define DRAIN_SECONDS 5

/* A database that hangs would keep the writer in a call that nothing ends. All that was answered 'accepted' is
 * committed; the rest is asked again. */
#define GIVE_UP_SECONDS 9

#define MEMORY_LEAST ((int)(SERVICE_MEMORY_LEAST >> 20)) /* MiB */
#define CONNECTIONS_MOST 65536

static void give_up(int signal_number)
{
    static const char line[] = "event=gave-up message=\"the database does not answer: ending without it\"\n";
    (void)signal_number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(EXIT_STATUS_ERROR);
}

static void wake_judge(void *context, unsigned hosts)
{
    judge_wake(context, hosts);
}

static int make_ready_file(const char *path, struct error *error)
{
    if (path == NULL)
        return 0;
    _cleanup_close_ int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    return fd >= 0 ? 0 : error_set(error, ERROR_IO, "can't make the ready file '%s': %s", path, strerror(errno));
}

/*
 * The HTTP side. An address that was asked for must be free; where the default one is taken, most likely by another
 * aggregator on this machine, collectors are served without, and that is said.
 */
static int start_http(struct http_options *options, struct http **http, struct error *error)
{
    const char *url = options->url;
    if (url != NULL && strcmp(url, "off") == 0)
        return 0;
    if (url == NULL)
        options->url = DEFAULT_HTTP_URL;
    *http = http_start(options, error);
    if (*http != NULL) {
        fprintf(stderr, "report, health and metrics on %s\n", options->url);
        if (options->read_dsn != NULL)
            fprintf(stderr, "pages on %s/fleet\n", options->url);
        else
            fprintf(stderr, "pages are off: --read-dsn or EVENKEEL_READ_DSN turns them on\n");
        return 0;
    }
    if (url != NULL || error->code != ERROR_BUSY)
        return -1;
    log_line(LOG_PRIORITY_WARNING, "no-http", "message=%s", JOURNAL_QUOTED(error->message));
    return 0;
}

/* The signal that ends it. */
static int wait_for_end(const sigset_t *signals, struct service *service, const struct service_options *options)
{
    int signal_number;
    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP) {
        struct error error = {0};
        if (service_reload(service, &error) < 0) {
            char sentence[sizeof error.message + 64];
            snprintf(sentence, sizeof sentence, "%s; the certificate from before stays", error.message);
            log_line(LOG_PRIORITY_ERROR, "not-reloaded", "message=%s", JOURNAL_QUOTED(sentence));
        } else {
            log_line(LOG_PRIORITY_NOTICE, "reloaded", "certificate=%s",
                     JOURNAL_QUOTED(options->certificate != NULL ? options->certificate : ""));
        }
    }
    return signal_number;
}

/* 'Accepted' holds over a crash of the machine only where PostgreSQL writes as it does unless told otherwise; both
 * settings are the server's, so all that can be done is to say it. */
static void warn_of_loss(PGconn *connection)
{
    struct error ignored = {0};
    _cleanup_(cleanup_result) PGresult *settings = database_query(
        connection,
        "select name from pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off' order by name",
        NULL, 0, false, &ignored);
    for (int row = 0; settings != NULL && row < PQntuples(settings); row++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence,
                 "the database runs with %s = off: if its machine crashes, what was accepted may be lost, or all of it",
                 PQgetvalue(settings, row, 0));
        log_line(LOG_PRIORITY_WARNING, "not-durable", "message=%s", JOURNAL_QUOTED(sentence));
    }
}

/* Half the processors, for the database and what comes in have need of the others. */
static unsigned usual_judges(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : processors > 8 ? 4 : (unsigned)processors / 2;
}

/* A second aggregator by mistake is told that first, whatever else it would stumble over. */
static int check_ports(const struct service_options *service_options, const struct http_options *http_options,
                       struct error *error)
{
    for (size_t i = 0; i < service_options->url_count; i++)
        if (port_is_taken(service_options->urls[i]))
            return error_set(error, ERROR_NETWORK, "can't listen on '%s': %s; is another aggregator running there?",
                             service_options->urls[i], nng_strerror(NNG_EADDRINUSE));
    if (http_options->url != NULL && port_is_taken(http_options->url))
        return error_set(error, ERROR_BUSY, "can't listen on '%s': %s; name another address with --http, or --http off",
                         http_options->url, nng_strerror(NNG_EADDRINUSE));
    return 0;
}

/* Trusting is a right that the aggregator's usual role has not: said now, and not to each collector that enrols. */
static int check_trust(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *may = database_query(
        connection,
        "select coalesce(bool_and(has_function_privilege(p.oid, 'execute')), false) from pg_catalog.pg_proc p "
        "where p.pronamespace = 'evenkeel'::regnamespace and p.proname = 'enroll_trusting'",
        NULL, 0, true, error);
    if (may == NULL)
        return -1;
    if (database_bool(may, 0, 0))
        return 0;
    return error_set(error, ERROR_USAGE,
                     "--trust-on-first-use lets in whoever comes, which '%s' may not: serve as a role of "
                     "evenkeel_owner for that, or without it, and let collectors in by 'evenkeel hosts token' or "
                     "'evenkeel hosts approve'",
                     PQuser(connection));
}

static int serve(const char *dsn, unsigned judges, const struct service_options *service_options,
                 const struct store_options *store_options, struct http_options *http_options, const char *ready,
                 struct error *error)
{
    /* Blocked before any thread starts, so that only sigwait() sees them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    if (descriptors_allow(service_options->connections, error) < 0)
        return -1;
    static char name[SESSION_NAME_BYTES];
    snprintf(name, sizeof name, "evenkeel serve %ld", (long)getpid());
    database_application_name(name);
    database_session_kind("read-write");
    /* Asked here first, so that what can't be used is said once, and before anything runs. */
    if (check_ports(service_options, http_options, error) < 0)
        return -1;
    _cleanup_(cleanup_connection) PGconn *trial = database_open(dsn, error);
    if (trial == NULL || (store_options->trust_on_first_use && check_trust(trial, error) < 0))
        return -1;
    struct judge *judge = judge_start(dsn, judges, error);
    if (judge == NULL)
        return -1;
    struct writer_options writer_options = {
        .dsn = dsn, .store = *store_options, .stored = wake_judge, .context = judge};
    struct writer *writer = writer_start(&writer_options, error);
    struct service *service = writer != NULL ? service_start(service_options, writer, error) : NULL;
    struct http *http = NULL;
    int result = service != NULL ? 0 : -1;
    if (result == 0) {
        http_options->dsn = dsn;
        http_options->counters = writer_counters(writer);
        http_options->connections = service_connections(service);
        http_options->certificate_end = service_certificate_end(service);
        result = start_http(http_options, &http, error);
    }
    if (result == 0)
        warn_of_loss(trial);
    PQfinish(trial);
    trial = NULL;
    if (result == 0)
        result = make_ready_file(ready, error);
    if (result == 0) {
        for (size_t i = 0; i < service_options->url_count; i++)
            fprintf(stderr, "listening on %s\n", service_options->urls[i]);
        int signal_number = wait_for_end(&signals, service, service_options);
        log_line(LOG_PRIORITY_NOTICE, "stopping", "signal=%d", signal_number);
    }
    signal(SIGALRM, give_up);
    alarm(GIVE_UP_SECONDS);
    time_t deadline = time(NULL) + DRAIN_SECONDS;
    struct canceller *canceller = canceller_start(dsn, name, DRAIN_SECONDS);
    http_stop(http);
    /* The writer before the service: what was received is stored and answered while the service still sends. */
    struct writer_counters last = {0};
    time_t now = time(NULL);
    if (writer != NULL)
        writer_stop(writer, now < deadline ? (unsigned)(deadline - now) : 0);
    service_stop(service);
    if (writer != NULL)
        memcpy(&last, writer_counters(writer), sizeof last);
    writer_free(writer);
    judge_stop(judge);
    canceller_stop(canceller);
    alarm(0);
    for (int reason = 0; result == 0 && reason < WRITER_REFUSAL_REASONS; reason++)
        if (last.refused[reason] > 0)
            log_line(LOG_PRIORITY_NOTICE, "refused", "reason=%s requests=%llu",
                     protobuf_c_enum_descriptor_get_value(&evenkeel__refusal_reason__descriptor, reason)->name,
                     last.refused[reason]);
    if (result == 0)
        log_line(LOG_PRIORITY_NOTICE, "stopped", "requests=%llu accepted=%llu", last.requests, last.accepted);
    return result;
}

static bool number_of(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0 && *number >= least && *number <= most;
}

static const char help[] = "usage: evenkeel serve [--listen URL]... [OPTION]...\n\n"
                           "Answers collectors until SIGTERM or SIGINT; stores what they report and judges\n"
                           "it. On SIGHUP it reads certificate and key again.\n"
                           "  --listen URL           tls+tcp://HOST:PORT, or tcp:// on loopback\n"
                           "                         (default: " DEFAULT_URL ")\n"
                           "  --certificate FILE     PEM, for tls+tcp://\n"
                           "  --private-key FILE     PEM, for tls+tcp://\n"
                           "  --allow-plain          allow tcp:// beyond loopback\n"
                           "  --trust-on-first-use   approve every new key; on loopback only\n"
                           "  --upload-quota MIB     what one host may upload a day (default: 256)\n"
                           "  --memory MIB           what requests may hold, then: 'busy' (default: 512)\n"
                           "  --connections N        collectors connected at once (default: 512); each takes\n"
                           "                         a descriptor and may have 2.5 MiB under way\n"
                           "  --judges N             sessions that judge, 1 to 16 (default: half the cores)\n"
                           "  --http URL             report, /healthz and /metrics, or off\n"
                           "                         (default: " DEFAULT_HTTP_URL ")\n"
                           "  --read-dsn STRING      the database as evenkeel_read, for the page /fleet and\n"
                           "                         others (default: EVENKEEL_READ_DSN, else without)\n"
                           "  --report FILE          the page to show (default: report.html in the state\n"
                           "                         directory); without a fresh one, it is made on request\n"
                           "  --ready-file FILE      made once it listens\n"
                           "  --dsn STRING           the database (default: EVENKEEL_DSN, else the private\n"
                           "                         cluster)";

enum {
    OPTION_LISTEN = 256,
    OPTION_TRUST,
    OPTION_READY,
    OPTION_PLAIN,
    OPTION_CERTIFICATE,
    OPTION_KEY,
    OPTION_QUOTA,
    OPTION_MEMORY,
    OPTION_CONNECTIONS,
    OPTION_JUDGES,
    OPTION_HTTP,
    OPTION_READ_DSN,
    OPTION_REPORT
};

/* What the options say. */
struct serving {
    const char *urls[URLS_MAXIMUM];
    const char *ready;
    int64_t judges;
    struct service_options service;
    struct store_options store;
    struct http_options http;
};

/* Takes what optarg says; the status of a usage error that was told, else 0. */
static int take_option(struct serving *serving, int option)
{
    int64_t number;
    switch (option) {
    case OPTION_LISTEN:
        if (serving->service.url_count == URLS_MAXIMUM)
            return cli_fail_usage("serve", "more than %d addresses", URLS_MAXIMUM);
        serving->urls[serving->service.url_count++] = optarg;
        break;
    case OPTION_TRUST:
        serving->store.trust_on_first_use = true;
        break;
    case OPTION_READY:
        serving->ready = optarg;
        break;
    case OPTION_PLAIN:
        serving->service.allow_plain = true;
        break;
    case OPTION_CERTIFICATE:
        serving->service.certificate = optarg;
        break;
    case OPTION_KEY:
        serving->service.private_key = optarg;
        break;
    case OPTION_QUOTA:
        if (!number_of(optarg, 1, 1 << 20, &number))
            return cli_fail_usage("serve", "--upload-quota '%s' is no number of MiB from 1 to 1048576", optarg);
        serving->store.upload_quota = number << 20;
        break;
    case OPTION_MEMORY:
        if (!number_of(optarg, MEMORY_LEAST, 1 << 20, &number))
            return cli_fail_usage("serve", "--memory '%s' is no number of MiB from %d to 1048576", optarg,
                                  MEMORY_LEAST);
        serving->service.memory = (size_t)number << 20;
        break;
    case OPTION_CONNECTIONS:
        if (!number_of(optarg, 1, CONNECTIONS_MOST, &number))
            return cli_fail_usage("serve", "--connections '%s' is no number from 1 to %d", optarg, CONNECTIONS_MOST);
        serving->service.connections = (unsigned)number;
        break;
    case OPTION_JUDGES:
        if (!number_of(optarg, 1, JUDGES_MOST, &serving->judges))
            return cli_fail_usage("serve", "--judges '%s' is no number from 1 to %d", optarg, JUDGES_MOST);
        break;
    case OPTION_HTTP:
        serving->http.url = optarg;
        break;
    case OPTION_READ_DSN:
        serving->http.read_dsn = optarg;
        break;
    case OPTION_REPORT:
        serving->http.report = optarg;
        break;
    }
    return 0;
}

int command_serve(int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, OPTION_LISTEN},
                                            {"trust-on-first-use", no_argument, NULL, OPTION_TRUST},
                                            {"ready-file", required_argument, NULL, OPTION_READY},
                                            {"allow-plain", no_argument, NULL, OPTION_PLAIN},
                                            {"certificate", required_argument, NULL, OPTION_CERTIFICATE},
                                            {"private-key", required_argument, NULL, OPTION_KEY},
                                            {"upload-quota", required_argument, NULL, OPTION_QUOTA},
                                            {"memory", required_argument, NULL, OPTION_MEMORY},
                                            {"connections", required_argument, NULL, OPTION_CONNECTIONS},
                                            {"judges", required_argument, NULL, OPTION_JUDGES},
                                            {"http", required_argument, NULL, OPTION_HTTP},
                                            {"read-dsn", required_argument, NULL, OPTION_READ_DSN},
                                            {"report", required_argument, NULL, OPTION_REPORT},
                                            CLI_OPTIONS,
                                            {0}};
    struct serving serving = {
        .judges = usual_judges(),
        .service = {.connections = SERVICE_CONNECTIONS, .memory = SERVICE_MEMORY},
        .store = {.upload_quota = STORE_UPLOAD_QUOTA, .most_pending = STORE_MOST_PENDING},
    };
    serving.service.urls = serving.urls;
    char dsn[2048], state[1024], report[PATH_MAX];
    struct cli cli = {.command = "serve", .help = help, .repeated = (const char *const[]){"listen", NULL}};
    struct error error = {0};
    for (int option, status; (option = cli_option(&cli, argc, argv, options)) != -1;)
        if ((status = take_option(&serving, option)) != 0)
            return status;
    if (cli.ended)
        return cli.status;
    if (serving.service.url_count == 0)
        serving.urls[serving.service.url_count++] = DEFAULT_URL;
    for (size_t i = 0; serving.store.trust_on_first_use && i < serving.service.url_count; i++)
        if (!loopback_is_url(serving.urls[i]))
            return cli_fail_usage("serve", "--trust-on-first-use would let anybody in on '%s': it is for loopback only",
                                  serving.urls[i]);
    if (serving.http.report == NULL && database_state_directory(state, sizeof state, &error) == 0) {
        snprintf(report, sizeof report, "%s/report.html", state);
        serving.http.report = report;
    }
    const char *reader = getenv("EVENKEEL_READ_DSN");
    if (serving.http.read_dsn == NULL && reader != NULL && *reader != 0)
        serving.http.read_dsn = reader;
    serving.http.allow_plain = serving.service.allow_plain;
    serving.store.staging_bytes = serving.service.memory / STORE_STAGING_SHARE;
    if (database_dsn(cli.dsn, dsn, sizeof dsn, &error) < 0 ||
        serve(dsn, (unsigned)serving.judges, &serving.service, &serving.store, &serving.http, serving.ready, &error) <
            0)
        return cli_fail("serve", &error);
    return EXIT_STATUS_OK;
}
