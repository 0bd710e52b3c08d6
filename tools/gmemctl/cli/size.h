/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_CLI_SIZE_H
#define GMEMCTL_CLI_SIZE_H

#include <stdint.h>

/**
 * size_parse() - parse a size in bytes, or an address: digits, or 0x and hexadecimal
 * ones, then K, M, G, T (also KB or KiB, and so on; all powers of 1024) or nothing
 *
 * Return: 0, -EINVAL for anything else, -ERANGE for more than 64 bits.
 */
int size_parse(const char *text, uint64_t *size);

/** count_parse() - parse a plain decimal number of at most @max */
int count_parse(const char *text, uint32_t max, uint32_t *count);

/** number_parse() - parse all of a number: digits, or 0x and hexadecimal ones */
int number_parse(const char *text, uint64_t *number);

#endif /* GMEMCTL_CLI_SIZE_H */
