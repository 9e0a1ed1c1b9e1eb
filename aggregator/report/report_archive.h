/* Pages of reports that are kept, each under the time at which it was made, and an index that leads to them. */

#ifndef EVENKEEL_REPORT_ARCHIVE_H
#define EVENKEEL_REPORT_ARCHIVE_H

#include "report_place.h"

#include <stdbool.h>

/*
 * Keeps the page in `directory`, which is made where it is not there, as drift-20261129T0305Z.html (UTC; one of the
 * same minute is replaced), and writes index.html there anew: all pages of such names, the newest first, each with its
 * title. -1 with *error.
 */
int report_archive(const struct report_source *page, const char *directory, struct error *error);

/* Whether that is the name of a page that is kept, or of the index. */
bool report_archive_holds(const char *name);

#endif
