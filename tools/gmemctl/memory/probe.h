/* SPDX-License-Identifier: GPL-2.0 */
/* Accesses guest memory as the host, and survives the signal of a refused access. */
#ifndef GMEMCTL_MEMORY_PROBE_H
#define GMEMCTL_MEMORY_PROBE_H

#include <stdint.h>

/** probe_start_segv() - catch SIGBUS, and SIGSEGV for unmapped addresses, from now on */
int probe_start_segv(void);
void probe_stop(void);

/** probe_read() - read a byte. Return: 0, or -EFAULT after a signal. */
int probe_read(const uint8_t *address, uint8_t *value);

/** probe_write() - write a byte. Return: 0, or -EFAULT after a signal. */
int probe_write(uint8_t *address, uint8_t value);

/**
 * probe_frame() - frame number of a mapped page, from /proc/self/pagemap
 *
 * Return: 0; -ENOENT if the page is not mapped; -EPERM if the kernel hides
 * frame numbers from this process.
 */
int probe_frame(const void *address, uint64_t *frame);

#endif /* GMEMCTL_MEMORY_PROBE_H */
