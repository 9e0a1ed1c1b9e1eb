/* A connection to one aggregator. */

#include "transport.h"

#include "collector/platform/platform.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/loopback.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <nng/transport/tls/tls.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MOST 16 /* of one name */
/* An aggregator that many others crowd gives a place away before the handshake is through: the next try may be sooner
 * through than they are. */
#define DIAL_ATTEMPTS 5
#define DIAL_PAUSE_MILLISECONDS 100u /* at least, and up to as much again for each try before */

struct transport {
    nng_socket socket; /* id 0: none */
    nng_msg *answer;
    char *url;
};

static bool is_tls(const char *url)
{
    return strncmp(url, "tls+tcp://", 10) == 0 || strncmp(url, "tls+tcp4://", 11) == 0 ||
           strncmp(url, "tls+tcp6://", 11) == 0;
}

int transport_check(const char *url, const char *ca, bool allow_plain, struct error *error)
{
    nng_url *parsed;
    if (nng_url_parse(&parsed, url) != 0)
        return error_set(error, ERROR_USAGE, "'%s' is no URL of an aggregator; one is like tls+tcp://HOST:8470", url);
    bool plain = strcmp(parsed->u_scheme, "tcp") == 0 || strcmp(parsed->u_scheme, "tcp4") == 0 ||
                 strcmp(parsed->u_scheme, "tcp6") == 0;
    bool here = parsed->u_hostname != NULL && loopback_is_host(parsed->u_hostname);
    bool named =
        parsed->u_hostname != NULL && parsed->u_hostname[0] != 0 && parsed->u_port != NULL && parsed->u_port[0] != 0;
    nng_url_free(parsed);
    if ((!plain && !is_tls(url)) || !named)
        return error_set(error, ERROR_USAGE, "'%s' is no URL of an aggregator; one is like tls+tcp://HOST:8470", url);
    if (plain && !here && !allow_plain)
        return error_set(error, ERROR_USAGE,
                         "'%s' would go over the network unencrypted: use tls+tcp://, or set 'allow-plain = yes'", url);
    if (!plain && ca == NULL)
        return error_set(error, ERROR_USAGE,
                         "'%s' needs the certificates to check the aggregator by: name them with --ca FILE, or with "
                         "'ca = FILE' in the configuration",
                         url);
    return 0;
}

void transport_close(struct transport *transport)
{
    if (transport == NULL)
        return;
    if (transport->answer != NULL)
        nng_msg_free(transport->answer);
    if (nng_socket_id(transport->socket) > 0)
        nng_close(transport->socket);
    free(transport->url);
    free(transport);
}

/* Dials one address of the URL's host; the certificate is checked against the host's name all the same. The dialer
 * keeps the connection from then on. */
static int dial_address(struct transport *transport, const char *url, const char *name, const char *ca, bool *ca_taken)
{
    nng_dialer dialer;
    int status = nng_dialer_create(&dialer, transport->socket, url);
    if (status != 0)
        return status;
    if (is_tls(url) && (status = nng_dialer_set_string(dialer, NNG_OPT_TLS_CA_FILE, ca)) != 0)
        *ca_taken = false;
    if (status == 0 && is_tls(url) && name != NULL)
        status = nng_dialer_set_string(dialer, NNG_OPT_TLS_SERVER_NAME, name);
    if (status == 0)
        status = nng_dialer_start(dialer, 0);
    if (status != 0)
        nng_dialer_close(dialer);
    return status;
}

/* nng takes the first address of a name alone, where 'localhost' may be ::1 and the aggregator listen on 127.0.0.1. */
static int dial_all(struct transport *transport, const char *ca, bool *ca_taken)
{
    char addresses[ADDRESSES_MOST][PLATFORM_ADDRESS_BYTES], url[512];
    nng_url *parsed;
    int status = nng_url_parse(&parsed, transport->url);
    if (status != 0)
        return status;
    size_t count = platform_addresses(parsed->u_hostname, addresses, ADDRESSES_MOST);
    if (count == 0)
        status = dial_address(transport, transport->url, NULL, ca, ca_taken);
    for (size_t i = 0; i < count && *ca_taken; i++) {
        bool brackets = strchr(addresses[i], ':') != NULL;
        int length = snprintf(url, sizeof url, "%s://%s%s%s:%s", parsed->u_scheme, brackets ? "[" : "", addresses[i],
                              brackets ? "]" : "", parsed->u_port);
        status =
            length < (int)sizeof url ? dial_address(transport, url, parsed->u_hostname, ca, ca_taken) : NNG_EADDRINVAL;
        if (status == 0)
            break;
    }
    nng_url_free(parsed);
    return status;
}

