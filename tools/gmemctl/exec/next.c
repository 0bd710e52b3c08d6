// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "../base/calls.h"
#include "next.h"

static struct exec_next next;
static struct calls next_calls;

static int next_ioctl(int fd, unsigned long request, void *arg)
{
	int rc = next.ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int next_close(int fd)
{
	return next.close(fd) ? -errno : 0;
}

/* What calls go through would come back here otherwise. */
static void next_find(void)
{
	next.ioctl = dlsym(RTLD_NEXT, "ioctl");
	next.close = dlsym(RTLD_NEXT, "close");
	next.sigaction = dlsym(RTLD_NEXT, "sigaction");
	next.signal = dlsym(RTLD_NEXT, "signal");
	next.sigprocmask = dlsym(RTLD_NEXT, "sigprocmask");
	next.pthread_sigmask = dlsym(RTLD_NEXT, "pthread_sigmask");
	next.memfd_create = dlsym(RTLD_NEXT, "memfd_create");
	next.ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
	next.fcntl = dlsym(RTLD_NEXT, "fcntl64");
	next.writev = dlsym(RTLD_NEXT, "writev");
	next.sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	next.pwrite = dlsym(RTLD_NEXT, "pwrite64");
	next.pwritev = dlsym(RTLD_NEXT, "pwritev64");
	/* Of libaio and liburing, where the VMM has these. */
	next.io_submit = dlsym(RTLD_NEXT, "io_submit");
	next.io_uring_submit = dlsym(RTLD_NEXT, "io_uring_submit");
	next.io_uring_submit_and_wait = dlsym(RTLD_NEXT, "io_uring_submit_and_wait");
	next_calls = calls_system;
	next_calls.ioctl = next_ioctl;
	next_calls.close = next_close;
	calls = &next_calls;
}

const struct exec_next *exec_next(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, next_find);
	return &next;
}
