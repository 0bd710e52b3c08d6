/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_TEST_TEST_HEX_H
#define GMEMCTL_TEST_TEST_HEX_H

#include <stdbool.h>
#include <stddef.h>

/** is_hex() - whether bytes are what a vector has in lower-case hexadecimal */
bool is_hex(const void *bytes, size_t size, const char *text);

#endif /* GMEMCTL_TEST_TEST_HEX_H */
