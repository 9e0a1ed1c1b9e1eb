/* The end of what a program prints. */

#ifndef EVENKEEL_OUTPUT_H
#define EVENKEEL_OUTPUT_H

/*
 * Writes out what waits on stdout, at the end of `program command`: `status`, or `failed` with a sentence on stderr
 * where not all could be written, now or before. A command that failed has said why.
 */
int output_end(const char *program, const char *command, int status, int failed);

#endif
