/* Whether an inventory's chunks make one path-sorted list: none twice, none out of order, none within another. */

#ifndef EVENKEEL_STORE_ORDER_H
#define EVENKEEL_STORE_ORDER_H

#include "store_batch.h"

/*
 * To be called once the batch's chunks were looked for. Refuses the snapshots with chunks of which one does not begin
 * behind the one before it, as far as both are known, and takes them out of the batch; *dropped tells whether there
 * were any. What is in order is remembered, so that it is looked up once.
 */
int store_check_order(struct batch *batch, bool *dropped, struct error *error);

#endif
