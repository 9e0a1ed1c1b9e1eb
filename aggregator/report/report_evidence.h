/* The evidence of a finding, as a person reads it. */

#ifndef EVENKEEL_REPORT_EVIDENCE_H
#define EVENKEEL_REPORT_EVIDENCE_H

#include <cJSON.h>
#include <stdio.h>

/*
 * Any check's evidence: a file with what it proves becomes a sentence, whatever else it has keeps its key, as words.
 * Counts of lists that are shown whole are left out, and so is what is null.
 */
void report_evidence(const cJSON *evidence, FILE *out);

#endif
