/* The parts of a host's page that stand in a file of their own. */

#ifndef EVENKEEL_PAGE_HOST_H
#define EVENKEEL_PAGE_HOST_H

#include <cJSON.h>
#include <stdio.h>

void host_files(const cJSON *document, FILE *out);
void host_history(const cJSON *document, FILE *out);
void host_services(const cJSON *document, FILE *out);

#endif
