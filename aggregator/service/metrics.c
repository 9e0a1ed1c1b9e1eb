/* Metrics in Prometheus' text format. */

#include "metrics.h"

#include "aggregator/base/monotonic.h"
#include "proto/cleanup.h"
#include "version.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

static void head(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(const char *name, const char *help, unsigned long long value, FILE *out)
{
    head(name, "counter", help, out);
    fprintf(out, "%s %llu\n", name, value);
}

static void gauge(const char *name, const char *help, unsigned long long value, FILE *out)
{
    head(name, "gauge", help, out);
    fprintf(out, "%s %llu\n", name, value);
}

/* A label's value: backslash, quote and line break are escaped. */
static void put_label(const char *name, const char *value, FILE *out)
{
    fprintf(out, "%s=\"", name);
    for (; *value != 0; value++) {
        if (*value == '\\' || *value == '"')
            putc('\\', out);
        if (*value == '\n')
            fputs("\\n", out);
        else
            putc(*value, out);
    }
    putc('"', out);
}

static void put_refusals(const struct writer_counters *counters, FILE *out)
{
    head("evenkeel_refusals_total", "counter", "Requests refused, by reason.", out);
    for (int reason = 0; reason < WRITER_REFUSAL_REASONS; reason++) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(&evenkeel__refusal_reason__descriptor, reason);
        if (value == NULL)
            continue;
        fputs("evenkeel_refusals_total{reason=\"", out);
        for (const char *at = value->name; *at != 0; at++)
            putc(tolower((unsigned char)*at), out);
        fprintf(out, "\"} %llu\n", (unsigned long long)atomic_load(&counters->refused[reason]));
    }
}

/* Left out where no certificate is shown: 0 would be one that ended long ago. */
static void put_certificate(const _Atomic int64_t *certificate_end, FILE *out)
{
    int64_t end = certificate_end != NULL ? atomic_load(certificate_end) : 0;
    if (end > 0)
        gauge("evenkeel_certificate_expiry_timestamp_seconds",
              "When the certificate that collectors are shown ends, in seconds since 1970.", (unsigned long long)end,
              out);
}

static void put_counters(const struct writer_counters *counters, FILE *out)
{
    unsigned long long accepted = atomic_load(&counters->accepted), unchanged = atomic_load(&counters->unchanged);
    head("evenkeel_build_info", "gauge", "This program's version.", out);
    fputs("evenkeel_build_info{version=\"" EVENKEEL_VERSION "\"} 1\n", out);
    counter("evenkeel_requests_total", "Requests that arrived.", atomic_load(&counters->requests), out);
    head("evenkeel_checkins_total", "counter", "Snapshots accepted: with something new, or as they were.", out);
    fprintf(out, "evenkeel_checkins_total{outcome=\"changed\"} %llu\n",
            accepted > unchanged ? accepted - unchanged : 0);
    fprintf(out, "evenkeel_checkins_total{outcome=\"unchanged\"} %llu\n", unchanged);
    counter("evenkeel_wants_total", "Answers that asked for objects.", atomic_load(&counters->wants), out);
    counter("evenkeel_held_total", "Requests that waited while others were asked for the same.",
            atomic_load(&counters->held), out);
    counter("evenkeel_enrolments_total", "Enrolments answered.", atomic_load(&counters->enrolled), out);
    put_refusals(counters, out);
    counter("evenkeel_busy_total", "Requests that were told to come again later.", atomic_load(&counters->busy), out);
    counter("evenkeel_displaced_total", "Of these, requests that made room for those of others who had fewer waiting.",
            atomic_load(&counters->displaced), out);
    counter("evenkeel_failed_batches_total", "Batches that the database did not take at first.",
            atomic_load(&counters->failures), out);
    gauge("evenkeel_queue_requests", "Requests that wait to be stored.", atomic_load(&counters->queued_requests), out);
    gauge("evenkeel_request_bytes", "Memory that requests hold, as they came and decoded.",
          atomic_load(&counters->request_bytes), out);
    head("evenkeel_commit_seconds", "summary", "Time from taking a batch to its commit.", out);
    fprintf(out, "evenkeel_commit_seconds_sum %.6f\n", (double)atomic_load(&counters->commit_microseconds) / 1e6);
    fprintf(out, "evenkeel_commit_seconds_count %llu\n", (unsigned long long)atomic_load(&counters->batches));
}

static void put_dropped(const char *listener, const struct connections_counters *connections, FILE *out)
{
    for (int end = 0; end < CONNECTION_ENDS; end++)
        if (connection_end_name(end) != NULL)
            fprintf(out, "evenkeel_connections_dropped_total{listener=\"%s\",reason=\"%s\"} %llu\n", listener,
                    connection_end_name(end), (unsigned long long)atomic_load(&connections->ended[end]));
}

static void put_connections(const struct metrics_sources *sources, FILE *out)
{
    const struct connections_counters *collectors = sources->collectors;
    gauge("evenkeel_connections", "Connections to the collectors' addresses that hold a place.",
          atomic_load(&collectors->open), out);
    gauge("evenkeel_connections_opening", "Of these, connections that are in their handshake.",
          atomic_load(&collectors->opening), out);
    counter("evenkeel_connections_refused_total", "Connections that were closed since there were too many.",
            atomic_load(&collectors->ended[CONNECTION_DISPLACED]) +
                atomic_load(&collectors->ended[CONNECTION_TURNED_AWAY]),
            out);
    gauge("evenkeel_http_connections", "Connections to the HTTP address.", atomic_load(&sources->http->open), out);
    head("evenkeel_connections_dropped_total", "counter",
         "Connections that were closed for what they did or did not do.", out);
    put_dropped("collectors", collectors, out);
    put_dropped("http", sources->http, out);
}

