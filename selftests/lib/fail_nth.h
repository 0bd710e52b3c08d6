/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection: the nth allocation or copy from or to user memory that the
 * calling thread makes the kernel try from now on fails.
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <stdbool.h>

/* NULL, or why the kernel cannot be made to fail. Sets it up, once for all. */
const char *fail_nth_unavailable(void);
/* For the calling thread: an fd or a negative errno. */
int fail_nth_open(void);
int fail_nth_arm(int fd, unsigned int nth);
/* 1: it has failed, 0: there were not so many, or a negative errno. */
int fail_nth_disarm(int fd);

#endif /* FAIL_NTH_H */
