/* The subcommands of evenkeel-collector: each parses its own options, prints its own errors and returns an exit status.
 */

#ifndef EVENKEEL_COMMANDS_H
#define EVENKEEL_COMMANDS_H

/* argv[0] is the subcommand's name. */
int command_scan(int argc, char **argv);
int command_push(int argc, char **argv);
int command_enroll(int argc, char **argv);
int command_run(int argc, char **argv);
int command_service(int argc, char **argv);

#endif
