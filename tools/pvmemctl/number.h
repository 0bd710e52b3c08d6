/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers on a command line. */
#ifndef PVMEMCTL_NUMBER_H
#define PVMEMCTL_NUMBER_H

#include <stdint.h>

/**
 * number_parse() - decimal or 0x and hexadecimal, then K, M, G or T
 * @text: all of it has to be the number
 * @value: out: in units of one; the letters are powers of 1024
 *
 * Return: 0; -EINVAL for anything else, a sign and white space included; -ERANGE for
 * what does not fit in 64 bits.
 */
int number_parse(const char *text, uint64_t *value);

#endif /* PVMEMCTL_NUMBER_H */
