// SPDX-License-Identifier: GPL-2.0
/*
 * Holders of page references.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "hold.h"

/* The part of mm/gup_test.h that takes and releases a long-term pin. */
struct pin_longterm_test {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
};
#define PIN_LONGTERM_TEST_START _IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_STOP _IO('g', 8)
#define PIN_LONGTERM_TEST_FLAG_USE_WRITE 1

int hold_pipe_take(struct hold_pipe *hold, const void *p, size_t length)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p,
			     .iov_len = length };
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	hold->rd = fds[0];
	hold->wr = fds[1];
	n = vmsplice(hold->wr, &iov, 1, SPLICE_F_NONBLOCK);
	if (n == (ssize_t)length)
		return 0;
	n = n < 0 ? -errno : -EMSGSIZE;
	hold_pipe_drop(hold);
	return (int)n;
}

void hold_pipe_drop(struct hold_pipe *hold)
{
	close(hold->rd);
	close(hold->wr);
	hold->rd = -1;
	hold->wr = -1;
}

int hold_gup_take(void *p, size_t length)
{
	struct pin_longterm_test args = {
		.addr = (uintptr_t)p,
		.size = length,
		.flags = PIN_LONGTERM_TEST_FLAG_USE_WRITE,
	};
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PIN_LONGTERM_TEST_START, &args)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

void hold_gup_drop(int fd)
{
	ioctl(fd, PIN_LONGTERM_TEST_STOP);
	close(fd);
}

static uint32_t *uring_u32(struct hold_uring *u, uint32_t offset)
{
	return (uint32_t *)(void *)(u->ring + offset);
}

int hold_uring_open(struct hold_uring *u)
{
	struct io_uring_params params = { 0 };
	int rc;

	memset(u, 0, sizeof(*u));
	u->fd = (int)syscall(SYS_io_uring_setup, 8, &params);
	if (u->fd < 0)
		return -errno;
	u->ring_size = params.cq_off.cqes +
		params.cq_entries * sizeof(struct io_uring_cqe);
	if (u->ring_size < params.sq_off.array + params.sq_entries * 4)
		u->ring_size = params.sq_off.array + params.sq_entries * 4;
	u->sqes_size = params.sq_entries * sizeof(struct io_uring_sqe);
	u->ring = mmap(NULL, u->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       u->fd, IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, u->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       u->fd, IORING_OFF_SQES);
	if (u->ring == MAP_FAILED || u->sqes == MAP_FAILED) {
		rc = -errno;
		close(u->fd);
		return rc;
	}
	u->sq_tail = params.sq_off.tail;
	u->sq_mask = params.sq_off.ring_mask;
	u->sq_array = params.sq_off.array;
	u->cq_head = params.cq_off.head;
	u->cq_tail = params.cq_off.tail;
	u->cq_mask = params.cq_off.ring_mask;
	u->cqes = params.cq_off.cqes;
	return 0;
}

void hold_uring_close(struct hold_uring *u)
{
	munmap(u->ring, u->ring_size);
	munmap(u->sqes, u->sqes_size);
	close(u->fd);
}

int hold_uring_register(struct hold_uring *u, void *p, size_t length)
{
	struct iovec iov = { .iov_base = p, .iov_len = length };

	if (syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, &iov,
		    1))
		return -errno;
	return 0;
}

int hold_uring_unregister(struct hold_uring *u)
{
	if (syscall(SYS_io_uring_register, u->fd, IORING_UNREGISTER_BUFFERS,
		    NULL, 0))
		return -errno;
	return 0;
}

int hold_uring_submit(struct hold_uring *u, int op, int fd, void *p,
		      uint32_t length, uint64_t pos)
{
	uint32_t tail = *uring_u32(u, u->sq_tail);
	uint32_t slot = tail & *uring_u32(u, u->sq_mask);
	struct io_uring_sqe *sqe = (struct io_uring_sqe *)u->sqes + slot;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (uint8_t)op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)p;
	sqe->len = length;
	sqe->off = pos;
	uring_u32(u, u->sq_array)[slot] = slot;
	__atomic_store_n(uring_u32(u, u->sq_tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 0, 0, NULL, 0) != 1)
		return -errno;
	return 0;
}

int hold_uring_result(struct hold_uring *u)
{
	uint32_t head = *uring_u32(u, u->cq_head);
	struct io_uring_cqe *cqes = (void *)(u->ring + u->cqes);
	int res;

	while (head == __atomic_load_n(uring_u32(u, u->cq_tail),
				       __ATOMIC_ACQUIRE))
		if (syscall(SYS_io_uring_enter, u->fd, 0, 1,
			    IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR)
			return -errno;
	res = cqes[head & *uring_u32(u, u->cq_mask)].res;
	__atomic_store_n(uring_u32(u, u->cq_head), head + 1, __ATOMIC_RELEASE);
	return res;
}
