/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to hold a reference to the page at an address: a pipe, a long-term pin of
 * gup_test, an io_uring buffer.
 */
#ifndef HOLD_H
#define HOLD_H

#include <stddef.h>
#include <stdint.h>

/* A pipe with the page, filled by vmsplice(); one reference per page. */
struct hold_pipe {
	int rd;
	int wr;
};

int hold_pipe_take(struct hold_pipe *pipe, const void *p, size_t length);
void hold_pipe_drop(struct hold_pipe *pipe);

/*
 * Take a FOLL_LONGTERM pin by /sys/kernel/debug/gup_test; -ENOENT if it does not exist.
 */
int hold_gup_take(void *p, size_t length);
void hold_gup_drop(int fd);

/* The part of io_uring that the tests need, without liburing. */
struct hold_uring {
	int fd;
	uint8_t *ring;
	void *sqes;
	size_t ring_size;
	size_t sqes_size;
	uint32_t sq_tail, sq_mask, sq_array, cq_head, cq_tail, cq_mask, cqes;
};

int hold_uring_open(struct hold_uring *u);
void hold_uring_close(struct hold_uring *u);
int hold_uring_register(struct hold_uring *u, void *p, size_t length);
int hold_uring_unregister(struct hold_uring *u);
/* op is IORING_OP_READ, _WRITE, _READ_FIXED or _WRITE_FIXED (buffer 0). */
int hold_uring_submit(struct hold_uring *u, int op, int fd, void *p,
		      uint32_t length, uint64_t pos);
/* Return: the result of the oldest request, bytes or a negative errno. */
int hold_uring_result(struct hold_uring *u);

#endif /* HOLD_H */
