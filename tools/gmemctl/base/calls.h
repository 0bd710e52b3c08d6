/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of system calls for KVM, gmem and guest memory. All of the program uses it for
 * these. A simulator replaces the table, without a change of the callers. Every function
 * returns a negative errno, never -1.
 */
#ifndef GMEMCTL_BASE_CALLS_H
#define GMEMCTL_BASE_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct calls {
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*map)(size_t length, int prot, int flags, int fd, uint64_t offset,
		   void **out);
	int (*unmap)(void *address, size_t length);
	int (*memfd)(const char *name, uint64_t length);
	int (*punch)(int fd, uint64_t offset, uint64_t length);

	/* Memory inside a mapping of map(); map_at() replaces what is there. */
	int (*map_at)(void *address, size_t length, int prot, int flags, int fd,
		      uint64_t offset);
	int (*protect)(void *address, size_t length, int prot);
	int (*advise)(void *address, size_t length, int advice);
	int (*lock)(void *address, size_t length);
	int (*unlock)(void *address, size_t length);
	int (*bind_node)(void *address, size_t length, unsigned int node);

	/*
	 * name() names anonymous memory in /proc/PID/smaps, or with NULL removes the name.
	 * peek() and poke() copy from and to memory. If it cannot be accessed, they return an
	 * error and raise no signal.
	 */
	int (*name)(void *address, size_t length, const char *name);
	int (*peek)(void *to, const void *address, size_t length);
	int (*poke)(void *address, const void *from, size_t length);

	/* hugetlb(): a memfd of huge pages. allocate(): populate a part of a file now. */
	int (*hugetlb)(const char *name, uint64_t length, unsigned int shift);
	int (*allocate)(int fd, uint64_t offset, uint64_t length);
};

/** calls_system: the table of the running kernel. */
extern const struct calls calls_system;

/** calls: the table in use; calls_system unless replaced before first use. */
extern const struct calls *calls;

/* For ioctls whose argument is a number. */
static inline int calls_ioctl_value(int fd, unsigned long request,
				    unsigned long value)
{
	return calls->ioctl(fd, request, (void *)value);
}

#endif /* GMEMCTL_BASE_CALLS_H */
