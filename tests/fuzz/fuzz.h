/* What the fuzz targets share. */

#ifndef EVENKEEL_TESTS_FUZZ_H
#define EVENKEEL_TESTS_FUZZ_H

#include "proto/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* The file `path`, private as the collector's own, gets these bytes. */
static inline void put_file(const char *path, struct bytes bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    require(fd >= 0 && write(fd, bytes.data, bytes.length) == (ssize_t)bytes.length);
    close(fd);
}

/* *head becomes the first bytes, as many as the two before them say (or all), *rest those behind. */
static inline void cut(struct bytes bytes, struct bytes *head, struct bytes *rest)
{
    uint16_t length;
    *head = *rest = (struct bytes){0};
    if (!bytes_u16(bytes, 0, &length))
        return;
    if (length > bytes.length - 2)
        length = (uint16_t)(bytes.length - 2);
    bytes_slice(bytes, 2, length, head);
    bytes_slice(bytes, 2u + length, bytes.length - 2 - length, rest);
}

#endif
