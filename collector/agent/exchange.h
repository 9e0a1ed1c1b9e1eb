/*
 * Offer, want, give: how a snapshot gets to an aggregator. One request at a time over an nng REQ socket; every answer
 * is bounded in size, every loop in length.
 */

#ifndef EVENKEEL_EXCHANGE_H
#define EVENKEEL_EXCHANGE_H

#include "collector/disk/snapshot.h"
#include "evenkeel.pb-c.h"
#include "host.h"
#include "proto/envelope.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange; /* opaque: the way to one of several aggregators */

struct exchange_options {
    const char *const *urls; /* tried in turn: tls+tcp://HOST:PORT, tcp://HOST:PORT */
    size_t url_count;
    const char *ca;   /* file of PEM certificates for tls+tcp; NULL: none */
    bool allow_plain; /* tcp to other machines too */
    const struct signing_key *key;
    uint32_t timeout; /* milliseconds that an answer may take; 0: EXCHANGE_TIMEOUT */
};

#define EXCHANGE_TIMEOUT 60000u

/* What went over the wire: nng's messages with their 12 bytes of framing, without TLS, TCP and IP. */
struct exchange_traffic {
    uint64_t requests, sent, received;
};

/* Nothing is sent yet; ERROR_USAGE for URLs that are wrong or not allowed. Everything in *options must live as long. */
int exchange_new(const struct exchange_options *options, struct exchange **exchange, struct error *error);
void exchange_free(struct exchange *exchange); /* NULL is allowed */

/*
 * Makes the host known to the aggregator: fills host->id and raises host->sequence. *approved is false where a person
 * has to approve the key first; the host is not enrolled then. `token` may be NULL. ERROR_REFUSED: *reason says what
 * for.
 */
int exchange_enroll(struct exchange *exchange, struct host *host, const Evenkeel__MachineMarks *marks,
                    const char *token, bool *approved, Evenkeel__RefusalReason *reason, struct error *error);

/* An object that is given with the first request, without having been asked for. */
struct exchange_ahead {
    Evenkeel__ObjectKind kind;
    struct digest digest;
};

/*
 * Offers the snapshot and gives what is wanted of it until it is accepted. offer->host_id and offer->sequence are
 * filled from *host, whose sequence rises. What the aggregator will surely want may be named in `ahead`, what others
 * name before what names it; where it fits into one request it goes with the offer. ERROR_NETWORK: nobody answered, try
 * again later; ERROR_BUSY likewise; ERROR_REFUSED: *reason says what for.
 */
int exchange_push(struct exchange *exchange, struct host *host, struct snapshot *snapshot, Evenkeel__Offer *offer,
                  const struct exchange_ahead *ahead, size_t ahead_count, bool *changed,
                  Evenkeel__RefusalReason *reason, struct error *error);

const struct exchange_traffic *exchange_traffic(const struct exchange *exchange);

#endif
