/* Numbers in sentences. */

#ifndef EVENKEEL_WORDS_H
#define EVENKEEL_WORDS_H

/* 'file' of one, 'files' of any other number. */
static inline const char *plural(long long count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

#endif
