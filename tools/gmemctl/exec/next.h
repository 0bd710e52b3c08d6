/* SPDX-License-Identifier: GPL-2.0 */
/* The functions that the library stands in for, of the library behind it. */
#ifndef GMEMCTL_EXEC_NEXT_H
#define GMEMCTL_EXEC_NEXT_H

#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct iocb;
struct io_uring;

struct exec_next {
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*close)(int fd);
	int (*sigaction)(int number, const struct sigaction *action,
			 struct sigaction *old);
	void (*(*signal)(int number, void (*handler)(int)))(int);
	int (*sigprocmask)(int how, const sigset_t *set, sigset_t *old);
	int (*pthread_sigmask)(int how, const sigset_t *set, sigset_t *old);
	int (*memfd_create)(const char *name, unsigned int flags);
	int (*ftruncate)(int fd, int64_t length);
	int (*fcntl)(int fd, int request, ...);
	ssize_t (*writev)(int fd, const struct iovec *parts, int count);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	ssize_t (*pwrite)(int fd, const void *data, size_t size, int64_t offset);
	ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, int64_t offset);
	int (*io_submit)(void *context, long count, struct iocb **requests);
	int (*io_uring_submit)(struct io_uring *ring);
	int (*io_uring_submit_and_wait)(struct io_uring *ring, unsigned int count);
};

/** exec_next() - the functions; the table of calls uses them from then on */
const struct exec_next *exec_next(void);

#endif /* GMEMCTL_EXEC_NEXT_H */
