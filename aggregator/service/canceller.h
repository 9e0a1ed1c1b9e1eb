/* Cancels what this program still runs in the database, once the time that it has for its end is over: a statement that
 * waits for a lock, or a long judgement. */

#ifndef EVENKEEL_CANCELLER_H
#define EVENKEEL_CANCELLER_H

struct canceller; /* opaque */

/*
 * After so many seconds the statements of all sessions called `name` (database_application_name()) are cancelled, again
 * and again until canceller_stop(). Both strings must live as long. NULL where there is no memory: then nothing is.
 */
struct canceller *canceller_start(const char *dsn, const char *name, unsigned seconds);
void canceller_stop(struct canceller *canceller); /* NULL is allowed */

#endif
