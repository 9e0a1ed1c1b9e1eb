/* The service: nng in front of the writer. */

#include "service.h"

#include "aggregator/base/log.h"
#include "certificate.h"
#include "connections.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/loopback.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* One request in flight. nng calls exchange_step() on one of its threads whenever the aio completes; nothing else
 * touches the state then. */
struct exchange {
    struct service *service;
    nng_ctx context;
    nng_aio *aio;
    enum { EXCHANGE_RECEIVING, EXCHANGE_ANSWERING, EXCHANGE_SENDING } state;
    nng_msg *message; /* the request's bytes, which `request` points into */
    size_t held;      /* bytes that count as this request's */
    struct request request;
};

/* At the end, for answers that nng has not taken yet: a loaded machine must not make more of it. */
#define LAST_ANSWERS_MILLISECONDS 2000

struct service {
    nng_socket socket;
    struct writer *writer;
    struct writer_counters *counters;
    struct connections *connections;
    size_t memory;
    struct service_options options;
    nng_listener *listeners; /* one per address, in their order */
    struct exchange *exchanges;
    size_t exchange_count;
    atomic_bool stopping;
    atomic_uint sending; /* answers handed to nng that it has not taken yet */
};

static void receive(struct exchange *exchange)
{
    exchange->state = EXCHANGE_RECEIVING;
    nng_ctx_recv(exchange->context, exchange->aio);
}

/* Counts memory that a request takes; false where that is more than all requests may have. */
static bool hold(struct exchange *exchange, size_t bytes)
{
    struct service *service = exchange->service;
    exchange->held += bytes;
    return atomic_fetch_add(&service->counters->request_bytes, bytes) + bytes <= service->memory;
}

/* Called by the writer's thread, or at once where the request was refused. */
static void answered(struct request *request)
{
    struct exchange *exchange = request->owner;
    nng_msg *reply;
    bool ready = request->reply.data != NULL && nng_msg_alloc(&reply, 0) == 0;
    if (ready && nng_msg_append(reply, request->reply.data, request->reply.length) != 0) {
        nng_msg_free(reply);
        ready = false;
    }
    free((void *)request->reply.data);
    arena_free(request->arena);
    nng_msg_free(exchange->message);
    atomic_fetch_sub(&exchange->service->counters->request_bytes, exchange->held);
    exchange->held = 0;
    exchange->message = NULL;
    exchange->request = (struct request){0};
    if (!ready) {
        /* Without memory for an answer there is none; the collector asks again. */
        receive(exchange);
        return;
    }
    exchange->state = EXCHANGE_SENDING;
    atomic_fetch_add(&exchange->service->sending, 1);
    nng_aio_set_msg(exchange->aio, reply);
    nng_ctx_send(exchange->context, exchange->aio);
}

static void answer_busy(struct exchange *exchange)
{
    struct writer_counters *counters = exchange->service->counters;
    atomic_fetch_add(&counters->requests, 1);
    atomic_fetch_add(&counters->busy, 1);
    request_busy(&exchange->request, WRITER_RETRY_SECONDS);
    answered(&exchange->request);
}

static void begin(struct exchange *exchange)
{
    struct service *service = exchange->service;
    exchange->message = nng_aio_get_msg(exchange->aio);
    exchange->state = EXCHANGE_ANSWERING;
    connections_heard(service->connections, nng_msg_get_pipe(exchange->message));
    struct request *request = &exchange->request;
    *request = (struct request){.answered = answered, .owner = exchange};
    struct bytes sealed = bytes_of(nng_msg_body(exchange->message), nng_msg_len(exchange->message));
    if (!hold(exchange, sealed.length) || (request->arena = arena_new(LIMIT_UNPACKED_BYTES)) == NULL) {
        answer_busy(exchange);
    } else if (request_open(request, sealed) < 0) {
        atomic_fetch_add(&service->counters->requests, 1);
        atomic_fetch_add(&service->counters->refused[request->refusal], 1);
        answered(request);
    } else if (!hold(exchange, arena_bytes(request->arena))) {
        answer_busy(exchange);
    } else {
        writer_submit(service->writer, request);
    }
}

