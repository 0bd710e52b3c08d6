// SPDX-License-Identifier: GPL-2.0
/* The functions of the C library that the shim stands in for. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

#include "shim.h"

/*
 * Not <fcntl.h> and <unistd.h>: with fortification they have inline functions of
 * the names that are defined here.
 */
#define AT_FDCWD (-100)
#define O_CREAT 0100
#define O_TMPFILE 020200000
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

#define EXPORT __attribute__((visibility("default")))
/* The same under another name: offsets have 64 bits in both variants of a function. */
#define EXPORT_AS(name) __attribute__((visibility("default"), alias(name)))

_Static_assert(sizeof(off_t) == 8 && sizeof(long) == 8, "64-bit only");

EXPORT int open(const char *path, int flags, ...);
EXPORT int __open_2(const char *path, int flags);
EXPORT int openat(int directory, const char *path, int flags, ...);
EXPORT int __openat_2(int directory, const char *path, int flags);
EXPORT int close(int fd);
EXPORT int close_range(unsigned int first, unsigned int last, int flags);
EXPORT int ioctl(int fd, unsigned long request, ...);
EXPORT int dup(int fd);
EXPORT int dup2(int fd, int number);
EXPORT int dup3(int fd, int number, int flags);
EXPORT int fcntl(int fd, int command, ...);
EXPORT int fallocate(int fd, int mode, off_t offset, off_t length);

EXPORT_AS("open") int open64(const char *path, int flags, ...);
EXPORT_AS("__open_2") int __open64_2(const char *path, int flags);
EXPORT_AS("openat") int openat64(int directory, const char *path, int flags, ...);
EXPORT_AS("__openat_2") int __openat64_2(int directory, const char *path, int flags);
EXPORT_AS("fcntl") int fcntl64(int fd, int command, ...);
EXPORT_AS("fallocate") int fallocate64(int fd, int mode, off_t offset, off_t length);

static struct shim_next next;

static void find_next(void)
{
	next.openat = dlsym(RTLD_NEXT, "openat");
	next.close = dlsym(RTLD_NEXT, "close");
	next.ioctl = dlsym(RTLD_NEXT, "ioctl");
	next.dup = dlsym(RTLD_NEXT, "dup");
	next.dup2 = dlsym(RTLD_NEXT, "dup2");
	next.dup3 = dlsym(RTLD_NEXT, "dup3");
	next.fcntl = dlsym(RTLD_NEXT, "fcntl");
	next.fallocate = dlsym(RTLD_NEXT, "fallocate");
	next.close_range = dlsym(RTLD_NEXT, "close_range");
}

const struct shim_next *shim_next(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_next);
	return &next;
}

static int result(int rc)
{
	if (rc >= 0)
		return rc;
	errno = -rc;
	return -1;
}

static int do_open(int directory, const char *path, int flags, unsigned int mode)
{
	int rc = shim_open(path, flags);

	return rc == SHIM_NOT_OURS ? shim_next()->openat(directory, path, flags, mode) : result(rc);
}

static unsigned int open_mode(int flags, va_list args)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, unsigned int) : 0;
}

int open(const char *path, int flags, ...)
{
	unsigned int mode;
	va_list args;

	va_start(args, flags);
	mode = open_mode(flags, args);
	va_end(args);
	return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	unsigned int mode;
	va_list args;

	va_start(args, flags);
	mode = open_mode(flags, args);
	va_end(args);
	return do_open(directory, path, flags, mode);
}

int __open_2(const char *path, int flags)
{
	return do_open(AT_FDCWD, path, flags, 0);
}

int __openat_2(int directory, const char *path, int flags)
{
	return do_open(directory, path, flags, 0);
}

int close(int fd)
{
	shim_closing(fd);
	return shim_next()->close(fd);
}

int close_range(unsigned int first, unsigned int last, int flags)
{
	unsigned int end = last < 0xffff ? last : 0xffff;

	for (unsigned int fd = first; !flags && fd <= end; fd++)
		shim_closing((int)fd);
	return shim_next()->close_range(first, last, flags);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int rc;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	rc = shim_ioctl(fd, request, arg);
	return rc == SHIM_NOT_OURS ? shim_next()->ioctl(fd, request, arg) : result(rc);
}

int dup(int fd)
{
	int number = shim_next()->dup(fd);

	if (number >= 0)
		shim_duplicated(fd, number);
	return number;
}

int dup2(int fd, int number)
{
	int rc = shim_next()->dup2(fd, number);

	if (rc >= 0)
		shim_duplicated(fd, number);
	return rc;
}

int dup3(int fd, int number, int flags)
{
	int rc = shim_next()->dup3(fd, number, flags);

	if (rc >= 0)
		shim_duplicated(fd, number);
	return rc;
}

int fcntl(int fd, int command, ...)
{
	va_list args;
	void *arg;
	int rc;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	rc = shim_next()->fcntl(fd, command, arg);
	if (rc >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
		shim_duplicated(fd, rc);
	return rc;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	int rc = shim_fallocate(fd, mode, (uint64_t)offset, (uint64_t)length);

	return rc == SHIM_NOT_OURS ? shim_next()->fallocate(fd, mode, offset, length) : result(rc);
}
