/* What the actions of 'evenkeel hosts' share. */

#ifndef EVENKEEL_COMMAND_HOSTS_H
#define EVENKEEL_COMMAND_HOSTS_H

#include "cli.h"

/* One call of 'evenkeel hosts': its words after the action, and its options; NULL where not given. */
struct hosts_call {
    PGconn *connection;
    bool fleet; /* it is a fleet database's */
    char **words;
    int count;
    const char *uses, *until, *within, *hosts, *note, *reason;
    bool replace, remove, retired;
    struct cli_choice *choice; /* what 'list' lists */
    enum cli_format format;
};

/* 'evenkeel hosts token [list | remove ID]': makes, lists and removes enrolment tokens. -1 with *error. */
int hosts_token(const struct hosts_call *call, struct error *error);

#endif
