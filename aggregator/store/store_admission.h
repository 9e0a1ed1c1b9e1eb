/* Who may enrol, which offers are let in, and what is counted of them. */

#ifndef EVENKEEL_STORE_ADMISSION_H
#define EVENKEEL_STORE_ADMISSION_H

#include "store_batch.h"

/* Answers one enrolment. */
int store_enroll(struct store *store, struct request *request, struct store_outcome *outcome, struct error *error);

/* Asks the database who may report; refusals are answered, the others become the batch's snapshots. */
int store_admit(struct batch *batch, struct request **requests, size_t count, struct error *error);

/* Once the gives are found fit: counts the snapshots' sequence numbers, marks and bytes, and checks in the unchanged.
 */
int store_count_offers(struct batch *batch, struct error *error);

#endif
