/*
 * What nng and Ed25519 alone allow: requests in flight over REP/REQ, each signed by the client and verified by the
 * server, with payloads of the sizes given. The bound that check-ins a second are measured against.
 *
 *   echo URL --request BYTES --reply BYTES [--requests N] [--in-flight K]
 *
 * The server is a process of its own, as the aggregator is. Prints 'requests=N seconds=S per_second=R'.
 */

#include <getopt.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVER_CONTEXTS 256 /* more than are ever verified at once */
#define PREFIX_BYTES (crypto_sign_PUBLICKEYBYTES + crypto_sign_BYTES)

static size_t request_bytes = 300, reply_bytes = 20;

/* One request being served, or one being asked. */
struct talk {
    nng_ctx context;
    nng_aio *aio;
    bool replying;
};

static unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
static atomic_long left, running;

static void fatal(const char *what, int result)
{
    fprintf(stderr, "echo: %s: %s\n", what, nng_strerror(result));
    exit(1);
}

static nng_msg *message_of(size_t bytes)
{
    nng_msg *message;
    int result = nng_msg_alloc(&message, bytes);
    if (result != 0)
        fatal("message", result);
    memset(nng_msg_body(message), 0, bytes);
    return message;
}

/* ---- the server: public key, signature, payload ---- */

static void serve_step(void *argument)
{
    struct talk *talk = argument;
    int result = nng_aio_result(talk->aio);
    if (result == NNG_ECLOSED)
        return;
    if (result != 0)
        fatal("serve", result);
    if (!talk->replying) {
        nng_msg *message = nng_aio_get_msg(talk->aio);
        const unsigned char *body = nng_msg_body(message);
        size_t length = nng_msg_len(message);
        if (length < PREFIX_BYTES || crypto_sign_verify_detached(body + crypto_sign_PUBLICKEYBYTES, body + PREFIX_BYTES,
                                                                 length - PREFIX_BYTES, body) != 0)
            fatal("a request's signature", NNG_EPROTO);
        nng_msg_free(message);
        nng_aio_set_msg(talk->aio, message_of(reply_bytes));
        talk->replying = true;
        nng_ctx_send(talk->context, talk->aio);
    } else {
        talk->replying = false;
        nng_ctx_recv(talk->context, talk->aio);
    }
}

static void serve(const char *url, int ready)
{
    static struct talk talks[SERVER_CONTEXTS];
    nng_socket server;
    int result = nng_rep0_open(&server);
    if (result == 0)
        result = nng_listen(server, url, NULL, 0);
    for (size_t i = 0; result == 0 && i < SERVER_CONTEXTS; i++) {
        result = nng_ctx_open(&talks[i].context, server);
        if (result == 0)
            result = nng_aio_alloc(&talks[i].aio, serve_step, &talks[i]);
        if (result == 0)
            nng_ctx_recv(talks[i].context, talks[i].aio);
    }
    if (result != 0)
        fatal(url, result);
    if (write(ready, "", 1) != 1)
        exit(1);
    for (;;)
        pause();
}

/* ---- the client ---- */

static void ask(struct talk *talk)
{
    if (atomic_fetch_sub(&left, 1) <= 0) {
        atomic_fetch_sub(&running, 1);
        return;
    }
    nng_msg *message = message_of(request_bytes);
    unsigned char *body = nng_msg_body(message);
    memcpy(body, public_key, sizeof public_key);
    randombytes_buf(body + PREFIX_BYTES, sizeof(uint64_t)); /* no two requests are alike */
    crypto_sign_detached(body + sizeof public_key, NULL, body + PREFIX_BYTES, request_bytes - PREFIX_BYTES, secret_key);
    nng_aio_set_msg(talk->aio, message);
    talk->replying = false;
    nng_ctx_send(talk->context, talk->aio);
}

static void ask_step(void *argument)
{
    struct talk *talk = argument;
    int result = nng_aio_result(talk->aio);
    if (result != 0)
        fatal("ask", result);
    if (!talk->replying) {
        talk->replying = true;
        nng_ctx_recv(talk->context, talk->aio);
        return;
    }
    nng_msg_free(nng_aio_get_msg(talk->aio));
    nng_aio_set_msg(talk->aio, NULL);
    ask(talk);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(const char *url, long requests, long in_flight)
{
    nng_socket client;
    struct talk *talks = calloc((size_t)in_flight, sizeof *talks);
    int result = nng_req0_open(&client);
    if (result == 0)
        result = nng_dial(client, url, NULL, 0);
    for (long i = 0; result == 0 && i < in_flight; i++) {
        result = nng_ctx_open(&talks[i].context, client);
        if (result == 0)
            result = nng_aio_alloc(&talks[i].aio, ask_step, &talks[i]);
    }
    if (result != 0)
        fatal(url, result);
    crypto_sign_keypair(public_key, secret_key);
    atomic_store(&left, requests);
    atomic_store(&running, in_flight);
    double started = seconds_now();
    for (long i = 0; i < in_flight; i++)
        ask(&talks[i]);
    while (atomic_load(&running) > 0)
        nng_msleep(1);
    double seconds = seconds_now() - started;
    printf("requests=%ld seconds=%.3f per_second=%.0f\n", requests, seconds, (double)requests / seconds);
    for (long i = 0; i < in_flight; i++)
        nng_aio_free(talks[i].aio);
    nng_close(client);
    free(talks);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"request", required_argument, NULL, 's'},
                                            {"reply", required_argument, NULL, 'r'},
                                            {"requests", required_argument, NULL, 'n'},
                                            {"in-flight", required_argument, NULL, 'k'},
                                            {0}};
    long requests = 100000, in_flight = 1024;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return 1;
        long value = atol(optarg);
        if (option == 's')
            request_bytes = (size_t)value;
        else if (option == 'r')
            reply_bytes = (size_t)value;
        else if (option == 'n')
            requests = value;
        else
            in_flight = value;
    }
    if (optind != argc - 1 || request_bytes < PREFIX_BYTES + sizeof(uint64_t) || in_flight < 1 || sodium_init() < 0) {
        fputs("usage: echo URL --request BYTES --reply BYTES [--requests N] [--in-flight K]\n", stderr);
        return 1;
    }
    int ready[2];
    char started;
    if (pipe(ready) < 0)
        return 1;
    pid_t server = fork();
    if (server == 0)
        serve(argv[optind], ready[1]);
    close(ready[1]);
    int status = server > 0 && read(ready[0], &started, 1) == 1 ? 0 : 1;
    if (status == 0)
        run(argv[optind], requests, in_flight);
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    return status;
}
