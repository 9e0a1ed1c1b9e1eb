/* An image as an object: its packed bytes in canonical form, by whose digest it is named. */

#ifndef EVENKEEL_IMAGE_H
#define EVENKEEL_IMAGE_H

#include "pe.h"
#include "proto/error.h"

/*
 * Packs *image, which must be a PE, as an evenkeel.Image: the same file gives the same bytes on every system. *bytes is
 * the caller's to free(). -1 with ERROR_MEMORY, and *bytes NULL, is the only way to fail.
 */
int image_pack(const struct pe_image *image, uint8_t **bytes, size_t *length, struct error *error);

#endif