/* Whether somebody was there, and hung up. */
static bool is_cut(int status)
{
    return status == NNG_ECONNSHUT || status == NNG_ECONNRESET || status == NNG_ECONNABORTED || status == NNG_ECLOSED;
}

/* A request that was sent is never sent twice by nng itself, since the exchange knows better whether that is of use. */
static int dial(struct transport *transport, const char *ca, uint32_t timeout, bool *ca_taken)
{
    *ca_taken = true;
    int status;
    if ((status = nng_req0_open(&transport->socket)) != 0 ||
        (status = nng_socket_set_size(transport->socket, NNG_OPT_RECVMAXSZ, LIMIT_MESSAGE_BYTES)) != 0 ||
        (status = nng_socket_set_ms(transport->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE)) != 0 ||
        (status = nng_socket_set_ms(transport->socket, NNG_OPT_SENDTIMEO, (nng_duration)timeout)) != 0 ||
        (status = nng_socket_set_ms(transport->socket, NNG_OPT_RECVTIMEO, (nng_duration)timeout)) != 0)
        return status;
    for (unsigned attempt = 1; is_cut(status = dial_all(transport, ca, ca_taken)) && attempt < DIAL_ATTEMPTS; attempt++)
        transport_sleep(DIAL_PAUSE_MILLISECONDS + randombytes_uniform(DIAL_PAUSE_MILLISECONDS * attempt));
    return status;
}

int transport_open(const char *url, const char *ca, uint32_t timeout, struct transport **transport, struct error *error)
{
    *transport = calloc(1, sizeof **transport);
    if (*transport == NULL || ((*transport)->url = strdup(url)) == NULL) {
        transport_close(*transport);
        *transport = NULL;
        return error_set(error, ERROR_MEMORY, "no memory for a connection");
    }
    bool ca_taken;
    int status = dial(*transport, ca, timeout, &ca_taken);
    if (status == 0)
        return 0;
    transport_close(*transport);
    *transport = NULL;
    if (!ca_taken)
        return error_set(error, ERROR_NETWORK,
                         "can't take the certificates to check the aggregator by from '%s': %s; name another file with "
                         "--ca FILE, or with 'ca = FILE' in the configuration",
                         ca, status == NNG_ENOENT ? "no such file" : nng_strerror(status));
    if (status == NNG_EPEERAUTH || status == NNG_ECRYPTO)
        return error_set(error, ERROR_NETWORK,
                         "the aggregator at %s has no certificate that '%s' vouches for: %s; check 'ca' and the "
                         "certificate's names",
                         url, ca, nng_strerror(status));
    return error_set(error, ERROR_NETWORK, "can't reach the aggregator at %s: %s; is 'evenkeel serve' running there?",
                     url, nng_strerror(status));
}

int transport_request(struct transport *transport, struct bytes request, struct bytes *answer, struct error *error)
{
    nng_msg *message = NULL;
    *answer = (struct bytes){0};
    if (transport->answer != NULL)
        nng_msg_free(transport->answer);
    transport->answer = NULL;
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, request.data, request.length) != 0) {
        nng_msg_free(message);
        return error_set(error, ERROR_MEMORY, "no memory for a request of %zu bytes", request.length);
    }
    int status = nng_sendmsg(transport->socket, message, 0);
    if (status != 0)
        nng_msg_free(message);
    else
        status = nng_recvmsg(transport->socket, &transport->answer, 0);
    if (status != 0)
        return error_set(error, ERROR_NETWORK, "the aggregator at %s does not answer: %s; push again later",
                         transport->url, nng_strerror(status));
    *answer = bytes_of(nng_msg_body(transport->answer), nng_msg_len(transport->answer));
    return 0;
}

void transport_sleep(uint32_t milliseconds)
{
    nng_msleep((nng_duration)milliseconds);
}
