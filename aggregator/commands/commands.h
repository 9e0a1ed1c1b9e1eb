/* The subcommands of evenkeel: each parses its own options, prints its own errors and returns an exit status. */

#ifndef EVENKEEL_AGGREGATOR_COMMANDS_H
#define EVENKEEL_AGGREGATOR_COMMANDS_H

/* argv[0] is the subcommand's name. */
int command_init(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_dsn(int argc, char **argv);
int command_hosts(int argc, char **argv);
int command_catalog(int argc, char **argv);
int command_baseline(int argc, char **argv);
int command_patch(int argc, char **argv);
int command_risk(int argc, char **argv);
int command_check(int argc, char **argv);
int command_report(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_waive(int argc, char **argv);
int command_fleet(int argc, char **argv);
int command_fsck(int argc, char **argv);
int command_prune(int argc, char **argv);

/* Exit statuses that mean the same in every command; those that judge say in --help what theirs are. */
enum { EXIT_STATUS_OK = 0, EXIT_STATUS_ERROR = 1, EXIT_STATUS_FOUND = 2, EXIT_STATUS_UNKNOWN = 3 };

#endif
