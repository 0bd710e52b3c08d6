/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel of a few bytes, which counts in memory: to see that a VM goes on. */
#ifndef TINY_GUEST_H
#define TINY_GUEST_H

#include <stdbool.h>

/* Guest physical address of the counter, 64 bits. */
#define TINY_GUEST_COUNTER	0x800000

/**
 * tiny_guest_write() - a file that gmemctl takes for Linux
 *
 * Return: whether it could be written.
 */
bool tiny_guest_write(const char *path);

/**
 * tiny_guest_write_clocks() - the same, with its clocks
 *
 * Behind the counter are the TSC and the ACPI timer, 64 bits each, as they were
 * before the counter was last incremented.
 */
bool tiny_guest_write_clocks(const char *path);

#endif /* TINY_GUEST_H */
