/* The service: collectors' connections in front of the writer. */

#include "service.h"

#include "aggregator/base/log.h"
#include "certificate.h"
#include "peer.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/loopback.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/supplemental/util/platform.h>
#include <stdatomic.h>
#include <string.h>

/* At the end, for answers that nobody has taken yet: a loaded machine must not make more of it. */
#define LAST_ANSWERS_MILLISECONDS 2000
/* Of all memory for requests one connection may have this part before it must wait for its answers. */
#define SHARE_OF_CONNECTION 8
/* Those that are not trusted may have three quarters together, if that is enough for the largest request: the rest is
 * for hosts that are known. Small requests may have all of it, so that everybody can become known. */
#define SMALL_BYTES 65536u

struct service {
    struct connections *connections;
    struct connections_counters connection_counters;
    struct peer_duty duty;
    struct writer *writer;
    struct writer_counters *counters;
    size_t memory;
    _Atomic int64_t certificate_end; /* of what TLS shows; 0: nothing */
    struct service_options options;
};

/* One request in flight. */
struct exchange {
    struct service *service;
    struct peer_message *message; /* whose bytes `request` points into */
    size_t held;                  /* bytes that count as this request's */
    struct request request;
};

/* What all requests may hold where this one is among them. */
static size_t most_for(const struct exchange *exchange, size_t bytes)
{
    size_t memory = exchange->service->memory, share = memory / 4 * 3;
    if (bytes <= SMALL_BYTES || connection_is_trusted(exchange->message->connection))
        return memory;
    return share > SERVICE_MEMORY_LEAST ? share : SERVICE_MEMORY_LEAST;
}

static bool has_room(const struct exchange *exchange, size_t bytes)
{
    size_t most = most_for(exchange, bytes);
    return bytes <= most && atomic_load(&exchange->service->counters->request_bytes) <= most - bytes;
}

/* Counts the memory that a request takes; false, and nothing counted, where that is more than it may have. */
static bool hold(struct exchange *exchange, size_t bytes)
{
    atomic_size_t *held = &exchange->service->counters->request_bytes;
    size_t most = most_for(exchange, bytes), all = atomic_load(held);
    do
        if (bytes > most || all > most - bytes)
            return false;
    while (!atomic_compare_exchange_weak(held, &all, all + bytes));
    exchange->held = bytes;
    return true;
}

/* Called by the writer's thread, or at once where the request was refused. */
static void answered(struct request *request)
{
    struct exchange *exchange = request->owner;
    struct service *service = exchange->service;
    if (request->let_in && request->key.length >= sizeof(struct tally_key)) {
        struct tally_key key;
        memcpy(&key, request->key.data, sizeof key);
        connection_trust(exchange->message->connection, &key);
    }
    arena_free(request->arena);
    atomic_fetch_sub(&service->counters->request_bytes, exchange->held);
    peer_answer(exchange->message, request->reply);
    free((void *)request->reply.data);
    free(exchange);
}

static void answer_busy(struct exchange *exchange)
{
    struct writer_counters *counters = exchange->service->counters;
    atomic_fetch_add(&counters->requests, 1);
    atomic_fetch_add(&counters->busy, 1);
    request_busy(&exchange->request, WRITER_RETRY_SECONDS, false);
    answered(&exchange->request);
}

/* On one of nng's threads; of one connection one at a time, so that none of them has both cores to itself. */
static void asked(void *context, struct peer_message *message)
{
    struct service *service = context;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        peer_answer(message, (struct bytes){0});
        return;
    }
    exchange->service = service;
    exchange->message = message;
    struct request *request = &exchange->request;
    *request = (struct request){.answered = answered,
                                .owner = exchange,
                                .source = message->connection,
                                .address = connection_address(message->connection)};
    /* What is being decoded right now counts once that is done: a rush must not turn everybody away. */
    if (!has_room(exchange, message->body.length) || (request->arena = arena_new(LIMIT_UNPACKED_BYTES)) == NULL) {
        answer_busy(exchange);
        return;
    }
    int opened = request_open(request, message->body);
    peer_charge(message, arena_bytes(request->arena));
    if (opened < 0) {
        atomic_fetch_add(&service->counters->requests, 1);
        atomic_fetch_add(&service->counters->refused[request->refusal], 1);
        answered(request);
    } else if (!hold(exchange, message->body.length + arena_bytes(request->arena))) {
        answer_busy(exchange);
    } else {
        writer_submit(service->writer, request);
    }
}

static char *read_pem(const char *path, struct error *error)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    char *text = file != NULL ? calloc(1, 65536) : NULL;
    if (file == NULL)
        error_set(error, ERROR_IO, "can't read '%s': %s", path, strerror(errno));
    else if (text == NULL)
        error_set(error, ERROR_MEMORY, "no memory for '%s'", path);
    else if (fread(text, 1, 65535, file) == 0 || strstr(text, "-----BEGIN ") == NULL) {
        error_set(error, ERROR_FORMAT, "'%s' holds no PEM: a certificate and its key are needed for tls+tcp://", path);
        free(text);
        text = NULL;
    }
    return text;
}

static bool is_tls(const char *url)
{
    return strncmp(url, "tls+tcp", 7) == 0;
}

static void free_tls(nng_tls_config **config)
{
    if (*config != NULL)
        nng_tls_config_free(*config); /* a listener holds its own reference */
}

