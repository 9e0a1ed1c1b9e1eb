/* What a batch does with component stores: which files of a host Windows' servicing put there. */

#ifndef EVENKEEL_STORE_COMPONENTS_H
#define EVENKEEL_STORE_COMPONENTS_H

#include "store_batch.h"

/* Which component stores the facts at hand name that the database lacks: into each arrival's component_store_wanted. */
int store_find_components(struct batch *batch, struct error *error);

/* Those that are at hand it gets once their snapshots are complete. */
int store_new_components(struct batch *batch, struct error *error);

#endif
