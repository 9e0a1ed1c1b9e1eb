/* Clean-up by attribute, so that a function has one way out. */

#ifndef EVENKEEL_CLEANUP_H
#define EVENKEEL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* `_cleanup_(pe_image_clear) struct pe_image image = {0};` calls pe_image_clear(&image) when the scope is left. */
#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

#endif
