/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel of a few bytes that increments a counter in memory: shows that a VM is
 * running.
 */
#ifndef TINY_GUEST_H
#define TINY_GUEST_H

#include <stdbool.h>

/* Guest physical address of the counter, 64 bits. */
#define TINY_GUEST_COUNTER	0x800000

/**
 * tiny_guest_write() - write a kernel that gmemctl loads like Linux
 *
 * Return: whether it was written.
 */
bool tiny_guest_write(const char *path);

/**
 * tiny_guest_write_clocks() - the same, but the guest also stores its clocks
 *
 * After the counter are the TSC and the ACPI timer, 64 bits each, with their values
 * before the last increment of the counter.
 */
bool tiny_guest_write_clocks(const char *path);

#endif /* TINY_GUEST_H */
