/* SPDX-License-Identifier: GPL-2.0 */
/* The queue of liburing 2, as far as its programs have it compiled into them. */
#ifndef GMEMCTL_EXEC_URING_H
#define GMEMCTL_EXEC_URING_H

#include <linux/io_uring.h>

/**
 * struct io_uring - begins with its queue of requests
 * @kernel: head, tail, of what was handed over
 * @mask: of indices of @requests
 * @unused: entries, flags, dropped, array
 * @requests: see there
 * @head: of those that were not handed over yet, the first
 * @tail: the one after the last
 */
struct io_uring {
	unsigned int *kernel[2];
	unsigned int *mask;
	unsigned int *unused[4];
	struct io_uring_sqe *requests;
	unsigned int head;
	unsigned int tail;
};

#endif /* GMEMCTL_EXEC_URING_H */