/* Gauges out of the database: a query gives label, second label (or ''), and value. */
static const struct {
    const char *name, *label, *second, *help, *query;
} gauges[] = {
    {"evenkeel_hosts", "verdict", NULL, "Hosts by the worst verdict of their products.",
     "select w.verdict, '', count(h.host_id) from (values ('level'), ('unknown'), ('mixed')) w (verdict)"
     " left join evenkeel.shown_host h on h.shown = w.verdict group by 1 order by 1"},
    {"evenkeel_not_judged_hosts", NULL, NULL, "Hosts that could not be judged, and are unknown for that reason.",
     "select '', '', count(*) from evenkeel.not_judged"},
    {"evenkeel_not_judged_objects", "kind", NULL, "Files, chunks, lessons and checks that could not be judged.",
     "select k.kind, '', count(n.object) from (values ('file'), ('chunk'), ('lesson'), ('check')) k (kind)"
     " left join evenkeel.not_judged_object n using (kind) group by 1 order by 1"},
    {"evenkeel_slow_hosts", NULL, NULL,
     "Hosts that take longer than a turn allows, or likely will: they are judged apart.",
     "select '', '', count(*) from evenkeel.slow_host"},
    {"evenkeel_findings", "check", "severity", "Open findings that are not waived.",
     "select check_code, severity, count(*) from evenkeel.finding f join evenkeel.host h using (host_id)"
     " where f.closed_at = 'infinity' and h.merged_into is null and not exists (select from evenkeel.waiver w"
     "  where (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now())"
     " group by 1, 2 order by 1, 2"},
    {"evenkeel_judge_queue_hosts", NULL, NULL, "Hosts that wait to be judged.",
     "select '', '', count(distinct host_id) from evenkeel.judge_queue"},
    {"evenkeel_fleet_change_hosts", NULL, NULL, "Hosts that were judged and wait to be compared with others.",
     "select '', '', count(distinct host_id) from evenkeel.fleet_change"},
    {"evenkeel_keys_pending", NULL, NULL, "Collectors' keys that wait to be approved.",
     "select '', '', count(*) from evenkeel.collector_key where status = 'pending'"},
    {"evenkeel_oldest_snapshot_age_seconds", NULL, NULL, "Age of the snapshot of the host that was silent for longest.",
     "select '', '', greatest(extract(epoch from now() - min(c.seen_at)), 0)::numeric(20, 3)"
     " from evenkeel.host_checkin c join evenkeel.host h using (host_id)"
     " where h.merged_into is null and h.retired_at is null"},
    {"evenkeel_report_age_seconds", "name", NULL, "Time since the last report that is called so told what changed.",
     "select m.name, '', greatest(extract(epoch from now() - m.told_until), 0)::numeric(20, 3)"
     " from evenkeel.report_mark m order by m.made_at desc limit 50"},
    {"evenkeel_waived_findings", "check", "severity", "Open findings that a person accepted for a time.",
     "select check_code, severity, count(*) from evenkeel.finding f join evenkeel.host h using (host_id)"
     " where f.closed_at = 'infinity' and h.merged_into is null and exists (select from evenkeel.waiver w"
     "  where (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now())"
     " group by 1, 2 order by 1, 2"},
};

static void put_gauge(size_t at, const PGresult *rows, FILE *out)
{
    head(gauges[at].name, "gauge", gauges[at].help, out);
    for (int row = 0; row < PQntuples(rows); row++) {
        if (PQgetisnull(rows, row, 2))
            continue;
        fputs(gauges[at].name, out);
        if (gauges[at].label != NULL) {
            putc('{', out);
            put_label(gauges[at].label, PQgetvalue(rows, row, 0), out);
            if (gauges[at].second != NULL) {
                putc(',', out);
                put_label(gauges[at].second, PQgetvalue(rows, row, 1), out);
            }
            putc('}', out);
        }
        fprintf(out, " %s\n", PQgetvalue(rows, row, 2));
    }
}

/* One gauge's rows, within what is left of the scrape's time; ERROR_BUSY where that is not enough. */
static PGresult *read_gauge(PGconn *connection, const char *query, int64_t end, struct error *error)
{
    char limit[64];
    int64_t left = (end - monotonic_now()) / MONOTONIC_MILLISECOND;
    if (left <= 0) {
        error_set(error, ERROR_BUSY, "no time is left");
        return NULL;
    }
    snprintf(limit, sizeof limit, "set statement_timeout = %" PRId64, left);
    if (database_execute(connection, limit, error) < 0)
        return NULL;
    return database_query(connection, query, NULL, 0, false, error);
}

void metrics_write(const struct metrics_sources *sources, PGconn *connection, FILE *out)
{
    bool up = connection != NULL;
    unsigned left_out = 0;
    put_counters(sources->writer, out);
    put_connections(sources, out);
    put_certificate(sources->certificate_end, out);
    int64_t end = monotonic_now() + METRICS_MILLISECONDS * MONOTONIC_MILLISECOND;
    for (size_t i = 0; up && i < sizeof gauges / sizeof *gauges; i++) {
        struct error error = {0};
        _cleanup_(cleanup_result) PGresult *rows = read_gauge(connection, gauges[i].query, end, &error);
        if (rows != NULL)
            put_gauge(i, rows, out);
        else if (error.code == ERROR_BUSY)
            left_out++;
        else
            up = false;
    }
    if (connection != NULL && database_execute(connection, "set statement_timeout = 0", &(struct error){0}) < 0)
        up = false;
    gauge("evenkeel_database_up", "Whether the database answers.", up, out);
    if (up)
        gauge("evenkeel_gauges_left_out", "Gauges that would have cost the database too much.", left_out, out);
}
