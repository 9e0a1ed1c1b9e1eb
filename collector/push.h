/* One snapshot of one host, taken and given to an aggregator. */

#ifndef EVENKEEL_PUSH_H
#define EVENKEEL_PUSH_H

#include "collector/config.h"
#include "collector/exchange.h"
#include "collector/host.h"
#include "collector/snapshot.h"
#include "collector/walk.h"
#include "proto/error.h"

struct push_options {
    const struct config *config;
    const char *root;                     /* folder that holds the host's system drive; NULL: the running system's */
    const char *registry_file;            /* .reg export for the facts; NULL: the registry below root */
    uint32_t schedule;                    /* seconds to the next one; 0: none planned */
    void (*report)(const char *sentence); /* what was passed over on the way; NULL: nobody wants to know */
};

/* Plain data: what a push came to. */
struct push_result {
    char host[LIMIT_HOST_NAME_BYTES + 1];
    bool changed;
    struct snapshot_counts snapshot;
    struct walk_counts walk;
    struct exchange_traffic traffic;
};

/* 0 only where the aggregator has the snapshot in its database. */
int push_snapshot(const struct push_options *options, struct push_result *result, struct error *error);

#endif
