/* A finding on a page. */

#ifndef EVENKEEL_PAGE_FINDING_H
#define EVENKEEL_PAGE_FINDING_H

#include <cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* As a card: what it is and, unfolded where it is not one of many hosts' (`named`), what it rests on. */
void put_finding(const cJSON *finding, bool named, FILE *out);

#endif
