/*
 * Who gives way where too much waits for the writer: each source of requests (a connection) has its share, and whoever
 * has more of the queue than others makes room for them. So however much one sends, over however many connections, who
 * asks once is heard.
 */

#ifndef EVENKEEL_WAITING_H
#define EVENKEEL_WAITING_H

#include "aggregator/store/request.h"

struct waiting {
    struct request *first, **last; /* in the order in which they came, by their `next` */
};

void waiting_clear(struct waiting *waiting);
void waiting_add(struct waiting *waiting, struct request *request);

/*
 * Takes out, for a newcomer that has no place, the latest request of the source that has the most of them waiting; NULL
 * where none has two more than the newcomer's source, or there is no memory to count them.
 */
struct request *waiting_displace(struct waiting *waiting, const struct request *newcomer);

#endif