/* The configuration for a listener, and when its certificate ends; NULL with *error. */
static nng_tls_config *make_tls(const struct service_options *options, int64_t *end, struct error *error)
{
    if (options->certificate == NULL || options->private_key == NULL) {
        error_set(error, ERROR_USAGE,
                  "tls+tcp:// needs --certificate and --private-key (evenkeel init --ca makes them for a start)");
        return NULL;
    }
    _cleanup_free_ char *certificate = read_pem(options->certificate, error);
    _cleanup_free_ char *private_key = certificate != NULL ? read_pem(options->private_key, error) : NULL;
    if (private_key == NULL)
        return NULL;
    struct error cause = {0};
    nng_tls_config *config = NULL;
    int failed = certificate_check_key(certificate, private_key, &cause) < 0 ? NNG_ECRYPTO : 0;
    if (failed == 0)
        failed = nng_tls_config_alloc(&config, NNG_TLS_MODE_SERVER);
    if (failed == 0)
        failed = nng_tls_config_own_cert(config, certificate, private_key, NULL);
    if (failed == 0) {
        *end = certificate_end(certificate);
        return config;
    }
    free_tls(&config);
    error_set(error, cause.code != ERROR_NONE ? cause.code : ERROR_FORMAT,
              "can't use certificate '%s' with key '%s': %s", options->certificate, options->private_key,
              cause.code != ERROR_NONE ? cause.message : nng_strerror(failed));
    return NULL;
}

static int listen_on(struct service *service, const char *url, const struct service_options *options,
                     struct error *error)
{
    if (!loopback_url_has_port(url)) /* nng would take any port */
        return error_set(error, ERROR_USAGE,
                         "'%s' is no address to listen on, with a port from 1 to 65535: write tcp://127.0.0.1:8470",
                         url);
    if (!is_tls(url) && !loopback_is_url(url) && !options->allow_plain)
        return error_set(
            error, ERROR_USAGE,
            "'%s' would be plain text on a network: use tls+tcp://, or --allow-plain if the network is trusted", url);
    int64_t end = 0;
    _cleanup_(free_tls) nng_tls_config *config = is_tls(url) ? make_tls(options, &end, error) : NULL;
    if (is_tls(url) && config == NULL)
        return -1;
    if (is_tls(url))
        atomic_store(&service->certificate_end, end);
    int failed = -connections_listen(service->connections, url, config);
    if (failed == NNG_EADDRINUSE || failed == NNG_EPERM)
        return error_set(error, ERROR_NETWORK, "can't listen on '%s': %s; is another aggregator running there?", url,
                         nng_strerror(failed));
    if (failed > 0)
        return error_set(error, ERROR_USAGE, "'%s' is no address to listen on (%s): write tcp://127.0.0.1:8470", url,
                         nng_strerror(failed));
    return 0;
}

int service_reload(struct service *service, struct error *error)
{
    for (size_t i = 0; i < service->options.url_count; i++) {
        if (!is_tls(service->options.urls[i]))
            continue;
        int64_t end = 0;
        _cleanup_(free_tls) nng_tls_config *config = make_tls(&service->options, &end, error);
        if (config == NULL)
            return -1;
        int failed = connections_set_tls(service->connections, (int)i, config);
        if (failed != 0)
            return error_set(error, ERROR_FORMAT, "can't use certificate '%s': %s", service->options.certificate,
                             nng_strerror(failed));
        atomic_store(&service->certificate_end, end);
    }
    return 0;
}

struct service *service_start(const struct service_options *options, struct writer *writer, struct error *error)
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        error_set(error, ERROR_MEMORY, "no memory for the service");
        return NULL;
    }
    service->options = *options;
    service->writer = writer;
    service->counters = writer_counters(writer);
    service->memory = options->memory;
    size_t share = options->memory / SHARE_OF_CONNECTION;
    /* What is a little too long is read and refused with a sentence; for what is longer the connection ends. */
    service->duty = (struct peer_duty){.asked = asked,
                                       .context = service,
                                       .share = share > LIMIT_MESSAGE_BYTES ? share : LIMIT_MESSAGE_BYTES,
                                       .longest = LIMIT_MESSAGE_BYTES + LIMIT_MESSAGE_BYTES / 4};
    struct connections_options connections_options = {
        .name = "collectors", .kind = &peer_kind, .context = &service->duty, .most = options->connections};
    service->connections = connections_new(&connections_options, &service->connection_counters, error);
    bool fine = service->connections != NULL;
    for (size_t i = 0; fine && i < options->url_count; i++)
        fine = listen_on(service, options->urls[i], options, error) == 0;
    if (!fine) {
        connections_free(service->connections);
        free(service);
        return NULL;
    }
    connections_start(service->connections);
    return service;
}

const struct connections_counters *service_connections(const struct service *service)
{
    return &service->connection_counters;
}

const _Atomic int64_t *service_certificate_end(const struct service *service)
{
    return &service->certificate_end;
}

void service_stop(struct service *service)
{
    if (service == NULL)
        return;
    connections_close(service->connections);
    /* Answers first: what was committed should be told. */
    nng_time last = nng_clock() + LAST_ANSWERS_MILLISECONDS;
    while (atomic_load(&service->duty.unsent) > 0 && nng_clock() < last)
        nng_msleep(20);
    connections_free(service->connections);
    free(service);
}
