/* Service-pack levels as sentences name them: 'Windows NT 4.0 Service Pack 5 or Service Pack 6a'. */

#ifndef EVENKEEL_KB_LEVEL_H
#define EVENKEEL_KB_LEVEL_H

#include "kb_value.h"

#define KB_LEVELS_MAX 16 /* levels of one sentence */

struct kb_level {
    char product[96]; /* 'Windows NT 4.0'; empty where none is named */
    char level[16];   /* 'SP6a', 'RTM', 'SP4 HRP' */
};

/*
 * Finds the levels that `text` names, in their order, with the product that each belongs to; a level without a product
 * of its own belongs to the one before it. Products are brought to one form: no 'Microsoft', no 'version', no edition
 * of Windows but Terminal Server. 'post-Service Pack 6a' and 'Service Pack 6a-based' name no level. Returns how many.
 */
size_t kb_levels_find(struct kb_span text, struct kb_level levels[KB_LEVELS_MAX]);

#endif
