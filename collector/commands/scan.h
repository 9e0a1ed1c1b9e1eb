/*
 * What a scan prints of one file.
 *
 * TSV: a header line, then path, size, file_version, product_version (numeric, a.b.c.d), machine, timestamp (ISO 8601
 * UTC), checksum (0x and eight digits), sha256. What a file does not have is an empty field. Tab, newline, carriage
 * return and backslash in a path are written \t, \n, \r and \\.
 *
 * JSON: one object a line with these and all other fields of an image, the names as in evenkeel.proto; what a file does
 * not have is left out. Bytes of a path that are not UTF-8 become U+FFFD.
 */

#ifndef EVENKEEL_SCAN_H
#define EVENKEEL_SCAN_H

#include "collector/pe/pe.h"
#include "proto/bytes.h"

#include <stdio.h>

void scan_print_tsv_header(FILE *out);
void scan_print_tsv(FILE *out, struct bytes path, const struct pe_image *image);
void scan_print_json(FILE *out, struct bytes path, const struct pe_image *image);

#endif
