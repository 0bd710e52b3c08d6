/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection: the nth allocation or copy from or to user memory that the kernel
 * makes for the calling thread fails.
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <stdbool.h>

/*
 * Return: NULL, or why fault injection is unavailable. Sets it up once for all threads.
 */
const char *fail_nth_unavailable(void);
/* Return: an fd for the calling thread, or a negative errno. */
int fail_nth_open(void);
int fail_nth_arm(int fd, unsigned int nth);
/*
 * Return: 1 if a fault was injected, 0 if there were too few operations, or a negative
 * errno.
 */
int fail_nth_disarm(int fd);

#endif /* FAIL_NTH_H */
