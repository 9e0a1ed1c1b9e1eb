/* Folding and joining of paths. */

#include "path.h"

#include <stdlib.h>
#include <string.h>

void path_fold(char *path)
{
    for (; *path != 0; path++) {
        if (*path >= 'A' && *path <= 'Z')
            *path = (char)(*path - 'A' + 'a');
        else if (*path == '\\')
            *path = '/';
    }
}

char *path_join(const char *directory, const char *name)
{
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    while (*name == '/')
        name++;
    size_t rest = strlen(name);
    char *joined = malloc(length + 1 + rest + 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, directory, length);
    joined[length] = '/';
    memcpy(joined + length + 1, name, rest + 1);
    return joined;
}