static void exchange_step(void *context)
{
    struct exchange *exchange = context;
    int result = nng_aio_result(exchange->aio);
    if (exchange->state == EXCHANGE_SENDING)
        atomic_fetch_sub(&exchange->service->sending, 1);
    if (exchange->state == EXCHANGE_SENDING && result != 0)
        nng_msg_free(nng_aio_get_msg(exchange->aio)); /* the peer is gone; it asks again */
    if (result == NNG_ECLOSED || atomic_load(&exchange->service->stopping)) {
        if (exchange->state == EXCHANGE_RECEIVING && result == 0)
            nng_msg_free(nng_aio_get_msg(exchange->aio));
        return;
    }
    if (exchange->state == EXCHANGE_RECEIVING && result == 0)
        begin(exchange);
    else
        receive(exchange);
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

static int set_tls(nng_listener listener, const struct service_options *options, struct error *error)
{
    if (options->certificate == NULL || options->private_key == NULL)
        return error_set(
            error, ERROR_USAGE,
            "tls+tcp:// needs --certificate and --private-key (evenkeel init --ca makes them for a start)");
    _cleanup_free_ char *certificate = read_pem(options->certificate, error);
    _cleanup_free_ char *private_key = certificate != NULL ? read_pem(options->private_key, error) : NULL;
    if (private_key == NULL)
        return -1;
    struct error cause = {0};
    if (certificate_check_key(certificate, private_key, &cause) < 0)
        return error_set(error, cause.code, "can't use certificate '%s' with key '%s': %s", options->certificate,
                         options->private_key, cause.message);
    nng_tls_config *config;
    int failed = nng_tls_config_alloc(&config, NNG_TLS_MODE_SERVER);
    if (failed != 0)
        return error_set(error, ERROR_IO, "can't set up TLS: %s", nng_strerror(failed));
    if ((failed = nng_tls_config_own_cert(config, certificate, private_key, NULL)) != 0 ||
        (failed = nng_listener_setopt_ptr(listener, NNG_OPT_TLS_CONFIG, config)) != 0)
        error_set(error, ERROR_FORMAT, "can't use certificate '%s' with key '%s': %s", options->certificate,
                  options->private_key, nng_strerror(failed));
    nng_tls_config_free(config); /* the listener holds its own reference */
    return failed == 0 ? 0 : -1;
}

static bool is_tls(const char *url)
{
    return strncmp(url, "tls+tcp://", 10) == 0;
}

static int listen_on(nng_socket socket, const char *url, const struct service_options *options, nng_listener *made,
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
    nng_listener listener;
    int failed = nng_listener_create(&listener, socket, url);
    if (failed != 0)
        return error_set(error, ERROR_USAGE, "'%s' is no address to listen on (%s): write tcp://127.0.0.1:8470", url,
                         nng_strerror(failed));
    if (is_tls(url) && set_tls(listener, options, error) < 0)
        return -1;
    nng_listener_set_bool(listener, NNG_OPT_TCP_KEEPALIVE, true); /* a machine that vanished gives its place up */
    failed = nng_listener_start(listener, 0);
    if (failed != 0)
        return error_set(error, ERROR_NETWORK, "can't listen on '%s': %s; is another aggregator running there?", url,
                         nng_strerror(failed));
    *made = listener;
    return 0;
}

/* nng has given its certificate to the connection that it waits for already: so one comes and goes. */
static void pass_by(const char *url)
{
    const char *address = url + 10;
    char plain[512];
    nng_stream_dialer *dialer;
    nng_aio *aio;
    bool any = *address == '*';
    snprintf(plain, sizeof plain, "tcp://%s%s", any ? "127.0.0.1" : "", address + any);
    if (nng_stream_dialer_alloc(&dialer, plain) != 0)
        return;
    if (nng_aio_alloc(&aio, NULL, NULL) == 0) {
        nng_aio_set_timeout(aio, 1000);
        nng_stream_dialer_dial(dialer, aio);
        nng_aio_wait(aio);
        if (nng_aio_result(aio) == 0)
            nng_stream_free(nng_aio_get_output(aio, 0));
        nng_aio_free(aio);
    }
    nng_stream_dialer_free(dialer);
}

int service_reload(struct service *service, struct error *error)
{
    for (size_t i = 0; i < service->options.url_count; i++)
        if (is_tls(service->options.urls[i]) && set_tls(service->listeners[i], &service->options, error) < 0)
            return -1;
    for (size_t i = 0; i < service->options.url_count; i++)
        if (is_tls(service->options.urls[i]))
            pass_by(service->options.urls[i]);
    return 0;
}

static int start_exchanges(struct service *service, unsigned count, struct error *error)
{
    service->exchanges = calloc(count, sizeof *service->exchanges);
    if (service->exchanges == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for %u requests in flight", count);
    for (; service->exchange_count < count; service->exchange_count++) {
        struct exchange *exchange = &service->exchanges[service->exchange_count];
        exchange->service = service;
        int failed = nng_ctx_open(&exchange->context, service->socket);
        if (failed == 0 && (failed = nng_aio_alloc(&exchange->aio, exchange_step, exchange)) != 0)
            nng_ctx_close(exchange->context);
        if (failed != 0)
            return error_set(error, ERROR_MEMORY, "can't prepare %u requests in flight: %s", count,
                             nng_strerror(failed));
    }
    for (size_t i = 0; i < service->exchange_count; i++)
        receive(&service->exchanges[i]);
    return 0;
}

struct service *service_start(const struct service_options *options, struct writer *writer, struct error *error)
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL || (service->listeners = calloc(options->url_count, sizeof *service->listeners)) == NULL) {
        free(service);
        error_set(error, ERROR_MEMORY, "no memory for the service");
        return NULL;
    }
    service->options = *options;
    service->writer = writer;
    service->counters = writer_counters(writer);
    service->memory = options->memory;
    int failed = nng_rep0_open(&service->socket);
    if (failed != 0) {
        error_set(error, ERROR_IO, "can't open a socket: %s", nng_strerror(failed));
        free(service->listeners);
        free(service);
        return NULL;
    }
    /* Before any listener: the length in a message's header alone makes nng allocate. What is a little too long is read
     * and refused with a sentence; for what is longer nng drops the connection. */
    nng_socket_set_size(service->socket, NNG_OPT_RECVMAXSZ, LIMIT_MESSAGE_BYTES + LIMIT_MESSAGE_BYTES / 4);
    service->connections = connections_new(service->socket, options->connections, &service->counters->connections,
                                           &service->counters->connections_refused, error);
    bool fine = service->connections != NULL;
    for (size_t i = 0; fine && i < options->url_count; i++)
        fine = listen_on(service->socket, options->urls[i], options, &service->listeners[i], error) == 0;
    if (!fine || start_exchanges(service, SERVICE_CONTEXTS, error) < 0) {
        service_stop(service);
        return NULL;
    }
    return service;
}

void service_stop(struct service *service)
{
    if (service == NULL)
        return;
    atomic_store(&service->stopping, true);
    /* Answers first: what was committed should be told. nng does not linger, so its threads get a moment for the last
     * bytes. */
    nng_time last = nng_clock() + LAST_ANSWERS_MILLISECONDS;
    while (atomic_load(&service->sending) > 0 && nng_clock() < last)
        nng_msleep(20);
    nng_msleep(50);
    /* Closing the socket ends every pending receive and send; stopping each aio waits for its callback. */
    nng_close(service->socket);
    for (size_t i = 0; i < service->exchange_count; i++) {
        nng_aio_stop(service->exchanges[i].aio);
        nng_aio_free(service->exchanges[i].aio);
    }
    connections_free(service->connections);
    free(service->exchanges);
    free(service->listeners);
    free(service);
}
